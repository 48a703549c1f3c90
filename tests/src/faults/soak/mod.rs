//! Half of what the installation can do, with a fault from time to time: what it holds on to stays as it was, and
//! nothing stands still. An hour with a fault each minute by hand (`HOSTLER_FAULT_ROUNDS=60`,
//! `HOSTLER_FAULT_EVERY_MS=60000`).
//!
//! Not here: what becomes of single calls under each fault.

mod load;
mod sample;
mod standing;
mod verdict;

use std::time::Duration;

use hostler_tests::lab::{Program, Signal, until};

use self::load::{Load, PAIRS};
use self::sample::Sample;
use self::verdict::Soak;
use super::bed::{Bed, Size};
use super::target::Course;
use super::{LIMIT, lasts, rounds, setting};

const SIZE: Size = Size {
    assets: 2 * PAIRS,
    lease_ms: 10_000,
    permits: 16,
    timeout: "10s",
    ..Size::BUSY
};
/// Every call lasts so long on both sides of its effect.
const CALL: Duration = Duration::from_millis(20);
/// How long runs are started as fast as they end, to find out what the installation can do.
const MEASURED: Duration = Duration::from_secs(16);
/// A worker, or Redis, that stands still for less than a lease.
const STANDS: Duration = Duration::from_secs(4);
const SAMPLES_A_FAULT: u32 = 6;
/// Most runs that are shown when some stand still.
const SHOWN: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Fault {
    Kill(usize),
    Stand(usize),
    KillRedis,
    RedisStands,
}
/// The second worker is never killed: what it takes is looked at over the whole time.
const FAULTS: [Fault; 6] = [
    Fault::Kill(0),
    Fault::Stand(1),
    Fault::KillRedis,
    Fault::Kill(0),
    Fault::RedisStands,
    Fault::Stand(0),
];

fn strike(bed: &mut Bed, workers: &mut [Program], fault: Fault) {
    match fault {
        Fault::Kill(door) => {
            workers[door].end(Signal::Kill).unwrap();
            workers[door] = bed.worker(door);
        }
        Fault::Stand(door) => {
            workers[door].signal(Signal::Stop).unwrap();
            lasts(STANDS);
            workers[door].signal(Signal::Continue).unwrap();
        }
        Fault::KillRedis => {
            bed.redis.crash().unwrap();
            bed.redis.restart().unwrap();
        }
        Fault::RedisStands => {
            bed.redis.signal(Signal::Stop).unwrap();
            lasts(STANDS);
            bed.redis.signal(Signal::Continue).unwrap();
        }
    }
}

/// Finds out what the installation can do, and asks for half of it. Runs a minute. A run is done when it has left for
/// the archive: what falls behind would otherwise be taken for room.
fn half_a_load(bed: &Bed, load: &Load, base: u64) -> u64 {
    let began = load.now();
    lasts(MEASURED);
    load.rest();
    let is_over = || load.is_done() && verdict::is_archived(bed, load.ended(), base);
    let over = until(LIMIT, || is_over().then_some(()));
    assert!(over.is_some(), "what was started does not end");
    let took_ms = u64::try_from((load.now() - began).as_millis()).unwrap();
    let done = u64::try_from(load.ended()).unwrap();
    assert!(done > 0, "nothing ends");
    let pace_ms = (2 * took_ms / done).max(1);
    load.pace(pace_ms);
    60_000 / pace_ms
}

/// Faults beside the load, with a look at everything between two; then all that was accepted ends.
fn soak(
    bed: &mut Bed,
    workers: &mut [Program],
    load: &Load,
    base: u64,
    (faults, every): (usize, Duration),
) -> Vec<Sample> {
    let mut samples = Vec::new();
    std::thread::scope(|scope| {
        let _stop = load.until_dropped();
        load.work(scope);
        let pace = half_a_load(bed, load, base);
        println!("{pace} runs a minute, a fault every {every:?}");
        for fault in 0..faults {
            for _ in 0..SAMPLES_A_FAULT {
                lasts(every / SAMPLES_A_FAULT);
                samples.push(Sample::of(bed, workers, load.seen().accepted));
            }
            strike(bed, workers, FAULTS[fault % FAULTS.len()]);
        }
        load.rest();
        if until(LIMIT, || load.is_done().then_some(())).is_none() {
            let open: Vec<String> = load.seen().open.keys().take(SHOWN).cloned().collect();
            panic!("these stand still: {:#?}", standing::all(bed, &open));
        }
    });
    samples
}

#[test]
fn half_a_load_with_faults_leaves_nothing_behind_and_nothing_stands_still() {
    let faults = rounds(6);
    let every = Duration::from_millis(setting("HOSTLER_FAULT_EVERY_MS").unwrap_or(4_000));
    let course = Course {
        effect_after: CALL,
        answer_after: CALL,
        ..Course::default()
    };
    let mut bed = Bed::keeping(SIZE, move |_| course);
    let mut workers: Vec<Program> = (0..SIZE.doors).map(|door| bed.worker(door)).collect();
    let base = verdict::keys_beside(&bed, 0).unwrap();
    let load = Load::new(&bed.api, &bed.target);
    let samples = soak(&mut bed, &mut workers, &load, base, (faults, every));
    let seen = load.seen();
    let soak = Soak {
        bed: &bed,
        seen: &seen,
        samples: &samples,
    };
    soak.every_effect_was_once();
    assert_eq!(bed.log_about("panicked"), [""; 0]);
    let lease = Duration::from_millis(SIZE.lease_ms);
    let grown = soak.grown();
    soak.nothing_is_left(base);
    if every >= 2 * lease {
        soak.nothing_stood_still(2 * lease + STANDS);
        assert!(grown.is_empty(), "{grown:?}");
    }
}
