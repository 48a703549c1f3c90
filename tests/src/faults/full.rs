//! The disk or the memory of Redis is full: nothing new is begun, nothing that was begun is lost, and work goes on
//! by itself when there is room again.

use std::time::Duration;

use hostler_tests::lab::{Lab, RedisPlan, SmallDisk, until};

use super::LIMIT;
use super::audit;
use super::bed::{Bed, Size};
use super::target::{Call, Course};
use super::{files, lasts};

const LANES: usize = 10;
const SIZE: Size = Size {
    assets: LANES + 2,
    doors: 1,
    lease_ms: 9_000,
    permits: 32,
    per_host: 400,
    timeout: "60s",
};
/// Redis tries to write again every second.
const NOTICED: Duration = Duration::from_secs(3);
/// Room for the log of these few runs, and for a while.
const DISK_MIB: u32 = 3;

/// `once` calls are answered when the test says so.
fn behave(call: &Call) -> Course {
    Course {
        gated: call.action == "guest.reboot",
        ..Course::default()
    }
}

fn first_lanes() -> String {
    let names: Vec<String> = (0..LANES).map(files::asset).collect();
    format!("id={}", names.join(","))
}

/// A run whose lanes all stand in a `once` call.
fn begun(bed: &Bed) -> String {
    let run = bed.api.start(&first_lanes(), "all");
    bed.api.signed(&run);
    bed.target
        .wait("all stand in a call", LIMIT, |book| book.standing == LANES);
    run
}

/// Everything that was begun is recorded as done, called once, and new runs are accepted.
fn goes_on(bed: &Bed, run: String, what: &str) {
    let later = bed.api.start(&files::pair(LANES / 2), "later");
    bed.api.signed(&later);
    let runs = [run, later];
    audit::all(bed, &runs, what);
    let book = bed.target.book();
    assert_eq!(
        book.calls_of("guest.reboot"),
        LANES + 2,
        "a finish was lost"
    );
}

#[test]
fn over_the_memory_limit_nothing_starts_every_finish_is_recorded_and_it_goes_on_by_itself() {
    let bed = Bed::start(SIZE, behave);
    let _worker = bed.worker(0);
    let run = begun(&bed);
    bed.redis_says("CONFIG SET maxmemory 1");
    let refused = bed
        .api
        .try_start(&files::pair(LANES / 2), "later")
        .unwrap_err();
    let refused = refused.expect("an answer");
    println!("over maxmemory: {} {}", refused.status, refused.body);
    assert!(refused.body.contains("store-full"), "{refused:?}");
    bed.target.open();
    let done = |view: &serde_json::Value| {
        let lanes = view["lanes"].as_array()?;
        let all = lanes
            .iter()
            .all(|lane| lane["steps"]["restart"] == "succeeded");
        all.then_some(())
    };
    bed.api
        .until("finishes are recorded over the limit", &run, LIMIT, done);
    bed.redis_says("CONFIG SET maxmemory 0");
    goes_on(&bed, run, "memory limit");
}

fn upon_small_disk(fsync: &str) -> (Bed, SmallDisk) {
    let lab = Lab::start().unwrap();
    let disk = SmallDisk::mount(&lab, "small-disk", DISK_MIB).unwrap();
    let plan = RedisPlan::default().option("appendfsync", fsync);
    let redis = plan.start_in(&lab, disk.path().to_owned()).unwrap();
    let store = format!("kind = \"redis\"\nredis_url = \"{}\"", redis.url());
    (Bed::over(lab, redis, store, SIZE, behave), disk)
}

#[test]
fn a_full_disk_under_a_log_synced_every_second_loses_nothing() {
    let (bed, disk) = upon_small_disk("everysec");
    let _worker = bed.worker(0);
    let run = begun(&bed);
    disk.fill().unwrap();
    bed.target.open();
    let refuses = until(LIMIT, || {
        let said = bed.redis.ask("SET lab:probe 1").ok()?;
        said.starts_with("-MISCONF").then_some(())
    });
    assert!(
        refuses.is_some(),
        "Redis does not notice that its disk is full"
    );
    let began = bed.target.now();
    let refused = bed
        .api
        .try_start(&files::pair(LANES / 2), "later")
        .unwrap_err();
    let took = bed.target.now() - began;
    println!("full disk: after {took:?}: {refused:?}");
    let refused = refused.expect("an answer");
    assert!(refused.body.contains("store-full"), "{refused:?}");
    lasts(NOTICED);
    disk.free().unwrap();
    goes_on(&bed, run, "full disk, everysec");
}

#[test]
fn a_full_disk_under_a_log_synced_always_loses_nothing() {
    let (mut bed, disk) = upon_small_disk("always");
    let _worker = bed.worker(0);
    let run = begun(&bed);
    disk.fill().unwrap();
    bed.target.open();
    // With `always` Redis ends rather than answer for what it could not write.
    let ended = until(LIMIT, || (!bed.redis.runs()).then_some(()));
    assert!(ended.is_some(), "Redis goes on upon a full disk");
    disk.free().unwrap();
    bed.redis.restart().unwrap();
    goes_on(&bed, run, "full disk, always");
}
