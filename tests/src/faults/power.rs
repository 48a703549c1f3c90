//! The power of the machine with the store is cut while it works: what was not synced is gone, what was answered is
//! not.
//!
//! Not here: a store that may lose a second by its settings (`rewind`).

use std::time::Duration;

use hostler_tests::lab::{Lab, PowerDisk, RedisPlan, Signal};

use super::audit;
use super::bed::{Bed, Size};
use super::chance::Chance;
use super::files;
use super::target::{Call, Course};
use super::{LIMIT, lasts, rounds};

const CUTS: usize = 4;
const RUNS_PER_CUT: usize = 3;
const DISK_MIB: u64 = 192;
/// Time between the last start and the cut.
const WORKS_MS: u64 = 900;
/// Every call lasts a while on both sides of its effect.
const LASTS: Duration = Duration::from_millis(60);

fn course(_: &Call) -> Course {
    Course {
        effect_after: LASTS,
        answer_after: LASTS,
        ..Course::default()
    }
}

fn size(cuts: usize) -> Size {
    Size {
        assets: 2 * RUNS_PER_CUT * cuts,
        ..Size::BUSY
    }
}

/// Runs are started and signed, and the power is cut in the middle of them, again and again.
fn cut_again_and_again(bed: &mut Bed, cuts: usize, mut cut: impl FnMut(&mut Bed)) {
    let mut chance = Chance::new();
    let mut runs = Vec::new();
    for _ in 0..cuts {
        for _ in 0..RUNS_PER_CUT {
            let number = runs.len();
            let run = bed
                .api
                .start(&files::pair(number), &format!("run-{number}"));
            runs.push(run);
            bed.api.sign();
        }
        lasts(Duration::from_millis(chance.below(WORKS_MS)));
        cut(bed);
    }
    for run in &runs {
        bed.api.signed(run);
    }
    let figures = audit::settled(bed, &runs, LIMIT);
    let book = bed.target.book();
    audit::once(bed, &book, &runs);
    println!(
        "{cuts} power cuts: {} runs accepted, 0 lost; lanes {:?}; `once`: {} calls, 0 twice",
        runs.len(),
        figures.lanes,
        book.calls_of("guest.reboot")
    );
}

#[test]
fn what_one_machine_answered_before_its_power_was_cut_is_there_and_nothing_is_repeated_unseen() {
    let cuts = rounds(CUTS);
    let lab = Lab::start().unwrap();
    let mut disk = PowerDisk::mount(&lab, "disk", DISK_MIB).unwrap();
    // Nobody asks it: the store is embedded.
    let redis = RedisPlan::default().start(&lab).unwrap();
    let folder = disk.path().display();
    let store = format!("kind = \"embedded\"\nfolder = \"{folder}/store\"");
    let mut bed = Bed::over(lab, redis, store, size(cuts), course);
    cut_again_and_again(&mut bed, cuts, |bed| {
        bed.stand_still();
        disk.cut().unwrap();
        bed.stop_api();
        disk.again().unwrap();
        bed.serve_upon("log.level=info");
    });
}

#[test]
fn what_redis_answered_before_its_power_was_cut_is_there_and_nothing_is_repeated_unseen() {
    let cuts = rounds(CUTS);
    let lab = Lab::start().unwrap();
    let mut disk = PowerDisk::mount(&lab, "disk", DISK_MIB).unwrap();
    let plan = RedisPlan::default().option("appendfsync", "always");
    let redis = plan.start_in(&lab, disk.path().to_owned()).unwrap();
    let store = format!("kind = \"redis\"\nredis_url = \"{}\"", redis.url());
    let mut bed = Bed::over(lab, redis, store, size(cuts), course);
    let _workers = [bed.worker(0), bed.worker(1)];
    cut_again_and_again(&mut bed, cuts, |bed| {
        bed.redis.signal(Signal::Stop).unwrap();
        disk.cut().unwrap();
        bed.redis.crash().unwrap();
        disk.again().unwrap();
        bed.redis.restart().unwrap();
    });
}
