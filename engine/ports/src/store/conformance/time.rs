//! Facts about timers, leases and a store that stood still.

use super::facts;
use super::kit::*;
use crate::store::{Batch, STALL_GAP_MS, Then, Ticked, TimerChange};

facts![
    a_due_timer_becomes_a_letter,
    a_timer_set_again_moves,
    a_cleared_timer_is_silent,
    many_due_timers_fire_in_bounded_batches,
    a_timer_rings_its_lane_once_for_all,
    timers_of_two_lanes_do_not_meet,
    an_expired_lease_makes_the_lane_ready,
    after_a_stall_nothing_is_reclaimed_for_one_lease,
    timers_fire_during_the_hold_after_a_stall,
    expired_leases_go_back_in_bounded_batches,
    a_letter_of_a_timer_bears_the_instant_of_the_tick,
];

fn set(name: &str, at_ms: i64) -> TimerChange {
    TimerChange::Set {
        name: name.into(),
        at_ms,
        body: format!("due {name}"),
    }
}

fn timers(timers: Vec<TimerChange>, then: Then) -> Batch {
    Batch {
        timers,
        then,
        ..Batch::default()
    }
}

async fn now(kit: &Kit<'_>) -> i64 {
    kit.store().now_ms().await.unwrap()
}

async fn a_due_timer_becomes_a_letter(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    let at_ms = now(kit).await + 1_000;
    kit.commit(&claim, 1, timers(vec![set("retry", at_ms)], Then::Park))
        .await;
    assert_eq!(kit.tick().await.timers_fired, 0);
    kit.nothing_is_ready().await;
    kit.advance(1_000).await;
    assert_eq!(kit.tick().await.timers_fired, 1);
    kit.claim_only(claim.lane).await;
    assert_eq!(kit.letters(claim.lane).await, ["due retry"]);
    assert_eq!(kit.tick().await.timers_fired, 0);
}

async fn a_timer_set_again_moves(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    let start_ms = now(kit).await;
    kit.commit(
        &claim,
        1,
        timers(vec![set("t", start_ms + 1_000)], Then::Keep),
    )
    .await;
    kit.commit(
        &claim,
        1,
        timers(vec![set("t", start_ms + 3_000)], Then::Park),
    )
    .await;
    assert_eq!(kit.store().counts().await.unwrap().timers, 1);
    kit.advance(2_000).await;
    assert_eq!(kit.tick().await.timers_fired, 0);
    kit.advance(1_000).await;
    assert_eq!(kit.tick().await.timers_fired, 1);
    assert_eq!(kit.letters(claim.lane).await, ["due t"]);
}

async fn a_cleared_timer_is_silent(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    let at_ms = now(kit).await + 10;
    let clear = |name: &str| TimerChange::Clear { name: name.into() };
    let batch = timers(
        vec![set("a", at_ms), set("b", at_ms), clear("a"), clear("never")],
        Then::Keep,
    );
    kit.commit(&claim, 1, batch).await;
    kit.commit(
        &claim,
        1,
        timers(vec![clear("b"), set("c", at_ms)], Then::Park),
    )
    .await;
    kit.advance(10).await;
    assert_eq!(kit.tick().await.timers_fired, 1);
    assert_eq!(kit.letters(claim.lane).await, ["due c"]);
}

async fn many_due_timers_fire_in_bounded_batches(kit: &Kit<'_>) {
    let at_ms = now(kit).await + 10;
    for number in 1..=3 {
        let claim = kit.held(number).await;
        let set = (0..10).map(|n| set(&format!("t{n}"), at_ms)).collect();
        kit.commit(&claim, 1, timers(set, Then::Park)).await;
    }
    kit.advance(10).await;
    let mut batches = Vec::new();
    loop {
        let ticked = kit.store().tick(12, LEASE_MS).await.unwrap();
        batches.push(ticked.timers_fired);
        if !ticked.more {
            break;
        }
    }
    assert_eq!(batches, [12, 12, 6]);
    assert_eq!(kit.store().counts().await.unwrap().ready, 3);
}

async fn a_timer_rings_its_lane_once_for_all(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    let at_ms = now(kit).await;
    kit.commit(
        &claim,
        1,
        timers(vec![set("a", at_ms), set("b", at_ms + 1)], Then::Keep),
    )
    .await;
    kit.advance(5).await;
    assert_eq!(kit.tick().await.timers_fired, 2);
    assert!(kit.commit(&claim, 1, Batch::default()).await.dirty);
    assert_eq!(kit.letters(claim.lane).await, ["due a", "due b"]);
}

async fn timers_of_two_lanes_do_not_meet(kit: &Kit<'_>) {
    let (one, two) = (kit.held(1).await, kit.held(2).await);
    let at_ms = now(kit).await + 10;
    kit.commit(&one, 1, timers(vec![set("t", at_ms)], Then::Park))
        .await;
    kit.commit(&two, 1, timers(vec![set("t", at_ms)], Then::Park))
        .await;
    kit.advance(10).await;
    assert_eq!(kit.tick().await.timers_fired, 2);
    let (one, two) = (kit.load(one.lane).await, kit.load(two.lane).await);
    assert_eq!((one.inbox.len(), two.inbox.len()), (1, 1));
    assert_ne!(one.inbox[0].id, two.inbox[0].id);
}

async fn an_expired_lease_makes_the_lane_ready(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    assert_eq!(kit.pass(LEASE_MS - 1).await.leases_expired, 0);
    kit.advance(1).await;
    assert_eq!(kit.tick().await.leases_expired, 1);
    let again = kit.claim_only(claim.lane).await;
    assert!(kit.try_commit(&claim, 1, events(&["late"])).await.is_err());
    kit.commit(&again, 1, events(&["next"])).await;
}

async fn after_a_stall_nothing_is_reclaimed_for_one_lease(kit: &Kit<'_>) {
    let (kept, lost) = (kit.held(1).await, kit.held(2).await);
    kit.tick().await;
    kit.advance(LEASE_MS + STALL_GAP_MS).await;
    let stalled = kit.tick().await;
    let until_ms = now(kit).await + LEASE_MS;
    assert_eq!(
        (stalled.leases_expired, stalled.held_until_ms),
        (0, Some(until_ms))
    );
    assert!(kit.renew(&kept).await, "the fence still holds");
    assert_eq!(kit.pass(LEASE_MS - 1_000).await.leases_expired, 0);
    assert!(kit.renew(&kept).await);
    assert_eq!(
        kit.pass(2_000).await.leases_expired,
        1,
        "who did not come back is lost"
    );
    kit.claim_only(lost.lane).await;
}

async fn timers_fire_during_the_hold_after_a_stall(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    let at_ms = now(kit).await + 1_000;
    kit.commit(&claim, 1, timers(vec![set("t", at_ms)], Then::Park))
        .await;
    kit.tick().await;
    kit.advance(3 * STALL_GAP_MS).await;
    let ticked = kit.tick().await;
    assert!(ticked.held_until_ms.is_some());
    assert_eq!(ticked.timers_fired, 1);
}

async fn expired_leases_go_back_in_bounded_batches(kit: &Kit<'_>) {
    for number in 1..=25 {
        kit.start(number).await;
    }
    assert_eq!(kit.claim(25).await.len(), 25);
    kit.pass(LEASE_MS - 1).await;
    kit.advance(1).await;
    let first = kit.store().tick(20, LEASE_MS).await.unwrap();
    assert_eq!((first.leases_expired, first.more), (20, true));
    let second = kit.store().tick(20, LEASE_MS).await.unwrap();
    assert_eq!((second.leases_expired, second.more), (5, false));
    assert_eq!(kit.claim(99).await.len(), 25);
}

async fn a_letter_of_a_timer_bears_the_instant_of_the_tick(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    let at_ms = now(kit).await + 100;
    kit.commit(&claim, 1, timers(vec![set("t", at_ms)], Then::Park))
        .await;
    kit.advance(2_500).await;
    let Ticked { now_ms, .. } = kit.tick().await;
    assert_eq!(kit.load(claim.lane).await.inbox[0].at_ms, now_ms);
    assert_eq!(now_ms, at_ms + 2_400);
}
