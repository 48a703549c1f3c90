//! Facts about the ledger: how its entries are numbered, read, and trimmed.
//!
//! Not here: who may trim, and where the entries went.

use super::facts;
use super::kit::*;
use crate::store::generation::NewGeneration;
use crate::store::{Batch, Claim, LedgerLine, READ_MAX, Start, StoreError, Upkeep, bounds};

facts![
    the_ledger_counts_without_gaps,
    a_long_ledger_is_read_from_any_number,
    a_trimmed_ledger_keeps_its_numbers_and_its_count,
    a_trimming_is_bounded,
    trimming_again_or_more_than_there_is_does_no_harm,
    a_trimmed_ledger_is_read_page_by_page,
    whoever_appends_goes_on_behind_what_was_trimmed,
];

fn lines(bodies: &[&str]) -> Vec<LedgerLine> {
    bodies
        .iter()
        .map(|body| LedgerLine {
            body: (*body).into(),
        })
        .collect()
}

async fn the_ledger_counts_without_gaps(kit: &Kit<'_>) {
    let first = kit.held(1).await;
    let second = kit.held(2).await;
    kit.commit(
        &first,
        1,
        Batch {
            ledger: lines(&["a", "b"]),
            ..events(&["x"])
        },
    )
    .await;
    assert!(
        kit.try_commit(
            &first,
            9,
            Batch {
                ledger: lines(&["no"]),
                ..Batch::default()
            }
        )
        .await
        .is_err()
    );
    kit.commit(
        &second,
        1,
        Batch {
            ledger: lines(&["c"]),
            ..Batch::default()
        },
    )
    .await;
    let now_ms = kit.store().now_ms().await.unwrap();
    let entries = kit.store().ledger(0).await.unwrap();
    let read: Vec<_> = entries
        .iter()
        .map(|e| (e.number, e.lane, e.version, e.at_ms, e.body.as_str()))
        .collect();
    let (one, two) = (Some(lane(1)), Some(lane(2)));
    assert_eq!(
        read,
        [
            (0, one, 2, now_ms, "a"),
            (1, one, 2, now_ms, "b"),
            (2, two, 1, now_ms, "c")
        ]
    );
    assert_eq!(kit.store().counts().await.unwrap().ledger, 3);
}

async fn a_long_ledger_is_read_from_any_number(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    for _ in 0..3 {
        kit.commit(
            &claim,
            1,
            Batch {
                ledger: lines(&["x"; 300]),
                ..Batch::default()
            },
        )
        .await;
    }
    let page = kit.store().ledger(350).await.unwrap();
    assert_eq!(
        (page.len(), page[0].number, page[499].number),
        (READ_MAX, 350, 849)
    );
    assert_eq!(kit.store().ledger(850).await.unwrap().len(), 50);
    assert_eq!(kit.store().ledger(900).await, Ok(vec![]));
}

/// So many entries in a ledger; the lane that wrote them is still held.
async fn told(kit: &Kit<'_>, count: usize) -> Claim {
    let claim = kit.held(1).await;
    let lines = lines(&vec!["x"; count]);
    for ledger in lines.chunks(300) {
        let ledger = ledger.to_vec();
        let batch = Batch {
            ledger,
            ..Batch::default()
        };
        kit.commit(&claim, 1, batch).await;
    }
    claim
}

/// Numbers of the page from here on.
async fn numbers(kit: &Kit<'_>, from: u64) -> Vec<u64> {
    let page = kit.store().ledger(from).await.unwrap();
    page.iter().map(|entry| entry.number).collect()
}

async fn trim(kit: &Kit<'_>, below: u64, max: usize) -> bool {
    kit.store().trim_ledger(below, max).await.unwrap()
}

async fn counted(kit: &Kit<'_>) -> u64 {
    let state = kit.store().state().await.unwrap().ledger;
    let counts = kit.store().counts().await.unwrap().ledger;
    assert_eq!(state, counts);
    counts
}

async fn a_trimmed_ledger_keeps_its_numbers_and_its_count(kit: &Kit<'_>) {
    told(kit, 5).await;
    let before = kit.store().ledger(3).await.unwrap();
    let seq = kit.store().counts().await.unwrap().seq;
    assert!(trim(kit, 3, 10).await);
    // Whoever asks for what is gone gets what comes behind it, unchanged.
    for from in 0..=3 {
        assert_eq!(kit.store().ledger(from).await.unwrap(), before);
    }
    assert_eq!(numbers(kit, 4).await, [4]);
    assert_eq!(numbers(kit, 5).await, [0; 0]);
    assert_eq!(counted(kit).await, 5);
    let after = kit.store().counts().await.unwrap().seq;
    assert_eq!(after, seq, "it is no commit");
}

async fn a_trimming_is_bounded(kit: &Kit<'_>) {
    told(kit, 10).await;
    assert!(!trim(kit, 8, 3).await);
    assert_eq!(numbers(kit, 0).await, [3, 4, 5, 6, 7, 8, 9]);
    assert!(!trim(kit, 8, 3).await);
    assert!(trim(kit, 8, 3).await);
    assert_eq!(numbers(kit, 0).await, [8, 9]);
    for max in [0, bounds::LEDGER_TRIM_MAX + 1] {
        let refused = kit.store().trim_ledger(9, max).await;
        assert!(matches!(refused, Err(StoreError::Bounds(_))), "{refused:?}");
    }
    assert!(trim(kit, 9, bounds::LEDGER_TRIM_MAX).await);
    assert_eq!(numbers(kit, 0).await, [9]);
}

async fn trimming_again_or_more_than_there_is_does_no_harm(kit: &Kit<'_>) {
    assert!(trim(kit, 7, 5).await, "there is nothing");
    let claim = told(kit, 5).await;
    for below in [0, 2, 2, 1, 0] {
        assert!(trim(kit, below, 5).await);
    }
    assert_eq!(numbers(kit, 0).await, [2, 3, 4]);
    assert!(trim(kit, u64::MAX, 5).await);
    assert_eq!((numbers(kit, 0).await, counted(kit).await), (Vec::new(), 5));
    let batch = Batch {
        ledger: lines(&["on"]),
        ..Batch::default()
    };
    kit.commit(&claim, 1, batch).await;
    assert_eq!((numbers(kit, 0).await, counted(kit).await), (vec![5], 6));
    assert_eq!(numbers(kit, u64::MAX).await, [0; 0]);
}

async fn a_trimmed_ledger_is_read_page_by_page(kit: &Kit<'_>) {
    told(kit, 1_200).await;
    assert!(trim(kit, 150, bounds::LEDGER_TRIM_MAX).await);
    let (mut read, mut from) = (Vec::new(), 0);
    loop {
        let page = numbers(kit, from).await;
        let Some(last) = page.last() else { break };
        assert!(page.len() <= READ_MAX);
        from = last + 1;
        read.extend(page);
    }
    assert_eq!(read, (150..1_200).collect::<Vec<u64>>());
    assert!(!trim(kit, 1_199, bounds::LEDGER_TRIM_MAX).await);
    assert!(trim(kit, 1_199, bounds::LEDGER_TRIM_MAX).await);
    assert_eq!(numbers(kit, 0).await, [1_199]);
}

async fn whoever_appends_goes_on_behind_what_was_trimmed(kit: &Kit<'_>) {
    told(kit, 4).await;
    assert!(trim(kit, 4, 10).await);
    let started = Start {
        ledger: lines(&["start"]),
        ..start(2)
    };
    kit.store().start(started).await.unwrap();
    let kept = Upkeep {
        ledger: lines(&["upkeep"]),
        ..Upkeep::default()
    };
    kit.store().upkeep(kept).await.unwrap();
    let decided = NewGeneration {
        from: 0,
        copy_taken_ms: None,
        decision: "{}".into(),
        ledger: lines(&["generation"]).remove(0),
    };
    kit.store().begin_generation(decided).await.unwrap();
    let claim = kit.claim_only(lane(2)).await;
    let batch = Batch {
        ledger: lines(&["commit"]),
        ..events(&["e"])
    };
    kit.commit(&claim, 1, batch).await;
    assert!(trim(kit, 5, 10).await);
    let page = kit.store().ledger(0).await.unwrap();
    let read: Vec<_> = page
        .iter()
        .map(|entry| (entry.number, entry.body.as_str()))
        .collect();
    assert_eq!(read, [(5, "upkeep"), (6, "generation"), (7, "commit")]);
    assert_eq!(counted(kit).await, 8);
}
