//! The calendar from outside: against a table of another library, against the known faults of other
//! calendars, and against itself.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stopped"
)]

mod cron_crate;
mod deadlines;
mod due;
mod holidays;
mod properties;
mod rules;
mod table;
mod windows;

use hostler_calendar::business::BusinessDays;
use hostler_calendar::holiday::Holidays;
use hostler_calendar::zone::Zone;
use hostler_calendar::{Found, Occurrence, Schedule, occurrences};
use hostler_calendar::{schedule::When, when};
use jiff::Timestamp;
use std::sync::Arc;

pub fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn zone(name: &str) -> Zone {
    Zone::parse(name).unwrap()
}

/// Monday to Friday without the Fourth of July 2026 (observed on the third) and Thanksgiving.
pub fn business() -> Arc<BusinessDays> {
    let off = ["2026-07-03", "2026-11-26"].map(|day| (day.parse().unwrap(), "off".to_owned()));
    Arc::new(BusinessDays::new("mon-fri", Holidays::of(off)).unwrap())
}

/// A schedule of a rule and its times of day, or of cron fields without times.
pub fn schedule(rule: &str, at: &[&str], zone_name: &str) -> Schedule {
    let times = at.iter().map(|time| when::time(time).unwrap()).collect();
    let when = When::of(when::parse(rule).unwrap(), times).unwrap();
    Schedule::new("nightly", when, zone(zone_name), Some(business())).unwrap()
}

pub fn every(text: &str) -> Schedule {
    let when = When::Every(when::every(text).unwrap());
    Schedule::new("probe", when, Zone::utc(), None).unwrap()
}

/// Everything of a range, however many questions that takes.
pub fn all(schedule: &Schedule, from: Timestamp, to: Timestamp) -> Vec<Occurrence> {
    let mut list = Vec::new();
    let mut next = Some(from);
    while let Some(from) = next {
        let Found { list: more, cut } = occurrences(schedule, from, to, usize::MAX);
        list.extend(more);
        next = cut;
    }
    list
}

/// The first few as `local+offset` with what the change of the clock did.
pub fn first(schedule: &Schedule, from: &str, count: usize) -> Vec<String> {
    let from = instant(from);
    let found = occurrences(schedule, from, instant("2031-01-01T00:00Z"), count);
    let line = |one: &Occurrence| format!("{} {} {}", one.wall, one.offset, one.change.name());
    found
        .list
        .iter()
        .map(|one| line(one).trim_end().to_owned())
        .collect()
}
