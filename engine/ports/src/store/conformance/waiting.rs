//! Facts about waiting for work: a ring ends it, and nothing polls for it.

use super::facts;
use super::kit::*;
use crate::store::{ClaimAsk, Priority, Seq, Spawn, Start};
use futures::FutureExt;
use tokio_util::sync::CancellationToken;

facts![
    a_waiting_claim_is_woken_by_a_start,
    a_waiting_claim_is_woken_by_a_ring,
    a_waiting_claim_gives_up_after_its_time,
    a_waiting_claim_that_is_given_up_ends_and_the_next_one_is_woken,
    a_waiting_claim_for_urgent_work_is_woken_by_urgent_work,
    every_waiting_claim_gets_its_lane,
    a_waiting_reader_of_the_feed_is_woken_by_a_commit,
];

/// Longer than any case takes; a case that runs into it has lost a wake-up.
const PATIENCE_MS: u64 = 60_000;
/// Well below `PATIENCE_MS`, well above what an answer takes.
const SOON: std::time::Duration = std::time::Duration::from_secs(20);

fn waiting(max: usize) -> ClaimAsk {
    ClaimAsk {
        wait_ms: PATIENCE_MS,
        ..ask(max)
    }
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, future)
        .await
        .expect("nobody was woken")
}

async fn a_waiting_claim_is_woken_by_a_start(kit: &Kit<'_>) {
    let asked = waiting(1);
    let (claims, _) = soon(futures::future::join(
        kit.store().claim(&asked),
        kit.start(1),
    ))
    .await;
    assert_eq!(claims.unwrap()[0].lane, lane(1));
}

async fn a_waiting_claim_is_woken_by_a_ring(kit: &Kit<'_>) {
    a_waiting_claim_is_woken_by_a_ring_of(kit, 1).await;
}

async fn a_waiting_claim_is_woken_by_a_ring_of(kit: &Kit<'_>, number: u32) {
    kit.parked(number).await;
    let asked = waiting(1);
    let (claims, _) = soon(futures::future::join(
        kit.store().claim(&asked),
        kit.send(lane(number), 1),
    ))
    .await;
    assert_eq!(claims.unwrap()[0].lane, lane(number));
}

async fn a_waiting_claim_gives_up_after_its_time(kit: &Kit<'_>) {
    let asked = ClaimAsk {
        wait_ms: 20,
        ..ask(1)
    };
    assert_eq!(soon(kit.store().claim(&asked)).await, Ok(vec![]));
}

async fn a_waiting_claim_that_is_given_up_ends_and_the_next_one_is_woken(kit: &Kit<'_>) {
    let until = CancellationToken::new();
    let asked = ClaimAsk {
        until: Some(until.clone()),
        ..waiting(1)
    };
    let give_up = async { until.cancel() };
    let (claims, ()) = soon(futures::future::join(kit.store().claim(&asked), give_up)).await;
    assert_eq!(claims, Ok(vec![]));
    assert_eq!(soon(kit.store().claim(&asked)).await, Ok(vec![]));
    kit.start(1).await;
    // What is ready is handed out whether or not anybody would wait for it.
    let claims = soon(kit.store().claim(&asked)).await;
    assert_eq!(claims.unwrap()[0].lane, lane(1));
    a_waiting_claim_is_woken_by_a_ring_of(kit, 2).await;
}

async fn a_waiting_claim_for_urgent_work_is_woken_by_urgent_work(kit: &Kit<'_>) {
    let asked = ClaimAsk {
        at_least: Some(Priority::Emergency),
        ..waiting(1)
    };
    let urgent = async {
        kit.start(1).await;
        let root = Spawn {
            priority: Priority::Emergency,
            ..spawn(run(2), lane(2))
        };
        kit.store().start(Start { root, ..start(2) }).await.unwrap();
    };
    let (claims, ()) = soon(futures::future::join(kit.store().claim(&asked), urgent)).await;
    assert_eq!(claims.unwrap()[0].lane, lane(2));
    kit.claim_only(lane(1)).await;
}

async fn every_waiting_claim_gets_its_lane(kit: &Kit<'_>) {
    let asked = waiting(1);
    let claims = futures::future::join_all((0..4).map(|_| kit.store().claim(&asked)));
    let starts = async {
        for number in 1..=4 {
            kit.start(number).await;
        }
    };
    let (claims, ()) = soon(futures::future::join(claims, starts)).await;
    let mut lanes: Vec<_> = claims
        .into_iter()
        .map(|claim| claim.unwrap()[0].lane)
        .collect();
    lanes.sort();
    let mut expected: Vec<_> = (1..=4).map(lane).collect();
    expected.sort();
    assert_eq!(lanes, expected);
}

async fn a_waiting_reader_of_the_feed_is_woken_by_a_commit(kit: &Kit<'_>) {
    assert_eq!(
        kit.store()
            .feed(Seq(0), 0)
            .now_or_never()
            .unwrap_or(Ok(vec![])),
        Ok(vec![])
    );
    let (entries, _) = soon(futures::future::join(
        kit.store().feed(Seq(0), PATIENCE_MS),
        kit.start(1),
    ))
    .await;
    assert_eq!(entries.unwrap()[0].lane, lane(1));
}
