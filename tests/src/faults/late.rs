//! The target takes its time: a `once` call takes effect after the engine has cut it off.

use std::time::Duration;

use hostler_tests::lab::Signal;

use super::LIMIT;
use super::audit;
use super::bed::{Bed, Size};
use super::target::{Call, Course, Tells};

/// Cut off after 2 s; "not done" counts from 5 s later on.
const SIZE: Size = Size {
    assets: 3,
    doors: 2,
    lease_ms: 3_000,
    permits: 8,
    per_host: 400,
    timeout: "2s",
};
/// After the cut, before it settles.
const SOON: Duration = Duration::from_secs(4);
/// After it settles, and after the first look.
const LATE: Duration = Duration::from_secs(15);

/// Soon; late, and the target says that it is going on; late, and the target cannot say.
fn behave(call: &Call) -> Course {
    let (effect_after, tells) = match call.asset.as_str() {
        "s0000" => (SOON, Tells::Truth),
        "s0001" => (LATE, Tells::Truth),
        _ => (LATE, Tells::Nothing),
    };
    // Observations have no action.
    match call.action.as_str() {
        "guest.reboot" => Course {
            effect_after,
            tells,
            ..Course::default()
        },
        "" => Course {
            tells,
            ..Course::default()
        },
        _ => Course::default(),
    }
}

/// The first two are found out, the third is asked about; each call was made once.
fn check(bed: &Bed, run: String, how: &str) {
    let runs = [run];
    let figures = audit::settled(bed, &runs, LIMIT);
    let all = |book: &super::target::Book| book.effects_of("guest.reboot").len() == SIZE.assets;
    let book = bed.target.wait("every effect lands", LIMIT, all);
    audit::once(bed, &book, &runs);
    println!(
        "{how}: effects after {SOON:?} and {LATE:?}: {} calls, {:?}; lanes {:?}",
        book.calls_of("guest.reboot"),
        book.effects_of("guest.reboot"),
        figures.lanes
    );
    assert_eq!(book.calls_of("guest.reboot"), SIZE.assets);
    assert_eq!(figures.lanes.get("succeeded"), Some(&2));
    assert_eq!(figures.lanes.get("waits: in_doubt"), Some(&1));
}

#[test]
fn an_effect_behind_the_cut_of_its_call_is_not_repeated() {
    let bed = Bed::start(SIZE, behave);
    let _worker = bed.worker(0);
    let run = bed.run_all();
    check(&bed, run, "timed out");
}

#[test]
fn an_effect_behind_the_death_of_its_worker_is_not_repeated() {
    let bed = Bed::start(SIZE, behave);
    let mut worker = bed.worker(0);
    let run = bed.run_all();
    let all = |book: &super::target::Book| book.calls_of("guest.reboot") == SIZE.assets;
    bed.target.wait("all calls are made", LIMIT, all);
    worker.end(Signal::Kill).unwrap();
    let _second = bed.worker(1);
    check(&bed, run, "worker killed");
}
