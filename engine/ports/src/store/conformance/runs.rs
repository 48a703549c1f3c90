//! Facts about accepting a run and letting it go.

use super::facts;
use super::kit::*;
use crate::store::{
    Batch, Blob, IndexChange, LedgerLine, Spawn, Start, StartError, Started, StoreError, Then,
};
use hostler_core::id::Digest;

facts![
    a_run_is_accepted_once,
    the_same_id_with_another_body_is_a_conflict,
    a_start_writes_all_that_belongs_to_it,
    a_live_lane_is_not_purged,
    a_purge_is_bounded_and_leaves_a_tombstone,
    a_purged_child_is_gone_for_good,
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

async fn a_live_lane_is_not_purged(kit: &Kit<'_>) {
    kit.parked(1).await;
    let refused = kit.store().purge(lane(1), Digest::of(b"archive"), 10).await;
    assert!(matches!(refused, Err(StoreError::Bounds(_))));
    assert_eq!(kit.load(lane(1)).await.events, ["born"]);
    assert_eq!(
        kit.store().purge(lane(9), Digest::of(b"archive"), 10).await,
        Ok(true)
    );
}

async fn a_purge_is_bounded_and_leaves_a_tombstone(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    for number in 0..20 {
        kit.send(lane(1), number).await;
    }
    let many = Batch {
        events: vec!["e".into(); 50],
        snapshot: Some("s".into()),
        ..Batch::default()
    };
    kit.commit(&claim, 1, many).await;
    kit.commit(
        &claim,
        51,
        Batch {
            inbox_used: 5,
            then: Then::End,
            ..Batch::default()
        },
    )
    .await;
    let mut calls = 0;
    while !kit
        .store()
        .purge(lane(1), Digest::of(b"archive"), 10)
        .await
        .unwrap()
    {
        calls += 1;
        assert!(calls < 50, "a purge ends");
    }
    assert!(kit.store().load(lane(1), 0).await.unwrap().is_none());
    assert_eq!(
        kit.store().purge(lane(1), Digest::of(b"archive"), 10).await,
        Ok(true)
    );
    assert_eq!(
        kit.store().run_summary(run(1)).await,
        Ok(Some("{\"run\":1}".into()))
    );
    assert_eq!(
        kit.store().start(start(1)).await,
        Ok(Started::Same),
        "a late duplicate starts nothing"
    );
    assert_eq!(kit.send(lane(1), 99).await, crate::store::Sent::Gone);
    let header = kit.store().headers(&[lane(1)]).await.unwrap()[0]
        .clone()
        .unwrap();
    assert_eq!((header.ended, header.version), (true, 51));
    assert_eq!(kit.store().feed(Default::default(), 0).await, Ok(vec![]));
}

async fn a_purged_child_is_gone_for_good(kit: &Kit<'_>) {
    let parent = kit.held(1).await;
    let child = lane(1).child("patch", 0, "a");
    let spawned = Spawn {
        parent: Some(lane(1)),
        key: Some("a".into()),
        ..spawn(run(1), child)
    };
    kit.commit(
        &parent,
        1,
        Batch {
            spawn: vec![spawned],
            ..Batch::default()
        },
    )
    .await;
    let claim = kit.claim_only(child).await;
    kit.commit(&claim, 1, then(Then::End)).await;
    assert_eq!(
        kit.store().purge(child, Digest::of(b"archive"), 500).await,
        Ok(true)
    );
    assert_eq!(kit.store().headers(&[child]).await, Ok(vec![None]));
    assert_eq!(kit.send(child, 1).await, crate::store::Sent::Gone);
    assert_eq!(
        kit.store()
            .children(lane(1), Default::default())
            .await
            .unwrap()
            .entries
            .len(),
        1
    );
}
