//! How far a schedule was followed: what several schedulers share, as data.
//!
//! A decision is written down before it is carried out, and whoever finds it carries it out: a firing
//! that two of them start is one run, because its run has the firing's name. Pure. Not here: reading,
//! writing, starting.

use crate::due::{Standing, Verdict, WAITING_MAX, Why, due};
use crate::schedule::Schedule;
use hostler_core::id::RunId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Questions to people about one schedule; older ones are given up.
pub const ASKS_MAX: usize = 20;

/// A run that a firing has become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fired {
    pub instant_ms: i64,
    pub run: RunId,
}

/// A firing that could not become a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    pub instant_ms: i64,
    pub why: String,
}

/// Somebody has stopped the schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paused {
    pub by: String,
    pub reason: String,
    pub at_ms: i64,
}

/// All instants are milliseconds of the store's clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Every firing up to here, it included, was decided.
    pub handled_ms: i64,
    /// To be started now, oldest first.
    #[serde(default)]
    pub starting: Vec<i64>,
    /// They wait for the present run to end, oldest first.
    #[serde(default)]
    pub waiting: Vec<i64>,
    /// A person says whether they are started, oldest first.
    #[serde(default)]
    pub asks: Vec<i64>,
    /// The newest run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Fired>,
    /// The newest that could not be started, until a later one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Failed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Paused>,
}

/// A firing that will not become a run, unless a person says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Left {
    pub instant_ms: i64,
    /// `late`, `superseded`, `running`, `queue-full`, `paused`, `ask`.
    pub why: &'static str,
}

/// What one look has decided not to start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    pub left: Vec<Left>,
    /// Still older firings, dropped as late.
    pub older: u64,
}

impl Progress {
    /// A schedule that nobody has followed before: what lies behind it is not made up for.
    #[must_use]
    pub fn begin(now_ms: i64) -> Self {
        Self {
            handled_ms: now_ms,
            ..Self::default()
        }
    }

    /// Decides what has come due. `running`: the newest run goes on.
    pub fn look(&mut self, schedule: &Schedule, now_ms: i64, running: bool) -> Looked {
        let busy = running || !self.starting.is_empty();
        if !busy && !self.waiting.is_empty() && self.paused.is_none() {
            self.starting.push(self.waiting.remove(0));
        }
        let standing = Standing {
            handled: instant(self.handled_ms),
            now: instant(now_ms),
            running: running || !self.starting.is_empty(),
            waiting: u32::try_from(self.waiting.len()).unwrap_or(u32::MAX),
        };
        if standing.now <= standing.handled {
            return Looked::default();
        }
        let due = due(schedule, &standing);
        // A look that finds nothing changes nothing: it is not written down.
        if !due.list.is_empty() || due.older > 0 || due.forgotten_before.is_some() {
            self.handled_ms = now_ms;
        }
        let mut looked = Looked {
            left: Vec::new(),
            older: due.older,
        };
        for (firing, verdict) in due.list {
            let instant_ms = firing.instant.as_millisecond();
            looked.left.extend(self.take(instant_ms, verdict));
        }
        looked
    }

    fn take(&mut self, instant_ms: i64, verdict: Verdict) -> Option<Left> {
        let why = match verdict {
            _ if self.paused.is_some() => "paused",
            Verdict::Start => {
                self.starting.push(instant_ms);
                return None;
            }
            Verdict::Queue if self.waiting.len() < WAITING_MAX as usize => {
                self.waiting.push(instant_ms);
                return None;
            }
            Verdict::Queue => why_text(Why::QueueFull),
            Verdict::Ask => {
                self.ask(instant_ms);
                "ask"
            }
            Verdict::Drop(why) => why_text(why),
        };
        Some(Left { instant_ms, why })
    }

    fn ask(&mut self, instant_ms: i64) {
        self.asks.push(instant_ms);
        if self.asks.len() > ASKS_MAX {
            self.asks.remove(0);
        }
    }

    /// The firing is a run now, whoever has started it.
    pub fn started(&mut self, fired: Fired) {
        self.starting.retain(|other| *other != fired.instant_ms);
        if self
            .last
            .is_none_or(|last| last.instant_ms <= fired.instant_ms)
        {
            self.last = Some(fired);
        }
        self.failed = None;
    }

    /// The firing cannot be started as things are: people hear why, and may try it again.
    pub fn failed(&mut self, instant_ms: i64, why: String) {
        if self.starting.contains(&instant_ms) {
            self.starting.retain(|other| *other != instant_ms);
            self.ask(instant_ms);
            self.failed = Some(Failed { instant_ms, why });
        }
    }

    /// A person has decided about a firing. False when there is no such question (any more).
    pub fn answer(&mut self, instant_ms: i64, start: bool) -> bool {
        let asked = self.asks.contains(&instant_ms);
        self.asks.retain(|other| *other != instant_ms);
        if asked && start {
            self.starting.push(instant_ms);
        }
        if asked
            && self
                .failed
                .as_ref()
                .is_some_and(|failed| failed.instant_ms == instant_ms)
        {
            self.failed = None;
        }
        asked
    }

    /// Whether there is something to do before the next firing: to start, or to look for a run's end.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.starting.is_empty() || !self.waiting.is_empty()
    }
}

fn instant(ms: i64) -> Timestamp {
    let bound = if ms < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    Timestamp::from_millisecond(ms).unwrap_or(bound)
}

fn why_text(why: Why) -> &'static str {
    match why {
        Why::Late => "late",
        Why::Superseded => "superseded",
        Why::Running => "running",
        Why::QueueFull => "queue-full",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::due::{Missed, Then, WhileRunning};
    use crate::schedule::When;
    use crate::when::every;
    use crate::zone::Zone;

    const QUARTER: i64 = 15 * 60_000;

    fn quarterly(then: Then, while_running: WhileRunning) -> Schedule {
        let when = When::Every(every("15m").unwrap());
        let schedule = Schedule::new("probe", when, Zone::utc(), None).unwrap();
        let missed = Missed {
            late_ms: 60_000,
            then,
        };
        schedule.with_policy(missed, while_running).unwrap()
    }

    fn fired(instant_ms: i64) -> Fired {
        let run = crate::firing::run("main", "probe", instant(instant_ms));
        Fired { instant_ms, run }
    }

    fn why(looked: &Looked) -> Vec<(i64, &'static str)> {
        looked
            .left
            .iter()
            .map(|left| (left.instant_ms / QUARTER, left.why))
            .collect()
    }

    #[test]
    fn a_new_schedule_makes_up_for_nothing_and_then_fires_once_an_instant() {
        let schedule = quarterly(Then::Skip, WhileRunning::Skip);
        let mut progress = Progress::begin(10 * QUARTER + 1);
        assert_eq!(
            progress.look(&schedule, 10 * QUARTER + 2, false),
            Looked::default()
        );
        assert_eq!(progress, Progress::begin(10 * QUARTER + 1));
        progress.look(&schedule, 11 * QUARTER, false);
        assert_eq!(progress.starting, [11 * QUARTER]);
        let decided = progress.clone();
        // A second one that looks at what the first has written decides nothing new.
        assert_eq!(
            progress.look(&schedule, 11 * QUARTER, false),
            Looked::default()
        );
        assert_eq!(progress, decided);
        progress.started(fired(11 * QUARTER));
        assert!(!progress.is_open());
    }

    #[test]
    fn a_firing_beside_a_run_is_left_or_waits_for_its_end() {
        for (rule, waits) in [(WhileRunning::Skip, false), (WhileRunning::Queue, true)] {
            let schedule = quarterly(Then::Skip, rule);
            let mut progress = Progress::begin(QUARTER);
            let looked = progress.look(&schedule, 2 * QUARTER, true);
            let (left, waiting): (&[_], &[_]) = if waits {
                (&[], &[2 * QUARTER])
            } else {
                (&[(2, "running")], &[])
            };
            assert_eq!((why(&looked), &*progress.waiting), (left.to_vec(), waiting));
            progress.look(&schedule, 2 * QUARTER + 1, false);
            assert_eq!(progress.starting, waiting);
            assert!(progress.waiting.is_empty());
        }
    }

    #[test]
    fn people_are_asked_about_what_was_missed_or_could_not_be_started() {
        let schedule = quarterly(Then::Ask, WhileRunning::Skip);
        let mut progress = Progress::begin(QUARTER);
        let looked = progress.look(&schedule, 4 * QUARTER + 120_000, false);
        assert_eq!(
            why(&looked),
            [(2, "superseded"), (3, "superseded"), (4, "ask")]
        );
        assert_eq!(progress.asks, [4 * QUARTER]);
        assert!(!progress.answer(3 * QUARTER, true));
        assert!(progress.answer(4 * QUARTER, true));
        assert!(!progress.answer(4 * QUARTER, true));
        progress.failed(4 * QUARTER, "no plugin".into());
        assert_eq!(
            (&*progress.starting, &*progress.asks),
            (&[][..], &[4 * QUARTER][..])
        );
        assert!(progress.answer(4 * QUARTER, false));
        assert_eq!((progress.failed, progress.asks.len()), (None, 0));
    }

    #[test]
    fn a_stopped_schedule_says_what_it_lets_pass() {
        let schedule = quarterly(Then::Skip, WhileRunning::Queue);
        let mut progress = Progress::begin(QUARTER);
        progress.look(&schedule, 2 * QUARTER, true);
        progress.paused = Some(Paused {
            by: "olga".into(),
            reason: "move".into(),
            at_ms: 1,
        });
        let looked = progress.look(&schedule, 3 * QUARTER, false);
        assert_eq!(why(&looked), [(3, "paused")]);
        // What waited before goes on waiting.
        assert_eq!(
            (progress.starting.len(), &*progress.waiting),
            (0, &[2 * QUARTER][..])
        );
    }
}
