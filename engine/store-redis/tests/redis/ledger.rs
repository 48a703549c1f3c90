//! The ledger's list when somebody has had his hands in it. Not here: sealing.

use crate::durability::start;
use crate::server::Server;
use hostler_ports::store::{Batch, ClaimAsk, LedgerLine, Queue, Start, Store};

/// A run whose start writes three lines.
fn started(number: u128) -> Start {
    let line = |line| LedgerLine {
        body: format!("line {line} of {number}"),
    };
    Start {
        ledger: (0..3).map(line).collect(),
        ..start(number)
    }
}

#[tokio::test]
async fn a_line_that_is_taken_out_leaves_a_gap_and_takes_no_number_back() {
    let server = Server::start(&[]).await;
    let store = server.store("main").await;
    store.start(started(1)).await.unwrap();
    let whole: Vec<u64> = numbers(&store).await;
    assert_eq!(whole, [0, 1, 2]);

    // One from the middle, then the last one.
    let list = "h:{main}.led";
    server.tell(&format!("LSET {list} 1 taken")).await;
    server.tell(&format!("LREM {list} 1 taken")).await;
    assert_eq!(numbers(&store).await, [0, 2]);
    server.tell(&format!("RPOP {list}")).await;
    assert_eq!(store.counts().await.unwrap().ledger, 3);
    store.start(started(2)).await.unwrap();
    assert_eq!(numbers(&store).await, [0, 3, 4, 5]);
    assert_eq!(store.counts().await.unwrap().ledger, 6);
}

#[tokio::test]
async fn a_trimming_takes_only_what_is_below_it_whatever_was_taken_out() {
    let server = Server::start(&[]).await;
    let store = server.store("main").await;
    for number in 1..=4 {
        store.start(started(number)).await.unwrap();
    }
    let list = "h:{main}.led";
    for number in [1, 4] {
        server.tell(&format!("LSET {list} {number} taken")).await;
    }
    server.tell(&format!("LREM {list} 2 taken")).await;
    assert_eq!(numbers(&store).await, [0, 2, 3, 5, 6, 7, 8, 9, 10, 11]);
    assert!(store.trim_ledger(4, 100).await.unwrap());
    assert_eq!(numbers(&store).await, [5, 6, 7, 8, 9, 10, 11]);
    assert!(!store.trim_ledger(9, 2).await.unwrap());
    assert_eq!(numbers(&store).await, [7, 8, 9, 10, 11]);
    assert_eq!(store.ledger(8).await.unwrap()[0].number, 8);

    // All of them, behind our back.
    server.tell(&format!("DEL {list}")).await;
    assert!(store.trim_ledger(10, 1).await.unwrap());
    store.start(started(5)).await.unwrap();
    assert_eq!(store.counts().await.unwrap().ledger, 15);
    assert_eq!(numbers(&store).await, [12, 13, 14]);
}

#[tokio::test]
async fn commits_that_go_together_number_their_lines_behind_what_was_trimmed() {
    const LANES: usize = 40;
    let server = Server::start(&[]).await;
    let store = server.store("main").await;
    for number in 1..=LANES as u128 {
        store.start(start(number)).await.unwrap();
    }
    store.start(started(1_000)).await.unwrap();
    assert!(store.trim_ledger(2, 100).await.unwrap());
    let ask = ClaimAsk {
        queue: Queue::Run,
        worker: "w".into(),
        max: LANES,
        at_least: None,
        lease_ms: 30_000,
        wait_ms: 0,
        until: None,
    };
    let mut claims = Vec::new();
    while claims.len() < LANES {
        claims.extend(store.claim(&ask).await.unwrap());
    }
    let commits = claims.iter().map(|claim| {
        let batch = Batch {
            events: vec!["e".into()],
            ledger: vec![LedgerLine {
                body: "together".into(),
            }],
            ..Batch::default()
        };
        store.commit(claim.lane, &claim.fence, 1, batch)
    });
    futures::future::try_join_all(commits).await.unwrap();
    let expected: Vec<u64> = (2..3 + claims.len() as u64).collect();
    assert_eq!(numbers(&store).await, expected);
}

async fn numbers(store: &impl Store) -> Vec<u64> {
    let lines = store.ledger(0).await.unwrap();
    lines.iter().map(|line| line.number).collect()
}
