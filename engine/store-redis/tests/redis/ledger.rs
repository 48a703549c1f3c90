//! The ledger's list when somebody has had his hands in it. Not here: sealing.

use crate::durability::start;
use crate::server::Server;
use hostler_ports::store::{LedgerLine, Start, Store};

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
    let list = "h:{main}:led";
    server.tell(&format!("LSET {list} 1 taken")).await;
    server.tell(&format!("LREM {list} 1 taken")).await;
    assert_eq!(numbers(&store).await, [0, 2]);
    server.tell(&format!("RPOP {list}")).await;
    assert_eq!(store.counts().await.unwrap().ledger, 3);
    store.start(started(2)).await.unwrap();
    assert_eq!(numbers(&store).await, [0, 3, 4, 5]);
    assert_eq!(store.counts().await.unwrap().ledger, 6);
}

async fn numbers(store: &impl Store) -> Vec<u64> {
    let lines = store.ledger(0).await.unwrap();
    lines.iter().map(|line| line.number).collect()
}
