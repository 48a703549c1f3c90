//! Yearly holidays: the same date, or the same weekday of a month (the fourth Thursday of November).
//!
//! Not here: other repetitions; they are refused by the part that says so.

use crate::holiday::date;
use crate::zone::later;
use jiff::civil::{Date, Weekday};

/// Years of one rule, when it counts them.
const COUNT_MAX: i16 = 1_000;

/// A day off every year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Yearly {
    day: Day,
    month: i8,
    first: Date,
    /// The last day on which it can begin.
    until: Option<Date>,
    days: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Day {
    /// The 29th of February is there in leap years only.
    Of(i8),
    /// 1 to 5, or -1 for the last.
    Nth(i8, Weekday),
}

impl Yearly {
    /// Whether this date is one of its days.
    pub fn holds(&self, date: Date) -> bool {
        let begins = |back: i32| later(date, -i64::from(back)).is_some_and(|day| self.begins(day));
        (0..self.days).any(begins)
    }

    fn begins(&self, date: Date) -> bool {
        let within = date >= self.first && self.until.is_none_or(|until| date <= until);
        within && date.month() == self.month && self.in_year(date.year()) == Some(date)
    }

    fn in_year(&self, year: i16) -> Option<Date> {
        match self.day {
            Day::Of(day) => Date::new(year, self.month, day).ok(),
            Day::Nth(nth, weekday) => {
                let month = Date::new(year, self.month, 1).ok()?;
                month.nth_weekday_of_month(nth, weekday).ok()
            }
        }
    }
}

/// Reads an RRULE of an event that begins at `first` and has so many days.
///
/// # Errors
/// With the part that is not read.
pub fn parse(rule: &str, first: Date, days: i32) -> Result<Yearly, String> {
    let mut yearly = Yearly {
        day: Day::Of(first.day()),
        month: first.month(),
        first,
        until: None,
        days,
    };
    let (mut is_yearly, mut count) = (false, None);
    for part in rule.split(';').filter(|part| !part.is_empty()) {
        let bad = || part.chars().take(60).collect::<String>();
        let (name, value) = part.split_once('=').ok_or_else(bad)?;
        match name.to_ascii_uppercase().as_str() {
            "FREQ" if value.eq_ignore_ascii_case("YEARLY") => is_yearly = true,
            "COUNT" => count = Some(repetitions(value).ok_or_else(bad)?),
            name => narrow(&mut yearly, name, value).ok_or_else(bad)?,
        }
    }
    if !is_yearly {
        return Err("no FREQ=YEARLY".to_owned());
    }
    // The rule and the date must agree, or programs differ in what the first one is.
    if yearly.in_year(first.year()) != Some(first) {
        return Err(format!("another day than {first}"));
    }
    if let Some(count) = count {
        yearly.until = Some(last(&yearly, count)?);
    }
    Ok(yearly)
}

/// Takes one part of a rule; none when it is not read.
fn narrow(yearly: &mut Yearly, name: &str, value: &str) -> Option<()> {
    match name {
        "INTERVAL" if value == "1" => {}
        // Where a week begins says nothing about a yearly day.
        "WKST" => {}
        "BYMONTH" => yearly.month = number(value, 12)?,
        "BYMONTHDAY" => yearly.day = Day::Of(number(value, 31)?),
        "BYDAY" => yearly.day = nth(value)?,
        "UNTIL" => yearly.until = Some(value.get(..8).and_then(date)?),
        _ => return None,
    }
    Some(())
}

fn repetitions(text: &str) -> Option<i16> {
    let count = text.parse::<i16>().ok();
    count.filter(|count| (1..=COUNT_MAX).contains(count))
}

/// The day of the last repetition, when they are counted.
fn last(yearly: &Yearly, count: i16) -> Result<Date, String> {
    let year = yearly.first.year().saturating_add(count - 1);
    let leap = yearly.day == Day::Of(29) && yearly.month == 2;
    let fifth = matches!(yearly.day, Day::Nth(5, _));
    match yearly.in_year(year) {
        // Not there every year, so that counting years is not counting days.
        Some(last) if !leap && !fifth => Ok(last),
        _ => Err(format!("COUNT={count}")),
    }
}

fn number(text: &str, most: i8) -> Option<i8> {
    text.parse::<i8>()
        .ok()
        .filter(|number| (1..=most).contains(number))
}

/// `4TH`, `-1MO`.
fn nth(text: &str) -> Option<Day> {
    const DAYS: [(&str, Weekday); 7] = [
        ("MO", Weekday::Monday),
        ("TU", Weekday::Tuesday),
        ("WE", Weekday::Wednesday),
        ("TH", Weekday::Thursday),
        ("FR", Weekday::Friday),
        ("SA", Weekday::Saturday),
        ("SU", Weekday::Sunday),
    ];
    let split = text
        .len()
        .checked_sub(2)
        .filter(|at| text.is_char_boundary(*at))?;
    let (number, name) = text.split_at(split);
    let day = DAYS
        .iter()
        .find(|(known, _)| name.eq_ignore_ascii_case(known))?
        .1;
    let number = number
        .parse::<i8>()
        .ok()
        .filter(|number| *number == -1 || (1..=5).contains(number))?;
    Some(Day::Nth(number, day))
}
