//! Instants, days and business days.

use super::interpret::{Interpreter, Result, overflow};
use super::value::Val;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

/// Furthest that business days are counted, about forty years.
const BUSINESS_DAYS_MAX: i64 = 10_000;

impl<'a> Interpreter<'a> {
    /// Counts Monday to Friday in the realm's zone and keeps the time of day.
    pub(super) fn shift_business(&mut self, from: &Val<'a>, days: i64) -> Result<Val<'a>> {
        if days.abs() > BUSINESS_DAYS_MAX {
            return Err(format!("more than {BUSINESS_DAYS_MAX} business days"));
        }
        self.spend(usize::try_from(days.abs()).unwrap_or(0))?;
        let start = from
            .instant()
            .ok_or_else(overflow)?
            .to_zoned(self.zone.clone());
        let step = if days < 0 { -1 } else { 1 };
        let (mut date, mut left) = (start.date(), days.abs());
        while left > 0 {
            date = date.checked_add(step.days()).map_err(|_| overflow())?;
            left -= i64::from(!matches!(
                date.weekday(),
                Weekday::Saturday | Weekday::Sunday
            ));
        }
        let at = self
            .zone
            .to_zoned(date.to_datetime(start.time()))
            .map_err(|error| error.to_string())?;
        Ok(Val::Time(at.timestamp()))
    }

    fn zone_named(&self, zone: Option<&Val<'a>>) -> Result<TimeZone> {
        match zone {
            None => Ok(self.zone.clone()),
            Some(Val::Text(name)) => {
                TimeZone::get(name).map_err(|_| format!("there is no zone `{name}`"))
            }
            Some(other) => Err(format!("a zone is a text, this is {}", other.what())),
        }
    }

    pub(super) fn date(&self, value: &Val<'a>) -> Result<Date> {
        if let Some(time) = value.instant() {
            return Ok(time.to_zoned(self.zone.clone()).date());
        }
        match value {
            Val::Text(text) => text
                .parse()
                .map_err(|_| format!("`{text}` is no date such as 2026-03-01")),
            other => Err(format!("a date was expected, this is {}", other.what())),
        }
    }

    /// The first instant after the day.
    pub(super) fn end_of_day(&self, date: &Val<'a>, zone: Option<&Val<'a>>) -> Result<Val<'a>> {
        let next = self.date(date)?.tomorrow().map_err(|_| overflow())?;
        let end = next
            .to_zoned(self.zone_named(zone)?)
            .map_err(|error| error.to_string())?;
        Ok(Val::Time(end.timestamp()))
    }
}

pub(super) fn shift<'a>(time: &Val<'_>, ms: i64) -> Result<Val<'a>> {
    let from: Timestamp = time.instant().ok_or_else(overflow)?;
    from.checked_add(SignedDuration::from_millis(ms))
        .map(Val::Time)
        .map_err(|_| overflow())
}
