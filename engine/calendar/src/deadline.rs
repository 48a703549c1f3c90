//! Deadlines counted backwards: what was promised, less the window, less the notice, is the moment
//! at which the notice must leave.
//!
//! Not here: what was promised to whom, and sending anything.

use crate::business::BusinessDays;
use crate::interval::Interval;
use crate::window::Windows;
use crate::zone::Zone;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

/// The longest gap of a change of clocks that is known.
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// How long before the window a notice must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lead {
    /// Elapsed milliseconds.
    Elapsed(u64),
    /// Business days, at the same local time.
    BusinessDays(u16),
}

impl Lead {
    /// The last moment for a notice of work that begins at this instant. Of two equal local times the
    /// first: a notice is rather too early. None when the calendar has not enough business days.
    #[must_use]
    pub fn before(
        self,
        begins: Timestamp,
        business: &BusinessDays,
        zone: &Zone,
    ) -> Option<Timestamp> {
        match self {
            Self::Elapsed(ms) => {
                let length = SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
                Some(begins.checked_sub(length).unwrap_or(Timestamp::MIN))
            }
            Self::BusinessDays(count) => {
                let (local, _) = zone.wall(begins);
                let date = business.add(local.date(), -i32::from(count))?;
                let back = zone.instant(date.to_datetime(local.time()))?;
                // The end of a gap would be a moment too late to be as long before.
                Some(back.min(begins))
            }
        }
    }

    /// The first moment at which work may begin of which a notice was there at this instant. Of two equal local
    /// times the first. None when the calendar has not enough business days.
    #[must_use]
    pub fn after(self, told: Timestamp, business: &BusinessDays, zone: &Zone) -> Option<Timestamp> {
        match self {
            Self::Elapsed(ms) => {
                let length = SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
                Some(told.checked_add(length).unwrap_or(Timestamp::MAX))
            }
            Self::BusinessDays(count) => {
                let (local, _) = zone.wall(told);
                let date = business.add(local.date(), i32::from(count))?;
                let then = zone.instant(date.to_datetime(local.time()))?;
                Some(then.max(told))
            }
        }
    }
}

impl Lead {
    /// The last moment of which, and of each moment before it, [`Self::after`] counts to this instant at the latest.
    /// None when the calendar has not enough business days.
    #[must_use]
    pub fn in_time(
        self,
        begins: Timestamp,
        business: &BusinessDays,
        zone: &Zone,
    ) -> Option<Timestamp> {
        let count = match self {
            Self::Elapsed(_) | Self::BusinessDays(0) => return self.before(begins, business, zone),
            Self::BusinessDays(count) => i32::from(count),
        };
        let date = zone.wall(begins).0.date();
        if business.is_business(date) {
            let back = self.before(begins, business, zone)?;
            // A local time that a change of clocks has left out counts from the end of the gap, and so to a later one.
            let is_late = self.after(back, business, zone)? > begins;
            return back
                .checked_sub(if is_late { HOUR } else { SignedDuration::ZERO })
                .ok();
        }
        // Counts end on business days: what begins on a day off needs one that ended before it.
        let first_late = business.add(business.add(date, 1)?, -count)?;
        let midnight = zone.instant(first_late.at(0, 0, 0, 0))?;
        midnight.checked_sub(SignedDuration::from_millis(1)).ok()
    }
}

/// What is counted back from.
#[derive(Clone, Copy, Debug)]
pub struct Promise<'a> {
    /// The work is done before this instant.
    pub by: Timestamp,
    /// Time that it needs, undoing it included. Milliseconds.
    pub needed_ms: u64,
    pub windows: &'a Windows,
    pub lead: Lead,
    /// Of those who are told.
    pub business: &'a BusinessDays,
    /// Of those who are told.
    pub zone: &'a Zone,
}

/// One term of the sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    pub what: String,
    pub instant: Timestamp,
    /// The same instant for those who are told.
    pub local: (DateTime, Offset),
}

/// The result, and how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// The last window in which the work still fits before the promise.
    pub window: Interval,
    /// The last moment for the notice.
    pub notice_by: Timestamp,
    /// From the promise backwards; the last one is `notice_by`.
    pub terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DeadlineFault {
    #[error(
        "no window before {by} has room for {needed_ms} ms; widen a window, or ask for an exception"
    )]
    NoWindow { by: Timestamp, needed_ms: u64 },
    #[error(
        "the calendar has no {0} business days before the window; check `business_days` and holidays"
    )]
    NoBusinessDay(u16),
}

impl Deadline {
    /// Milliseconds until the notice must leave; none when it is too late.
    #[must_use]
    pub fn left_ms(&self, now: Timestamp) -> Option<u64> {
        u64::try_from(self.notice_by.as_millisecond() - now.as_millisecond()).ok()
    }
}

/// Counts back from a promise; windows before `not_before` are gone.
///
/// # Errors
/// When no window is left, or the calendar has not enough business days.
pub fn backwards(promise: &Promise<'_>, not_before: Timestamp) -> Result<Deadline, DeadlineFault> {
    let open = promise.windows.intervals(not_before, promise.by);
    let window = open
        .into_iter()
        .rev()
        .find(|window| window.elapsed_ms() >= promise.needed_ms);
    let window = window.ok_or(DeadlineFault::NoWindow {
        by: promise.by,
        needed_ms: promise.needed_ms,
    })?;
    let before = promise
        .lead
        .before(window.from, promise.business, promise.zone);
    let count = match promise.lead {
        Lead::BusinessDays(count) => count,
        Lead::Elapsed(_) => 0,
    };
    let notice_by = before.ok_or(DeadlineFault::NoBusinessDay(count))?;
    let term = |what: String, instant| Term {
        what,
        instant,
        local: promise.zone.wall(instant),
    };
    let length = hostler_core::duration::write_ms(window.elapsed_ms());
    let lead = match promise.lead {
        Lead::Elapsed(ms) => hostler_core::duration::write_ms(ms),
        Lead::BusinessDays(count) => format!("{count} business days"),
    };
    Ok(Deadline {
        window,
        notice_by,
        terms: vec![
            term("promised until".to_owned(), promise.by),
            term(format!("last window closes, after {length}"), window.to),
            term("last window opens".to_owned(), window.from),
            term(format!("notice leaves, {lead} before it opens"), notice_by),
        ],
    })
}
