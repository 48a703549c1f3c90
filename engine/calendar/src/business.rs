//! Business days: which dates are worked on, and counting in them.
//!
//! Not here: hours of the day, and reading holidays from a file.

use crate::fault::TextFault;
use crate::holiday::Holidays;
use crate::words::{self, WEEKDAYS};
use jiff::civil::{Date, Weekday};

/// Most business days that are counted in one go: about four years.
pub const COUNT_MAX: i32 = 1_000;
/// As many dates without a business day between them are the end of a count.
const IDLE_MAX_DAYS: u32 = 366;

/// The days on which somebody works.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BusinessDays {
    /// Monday first.
    days: [bool; 7],
    holidays: Holidays,
}

impl BusinessDays {
    /// From `mon-fri`, `sun-thu` or `mon,wed,fri`, and the holidays among them.
    ///
    /// # Errors
    /// For what is no list of weekdays.
    pub fn new(days: &str, holidays: Holidays) -> Result<Self, TextFault> {
        Ok(Self {
            days: weekdays(days)?,
            holidays,
        })
    }

    #[must_use]
    pub fn holidays(&self) -> &Holidays {
        &self.holidays
    }

    #[must_use]
    pub fn is_business(&self, date: Date) -> bool {
        self.days[position(date.weekday())] && self.holidays.name(date).is_none()
    }

    /// The date `count` business days after (before, when negative) this one; 0 is the date itself,
    /// whatever day it is. From a day off, 1 is the next business day.
    ///
    /// None when `count` is over [`COUNT_MAX`], a year passes without a business day, or the dates
    /// end (year 9999).
    #[must_use]
    pub fn add(&self, date: Date, count: i32) -> Option<Date> {
        let mut left = count.unsigned_abs();
        if left > COUNT_MAX.unsigned_abs() {
            return None;
        }
        let (mut date, mut idle) = (date, 0);
        while left > 0 {
            date = step(date, count > 0)?;
            idle += 1;
            if self.is_business(date) {
                (left, idle) = (left - 1, 0);
            }
            if idle > IDLE_MAX_DAYS {
                return None;
            }
        }
        Some(date)
    }
}

fn step(date: Date, forward: bool) -> Option<Date> {
    if forward {
        date.tomorrow().ok()
    } else {
        date.yesterday().ok()
    }
}

/// 0 for Monday.
fn position(day: Weekday) -> usize {
    usize::try_from(day.to_monday_zero_offset()).unwrap_or_default()
}

fn weekdays(text: &str) -> Result<[bool; 7], TextFault> {
    const REMEDY: &str = "write `mon-fri` or `mon,wed,fri`";
    words::bounded(text, REMEDY)?;
    let mut days = [false; 7];
    let mut offset = 0;
    for part in text.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let from_day = short(from, offset)?;
        let to_day = short(to, offset + part.len() - to.len())?;
        let mut at = from_day;
        days[at] = true;
        // Wraps, so that `sat-wed` is a week that begins on Saturday; seven steps at most.
        while at != to_day {
            at = (at + 1) % 7;
            days[at] = true;
        }
        offset += part.len() + 1;
    }
    Ok(days)
}

fn short(text: &str, offset: usize) -> Result<usize, TextFault> {
    let found = words::weekday_short(text.trim());
    found.map(position).ok_or_else(|| {
        let known = WEEKDAYS.map(|(name, _)| &name[..3]);
        // A written-out name begins with what is meant.
        let begin = text.trim().get(..3).unwrap_or(text.trim());
        TextFault::new(
            offset,
            text.len(),
            format!("`{text}` is no short name of a weekday"),
            words::remedy(begin, &known),
        )
    })
}
