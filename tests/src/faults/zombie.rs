//! A worker stands still in the middle of its calls, loses its lanes to another, and wakes up.

use std::collections::BTreeMap;
use std::time::Duration;

use hostler_tests::lab::{Signal, until};
use serde_json::Value;

use super::LIMIT;
use super::audit;
use super::bed::{Bed, Size, key};
use super::target::{Call, Course};

const LANES: usize = 12;
const SIZE: Size = Size {
    assets: LANES,
    doors: 2,
    lease_ms: 3_000,
    permits: LANES,
    per_host: 400,
    timeout: "6s",
};

/// The first worker gets its answers late: half of its lanes stand in a repeatable call, half in a `once` call.
fn behave(call: &Call) -> Course {
    let is_even = call.asset.ends_with(['0', '2', '4', '6', '8']);
    let stops_at = if is_even {
        "compute.snapshot"
    } else {
        "guest.reboot"
    };
    Course {
        gated: call.door == 0 && call.action == stops_at,
        ..Course::default()
    }
}

/// Version and length of the log of every lane of a run.
fn written(bed: &Bed, view: &Value) -> BTreeMap<String, (String, String)> {
    let lanes = view["lanes"].as_array().unwrap().iter();
    let ids = lanes
        .chain([&view["root"]])
        .map(|lane| lane["lane"].as_str().unwrap());
    ids.map(|id| {
        let length = bed.redis_says(&format!("LLEN {}", key("g", id)));
        (id.to_owned(), (bed.header(id, "v"), length))
    })
    .collect()
}

#[test]
fn a_worker_that_wakes_up_after_its_lease_writes_nothing_and_calls_nobody() {
    let bed = Bed::start(SIZE, behave);
    let mut zombie = bed.worker(0);
    let run = bed.run_all();
    bed.target
        .wait("all stand in a call", LIMIT, |book| book.standing == LANES);
    zombie.signal(Signal::Stop).unwrap();
    let _second = bed.worker(1);
    let ended = |view: &Value| (!view["run"]["ended_ms"].is_null()).then(|| view.clone());
    let view = bed
        .api
        .until("the second worker ends it", &run, LIMIT, ended);
    assert_eq!(view["run"]["state"], "succeeded", "{view:#}");
    audit::notices(&bed, 1, LIMIT);
    // The message is out before what became of it is written down.
    let said = || bed.api.read(&format!("/api/v1/runs/{run}/notices"));
    let accepted = until(LIMIT, || {
        let said = said().to_string();
        said.contains(r#""state":"accepted""#).then_some(())
    });
    assert!(accepted.is_some(), "{:#}", said());
    let (before, ledger) = (written(&bed, &view), bed.redis_says("LLEN h:{main}.led"));
    let through = |door: usize| {
        bed.target
            .book()
            .calls
            .iter()
            .filter(|call| call.door == door)
            .count()
    };
    let (first, second) = (through(0), through(1));

    bed.target.open();
    zombie.signal(Signal::Continue).unwrap();
    let let_go = until(LIMIT, || {
        let count = zombie.log().ok()?.matches("let go").count();
        (count >= LANES).then_some(count)
    });
    assert!(let_go.is_some(), "{}", zombie.log().unwrap());
    // Whatever it might still do it would do now: a renewal's time.
    super::lasts(Duration::from_millis(SIZE.lease_ms / 2));

    assert_eq!(
        written(&bed, &bed.api.run(&run)),
        before,
        "the zombie wrote into a lane"
    );
    assert_eq!(
        bed.redis_says("LLEN h:{main}.led"),
        ledger,
        "into the ledger"
    );
    assert_eq!(through(0), first, "the zombie began a call");
    audit::once(&bed, &bed.target.book(), &[run]);
    println!(
        "{LANES} lanes in a call of a stopped worker ({first} calls), taken over ({second} calls) and ended; \
         awake again it let go of {LANES}, wrote 0 events, began 0 calls"
    );
}
