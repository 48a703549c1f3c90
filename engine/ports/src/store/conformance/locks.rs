//! Facts about locks, slots, tickets and wait lists.

use super::facts;
use super::kit::*;
use crate::store::{Batch, Claim, CommitError, Priority, Spawn, Start, Take, Then};
use hostler_core::id::LaneId;

facts![
    a_lock_has_one_holder,
    a_slot_has_as_many_holders_as_its_capacity,
    a_demand_gets_all_or_nothing,
    what_a_lane_holds_is_free_for_it,
    waiting_is_first_in_first_out,
    nobody_overtakes_a_waiting_ticket,
    an_urgent_demand_overtakes,
    a_release_rings_the_first_waiter_only,
    waiting_for_what_is_free_rings_at_once,
    a_withdrawn_ticket_lets_the_next_try,
    an_older_ticket_keeps_its_place,
    an_ended_holder_lets_the_next_try,
    a_shelved_waiter_leaves_the_wait_list,
    a_lost_lease_keeps_the_locks,
    crossed_demands_do_not_deadlock,
    releasing_what_is_not_held_is_ignored,
    one_commit_can_pass_from_lock_to_lock,
    several_free_slots_let_several_waiters_in,
];

fn busy<T: std::fmt::Debug>(
    resource: &str,
    holder: Option<LaneId>,
    result: Result<T, CommitError>,
) {
    match result {
        Err(CommitError::Busy {
            resource: named,
            holder: by,
        }) => {
            assert_eq!((named.as_str(), by), (resource, holder));
        }
        other => panic!("expected busy, got {other:?}"),
    }
}

fn release(keys: &[&str]) -> Batch {
    Batch {
        release: keys.iter().map(ToString::to_string).collect(),
        ..Batch::default()
    }
}

/// Starts and claims lanes 1 to `count`.
async fn holders(kit: &Kit<'_>, count: u32) -> Vec<Claim> {
    let mut claims = Vec::new();
    for number in 1..=count {
        claims.push(kit.held(number).await);
    }
    claims
}

async fn a_lock_has_one_holder(kit: &Kit<'_>) {
    let claims = holders(kit, 2).await;
    kit.take(&claims[0], 1, &["host"]).await.unwrap();
    busy(
        "host",
        Some(lane(1)),
        kit.take(&claims[1], 1, &["host"]).await,
    );
    kit.commit(&claims[0], 1, release(&["host"])).await;
    kit.take(&claims[1], 1, &["host"]).await.unwrap();
    assert_eq!(kit.holders("host").await, [lane(2)]);
}

async fn a_slot_has_as_many_holders_as_its_capacity(kit: &Kit<'_>) {
    let claims = holders(kit, 4).await;
    let take = Batch {
        take: Some(Take::Now(slots(&["vc"], 3))),
        ..Batch::default()
    };
    for claim in &claims[..3] {
        kit.commit(claim, 1, take.clone()).await;
    }
    busy(
        "vc",
        Some(lane(1)),
        kit.try_commit(&claims[3], 1, take).await,
    );
    let view = kit.store().resource("vc").await.unwrap();
    assert_eq!((view.capacity, view.holders.len()), (3, 3));
    let now_ms = kit.store().now_ms().await.unwrap();
    assert!(view.holders.iter().all(|(_, since_ms)| *since_ms == now_ms));
}

async fn a_demand_gets_all_or_nothing(kit: &Kit<'_>) {
    let claims = holders(kit, 2).await;
    kit.take(&claims[0], 1, &["b"]).await.unwrap();
    busy(
        "b",
        Some(lane(1)),
        kit.take(&claims[1], 1, &["a", "b", "c"]).await,
    );
    for key in ["a", "c"] {
        assert!(kit.holders(key).await.is_empty());
    }
}

async fn what_a_lane_holds_is_free_for_it(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    kit.take(&claim, 1, &["a"]).await.unwrap();
    kit.take(&claim, 1, &["a", "b"]).await.unwrap();
    assert_eq!(kit.holders("a").await, [lane(1)]);
    kit.commit(&claim, 1, release(&["a"])).await;
    assert!(kit.holders("a").await.is_empty());
    assert_eq!(kit.holders("b").await, [lane(1)]);
}

async fn waiting_is_first_in_first_out(kit: &Kit<'_>) {
    let claims = holders(kit, 4).await;
    kit.take(&claims[0], 1, &["host"]).await.unwrap();
    for claim in [&claims[2], &claims[1], &claims[3]] {
        kit.wait_for(claim, 1, &["host"]).await;
    }
    assert_eq!(kit.waiters("host").await, [lane(3), lane(2), lane(4)]);
    let mut holder = claims[0].clone();
    for next in [3, 2, 4] {
        kit.commit(&holder, 1, release(&["host"])).await;
        holder = kit.claim_only(lane(next)).await;
        kit.take(&holder, 1, &["host"]).await.unwrap();
    }
    assert!(kit.waiters("host").await.is_empty());
}

async fn nobody_overtakes_a_waiting_ticket(kit: &Kit<'_>) {
    let claims = holders(kit, 3).await;
    kit.take(&claims[0], 1, &["host"]).await.unwrap();
    kit.wait_for(&claims[1], 1, &["host"]).await;
    kit.commit(&claims[0], 1, release(&["host"])).await;
    busy("host", None, kit.take(&claims[2], 1, &["host"]).await);
    let woken = kit.claim_only(lane(2)).await;
    kit.take(&woken, 1, &["host"]).await.unwrap();
}

async fn an_urgent_demand_overtakes(kit: &Kit<'_>) {
    let claims = holders(kit, 2).await;
    kit.take(&claims[0], 1, &["host"]).await.unwrap();
    kit.wait_for(&claims[1], 1, &["host"]).await;
    let root = Spawn {
        priority: Priority::Emergency,
        ..spawn(run(9), lane(9))
    };
    kit.store().start(Start { root, ..start(9) }).await.unwrap();
    let urgent = kit.claim_only(lane(9)).await;
    kit.wait_for(&urgent, 1, &["host"]).await;
    assert_eq!(kit.waiters("host").await, [lane(9), lane(2)]);
    kit.commit(&claims[0], 1, release(&["host"])).await;
    let urgent = kit.claim_only(lane(9)).await;
    kit.take(&urgent, 1, &["host"]).await.unwrap();
}

async fn a_release_rings_the_first_waiter_only(kit: &Kit<'_>) {
    let claims = holders(kit, 3).await;
    kit.take(&claims[0], 1, &["host"]).await.unwrap();
    kit.wait_for(&claims[1], 1, &["host"]).await;
    kit.wait_for(&claims[2], 1, &["host"]).await;
    kit.nothing_is_ready().await;
    kit.commit(&claims[0], 1, release(&["host"])).await;
    kit.claim_only(lane(2)).await;
}

async fn waiting_for_what_is_free_rings_at_once(kit: &Kit<'_>) {
    let claims = holders(kit, 2).await;
    kit.take(&claims[0], 1, &["host"]).await.unwrap();
    busy(
        "host",
        Some(lane(1)),
        kit.take(&claims[1], 1, &["host"]).await,
    );
    kit.commit(&claims[0], 1, release(&["host"])).await;
    kit.wait_for(&claims[1], 1, &["host"]).await;
    let woken = kit.claim_only(lane(2)).await;
    kit.take(&woken, 1, &["host"]).await.unwrap();
}

async fn a_withdrawn_ticket_lets_the_next_try(kit: &Kit<'_>) {
    let claims = holders(kit, 3).await;
    kit.take(&claims[0], 1, &["b"]).await.unwrap();
    kit.wait_for(&claims[1], 1, &["a", "b"]).await;
    kit.wait_for(&claims[2], 1, &["a"]).await;
    kit.nothing_is_ready().await;
    kit.send(lane(2), 1).await;
    let paused = kit.claim_only(lane(2)).await;
    let batch = Batch {
        withdraw: true,
        inbox_used: 1,
        then: Then::Park,
        ..Batch::default()
    };
    kit.commit(&paused, 1, batch).await;
    assert!(kit.waiters("b").await.is_empty());
    let woken = kit.claim_only(lane(3)).await;
    kit.take(&woken, 1, &["a"]).await.unwrap();
}

async fn an_older_ticket_keeps_its_place(kit: &Kit<'_>) {
    let claims = holders(kit, 3).await;
    kit.take(&claims[0], 1, &["a", "b"]).await.unwrap();
    kit.wait_for(&claims[1], 1, &["a"]).await;
    kit.wait_for(&claims[2], 1, &["a", "b"]).await;
    kit.send(lane(2), 1).await;
    let asks_again = kit.claim_only(lane(2)).await;
    kit.wait_for(&asks_again, 1, &["a", "b"]).await;
    for key in ["a", "b"] {
        assert_eq!(kit.waiters(key).await, [lane(2), lane(3)]);
    }
}

async fn an_ended_holder_lets_the_next_try(kit: &Kit<'_>) {
    let claims = holders(kit, 2).await;
    kit.take(&claims[0], 1, &["a", "b"]).await.unwrap();
    kit.wait_for(&claims[1], 1, &["a", "b"]).await;
    kit.commit(&claims[0], 1, then(Then::End)).await;
    let woken = kit.claim_only(lane(2)).await;
    kit.take(&woken, 1, &["a", "b"]).await.unwrap();
    assert_eq!(kit.holders("b").await, [lane(2)]);
}

async fn a_shelved_waiter_leaves_the_wait_list(kit: &Kit<'_>) {
    let claims = holders(kit, 3).await;
    kit.take(&claims[0], 1, &["a"]).await.unwrap();
    kit.wait_for(&claims[1], 1, &["a"]).await;
    kit.wait_for(&claims[2], 1, &["a"]).await;
    kit.send(lane(2), 1).await;
    let poisoned = kit.claim_only(lane(2)).await;
    kit.commit(
        &poisoned,
        1,
        Batch {
            inbox_used: 1,
            then: Then::Shelve,
            ..Batch::default()
        },
    )
    .await;
    assert_eq!(kit.waiters("a").await, [lane(3)]);
    kit.commit(&claims[0], 1, release(&["a"])).await;
    kit.claim_only(lane(3)).await;
}

async fn a_lost_lease_keeps_the_locks(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    kit.take(&claim, 1, &["host"]).await.unwrap();
    kit.pass(LEASE_MS).await;
    assert_eq!(kit.holders("host").await, [lane(1)]);
    let again = kit.claim_only(lane(1)).await;
    kit.commit(&again, 1, release(&["host"])).await;
    assert!(kit.holders("host").await.is_empty());
}

async fn crossed_demands_do_not_deadlock(kit: &Kit<'_>) {
    let claims = holders(kit, 3).await;
    kit.take(&claims[0], 1, &["host", "hypervisor"])
        .await
        .unwrap();
    kit.wait_for(&claims[1], 1, &["host", "hypervisor"]).await;
    kit.wait_for(&claims[2], 1, &["hypervisor", "host"]).await;
    kit.commit(&claims[0], 1, then(Then::End)).await;
    for number in [2, 3] {
        let woken = kit.claim_only(lane(number)).await;
        kit.take(&woken, 1, &["hypervisor", "host"]).await.unwrap();
        kit.commit(&woken, 1, then(Then::End)).await;
    }
}

async fn releasing_what_is_not_held_is_ignored(kit: &Kit<'_>) {
    let claims = holders(kit, 2).await;
    kit.take(&claims[0], 1, &["host"]).await.unwrap();
    kit.commit(&claims[1], 1, release(&["host", "other"])).await;
    assert_eq!(kit.holders("host").await, [lane(1)]);
}

async fn one_commit_can_pass_from_lock_to_lock(kit: &Kit<'_>) {
    let claims = holders(kit, 2).await;
    kit.take(&claims[0], 1, &["a", "b"]).await.unwrap();
    kit.wait_for(&claims[1], 1, &["a"]).await;
    let batch = Batch {
        take: Some(Take::Now(locks(&["b", "c"]))),
        ..release(&["a"])
    };
    kit.commit(&claims[0], 1, batch).await;
    assert_eq!(kit.holders("b").await, [lane(1)]);
    assert_eq!(kit.holders("c").await, [lane(1)]);
    kit.claim_only(lane(2)).await;
}

async fn several_free_slots_let_several_waiters_in(kit: &Kit<'_>) {
    let claims = holders(kit, 5).await;
    let take = |now| {
        let slots = slots(&["vc"], 2);
        Batch {
            take: Some(if now {
                Take::Now(slots)
            } else {
                Take::Wait(slots)
            }),
            ..Batch::default()
        }
    };
    for claim in &claims[..2] {
        kit.commit(claim, 1, take(true)).await;
    }
    for claim in &claims[2..] {
        kit.commit(
            claim,
            1,
            Batch {
                then: Then::Park,
                ..take(false)
            },
        )
        .await;
    }
    for claim in &claims[..2] {
        kit.commit(claim, 1, then(Then::End)).await;
    }
    for number in [3, 4] {
        let woken = kit.claim_only(lane(number)).await;
        kit.commit(&woken, 1, take(true)).await;
    }
    kit.nothing_is_ready().await;
    assert_eq!(kit.waiters("vc").await, [lane(5)]);
}
