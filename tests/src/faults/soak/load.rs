//! Runs at a steady pace: started, signed, and watched until they end.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::thread::Scope;
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
/// So many people start runs at the same time, and so many sign them: who signs waits for the answer.
const PEOPLE: usize = 4;
const SIGNERS: usize = 12;
/// Newest runs that one look reads.
const LOOK_AT: usize = 100;
/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Time between two looks of one who signs: without it most of the machine would go into looking.
const SIGN_EVERY: Duration = Duration::from_millis(100);
/// A run of that age may have left the newest: it is looked at by itself, so many at a time.
const OLD: Duration = Duration::from_secs(5);
const OLD_AT_ONCE: usize = 16;

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

/// Who may start the next run.
#[derive(Debug, Default)]
struct Turn {
    number: usize,
    next: Duration,
}

pub struct Load {
    api: Api,
    clock: Box<dyn Fn() -> Duration + Send + Sync>,
    /// Between two starts; 0: as many as are worked off.
    pace_ms: AtomicU64,
    /// Nothing is started for now.
    rests: AtomicBool,
    stop: AtomicBool,
    turn: Mutex<Turn>,
    seen: Mutex<Seen>,
}

impl Load {
    pub fn new(api: &Api, target: &Target) -> Load {
        Load {
            api: api.clone(),
            clock: Box::new(target.clock()),
            pace_ms: AtomicU64::new(0),
            rests: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            turn: Mutex::default(),
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

    /// The time that has passed for the target.
    pub fn now(&self) -> Duration {
        (self.clock)()
    }

    /// One start in so many milliseconds from now on.
    pub fn pace(&self, every_ms: u64) {
        self.pace_ms.store(every_ms, Ordering::SeqCst);
        self.rests.store(false, Ordering::SeqCst);
    }

    /// Starts nothing until it gets a pace.
    pub fn rest(&self) {
        self.rests.store(true, Ordering::SeqCst);
    }

    /// Everything that was begun to start was accepted and has ended.
    pub fn is_done(&self) -> bool {
        let begun = self.turn.lock().unwrap().number;
        begun == self.ended()
    }

    /// Everybody works, each on a thread of its own, until the [`Stop`] is dropped.
    pub fn work<'a>(&'a self, scope: &'a Scope<'a, '_>) {
        scope.spawn(|| self.again(|| self.look((self.clock)()), LOOK_EVERY));
        for _ in 0..PEOPLE {
            scope.spawn(|| self.again(|| self.start(), Duration::ZERO));
        }
        for who in 0..SIGNERS {
            scope.spawn(move || self.again(|| self.api.sign_every(SIGNERS, who), SIGN_EVERY));
        }
    }

    fn again(&self, work: impl Fn(), every: Duration) {
        let next = Cell::new(Duration::ZERO);
        let over = until(ALL, || {
            let now = (self.clock)();
            if now >= next.get() {
                next.set(now + every);
                work();
            }
            self.stop.load(Ordering::SeqCst).then_some(())
        });
        assert!(over.is_some(), "the test did not end in time");
    }

    /// The number of the run that is to be started now.
    fn turn(&self, now: Duration) -> Option<usize> {
        if self.rests.load(Ordering::SeqCst) {
            return None;
        }
        let pace = Duration::from_millis(self.pace_ms.load(Ordering::SeqCst));
        let mut turn = self.turn.lock().unwrap();
        let is_due = match pace {
            Duration::ZERO => turn.number < self.ended() + CLOSED,
            _ => now >= turn.next,
        };
        if !is_due {
            return None;
        }
        turn.next = (turn.next + pace).max(now.saturating_sub(LOOK_EVERY));
        turn.number += 1;
        Some(turn.number - 1)
    }

    /// Starts the next run when it is due; what was not heard is asked again with the same key.
    fn start(&self) {
        let now = (self.clock)();
        let Some(number) = self.turn(now) else { return };
        let run = self
            .api
            .start(&files::pair(number % PAIRS), &format!("run-{number}"));
        self.seen().open.insert(run, (number, now));
        self.seen().accepted += 1;
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
