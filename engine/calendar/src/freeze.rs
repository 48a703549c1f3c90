//! Freezes: times in which nothing may be disturbed, and the next moment that is free.
//!
//! Not here: whom a freeze applies to.

use crate::holiday::Holidays;
use crate::interval::{Interval, union};
use crate::zone::{Zone, later};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use thiserror::Error;

/// Freezes that follow one another without a gap before nobody looks further.
const STEPS_MAX: usize = 1_000;
/// Days in a row that a calendar can freeze.
const DAYS_MAX: usize = 366;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Times {
    Once(Interval),
    /// Whole local days.
    Days(Holidays),
}

/// One freeze.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freeze {
    pub id: String,
    /// For those who are stopped by it.
    pub reason: String,
    /// Classes of steps that pass nevertheless.
    pub lets_through: Vec<String>,
    zone: Zone,
    times: Times,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the freeze `{0}` ends before it begins; exchange `from` and `to`")]
pub struct FreezeFault(pub String);

/// What stops something, and how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked<'a> {
    pub freeze: &'a Freeze,
    /// The first instant after it; another freeze may follow.
    pub until: Timestamp,
}

impl Freeze {
    /// From one local time to another. A time in a gap counts as its end, of two equal ones the
    /// first begins a freeze and the second ends it.
    ///
    /// # Errors
    /// When it would be empty.
    pub fn once(
        id: &str,
        reason: &str,
        zone: Zone,
        from: DateTime,
        to: DateTime,
    ) -> Result<Self, FreezeFault> {
        use crate::zone::{Fold, Gap};
        let [end, _] = zone.resolve(to, Gap::End, Fold::Second);
        let interval = zone
            .instant(from)
            .zip(end)
            .and_then(|(from, end)| Interval::new(from, end.instant))
            .ok_or_else(|| FreezeFault(id.to_owned()))?;
        Ok(Self::with(id, reason, zone, Times::Once(interval)))
    }

    /// The days of a calendar, from midnight to midnight in a zone.
    #[must_use]
    pub fn days(id: &str, reason: &str, zone: Zone, days: Holidays) -> Self {
        Self::with(id, reason, zone, Times::Days(days))
    }

    fn with(id: &str, reason: &str, zone: Zone, times: Times) -> Self {
        Self {
            id: id.to_owned(),
            reason: reason.to_owned(),
            lets_through: Vec::new(),
            zone,
            times,
        }
    }

    /// The time around an instant in which it holds.
    #[must_use]
    pub fn around(&self, instant: Timestamp) -> Option<Interval> {
        match &self.times {
            Times::Once(interval) => Some(*interval).filter(|interval| interval.contains(instant)),
            Times::Days(days) => {
                let date = self.zone.wall(instant).0.date();
                days.name(date)?;
                let first = frozen(days, date, -1);
                let last = frozen(days, date, 1);
                Interval::new(self.midnight(first)?, self.midnight(last.tomorrow().ok()?)?)
            }
        }
    }

    fn midnight(&self, date: Date) -> Option<Timestamp> {
        self.zone.instant(date.at(0, 0, 0, 0))
    }

    /// When it holds between two instants, cut at both.
    #[must_use]
    pub fn intervals(&self, from: Timestamp, to: Timestamp) -> Vec<Interval> {
        let Some(range) = Interval::new(from, to) else {
            return Vec::new();
        };
        let whole = match &self.times {
            Times::Once(interval) => vec![*interval],
            Times::Days(days) => {
                let (first, last) = (self.zone.wall(from).0.date(), self.zone.wall(to).0.date());
                let day = |date: Date| {
                    let next = date.tomorrow().ok()?;
                    Interval::new(self.midnight(date)?, self.midnight(next)?)
                };
                days.between(first, last)
                    .into_iter()
                    .filter_map(day)
                    .collect()
            }
        };
        union(
            whole
                .iter()
                .filter_map(|interval| interval.common(&range))
                .collect(),
        )
    }

    fn stops(&self, class: &str) -> bool {
        !self.lets_through.iter().any(|passes| passes == class)
    }
}

/// The furthest frozen day, in one direction, that follows this one without a gap; at most
/// [`DAYS_MAX`] away, so that a question has an end.
fn frozen(days: &Holidays, date: Date, direction: i64) -> Date {
    let next = |date: &Date| later(*date, direction);
    let row = std::iter::successors(Some(date), next).take(DAYS_MAX);
    row.take_while(|date| days.name(*date).is_some())
        .last()
        .unwrap_or(date)
}

/// Which freeze stops a step of this class at this instant: the one that holds longest.
#[must_use]
pub fn blocked<'a>(freezes: &'a [Freeze], class: &str, instant: Timestamp) -> Option<Blocked<'a>> {
    let holding = freezes.iter().filter(|freeze| freeze.stops(class));
    let found = holding.filter_map(|freeze| {
        let until = freeze.around(instant)?.to;
        Some(Blocked { freeze, until })
    });
    found.max_by_key(|blocked| blocked.until)
}

/// The first instant, this one or later, that no freeze stops. None when a thousand freezes follow
/// one another.
#[must_use]
pub fn next_free(freezes: &[Freeze], class: &str, instant: Timestamp) -> Option<Timestamp> {
    let mut at = instant;
    for _ in 0..STEPS_MAX {
        match blocked(freezes, class, at) {
            Some(blocked) => at = blocked.until,
            None => return Some(at),
        }
    }
    None
}
