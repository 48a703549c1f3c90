//! Days off: single dates and yearly ones, by hand or from an iCalendar file.
//!
//! All-day events and simple yearly rules are read. Everything else is refused by its name: a
//! holiday that is left out in silence moves a deadline.

use crate::fault::TextFault;
use crate::recurrence::{self, Yearly};
use crate::zone::later;
use icalendar::parser::{Component, Property, read_calendar, unfold};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Largest calendar file in bytes.
pub const FILE_MAX_BYTES: usize = 1024 * 1024;
/// Most events of one file.
pub const EVENTS_MAX: usize = 5_000;
/// Most days of one event; a longer one is a freeze.
pub const EVENT_DAYS_MAX: i32 = 31;
/// Days of one question: no plan reaches further.
const BETWEEN_MAX_DAYS: usize = 366 * 30;
/// Deepest nesting of a file: a calendar, an event, an alarm, and one to spare. The reader descends
/// by calling itself.
const DEPTH_MAX: usize = 4;

/// Days off, by date.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holidays {
    dates: BTreeMap<Date, String>,
    yearly: Vec<(Yearly, String)>,
}

impl Holidays {
    /// Single days.
    #[must_use]
    pub fn of(days: impl IntoIterator<Item = (Date, String)>) -> Self {
        Self {
            dates: days.into_iter().collect(),
            yearly: Vec::new(),
        }
    }

    /// Both together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.dates.extend(other.dates);
        self.yearly.extend(other.yearly);
        self
    }

    /// What is celebrated on a date.
    #[must_use]
    pub fn name(&self, date: Date) -> Option<&str> {
        let single = self.dates.get(&date);
        let yearly = || self.yearly.iter().find(|(yearly, _)| yearly.holds(date));
        single
            .or_else(|| yearly().map(|(_, name)| name))
            .map(String::as_str)
    }

    /// The days off between two dates, both included; of the first 30 years when they are further
    /// apart.
    #[must_use]
    pub fn between(&self, from: Date, to: Date) -> Vec<Date> {
        let next = |date: &Date| date.tomorrow().ok();
        let dates = std::iter::successors(Some(from), next).take_while(|date| *date <= to);
        let dates = dates.take(BETWEEN_MAX_DAYS);
        dates.filter(|date| self.name(*date).is_some()).collect()
    }

    /// Reads an iCalendar file.
    ///
    /// # Errors
    /// For what is no calendar, and for the first event that is more than an all-day event, once or
    /// yearly; the offset is that of the event.
    pub fn import(text: &str) -> Result<Self, TextFault> {
        let places = bounded(text)?;
        // The reader takes the first kind of line end that it meets for all.
        let unfolded = unfold(&text.replace("\r\n", "\n"));
        let calendar = read_calendar(&unfolded).map_err(|_| {
            let remedy = "export it again as an iCalendar file (.ics)";
            TextFault::new(0, 0, "this is no iCalendar file", remedy)
        })?;
        let events: Vec<&Component<'_>> = calendar
            .components
            .iter()
            .filter(|one| one.name != "VTIMEZONE")
            .collect();
        if events.len() != places.len() {
            let remedy = "keep one VCALENDAR with events (VEVENT) in it";
            return Err(TextFault::new(0, 0, "this is not one calendar", remedy));
        }
        let mut holidays = Self::default();
        for (event, offset) in events.into_iter().zip(places) {
            holidays
                .add(event)
                .map_err(|why| why.fault(event, offset))?;
        }
        Ok(holidays)
    }

    fn add(&mut self, event: &Component<'_>) -> Result<(), Refused> {
        only_event(event)?;
        let value = |name: &str| event.find_prop(name).map(|found| found.val.as_str());
        if value("STATUS").is_some_and(|status| status.eq_ignore_ascii_case("CANCELLED")) {
            return Ok(());
        }
        let first = all_day(event, "DTSTART")?
            .ok_or_else(|| Refused::new("has no DTSTART", "add its date"))?;
        let days = days(event, first)?;
        let name = summary(event);
        match value("RRULE") {
            Some(rule) => {
                let yearly = recurrence::parse(rule, first, days).map_err(|part| {
                    Refused::new(
                        format!("repeats by `{part}`, which is not read"),
                        "write yearly rules (FREQ=YEARLY by date or by weekday of a month), or the dates one by one",
                    )
                })?;
                self.yearly.push((yearly, name));
            }
            None => {
                let dates = (0..i64::from(days)).filter_map(|day| later(first, day));
                self.dates.extend(dates.map(|date| (date, name.clone())));
            }
        }
        Ok(())
    }
}

/// Why an event is not read.
struct Refused {
    message: String,
    remedy: &'static str,
}

impl Refused {
    fn new(message: impl Into<String>, remedy: &'static str) -> Self {
        Self {
            message: message.into(),
            remedy,
        }
    }

    fn fault(self, event: &Component<'_>, offset: usize) -> TextFault {
        let name = summary(event);
        TextFault::new(offset, 0, format!("`{name}` {}", self.message), self.remedy)
    }
}

/// Where each event begins, when size, depth and number are within bounds.
fn bounded(text: &str) -> Result<Vec<usize>, TextFault> {
    let refuse = |offset, message: String| {
        let remedy = "keep the holidays in a file of their own";
        Err(TextFault::new(offset, 0, message, remedy))
    };
    if text.len() > FILE_MAX_BYTES {
        return refuse(0, format!("the file has more than {FILE_MAX_BYTES} bytes"));
    }
    let (mut depth, mut offset, mut places) = (0_usize, 0, Vec::new());
    for line in text.split_inclusive('\n') {
        let begin = line.get(..12).unwrap_or(line).to_ascii_uppercase();
        if begin.starts_with("BEGIN:") {
            if depth == 1 && !begin.starts_with("BEGIN:VTIMEZ") {
                places.push(offset);
            }
            depth += 1;
        } else if begin.starts_with("END:") {
            depth = depth.saturating_sub(1);
        }
        if depth > DEPTH_MAX || places.len() > EVENTS_MAX {
            let most = format!("parts deeper than {DEPTH_MAX}, or more than {EVENTS_MAX} events");
            return refuse(offset, most);
        }
        offset += line.len();
    }
    Ok(places)
}

/// An event, and nothing of it that would be overlooked.
fn only_event(event: &Component<'_>) -> Result<(), Refused> {
    const REMEDY: &str = "write the dates one by one";
    if event.name != "VEVENT" {
        return Err(Refused::new(
            format!("is a {}, no event", event.name.as_str()),
            "remove it from this file",
        ));
    }
    for name in ["RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID", "DURATION"] {
        if event.find_prop(name).is_some() {
            return Err(Refused::new(
                format!("has {name}, which is not read"),
                REMEDY,
            ));
        }
    }
    let rules = event
        .properties
        .iter()
        .filter(|found| found.name == "RRULE");
    if rules.count() > 1 {
        return Err(Refused::new("has two rules (RRULE)", REMEDY));
    }
    Ok(())
}

/// The date of a property that is a date and no time.
fn all_day(event: &Component<'_>, name: &str) -> Result<Option<Date>, Refused> {
    let Some(found) = event.find_prop(name) else {
        return Ok(None);
    };
    let text = found.val.as_str();
    match date(text).filter(|_| is_date(found)) {
        Some(date) => Ok(Some(date)),
        None => Err(Refused::new(
            format!("is no all-day event: {name} is `{text}`"),
            "make it an all-day event (VALUE=DATE)",
        )),
    }
}

/// Eight digits without `VALUE=DATE` are a date as well, for many programs leave it out.
fn is_date(found: &Property<'_>) -> bool {
    let mut kinds = found.params.iter().filter(|one| one.key == "VALUE");
    kinds.all(|kind| {
        kind.val
            .as_ref()
            .is_some_and(|value| value.as_str() == "DATE")
    })
}

/// `20261126`.
pub(crate) fn date(text: &str) -> Option<Date> {
    let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits {
        return None;
    }
    Date::new(
        text[..4].parse().ok()?,
        text[4..6].parse().ok()?,
        text[6..].parse().ok()?,
    )
    .ok()
}

/// How many days: the end is the day after the last.
fn days(event: &Component<'_>, first: Date) -> Result<i32, Refused> {
    let Some(end) = all_day(event, "DTEND")? else {
        return Ok(1);
    };
    let days = first.until(end).map_or(0, |length| length.get_days());
    // Some programs write the same day twice.
    let days = if end == first { 1 } else { days };
    if (1..=EVENT_DAYS_MAX).contains(&days) {
        Ok(days)
    } else {
        Err(Refused::new(
            format!("lasts {days} days, not 1 to {EVENT_DAYS_MAX}"),
            "mend its end (DTEND), or write a freeze",
        ))
    }
}

fn summary(event: &Component<'_>) -> String {
    let found = event.find_prop("SUMMARY").map(|found| found.val.as_str());
    let text = found
        .unwrap_or("an event without a name")
        .replace("\\,", ",")
        .replace("\\;", ";");
    text.replace("\\n", " ")
        .chars()
        .filter(|one| !one.is_control())
        .take(100)
        .collect()
}
