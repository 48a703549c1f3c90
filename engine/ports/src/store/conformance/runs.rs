//! Facts about accepting a run.
//!
//! Not here: how it leaves.

use super::facts;
use super::kit::*;
use crate::store::{Blob, IndexChange, LedgerLine, Spawn, Start, StartError, Started, Then};
use hostler_core::id::Digest;

facts![
    a_run_is_accepted_once,
    the_same_id_with_another_body_is_a_conflict,
    a_start_writes_all_that_belongs_to_it,
];

async fn a_run_is_accepted_once(kit: &Kit<'_>) {
    let first = kit.store().start(start(1)).await.unwrap();
    assert!(matches!(first, Started::New(seq) if seq.0 == 1));
    assert_eq!(kit.store().start(start(1)).await, Ok(Started::Same));
    let claim = kit.claim_only(lane(1)).await;
    kit.commit(&claim, 1, then(Then::End)).await;
    assert_eq!(kit.store().start(start(1)).await, Ok(Started::Same));
    kit.nothing_is_ready().await;
}

async fn the_same_id_with_another_body_is_a_conflict(kit: &Kit<'_>) {
    kit.start(1).await;
    let other = Start {
        body: Digest::of(b"something else"),
        ..start(1)
    };
    assert_eq!(kit.store().start(other).await, Err(StartError::Conflict));
    assert_eq!(kit.load(lane(1)).await.events, ["born"]);
}

async fn a_start_writes_all_that_belongs_to_it(kit: &Kit<'_>) {
    let digest = Digest::of(b"plan");
    let root = Spawn {
        events: vec!["accepted".into(), "planned".into()],
        summary: "waiting".into(),
        ..spawn(run(1), lane(1))
    };
    let entry = IndexChange::Put {
        index: "runs".into(),
        member: "1".into(),
        score: 4,
        body: "b".into(),
    };
    let full = Start {
        root,
        blobs: vec![Blob {
            digest,
            bytes: b"plan".to_vec(),
        }],
        index: vec![entry],
        ledger: vec![LedgerLine {
            body: "accepted by alice".into(),
        }],
        run_summary: "summary".into(),
        ..start(1)
    };
    kit.store().start(full).await.unwrap();
    let store = kit.store();
    assert_eq!(store.blob(digest).await, Ok(Some(b"plan".to_vec())));
    assert_eq!(
        store
            .query("runs", true, Default::default())
            .await
            .unwrap()
            .entries[0]
            .body,
        "b"
    );
    let ledger = store.ledger(0).await.unwrap();
    assert_eq!(
        (ledger[0].lane, ledger[0].version, ledger.len()),
        (Some(lane(1)), 2, 1)
    );
    assert_eq!(store.run_summary(run(1)).await, Ok(Some("summary".into())));
    let loaded = kit.load(lane(1)).await;
    assert_eq!(
        (loaded.events.len(), loaded.header.summary.as_str()),
        (2, "waiting")
    );
    assert_eq!(
        store.feed(Default::default(), 0).await.unwrap()[0].lane,
        lane(1)
    );
}
