//! What is done now about the firings since the last time somebody looked.
//!
//! Pure decisions. Not here: starting, queueing and asking, and remembering what was handled.

use crate::occurrence::Occurrence;
use crate::schedule::Schedule;
use crate::walk::{OCCURRENCES_MAX, occurrences};
use jiff::{SignedDuration, Timestamp};
use std::collections::VecDeque;

/// A firing that waits this long for a busy scheduler is on time.
pub const LATE_DEFAULT_MS: u64 = 60_000;
/// Later than a month is another firing.
pub const LATE_MAX_MS: u64 = 31 * 86_400_000;
/// Most runs of one catching-up.
pub const RUN_ALL_MAX: u32 = 100;
/// Firings of one schedule that may wait for a run to end.
pub const WAITING_MAX: u32 = 100;
/// Older firings are not looked for: whoever comes back after more than a year begins anew.
const LOOKBACK_DAYS: i64 = 400;
/// Firings decided one by one, the newest; older ones are counted only.
const LISTED_MAX: usize = 1_000;
/// Questions to the calendar of one decision: minutes of [`LOOKBACK_DAYS`] fit.
const QUESTIONS_MAX: usize = 100;

/// What becomes of firings that are too late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Then {
    /// Nothing; the next one comes by itself.
    #[default]
    Skip,
    /// A person is asked about the newest.
    Ask,
    /// The newest stands for all.
    RunOnce,
    /// The newest so many, oldest first.
    RunAll { at_most: u32 },
}

/// `missed: { late: 24h, then: ask }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missed {
    /// As late as this, a firing is still on time. Milliseconds, at most [`LATE_MAX_MS`].
    pub late_ms: u64,
    pub then: Then,
}

impl Default for Missed {
    fn default() -> Self {
        Self {
            late_ms: LATE_DEFAULT_MS,
            then: Then::Skip,
        }
    }
}

/// What a firing does while a run of the same schedule goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhileRunning {
    #[default]
    Skip,
    /// It waits for the end of that run.
    Queue,
}

/// What is known when the question is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Every firing up to this instant, it included, was decided before.
    pub handled: Timestamp,
    pub now: Timestamp,
    pub running: bool,
    /// Firings that wait for a run to end.
    pub waiting: u32,
}

/// What happens with one firing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Start,
    /// Started when the present run has ended.
    Queue,
    /// A person decides.
    Ask,
    Drop(Why),
}

/// Why a firing does not take place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Nobody looked in time.
    Late,
    /// A newer one stands for it.
    Superseded,
    /// A run of the schedule was going on.
    Running,
    /// Too many wait already.
    QueueFull,
}

/// All firings that became due, and what happens with each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// Oldest first; at most 1,000, the newest.
    pub list: Vec<(Occurrence, Verdict)>,
    /// Older ones that are not listed: dropped as late.
    pub older: u64,
    /// Where firings may lie that were not looked for, because nobody looked for over a year.
    pub forgotten_before: Option<Timestamp>,
}

/// Decides the firings after `handled`, up to `now`. After that all of them are handled, to `now`.
#[must_use]
pub fn due(schedule: &Schedule, standing: &Standing) -> Due {
    let (newest, older, forgotten_before) = newest(schedule, standing);
    let wanted = wanted(schedule, standing, &newest);
    let mut turn = Turn {
        running: standing.running,
        waiting: standing.waiting,
    };
    let verdicts: Vec<Verdict> = wanted
        .into_iter()
        .map(|verdict| match verdict {
            Verdict::Start => turn.start(schedule.while_running()),
            other => other,
        })
        .collect();
    Due {
        list: newest.into_iter().zip(verdicts).collect(),
        older,
        forgotten_before,
    }
}

/// The newest firings of the time that nobody looked at, and how many lie before them.
fn newest(schedule: &Schedule, standing: &Standing) -> (Vec<Occurrence>, u64, Option<Timestamp>) {
    let step = SignedDuration::from_nanos(1);
    let after = |instant: Timestamp| instant.checked_add(step).unwrap_or(Timestamp::MAX);
    let lookback = SignedDuration::from_hours(24 * LOOKBACK_DAYS);
    let earliest = standing.now.checked_sub(lookback).unwrap_or(Timestamp::MIN);
    let forgotten = (standing.handled < earliest).then_some(earliest);
    let mut from = after(standing.handled).max(earliest);
    let to = after(standing.now);
    let (mut list, mut older) = (VecDeque::new(), 0);
    for _ in 0..QUESTIONS_MAX {
        let found = occurrences(schedule, from, to, OCCURRENCES_MAX);
        list.extend(found.list);
        while list.len() > LISTED_MAX {
            list.pop_front();
            older += 1;
        }
        match found.cut {
            Some(cut) => from = cut,
            None => break,
        }
    }
    (list.into(), older, forgotten)
}

/// What each firing would do if no run stood in its way.
fn wanted(schedule: &Schedule, standing: &Standing, newest: &[Occurrence]) -> Vec<Verdict> {
    let missed = schedule.missed();
    let on_time = |one: &Occurrence| lateness_ms(one, standing.now) <= missed.late_ms;
    let count = newest.len();
    let verdict = |(place, one): (usize, &Occurrence)| {
        let is_newest = place + 1 == count;
        match missed.then {
            Then::RunAll { at_most } => {
                let at_most = usize::try_from(at_most.min(RUN_ALL_MAX)).unwrap_or(usize::MAX);
                if count - place <= at_most {
                    Verdict::Start
                } else {
                    Verdict::Drop(Why::Late)
                }
            }
            _ if !is_newest && newest.last().is_some_and(on_time) => Verdict::Drop(Why::Superseded),
            _ if is_newest && on_time(one) => Verdict::Start,
            Then::RunOnce if is_newest => Verdict::Start,
            Then::Ask if is_newest => Verdict::Ask,
            Then::Skip => Verdict::Drop(Why::Late),
            _ => Verdict::Drop(Why::Superseded),
        }
    };
    newest.iter().enumerate().map(verdict).collect()
}

fn lateness_ms(one: &Occurrence, now: Timestamp) -> u64 {
    let late = now
        .as_millisecond()
        .saturating_sub(one.instant.as_millisecond());
    u64::try_from(late).unwrap_or_default()
}

/// Whose turn it is, while verdicts are given one after the other.
struct Turn {
    running: bool,
    waiting: u32,
}

impl Turn {
    fn start(&mut self, while_running: WhileRunning) -> Verdict {
        match while_running {
            // Who waits already goes first.
            _ if !self.running && self.waiting == 0 => {
                self.running = true;
                Verdict::Start
            }
            WhileRunning::Skip => Verdict::Drop(Why::Running),
            WhileRunning::Queue if self.waiting >= WAITING_MAX => Verdict::Drop(Why::QueueFull),
            WhileRunning::Queue => {
                self.waiting += 1;
                Verdict::Queue
            }
        }
    }
}
