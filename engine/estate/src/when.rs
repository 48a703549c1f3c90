//! Formats of times: the rule of a window, times of day, zones, dates, business days.
//!
//! Here they are only recognised, so that a typing error shows at once. When they fall is the
//! calendar's business.

use crate::fault::Bad;
use hostler_calendar::when::Rule;
use hostler_core::deferral::TIMES_MAX;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

const WEEKDAYS_SHORT: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// More windows of one month are no limit.
const REBOOTS_MAX: u32 = 500;
/// Longer silence is no answer to a question.
const SILENCE_MAX_DAYS: u32 = 60;

/// `daily`, `tuesday`, `second tuesday`, `second tuesday + 2 days`, `last business day - 2bd`.
pub fn rule(text: &str) -> Result<(), Bad> {
    match hostler_calendar::when::parse(text) {
        Ok(Rule::Days(_)) => Ok(()),
        Ok(Rule::Cron(_)) => Err(Bad::new(
            "is no rule for days",
            "write `second sunday`, and the time in `at`",
        )),
        Err(fault) => Err(Bad::new(
            format!("is no rule for days: {}", fault.message),
            fault.remedy,
        )),
    }
}

fn days(number: &str) -> bool {
    number
        .parse::<u32>()
        .is_ok_and(|number| (1..=SILENCE_MAX_DAYS).contains(&number))
}

/// `HH:MM`.
pub fn time_of_day(text: &str) -> Result<(), Bad> {
    let fits = text.split_once(':').is_some_and(|(hour, minute)| {
        let number = |text: &str, limit: u32| {
            text.len() == 2
                && text.bytes().all(|byte| byte.is_ascii_digit())
                && text.parse::<u32>().is_ok_and(|n| n < limit)
        };
        number(hour, 24) && number(minute, 60)
    });
    if fits {
        Ok(())
    } else {
        Err(Bad::new(
            "is no time of day",
            "write `\"02:00\"`, in quotes",
        ))
    }
}

/// `08:00-17:00`.
pub fn hours(text: &str) -> Result<(), Bad> {
    let bad = || Bad::new("are no hours", "write `\"08:00-17:00\"`, in quotes");
    let (from, to) = text.split_once('-').ok_or_else(bad)?;
    time_of_day(from).and(time_of_day(to)).map_err(|_| bad())?;
    if from < to { Ok(()) } else { Err(bad()) }
}

/// `mon-fri`, `sun-thu`, or a list `mon,wed`.
pub fn business_days(text: &str) -> Result<(), Bad> {
    let known = |day: &str| WEEKDAYS_SHORT.contains(&day);
    let fits = text.split(',').all(|part| {
        part.split_once('-')
            .map_or_else(|| known(part), |(from, to)| known(from) && known(to))
    });
    if fits {
        Ok(())
    } else {
        Err(Bad::new(
            "are no days of the week",
            "write `mon-fri` or `mon,wed,fri`",
        ))
    }
}

/// A name of the IANA time zone database.
pub fn zone(text: &str) -> Result<(), Bad> {
    let fits = (text.contains('/') || text == "UTC") && TimeZone::get(text).is_ok();
    if fits {
        Ok(())
    } else {
        Err(Bad::new(
            "is no time zone",
            "write an IANA name such as `America/Chicago` or `UTC`",
        ))
    }
}

/// `2026-12-11`.
pub fn date(text: &str) -> Result<(), Bad> {
    let fits = text.len() == 10 && text.parse::<Date>().is_ok();
    if fits {
        Ok(())
    } else {
        Err(Bad::new("is no date", "write `2026-12-11`"))
    }
}

/// `2026-12-11` (its midnight) or `2026-12-11T17:00`, in the zone that stands beside it.
pub fn moment(text: &str) -> Result<DateTime, Bad> {
    let bad = || {
        Bad::new(
            "is no date or local time",
            "write `2026-12-11` or `2026-12-11T17:00`; the zone stands in `zone`",
        )
    };
    if date(text).is_ok() {
        return text
            .parse::<Date>()
            .map(|date| date.at(0, 0, 0, 0))
            .map_err(|_| bad());
    }
    if text.contains(['Z', '+', '[']) || !text.contains('T') {
        return Err(bad());
    }
    text.parse::<DateTime>().map_err(|_| bad())
}

/// `2 per quarter`.
pub fn allowance(text: &str) -> Result<(), Bad> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let fits = matches!(words[..], [number, "per", "week" | "month" | "quarter" | "year"] if number.parse::<u16>().is_ok());
    if fits {
        Ok(())
    } else {
        Err(Bad::new(
            "is no allowance",
            "write `2 per quarter` (week, month, quarter, year)",
        ))
    }
}

/// `2 per quarter` → 2: how often a customer puts work off, over all classes; 0: never.
pub fn deferrals(text: &str) -> Result<u32, Bad> {
    allowance(text)?;
    let mut words = text.split_whitespace();
    let number = words.next().and_then(|number| number.parse::<u32>().ok());
    let number = number.filter(|number| *number <= TIMES_MAX);
    if words.last() != Some("quarter") {
        return Err(Bad::new(
            "counts in another time than quarters of the calendar, as deferrals are counted",
            "write `2 per quarter`",
        ));
    }
    number.ok_or_else(|| {
        Bad::new(
            "is out of bounds",
            format!("write `0 per quarter` (never) to `{TIMES_MAX} per quarter`"),
        )
    })
}

/// `2 per month` → 2: in how many windows of a month of the calendar anything of a customer is disturbed; 0: in none.
pub fn reboots(text: &str) -> Result<u32, Bad> {
    allowance(text)?;
    let mut words = text.split_whitespace();
    let number = words.next().and_then(|number| number.parse::<u32>().ok());
    let number = number.filter(|number| *number <= REBOOTS_MAX);
    if words.last() != Some("month") {
        return Err(Bad::new(
            "counts in another time than months of the calendar, as disruptions are counted",
            "write `2 per month`; a budget of budgets.yaml of the policies counts in other times",
        ));
    }
    number.ok_or_else(|| {
        Bad::new(
            "is out of bounds",
            format!("write `0 per month` (none) to `{REBOOTS_MAX} per month`"),
        )
    })
}

/// `explicit`, `none`, or `tacit-5bd`: silence for so many business days agrees.
pub fn consent(text: &str) -> Result<(), Bad> {
    let tacit = text
        .strip_prefix("tacit-")
        .and_then(|rest| rest.strip_suffix("bd"))
        .is_some_and(days);
    if tacit || text == "explicit" || text == "none" {
        return Ok(());
    }
    Err(Bad::new(
        "is no kind of consent",
        "write `explicit`, `none`, or `tacit-5bd`",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: fn(&str) -> Result<(), Bad>, good: &[&str], bad: &[&str]) {
        for text in good {
            assert_eq!(format(text), Ok(()), "{text}");
        }
        for text in bad {
            assert!(format(text).is_err(), "{text} must be refused");
        }
    }

    #[test]
    fn rules_for_days_are_recognised() {
        let good = [
            "daily",
            "tuesday",
            "second sunday",
            "second tuesday + 2 days",
            "last business day - 2bd",
            "first day",
        ];
        let bad = [
            "",
            "tue",
            "sixth monday",
            "daily + 1 day",
            "second tuesday + 2",
            "second tuesday + 99 days",
            "tuesday wednesday friday",
        ];
        check(rule, &good, &bad);
    }

    #[test]
    fn times_zones_and_dates_are_strict() {
        check(
            time_of_day,
            &["02:00", "23:59"],
            &["2:00", "24:00", "02:60", "0200", "+2:00"],
        );
        check(hours, &["08:00-17:00"], &["17:00-08:00", "8-17", "08:00"]);
        check(
            business_days,
            &["mon-fri", "mon,wed", "sun-thu"],
            &["monday", "", "mon-"],
        );
        check(
            zone,
            &["America/Chicago", "UTC"],
            &["CST", "America/Chigaco", "", "+02:00"],
        );
        check(
            date,
            &["2026-12-11"],
            &["11.12.2026", "2026-02-30", "2026-12-11T00:00"],
        );
        check(
            |text| moment(text).map(|_| ()),
            &["2026-12-11", "2026-12-23T17:00"],
            &["2026-12-23T17:00Z", "tomorrow", "2026-12-23T25:00"],
        );
    }

    #[test]
    fn contracts_speak_a_small_language() {
        check(
            allowance,
            &["2 per quarter"],
            &["two per quarter", "2 a month", "2 per"],
        );
        check(
            |text| deferrals(text).map(|_| ()),
            &["0 per quarter", "2 per quarter", "50 per quarter"],
            &[
                "2 per month",
                "2 per year",
                "51 per quarter",
                "-1 per quarter",
            ],
        );
        assert_eq!(deferrals("3 per quarter"), Ok(3));
        check(
            |text| reboots(text).map(|_| ()),
            &["0 per month", "2 per month", "500 per month"],
            &["2 per week", "2 per year", "501 per month", "two per month"],
        );
        assert_eq!(reboots("2 per month"), Ok(2));
        check(
            consent,
            &["explicit", "none", "tacit-5bd"],
            &["tacit", "tacit-5d", "silent"],
        );
    }
}
