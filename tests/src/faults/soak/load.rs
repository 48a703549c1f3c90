//! Runs at a steady pace: started, signed, and watched until they end.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use hostler_tests::lab::until;
use serde_json::Value;

use crate::faults::api::Api;
use crate::faults::files;
use crate::faults::target::Target;

/// Longest that everything takes: a guard, not a figure.
const ALL: Duration = Duration::from_secs(6 * 3_600);
/// Pairs of servers that take turns: more than are ever worked on.
pub const PAIRS: usize = 64;
/// Runs on their way at the same time while it is found out how many a second there can be.
const CLOSED: usize = 64;
/// Newest runs that one look reads.
const LOOK_AT: usize = 100;
/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A run of that age may have left the newest: it is looked at by itself, so many at a time.
const OLD: Duration = Duration::from_secs(5);
const OLD_AT_ONCE: usize = 4;

/// What the load has seen so far.
#[derive(Debug, Default)]
pub struct Seen {
    pub accepted: usize,
    /// Runs on their way: their number, and when they were accepted.
    pub open: BTreeMap<String, (usize, Duration)>,
    /// Runs by how they ended.
    pub ended: BTreeMap<String, usize>,
    /// Runs that went well, by the pair of servers.
    pub done: BTreeMap<usize, u32>,
    /// The longest that any run took.
    pub longest: Duration,
}

impl Seen {
    /// A row of the list of runs: one that has ended is on its way no longer.
    fn take_off(&mut self, row: &Value, now: Duration) {
        let Some(state) = row["ended_ms"].as_i64().and(row["state"].as_str()) else {
            return;
        };
        let run = row["run"].as_str().unwrap_or_default();
        let Some((number, since)) = self.open.remove(run) else {
            return;
        };
        self.longest = self.longest.max(now.saturating_sub(since));
        *self.ended.entry(state.to_owned()).or_default() += 1;
        if state == "succeeded" {
            *self.done.entry(number % PAIRS).or_default() += 1;
        }
    }
}

pub struct Load {
    api: Api,
    clock: Box<dyn Fn() -> Duration + Send + Sync>,
    /// Between two starts; 0: as many as are worked off.
    pace_ms: AtomicU64,
    /// Nothing is started any more.
    pub over: AtomicBool,
    stop: AtomicBool,
    seen: Mutex<Seen>,
}

impl Load {
    pub fn new(api: &Api, target: &Target) -> Load {
        Load {
            api: api.clone(),
            clock: Box::new(target.clock()),
            pace_ms: AtomicU64::new(0),
            over: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            seen: Mutex::default(),
        }
    }

    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    /// Runs that have ended.
    pub fn ended(&self) -> usize {
        self.seen().ended.values().sum()
    }

    /// One start in so many milliseconds from now on.
    pub fn pace(&self, every_ms: u64) {
        self.pace_ms.store(every_ms, Ordering::SeqCst);
    }

    /// Works until the [`Stop`] is dropped; on a thread of its own.
    pub fn work(&self) {
        let (mut next, mut look) = ((self.clock)(), (self.clock)());
        let over = until(ALL, || {
            let now = (self.clock)();
            if now >= look {
                self.look(now);
                self.api.sign();
                look = now + LOOK_EVERY;
            }
            if !self.over.load(Ordering::SeqCst) && self.is_due(now, next) && self.start(now) {
                next = (next + self.pace_now()).max(now.saturating_sub(LOOK_EVERY));
            }
            self.stop.load(Ordering::SeqCst).then_some(())
        });
        assert!(over.is_some(), "the test did not end in time");
    }

    fn pace_now(&self) -> Duration {
        Duration::from_millis(self.pace_ms.load(Ordering::SeqCst))
    }

    fn is_due(&self, now: Duration, next: Duration) -> bool {
        match self.pace_now() {
            Duration::ZERO => self.seen().open.len() < CLOSED,
            _ => now >= next,
        }
    }

    /// Starts the next run, once: what was not heard is asked again with the same key.
    fn start(&self, now: Duration) -> bool {
        let number = self.seen().accepted;
        let begun = self
            .api
            .try_start(&files::pair(number % PAIRS), &format!("run-{number}"));
        let Ok(run) = begun else { return false };
        let mut seen = self.seen();
        seen.open.insert(run, (number, now));
        seen.accepted += 1;
        true
    }

    /// Takes off what has ended: among the newest, and some of those that are too old to be there.
    fn look(&self, now: Duration) {
        let rows = self.read(&format!("/api/v1/runs?limit={LOOK_AT}"))["runs"].take();
        for row in rows.as_array().into_iter().flatten() {
            self.seen().take_off(row, now);
        }
        let is_old = |(_, since): &(usize, Duration)| *since + OLD < now;
        let seen = self.seen();
        let old = seen.open.iter().filter(|(_, open)| is_old(open));
        let old: Vec<String> = old.map(|(run, _)| run.clone()).take(OLD_AT_ONCE).collect();
        drop(seen);
        for run in old {
            let row = self.read(&format!("/api/v1/runs/{run}"))["run"].take();
            self.seen().take_off(&row, now);
        }
    }

    /// Nothing while the engine cannot be reached.
    fn read(&self, path: &str) -> Value {
        let answer = self.api.ask("olga", "GET", path, "", "");
        answer
            .and_then(|answer| answer.json().ok())
            .unwrap_or_default()
    }

    /// The work stops when this is dropped, also by a test that fails: else it would wait for it.
    pub fn until_dropped(&self) -> Stop<'_> {
        Stop(self)
    }
}

/// Ends the load.
pub struct Stop<'a>(&'a Load);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::SeqCst);
    }
}
