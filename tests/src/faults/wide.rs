//! A step over very many servers is cancelled half-way, and what had begun is taken back: the lane that leads
//! them stays small, and no call of theirs holds Redis up.
//!
//! Not here: how fast it is. The slowest calls are printed and not judged: a busy machine is no fault of theirs. Where
//! the machine allows it Redis goes first, and what they took is their own.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hostler_tests::lab::until;
use serde_json::Value;

use super::bed::{Bed, Size, key};
use super::target::{Book, Call, Course};
use super::{LIMIT, files, setting};

/// Servers, unless somebody wants the whole figure.
const USUAL: u64 = 1_000;
/// Servers that are worked on at the same time, as the runbook says.
const AT_ONCE: usize = 200;
/// Most bytes of the leading lane's state.
const STATE_MAX: usize = 256 << 10;
/// Calls that hold Redis up for longer are shown.
const SLOW_US: u32 = 5_000;
/// A guard, not a figure.
const ALL: Duration = Duration::from_secs(3_600);

fn begin(assets: usize) -> Bed {
    let half = files::asset(assets / 2);
    let size = Size {
        assets,
        doors: 1,
        lease_ms: 30_000,
        // And one at least for the lane that leads them.
        permits: AT_ONCE + 8,
        per_host: 400,
        timeout: "120s",
    };
    let behave = move |call: &Call| Course {
        gated: call.action == "guest.resources" && call.asset >= half,
        ..Course::default()
    };
    let bed = Bed::start(size, behave);
    bed.redis_says(&format!("CONFIG SET slowlog-log-slower-than {SLOW_US}"));
    bed
}

#[test]
fn a_step_over_very_many_servers_is_cancelled_half_way_and_taken_back() {
    let asked = setting("HOSTLER_FAULT_ASSETS").unwrap_or(USUAL);
    let assets = usize::try_from(asked).unwrap();
    let bed = begin(assets);
    let first = bed.redis.goes_first();
    let _worker = bed.worker(0);
    let run = bed.api.try_start_of(files::WIDE, "id=*", "wide").unwrap();
    let stand = |book: &Book| book.standing == AT_ONCE;
    bed.target.wait("the second half stands", ALL, stand);
    let before = state_bytes(&bed, &run);
    bed.api.cancel(&run);
    all_are_told(&bed, &run);
    bed.target.open();

    let ended = |view: &Value| view["run"]["ended_ms"].as_i64().map(drop);
    bed.api.until("the end", &run, LIMIT, ended);
    let book = bed.target.book();
    let changed = touched(&book, "compute.snapshot");
    let taken_back = touched(&book, "compute.snapshot-delete");
    let bytes = before.max(state_bytes(&bed, &run));
    println!(
        "{assets} servers: {} changed, {} of them taken back, the run {}; its state has {bytes} bytes; \
         calls over {SLOW_US} us: {} (Redis goes first: {first})",
        changed.len(),
        taken_back.len(),
        bed.api.run(&run)["run"]["state"],
        bed.redis_says("SLOWLOG LEN"),
    );
    println!("{:?}", slow_calls(&bed));
    let stays: BTreeSet<String> = changed.difference(&taken_back).cloned().collect();
    assert_eq!(taken_back.len(), AT_ONCE, "those that stood in the middle");
    let lanes = lanes(&bed, &run);
    let done = lanes.iter().filter(|lane| lane["result"] == "succeeded");
    let done: BTreeSet<String> = done
        .map(|lane| lane["key"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(done, stays);
    assert!(bytes <= STATE_MAX, "{bytes} bytes of state");
}

/// Functions among the slowest calls: how often each, and the longest in microseconds.
fn slow_calls(bed: &Bed) -> BTreeMap<String, (u32, u64)> {
    let told = bed.redis.ask("SLOWLOG GET 40").unwrap();
    let mut words = told.lines().filter(|line| !line.starts_with('$'));
    let mut calls = BTreeMap::new();
    // The last number before a call's own words is what it took.
    let mut took_us = 0;
    while let Some(word) = words.next() {
        if let Some(number) = word
            .strip_prefix(':')
            .and_then(|number| number.parse().ok())
        {
            took_us = number;
        } else if word.starts_with("FCALL") {
            let name = words.next().unwrap_or_default().to_owned();
            let (count, longest_us) = calls.entry(name).or_insert((0, 0));
            *count += 1;
            *longest_us = took_us.max(*longest_us);
        }
    }
    calls
}

fn touched(book: &Book, action: &str) -> BTreeSet<String> {
    book.effects_of(action).into_keys().collect()
}

/// All lanes of the run but its own.
fn lanes(bed: &Bed, run: &str) -> Vec<Value> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let view = bed.api.read(&format!("/api/v1/runs/{run}{after}"));
        found.extend(view["lanes"].as_array().unwrap().iter().cloned());
        match view["next"].as_str() {
            Some(next) => after = format!("?after={next}"),
            None => return found,
        }
    }
}

/// Waits until the word to stop lies before every lane that is at work.
fn all_are_told(bed: &Bed, run: &str) {
    let lanes = lanes(bed, run);
    let live = lanes.iter().filter(|lane| lane["result"].is_null());
    let live: Vec<&str> = live.map(|lane| lane["lane"].as_str().unwrap()).collect();
    assert_eq!(live.len(), AT_ONCE);
    let told = || live.iter().all(|lane| bed.header(lane, "d") == "1");
    let told = until(LIMIT, || told().then_some(()));
    assert!(told.is_some(), "nobody told them to stop");
}

/// Bytes of the newest snapshot of the run's own lane.
fn state_bytes(bed: &Bed, run: &str) -> usize {
    let root = bed.api.run(run)["root"]["lane"].clone();
    let lane = root.as_str().unwrap();
    let length = bed.redis_says(&format!("STRLEN {}", key("n", lane)));
    length.parse().unwrap()
}
