//! How long the lanes of a killed worker wait for another one.

use std::collections::BTreeMap;
use std::time::Duration;

use hostler_tests::lab::Signal;

use super::LIMIT;
use super::bed::{Bed, Size};
use super::setting;
use super::target::{Call, Course};

const LANES: usize = 100;
/// Far above a lease and the calls behind it: a guard, the figure is printed.
const RECOVERY_MAX: Duration = Duration::from_secs(60);

fn behave(call: &Call) -> Course {
    Course {
        gated: call.door == 0 && call.action == "compute.snapshot",
        ..Course::default()
    }
}

#[test]
fn the_lanes_of_a_killed_worker_are_claimed_again_within_one_lease() {
    let size = Size {
        assets: LANES,
        doors: 2,
        lease_ms: setting("HOSTLER_FAULT_LEASE_MS").unwrap_or(10_000),
        permits: LANES,
        per_host: 400,
        timeout: "30s",
    };
    let bed = Bed::start(size, behave);
    let mut first = bed.worker(0);
    let run = bed.run_all();
    bed.target
        .wait("all are held", LIMIT, |book| book.standing == LANES);
    let _second = bed.worker(1);
    // It ticks and claims: its mail queue is served like the other one.
    first.end(Signal::Kill).unwrap();
    let killed = bed.target.now();
    let again = |book: &super::target::Book| {
        let second = book.calls.iter().filter(|call| call.door == 1);
        second
            .map(|call| call.asset.clone())
            .collect::<std::collections::BTreeSet<_>>()
            .len()
            == LANES
    };
    let book = bed.target.wait("all go on", RECOVERY_MAX, again);
    let mut waits: BTreeMap<String, Duration> = BTreeMap::new();
    for call in book.calls.iter().filter(|call| call.door == 1) {
        waits.entry(call.asset.clone()).or_insert(call.at - killed);
    }
    let mut waits: Vec<Duration> = waits.into_values().collect();
    waits.sort();
    println!(
        "{LANES} lanes of a killed worker, leases of {} ms: called again after {:?} (first), {:?} (p50), {:?} (p99), {:?} (last)",
        bed.size.lease_ms,
        waits[0],
        waits[LANES / 2],
        waits[LANES - 2],
        waits[LANES - 1]
    );
    let ended = |view: &serde_json::Value| (view["run"]["state"] == "succeeded").then_some(());
    bed.api.until("all end", &run, LIMIT, ended);
}
