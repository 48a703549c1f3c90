//! Facts about parking, ringing and what ends with a lane.

use super::facts;
use super::kit::*;
use crate::store::{Batch, DocumentWrite, IndexChange, Then, TimerChange, bounds};

facts![
    a_parked_lane_is_not_claimed,
    a_ring_before_parking_is_not_lost,
    a_lane_that_was_told_parks_when_it_has_read,
    many_rings_make_one_turn,
    a_requeued_lane_stands_behind_the_others,
    a_changed_document_rings_its_watchers,
    a_watch_that_was_left_does_not_ring,
    a_document_with_very_many_watchers_rings_them_all,
    an_ended_lane_leaves_nothing_behind,
];

async fn a_parked_lane_is_not_claimed(kit: &Kit<'_>) {
    let lane = kit.parked(1).await;
    kit.nothing_is_ready().await;
    kit.send(lane, 1).await;
    kit.claim_only(lane).await;
}

async fn a_ring_before_parking_is_not_lost(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    assert!(
        kit.load(claim.lane).await.inbox.is_empty(),
        "the holder reads an empty inbox"
    );
    kit.send(claim.lane, 1).await;
    kit.nothing_is_ready().await;
    assert!(kit.commit(&claim, 1, park()).await.dirty);
    kit.claim_only(claim.lane).await;
}

async fn a_lane_that_was_told_parks_when_it_has_read(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    kit.send(claim.lane, 1).await;
    assert!(kit.commit(&claim, 1, events(&["a"])).await.dirty, "told");
    assert!(
        !kit.commit(&claim, 2, events(&["b"])).await.dirty,
        "told once"
    );
    let parked = kit
        .commit(
            &claim,
            3,
            Batch {
                inbox_used: 1,
                then: Then::Park,
                ..Batch::default()
            },
        )
        .await;
    assert!(!parked.dirty);
    kit.nothing_is_ready().await;
}

async fn many_rings_make_one_turn(kit: &Kit<'_>) {
    let lane = kit.parked(1).await;
    for number in 0..20 {
        kit.send(lane, number).await;
    }
    assert_eq!(kit.store().counts().await.unwrap().ready, 1);
    let claim = kit.claim_only(lane).await;
    kit.commit(
        &claim,
        1,
        Batch {
            inbox_used: 20,
            then: Then::Park,
            ..Batch::default()
        },
    )
    .await;
    kit.nothing_is_ready().await;
}

async fn a_requeued_lane_stands_behind_the_others(kit: &Kit<'_>) {
    let first = kit.held(1).await;
    kit.start(2).await;
    kit.commit(&first, 1, then(Then::Requeue)).await;
    let order: Vec<_> = kit
        .claim(9)
        .await
        .into_iter()
        .map(|claim| claim.lane)
        .collect();
    assert_eq!(order, [lane(2), lane(1)]);
}

fn change(key: &str) -> Batch {
    Batch {
        documents: vec![DocumentWrite {
            key: key.into(),
            body: Some("x".into()),
        }],
        ..Batch::default()
    }
}

fn index(change: IndexChange, then: Then) -> Batch {
    Batch {
        index: vec![change],
        then,
        ..Batch::default()
    }
}

async fn a_changed_document_rings_its_watchers(kit: &Kit<'_>) {
    let watcher = kit.held(1).await;
    kit.commit(
        &watcher,
        1,
        index(IndexChange::watch("freeze", watcher.lane), Then::Park),
    )
    .await;
    let writer = kit.held(2).await;
    kit.commit(&writer, 1, change("other")).await;
    kit.nothing_is_ready().await;
    kit.commit(&writer, 1, change("freeze")).await;
    let again = kit.claim_only(watcher.lane).await;
    kit.commit(&writer, 1, change("freeze")).await;
    assert!(kit.commit(&again, 1, park()).await.dirty, "still watching");
}

async fn a_watch_that_was_left_does_not_ring(kit: &Kit<'_>) {
    let watcher = kit.held(1).await;
    kit.commit(
        &watcher,
        1,
        index(IndexChange::watch("freeze", watcher.lane), Then::Keep),
    )
    .await;
    kit.commit(
        &watcher,
        1,
        index(IndexChange::unwatch("freeze", watcher.lane), Then::Park),
    )
    .await;
    let writer = kit.held(2).await;
    kit.commit(&writer, 1, change("freeze")).await;
    kit.nothing_is_ready().await;
}

async fn a_document_with_very_many_watchers_rings_them_all(kit: &Kit<'_>) {
    let watchers = bounds::WATCH_RING_MAX * 2 + 7;
    for number in 0..watchers {
        let claim = kit.held(1_000 + number as u32).await;
        kit.commit(
            &claim,
            1,
            index(IndexChange::watch("freeze", claim.lane), Then::Park),
        )
        .await;
    }
    let writer = kit.held(1).await;
    kit.commit(&writer, 1, change("freeze")).await;
    assert_eq!(
        kit.store().counts().await.unwrap().ready,
        bounds::WATCH_RING_MAX as u64
    );
    for _ in 0..watchers {
        if !kit.store().tick(50, LEASE_MS).await.unwrap().more {
            break;
        }
    }
    assert_eq!(kit.store().counts().await.unwrap().ready, watchers as u64);
}

async fn an_ended_lane_leaves_nothing_behind(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    let timers = ["a", "b"].map(|name| TimerChange::Set {
        name: name.into(),
        at_ms: bounds::SCORE_MAX,
        body: String::new(),
    });
    let batch = Batch {
        timers: timers.into(),
        ..index(IndexChange::watch("d", claim.lane), Then::Keep)
    };
    kit.commit(&claim, 1, batch).await;
    kit.take(&claim, 1, &["host"]).await.unwrap();
    assert_eq!(kit.store().counts().await.unwrap().timers, 2);
    kit.commit(&claim, 1, then(Then::End)).await;
    let counts = kit.store().counts().await.unwrap();
    assert_eq!((counts.timers, counts.leased, counts.ready), (0, 0, 0));
    assert!(kit.holders("host").await.is_empty());
    let watching = kit
        .store()
        .query("w:d", false, Default::default())
        .await
        .unwrap();
    assert_eq!(watching.entries, []);
}
