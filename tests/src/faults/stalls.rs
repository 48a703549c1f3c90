//! Redis stands still while workers wait for answers of the target.

use std::collections::BTreeMap;
use std::time::Duration;

use hostler_tests::lab::{Program, Signal};
use serde_json::Value;

use super::audit;
use super::bed::{Bed, Size};
use super::target::{Call, Course};
use super::{LIMIT, lasts, setting};

const LANES: usize = 20;

/// By hand the real lease: `HOSTLER_FAULT_LEASE_MS=30000`.
fn size() -> Size {
    let lease_ms = setting("HOSTLER_FAULT_LEASE_MS").unwrap_or(6_000);
    Size {
        assets: LANES,
        doors: 2,
        lease_ms,
        permits: LANES / 2,
        per_host: 400,
        // No call comes to its deadline while the server stands still.
        timeout: if lease_ms > 10_000 { "60s" } else { "20s" },
    }
}

/// Half of the lanes stand in a read, half in a `once` call.
fn behave(call: &Call) -> Course {
    let is_even = call.asset.ends_with(['0', '2', '4', '6', '8']);
    let stops_at = if is_even {
        "guest.resources"
    } else {
        "guest.reboot"
    };
    Course {
        gated: call.action == stops_at,
        ..Course::default()
    }
}

/// Fence and strikes of every lane of an item.
fn held(bed: &Bed, view: &Value) -> BTreeMap<String, (String, String)> {
    let lanes = view["lanes"].as_array().unwrap().iter();
    let ids = lanes.map(|lane| lane["lane"].as_str().unwrap().to_owned());
    ids.map(|id| {
        let holds = (bed.header(&id, "f"), bed.header(&id, "sk"));
        (id, holds)
    })
    .collect()
}

fn stall(bed: &mut Bed, length: Duration) {
    bed.redis.signal(Signal::Stop).unwrap();
    lasts(length);
    bed.redis.signal(Signal::Continue).unwrap();
}

fn begun(bed: &Bed) -> (Vec<Program>, String) {
    let workers = vec![bed.worker(0), bed.worker(1)];
    let run = bed.run_all();
    bed.target
        .wait("all stand in a call", LIMIT, |book| book.standing == LANES);
    (workers, run)
}

fn ended(bed: &Bed, workers: &mut [Program], run: String) -> audit::Figures {
    let runs = [run];
    let figures = audit::settled(bed, &runs, LIMIT);
    assert!(workers.iter_mut().all(Program::runs), "a worker has ended");
    audit::once(bed, &bed.target.book(), &runs);
    let all = BTreeMap::from([("succeeded".to_owned(), u32::try_from(LANES).unwrap())]);
    assert_eq!(figures.lanes, all, "nothing is in doubt");
    figures
}

#[test]
fn a_stall_shorter_than_the_cut_takes_no_lane_from_its_worker() {
    let mut bed = Bed::start(size(), behave);
    let (mut workers, run) = begun(&bed);
    let before = held(&bed, &bed.api.run(&run));
    // A lease may be a third of its length old at the beginning; sockets are cut 2 s before its end.
    let length = Duration::from_millis(bed.size.lease_ms / 3);
    stall(&mut bed, length);
    let view = bed.api.run(&run);
    assert_eq!(held(&bed, &view), before, "taken over, or struck");
    bed.target.open();
    let figures = ended(&bed, &mut workers, run);
    println!(
        "Redis stood still for {length:?} under leases of {} ms: {LANES} lanes kept their fences; {:?}",
        bed.size.lease_ms, figures.lanes
    );
}

#[test]
fn a_stall_longer_than_a_lease_leaves_nothing_in_doubt_and_ends_no_worker() {
    let mut bed = Bed::start(size(), behave);
    let (mut workers, run) = begun(&bed);
    let before = held(&bed, &bed.api.run(&run));
    let length = Duration::from_millis(bed.size.lease_ms + 2_000);
    stall(&mut bed, length);
    // Right after the stall nothing may be reclaimed, though every lease has run out.
    let first = held(&bed, &bed.api.run(&run));
    let taken = first
        .iter()
        .filter(|(id, now)| before[*id].0 != now.0)
        .count();
    // Their workers have let go by themselves: after one more lease they are handed out anew.
    let again = |view: &Value| {
        let now = held(&bed, view);
        let all = now.iter().all(|(id, now)| before[id].0 != now.0);
        all.then_some(now)
    };
    let again = bed.api.until("claimed anew", &run, LIMIT, again);
    let strikes = again.values().filter(|(_, strikes)| strikes != "0").count();
    bed.target.open();
    let figures = ended(&bed, &mut workers, run);
    println!(
        "Redis stood still for {length:?} under leases of {} ms: {taken} of {LANES} taken over at once, \
         {strikes} struck; 0 in doubt, 0 workers ended; {:?}; {} calls of the `once` action, {} effects",
        bed.size.lease_ms,
        figures.lanes,
        bed.target.book().calls_of("guest.reboot"),
        bed.target.book().effects_of("guest.reboot").len(),
    );
    assert_eq!(taken, 0, "nothing is reclaimed for one lease");
    assert_eq!(strikes, 0, "an outage of the store is no lane's fault");
}
