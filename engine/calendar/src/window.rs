//! Maintenance windows: when they open and close, how long they really are, and whether work fits.
//!
//! Not here: whose windows they are, and what may disturb whom.

use crate::business::BusinessDays;
use crate::interval::{Interval, intersection, union};
use crate::occurrence::Occurrence;
use crate::walk::{OCCURRENCES_MAX, Range, openings};
use crate::when::DayRule;
use crate::zone::Zone;
use jiff::civil::{DateTime, Time};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use thiserror::Error;

/// A window longer than this is no window.
pub const LENGTH_MAX_MS: u64 = 7 * 86_400_000;
/// How far an opening is looked for.
pub const HORIZON_DAYS: i64 = 400;
/// Looked at first: most windows open within a month.
const NEAR_DAYS: i64 = 35;

/// How long a window is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// Elapsed milliseconds: 4 h are 4 h, and end an hour later by the wall when clocks go forward.
    Elapsed(u64),
    /// To this local time: on the day of a change, an hour more or less than usual. Not after the
    /// opening: on the next day.
    Until(Time),
}

/// A recurring window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    id: String,
    rule: DayRule,
    at: Time,
    length: Length,
    zone: Zone,
    business: Option<Arc<BusinessDays>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WindowFault {
    #[error("a window is open for 1 ms to 7 days, not {0} ms; change `lasts`")]
    Length(u64),
    #[error("the rule counts business days; add `calendar` with the id of one")]
    NoCalendar,
}

/// One opening of a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The window's id.
    pub window: String,
    pub opens: Occurrence,
    /// Local time and offset of the end.
    pub closes: (DateTime, Offset),
    pub interval: Interval,
}

impl Window {
    /// # Errors
    /// For a length out of bounds, and business days that are not given.
    pub fn new(
        id: &str,
        rule: DayRule,
        at: Time,
        length: Length,
        zone: Zone,
        business: Option<Arc<BusinessDays>>,
    ) -> Result<Self, WindowFault> {
        match length {
            Length::Elapsed(ms) if !(1..=LENGTH_MAX_MS).contains(&ms) => {
                Err(WindowFault::Length(ms))
            }
            _ if rule.needs_business_days() && business.is_none() => Err(WindowFault::NoCalendar),
            _ => Ok(Self {
                id: id.to_owned(),
                rule,
                at,
                length,
                zone,
                business,
            }),
        }
    }

    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    #[must_use]
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The openings that touch the time from `from` to `to`, in order, at most `max`. One that is
    /// open before `from` begins where it begins. A window that lies in a gap as a whole has none.
    #[must_use]
    pub fn openings(&self, from: Timestamp, to: Timestamp, max: usize) -> Vec<Opening> {
        let before = SignedDuration::from_millis(LENGTH_MAX_MS.cast_signed());
        let range = Range {
            from: from.checked_sub(before).unwrap_or(Timestamp::MIN),
            to,
            max: OCCURRENCES_MAX,
        };
        let found = openings(
            &self.zone,
            &self.rule,
            self.at,
            self.business.as_deref(),
            &range,
        );
        let opened = found
            .list
            .into_iter()
            .filter_map(|opens| self.opening(opens));
        opened
            .filter(|opening| opening.interval.to > from)
            .take(max)
            .collect()
    }

    fn opening(&self, opens: Occurrence) -> Option<Opening> {
        let closes = match self.length {
            Length::Elapsed(ms) => {
                let length = SignedDuration::from_millis(ms.cast_signed());
                opens.instant.checked_add(length).ok()?
            }
            Length::Until(time) => {
                let day = opens.wanted.date();
                let day = if time > self.at {
                    day
                } else {
                    day.tomorrow().ok()?
                };
                self.zone.instant(day.to_datetime(time))?
            }
        };
        Some(Opening {
            window: self.id.clone(),
            opens,
            closes: self.zone.wall(closes),
            interval: Interval::new(opens.instant, closes)?,
        })
    }
}

/// Windows of an asset, of a group, or of several groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Windows {
    One(Window),
    /// Open when one of them is. None: never open.
    AnyOf(Vec<Windows>),
    /// Open when all of them are: servers that are disturbed together. None: never open.
    AllOf(Vec<Windows>),
}

/// Whether work fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It fits in what is left of the open window.
    Now { left_ms: u64 },
    /// It fits in this later one.
    Later(Interval),
    /// No window until the horizon ([`HORIZON_DAYS`]) is long enough; this is the longest.
    Never { longest_ms: u64 },
}

impl Windows {
    /// When they are open between two instants, in order, cut at both.
    #[must_use]
    pub fn intervals(&self, from: Timestamp, to: Timestamp) -> Vec<Interval> {
        let Some(range) = Interval::new(from, to) else {
            return Vec::new();
        };
        match self {
            Self::One(window) => {
                let openings = window.openings(from, to, OCCURRENCES_MAX);
                let cut = openings
                    .iter()
                    .filter_map(|opening| opening.interval.common(&range));
                union(cut.collect())
            }
            Self::AnyOf(all) => union(all.iter().flat_map(|one| one.intervals(from, to)).collect()),
            Self::AllOf(all) => {
                let mut lists = all.iter().map(|one| one.intervals(from, to));
                let first = lists.next().unwrap_or_default();
                lists.fold(first, |common, list| intersection(&common, &list))
            }
        }
    }

    /// Milliseconds until they close; none when they are closed.
    #[must_use]
    pub fn left_ms(&self, now: Timestamp) -> Option<u64> {
        let first = self
            .intervals(now, ahead(now, NEAR_DAYS))
            .first()
            .copied()?;
        first.contains(now).then(|| first.elapsed_ms())
    }

    /// The next opening after an instant; none until the horizon. While they are open it is the one
    /// after that.
    #[must_use]
    pub fn next_open(&self, now: Timestamp) -> Option<Interval> {
        let later = |days| {
            let found = self.intervals(now, ahead(now, days));
            found.into_iter().find(|interval| interval.from > now)
        };
        // Found near the border, it may be cut off.
        later(NEAR_DAYS)
            .filter(|found| found.to < ahead(now, NEAR_DAYS))
            .or_else(|| later(HORIZON_DAYS))
    }

    /// Where work of so many milliseconds fits, now or later.
    #[must_use]
    pub fn fit(&self, now: Timestamp, needed_ms: u64) -> Fit {
        fit(
            &self.intervals(now, ahead(now, HORIZON_DAYS)),
            now,
            needed_ms,
        )
    }
}

/// The same for intervals that something was taken out of, such as freezes.
#[must_use]
pub fn fit(open: &[Interval], now: Timestamp, needed_ms: u64) -> Fit {
    let rest = open
        .iter()
        .filter_map(|interval| Interval::new(interval.from.max(now), interval.to));
    let mut longest_ms = 0;
    for interval in rest {
        let length = interval.elapsed_ms();
        if length >= needed_ms && interval.from == now {
            return Fit::Now { left_ms: length };
        }
        if length >= needed_ms {
            return Fit::Later(interval);
        }
        longest_ms = longest_ms.max(length);
    }
    Fit::Never { longest_ms }
}

fn ahead(now: Timestamp, days: i64) -> Timestamp {
    let length = SignedDuration::from_hours(24 * days);
    now.checked_add(length).unwrap_or(Timestamp::MAX)
}
