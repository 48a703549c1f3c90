//! What must be so behind a soak: effects, what is left, how long anything took, what has grown.
//!
//! Not here: how it is measured.

use std::time::Duration;

use hostler_tests::lab::{Usage, until};

use super::load::{PAIRS, Seen};
use super::sample::{Sample, median};
use crate::faults::bed::{Bed, key};
use crate::faults::{LIMIT, files};
use hostler_core::id::RunId;

/// Keys that stay of a run that is archived: its record, and the header of its first lane.
const TOMBSTONE: u64 = 2;
/// Keys that the realm itself comes to need: lists that have an entry by then, the runbook, and the list of
/// servers that all runs over the same ones share.
const KEYS_MORE: u64 = 32 + PAIRS as u64;
/// How many keys there are of each kind.
const KINDS: &str = "EVAL \"local n = {} for _, k in ipairs(redis.call('keys', '*')) do \
                     local kind = k:match('^h:{main}%.(%w+)') or k n[kind] = (n[kind] or 0) + 1 end \
                     return cjson.encode(n)\" 0";
/// Waits for the archive in any case.
const WAITS_MAX: u32 = 20;
/// What a run takes by itself, on a busy machine.
const SLACK: Duration = Duration::from_secs(10);
/// What may be added in half of the time, of what there was.
const FLAT: f64 = 0.02;
/// Files, sockets and keys come and go.
const A_FEW: f64 = 3.0;
/// In so many parts a figure's course is printed.
const PARTS: usize = 12;

/// What there is to judge.
pub struct Soak<'a> {
    pub bed: &'a Bed,
    pub seen: &'a Seen,
    pub samples: &'a [Sample],
}

/// Reads a figure out of a sample that has it.
type Says = Box<dyn Fn(&Sample) -> Option<f64>>;

/// One figure over the time: what it was, and what may be added to it.
struct Figure {
    name: &'static str,
    says: Says,
    /// Part of this total may be added; none: of the figure itself.
    of: Option<f64>,
}

/// Keys beside marks that Redis lets go by itself within minutes. One that is over may still be counted by
/// `DBSIZE`, so they are listed. A summary that is too long for its header has a key of its own, and stays too.
const LASTING: &str = "EVAL \"local n = 0 for _, k in ipairs(redis.call('keys', '*')) do \
                       if not k:find('^h:{main}%.uk:') and not k:find('^h:{main}%.s:') then n = n + 1 end end return n\" 0";

/// Those beside the ones that stay of every run.
pub fn keys_beside(bed: &Bed, accepted: usize) -> Option<u64> {
    let lasting = bed.redis_says(LASTING).parse::<u64>().ok()?;
    lasting.checked_sub(TOMBSTONE * u64::try_from(accepted).ok()?)
}

/// All of so many runs have left: what is there beside them is the realm's own.
pub fn is_archived(bed: &Bed, accepted: usize, base: u64) -> bool {
    keys_beside(bed, accepted).is_some_and(|left| left <= base + KEYS_MORE)
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn number(count: u64) -> f64 {
    count as f64
}

fn count(runs: usize) -> f64 {
    number(runs as u64)
}

fn figure(name: &'static str, says: impl Fn(&Sample) -> Option<f64> + 'static) -> Figure {
    Figure {
        name,
        says: Box::new(says),
        of: None,
    }
}

fn of_processes() -> [Figure; 5] {
    let kib = |usage: Option<Usage>| Some(number(usage?.resident_kib));
    let files = |usage: Option<Usage>| Some(number(usage?.descriptors));
    // The last worker is the one that is never killed.
    let worker = |sample: &Sample| sample.workers.last().copied();
    [
        figure("KiB of the API", move |sample| kib(sample.api)),
        figure("KiB of a worker", move |sample| kib(worker(sample))),
        figure("files of the API", move |sample| files(sample.api)),
        figure("files of a worker", move |sample| files(worker(sample))),
        figure("files of Redis", move |sample| files(sample.redis)),
    ]
}

impl Soak<'_> {
    /// Each server was worked on as often as runs over it went well.
    pub fn every_effect_was_once(&self) {
        assert_eq!(self.seen.ended.keys().collect::<Vec<_>>(), ["succeeded"]);
        let book = self.bed.target.book();
        let restarts = book.effects_of("guest.reboot");
        for (pair, runs) in &self.seen.done {
            for asset in [2 * pair, 2 * pair + 1].map(files::asset) {
                assert_eq!(restarts.get(&asset), Some(runs), "{asset}: once a run");
            }
        }
    }

    /// All runs leave; the last ones a minute later, as a start that was planned before may be accepted after them.
    pub fn nothing_is_left(&self, base: u64) {
        let accepted = self.seen.accepted;
        let keys = || keys_beside(self.bed, accepted);
        let mut left = None;
        // On a busy machine the archive has fallen behind: it is waited for as long as it works.
        for _ in 0..WAITS_MAX {
            let before = keys();
            left = until(LIMIT, || {
                keys().filter(|_| is_archived(self.bed, accepted, base))
            });
            if left.is_some() || keys() >= before {
                break;
            }
        }
        println!(
            "{accepted} runs {:?}, the longest took {:?}; keys beside {TOMBSTONE} a run: {base} before, {left:?} after",
            self.seen.ended, self.seen.longest
        );
        assert!(left.is_some(), "{}", self.bed.redis_says(KINDS));
    }

    pub fn nothing_stood_still(&self, limit: Duration) {
        assert!(
            self.seen.longest <= limit + SLACK,
            "{:?}",
            self.seen.longest
        );
    }

    /// Prints what each process takes, early and late; names what takes more.
    pub fn grown(&self) -> Vec<&'static str> {
        let stays = self.tombstone_bytes();
        println!("{stays:.0} bytes stay of a run");
        let figures = of_processes().into_iter().chain(self.of_data(stays));
        let grown = figures.filter(|figure| self.has_grown(figure));
        grown.map(|figure| figure.name).collect()
    }

    fn of_data(&self, stays: f64) -> [Figure; 2] {
        let bytes =
            move |sample: &Sample| Some(number(sample.bytes?) - count(sample.accepted) * stays);
        let keys = |sample: &Sample| {
            let stay = number(TOMBSTONE) * count(sample.accepted);
            Some(number(sample.keys?) - stay)
        };
        let of = median(self.samples, |sample| Some(number(sample.bytes?)));
        [
            Figure {
                of,
                ..figure("bytes of data beside tombstones", bytes)
            },
            figure("keys beside tombstones", keys),
        ]
    }

    /// Compares the second quarter of the time with the last one.
    fn has_grown(&self, figure: &Figure) -> bool {
        let quarter = self.samples.len() / 4;
        let early = median(&self.samples[quarter..2 * quarter], &figure.says).unwrap();
        let late = median(&self.samples[3 * quarter..], &figure.says).unwrap();
        let part = (self.samples.len() / PARTS).max(1);
        let parts = self.samples.chunks(part);
        let course = parts.filter_map(|part| median(part, &figure.says));
        let course: Vec<String> = course.map(|middle| format!("{middle:.0}")).collect();
        let name = figure.name;
        println!(
            "{name}: {early:.0} early, {late:.0} late; in turn {}",
            course.join(" ")
        );
        late - early > figure.of.unwrap_or(early) * FLAT + A_FEW
    }

    /// What stays of one archived run, in bytes, with its row in the list of runs.
    fn tombstone_bytes(&self) -> f64 {
        let list = self.bed.api.read("/api/v1/runs?limit=1");
        let run = list["runs"][0]["run"].as_str().unwrap().to_owned();
        let root = run.parse::<RunId>().unwrap().root().to_string();
        let usage = |key: &str| -> f64 {
            let told = self
                .bed
                .redis_says(&format!("MEMORY USAGE {key} SAMPLES 0"));
            told.parse().unwrap_or(0.0)
        };
        let own = [key("r", &run), key("l", &root), key("s", &root)];
        let rows = usage("h:{main}.xb:runs") + usage("h:{main}.ix:runs");
        own.iter().map(|key| usage(key)).sum::<f64>() + rows / count(self.seen.accepted)
    }
}
