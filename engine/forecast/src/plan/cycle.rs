//! When the cycle begins and ends, and the instants that are counted from its first day.

use crate::fault::ForecastFault;
use crate::input::{Anchor, Input, Month};
use crate::moment::Moment;
use jiff::Span;
use jiff::civil::Date;

/// How far the next anchor is looked for.
const NEXT_MAX_DAYS: i64 = 400;

/// From its anchor to the next one.
#[derive(Clone, Copy, Debug)]
pub struct Cycle {
    pub day: Date,
    pub anchor: Moment,
    pub ends: Moment,
    /// When the approval is asked for.
    pub asked: Moment,
}

impl Cycle {
    /// # Errors
    /// When the rule names no day of the month, or none after it.
    pub fn of(input: &Input) -> Result<Self, ForecastFault> {
        let Anchor { rule, business, .. } = &input.anchor;
        let none = || ForecastFault::NoAnchor {
            rule: rule.to_string(),
            month: input.month.to_string(),
        };
        let first = input.month.first();
        let last = days_after(first, NEXT_MAX_DAYS).ok_or_else(none)?;
        let dates = rule.dates(first, last, business.as_deref());
        let [day, next, ..] = dates[..] else {
            return Err(none());
        };
        if day > first.last_of_month() {
            return Err(none());
        }
        let at = |day: Date| input.anchor.zone.instant(day.to_datetime(input.anchor.at));
        let (anchor, ends) = at(day).zip(at(next)).ok_or_else(none)?;
        Ok(Self {
            day,
            anchor: Moment(anchor),
            ends: Moment(ends),
            asked: Moment(anchor).plus(input.anchor.prepared_ms),
        })
    }

    /// Midnight so many days after the anchor's day, in the realm's zone.
    pub fn midnight(&self, input: &Input, days: u16) -> Option<Moment> {
        let day = days_after(self.day, i64::from(days))?;
        input.zone.instant(day.at(0, 0, 0, 0)).map(Moment)
    }

    /// The anchor's time of day, so many days later: until then something was promised.
    pub fn promised(&self, input: &Input, days: u16) -> Option<Moment> {
        let day = days_after(self.day, i64::from(days))?;
        let due = input.anchor.zone.instant(day.to_datetime(input.anchor.at));
        due.map(Moment)
    }
}

pub fn days_after(day: Date, days: i64) -> Option<Date> {
    day.checked_add(Span::new().try_days(days).ok()?).ok()
}

/// `2026-12`.
pub fn month_of(day: Date) -> String {
    Month::parse(&day.strftime("%Y-%m").to_string())
        .map_or_else(|_| String::new(), |m| m.to_string())
}
