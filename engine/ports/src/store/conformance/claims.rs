//! Facts about claims, fences, leases and strikes.

use super::facts;
use super::kit::*;
use crate::store::{
    Batch, Claim, ClaimAsk, CommitError, Fence, Priority, Queue, Spawn, Start, Then,
};

facts![
    a_ready_lane_is_claimed_once,
    lanes_are_claimed_in_the_order_of_becoming_ready,
    an_urgent_lane_overtakes,
    at_least_leaves_the_others,
    queues_are_apart,
    max_bounds_a_claim,
    every_claim_has_another_fence,
    a_stale_fence_writes_nothing,
    a_foreign_fence_renews_nothing,
    a_renewed_lease_lasts,
    a_lost_lease_without_a_call_is_no_strike,
    a_lost_lease_in_a_call_is_a_strike,
    a_commit_says_that_a_call_began_and_ended,
    a_renewal_says_nothing_about_calls,
    a_calmed_lane_earns_no_strike_and_only_its_holder_calms_it,
    success_forgives_strikes,
    a_lane_with_two_strikes_comes_alone,
    a_lane_that_comes_alone_does_not_hold_up_the_others,
    a_shelved_lane_waits_for_a_command_from_outside,
];

fn of(number: u32, priority: Priority, queue: Queue) -> Start {
    let root = Spawn {
        priority,
        queue,
        ..spawn(run(number), lane(number))
    };
    Start {
        root,
        ..start(number)
    }
}

async fn a_ready_lane_is_claimed_once(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    assert_eq!(
        (claim.strikes, claim.alone, claim.header.version),
        (0, false, 1)
    );
    assert_eq!(claim.header.run, run(1));
    kit.nothing_is_ready().await;
    let counts = kit.store().counts().await.unwrap();
    assert_eq!((counts.ready, counts.leased), (0, 1));
}

async fn lanes_are_claimed_in_the_order_of_becoming_ready(kit: &Kit<'_>) {
    for number in [5, 3, 9, 1] {
        kit.start(number).await;
    }
    let order: Vec<_> = kit
        .claim(9)
        .await
        .into_iter()
        .map(|claim| claim.lane)
        .collect();
    assert_eq!(order, [lane(5), lane(3), lane(9), lane(1)]);
}

async fn an_urgent_lane_overtakes(kit: &Kit<'_>) {
    let order = [
        Priority::Housekeeping,
        Priority::Scheduled,
        Priority::Emergency,
        Priority::Operator,
    ];
    for (number, priority) in (1..).zip(order) {
        kit.store()
            .start(of(number, priority, Queue::Run))
            .await
            .unwrap();
    }
    let claimed: Vec<_> = kit
        .claim(9)
        .await
        .into_iter()
        .map(|claim| claim.header.priority)
        .collect();
    assert!(claimed.is_sorted() && claimed.len() == 4);
}

async fn at_least_leaves_the_others(kit: &Kit<'_>) {
    kit.store()
        .start(of(1, Priority::Scheduled, Queue::Run))
        .await
        .unwrap();
    let ask = ClaimAsk {
        at_least: Some(Priority::Operator),
        ..ask(9)
    };
    assert_eq!(kit.store().claim(&ask).await, Ok(vec![]));
    kit.store()
        .start(of(2, Priority::Operator, Queue::Run))
        .await
        .unwrap();
    assert_eq!(kit.store().claim(&ask).await.unwrap()[0].lane, lane(2));
    kit.claim_only(lane(1)).await;
}

async fn queues_are_apart(kit: &Kit<'_>) {
    kit.store()
        .start(of(1, Priority::Scheduled, Queue::Mail))
        .await
        .unwrap();
    kit.nothing_is_ready().await;
    let mail = ClaimAsk {
        queue: Queue::Mail,
        ..ask(9)
    };
    assert_eq!(kit.store().claim(&mail).await.unwrap()[0].lane, lane(1));
}

async fn max_bounds_a_claim(kit: &Kit<'_>) {
    for number in 1..=5 {
        kit.start(number).await;
    }
    assert_eq!(kit.claim(0).await.len(), 0);
    assert_eq!(kit.claim(2).await.len(), 2);
    assert_eq!(kit.claim(9).await.len(), 3);
}

async fn every_claim_has_another_fence(kit: &Kit<'_>) {
    let first = kit.held(1).await;
    kit.commit(&first, 1, then(Then::Requeue)).await;
    let second = kit.claim_only(lane(1)).await;
    assert_ne!(first.fence, second.fence);
    let parts: Vec<_> = second.fence.0.split(':').collect();
    assert_eq!((parts.len(), parts[1].len()), (2, 32), "epoch:random");
}

async fn a_stale_fence_writes_nothing(kit: &Kit<'_>) {
    let first = kit.held(1).await;
    kit.commit(&first, 1, then(Then::Requeue)).await;
    let second = kit.claim_only(lane(1)).await;
    // After a failover that forgot it, another claim may have its number.
    let (number, _) = second.fence.0.split_once(':').unwrap();
    let same_number = Fence(format!("{number}:{}", "0".repeat(32)));
    for fence in [first.fence, foreign_fence(), same_number] {
        let claim = Claim {
            fence,
            ..second.clone()
        };
        assert_eq!(
            kit.try_commit(&claim, 1, events(&["late"])).await,
            Err(CommitError::Fence)
        );
    }
    assert_eq!(kit.load(lane(1)).await.events, ["born"]);
    let seq = kit.store().counts().await.unwrap().seq;
    assert_eq!(
        kit.commit(&second, 1, events(&["next"])).await.seq.0,
        seq + 1
    );
}

async fn a_foreign_fence_renews_nothing(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    let held = [
        (claim.lane, foreign_fence()),
        (lane(7), claim.fence.clone()),
    ];
    assert_eq!(
        kit.store().renew(&held, LEASE_MS).await,
        Ok(vec![claim.lane, lane(7)])
    );
    kit.commit(&claim, 1, park()).await;
    assert!(!kit.renew(&claim).await, "a parked lane has no fence");
}

async fn a_renewed_lease_lasts(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    for _ in 0..4 {
        assert_eq!(kit.pass(20_000).await.leases_expired, 0);
        assert!(kit.renew(&claim).await);
    }
    assert_eq!(kit.pass(30_000).await.leases_expired, 1);
    assert!(!kit.renew(&claim).await);
    assert_ne!(kit.claim_only(lane(1)).await.fence, claim.fence);
}

async fn a_lost_lease_without_a_call_is_no_strike(kit: &Kit<'_>) {
    for _ in 0..4 {
        let claims = if kit.load_exists(lane(1)).await {
            kit.claim(9).await
        } else {
            vec![kit.held(1).await]
        };
        assert_eq!(claims[0].strikes, 0);
        kit.pass(LEASE_MS).await;
    }
}

async fn a_lost_lease_in_a_call_is_a_strike(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    kit.mark(&claim, true).await;
    kit.pass(LEASE_MS).await;
    assert_eq!(kit.claim_only(lane(1)).await.strikes, 1);
    kit.pass(LEASE_MS).await;
    assert_eq!(
        kit.claim_only(lane(1)).await.strikes,
        1,
        "a claim begins without a call"
    );
}

async fn a_commit_says_that_a_call_began_and_ended(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    kit.mark(&claim, true).await;
    kit.commit(&claim, 1, Batch::default()).await;
    kit.pass(LEASE_MS).await;
    let claim = kit.claim_only(lane(1)).await;
    assert_eq!(claim.strikes, 1);
    kit.mark(&claim, true).await;
    kit.mark(&claim, false).await;
    kit.pass(LEASE_MS).await;
    assert_eq!(kit.claim_only(lane(1)).await.strikes, 1);
}

async fn a_renewal_says_nothing_about_calls(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    kit.mark(&claim, true).await;
    assert!(kit.renew(&claim).await);
    kit.pass(LEASE_MS).await;
    assert_eq!(kit.claim_only(lane(1)).await.strikes, 1);
}

async fn a_calmed_lane_earns_no_strike_and_only_its_holder_calms_it(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    kit.mark(&claim, true).await;
    let foreign = [(claim.lane, foreign_fence())];
    kit.store().calm(&foreign).await.unwrap();
    kit.pass(LEASE_MS).await;
    let claim = kit.claim_only(lane(1)).await;
    assert_eq!(claim.strikes, 1);
    kit.mark(&claim, true).await;
    let own = [(claim.lane, claim.fence.clone()), (lane(7), claim.fence)];
    kit.store().calm(&own).await.unwrap();
    kit.pass(LEASE_MS).await;
    assert_eq!(kit.claim_only(lane(1)).await.strikes, 1);
}

async fn success_forgives_strikes(kit: &Kit<'_>) {
    kit.strike(1, 2).await;
    let claim = kit.claim_only(lane(1)).await;
    assert_eq!(claim.strikes, 2);
    kit.commit(
        &claim,
        1,
        Batch {
            forgive: true,
            then: Then::Requeue,
            ..Batch::default()
        },
    )
    .await;
    let claim = kit.claim_only(lane(1)).await;
    assert_eq!((claim.strikes, claim.alone), (0, false));
}

async fn a_lane_with_two_strikes_comes_alone(kit: &Kit<'_>) {
    kit.strike(1, 2).await;
    kit.start(2).await;
    let first = kit.claim(9).await;
    assert_eq!(first.len(), 1);
    assert_eq!(
        (first[0].lane, first[0].alone, first[0].strikes),
        (lane(1), true, 2)
    );
    kit.claim_only(lane(2)).await;
}

async fn a_lane_that_comes_alone_does_not_hold_up_the_others(kit: &Kit<'_>) {
    kit.strike(1, 2).await;
    let poisoned = kit.claim_only(lane(1)).await;
    kit.start(2).await;
    kit.commit(&poisoned, 1, then(Then::Requeue)).await;
    kit.start(3).await;
    let first: Vec<_> = kit
        .claim(9)
        .await
        .into_iter()
        .map(|claim| claim.lane)
        .collect();
    assert_eq!(
        first,
        [lane(2), lane(3)],
        "it is stepped over when others go out"
    );
    assert!(kit.claim_only(lane(1)).await.alone);
}

async fn a_shelved_lane_waits_for_a_command_from_outside(kit: &Kit<'_>) {
    kit.strike(1, 3).await;
    let poisoned = kit.claim_only(lane(1)).await;
    assert_eq!(poisoned.strikes, 3);
    kit.commit(&poisoned, 1, then(Then::Shelve)).await;
    let other = kit.held(2).await;
    kit.commit(
        &other,
        1,
        Batch {
            send: vec![post(lane(1), 1)],
            ..Batch::default()
        },
    )
    .await;
    kit.nothing_is_ready().await;
    kit.send(lane(1), 2).await;
    let again = kit.claim_only(lane(1)).await;
    assert_eq!(
        (again.strikes, again.alone),
        (2, true),
        "one more try, alone"
    );
    assert_eq!(kit.letters(lane(1)).await, ["command 1", "command 2"]);
}

impl Kit<'_> {
    async fn load_exists(&self, lane: hostler_core::id::LaneId) -> bool {
        self.store().load(lane, 0).await.unwrap().is_some()
    }

    /// Starts run `number` and lets its worker die `times` with a call in flight.
    async fn strike(&self, number: u32, times: u32) {
        let mut claim = self.held(number).await;
        for time in 1..=times {
            self.mark(&claim, true).await;
            assert_eq!(self.pass(LEASE_MS).await.leases_expired, 1);
            if time < times {
                claim = self.claim_only(lane(number)).await;
            }
        }
    }
}
