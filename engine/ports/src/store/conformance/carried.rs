//! Facts about what comes with a claim: a short lane, as a load would give it.

use super::facts;
use super::kit::*;
use crate::store::{Batch, CARRIED_MAX, Then};

facts![
    a_short_lane_comes_with_its_claim,
    a_snapshot_comes_with_its_lane,
    a_long_log_stays_where_it_is,
    a_full_inbox_stays_where_it_is,
];

/// Puts the lane back and claims it: what came with it, if it says what a load says now.
async fn comes_with(kit: &Kit<'_>, batch: Batch) -> bool {
    let first = kit.held(1).await;
    let then = Then::Requeue;
    kit.commit(&first, 1, Batch { then, ..batch }).await;
    let claim = kit.claim_only(lane(1)).await;
    let Some(carried) = claim.carried else {
        return false;
    };
    assert_eq!(carried.lane, kit.load(lane(1)).await);
    assert_eq!(carried.lane.header, claim.header);
    // Nobody waits for work that is there; a busy machine takes some milliseconds for it all the same.
    assert!((0..1_000).contains(&carried.waited_ms));
    true
}

fn log(events: usize) -> Batch {
    Batch {
        events: (0..events)
            .map(|number| format!("event {number}"))
            .collect(),
        ..Batch::default()
    }
}

async fn a_short_lane_comes_with_its_claim(kit: &Kit<'_>) {
    kit.start(2).await;
    kit.send(lane(2), 1).await;
    kit.send(lane(2), 2).await;
    let claim = kit.claim_only(lane(2)).await;
    let carried = claim.carried.unwrap().lane;
    assert_eq!(carried.inbox.len(), 2);
    assert_eq!(carried, kit.load(lane(2)).await);
    assert!(comes_with(kit, log(CARRIED_MAX - 1)).await);
}

async fn a_snapshot_comes_with_its_lane(kit: &Kit<'_>) {
    let batch = Batch {
        snapshot: Some("state".to_owned()),
        ..log(3)
    };
    assert!(comes_with(kit, batch).await);
}

async fn a_long_log_stays_where_it_is(kit: &Kit<'_>) {
    assert!(!comes_with(kit, log(CARRIED_MAX)).await);
}

async fn a_full_inbox_stays_where_it_is(kit: &Kit<'_>) {
    kit.start(1).await;
    for number in 0..=CARRIED_MAX as u64 {
        kit.send(lane(1), number).await;
    }
    assert_eq!(kit.claim_only(lane(1)).await.carried, None);
}
