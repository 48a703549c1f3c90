//! A calendar feed: the firings of schedules as iCalendar text, the same name for the same firing.
//!
//! Times are in UTC: an event in a zone would need the rules of that zone beside it.

use crate::firing;
use crate::occurrence::{Change, Occurrence};
use icalendar::{Calendar, Component as _, Event, EventStatus};
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

/// Most events of one feed.
pub const EVENTS_MAX: usize = 5_000;
/// Longest summary; a calendar shows less.
const SUMMARY_MAX_CHARACTERS: usize = 200;

/// What a feed is of.
#[derive(Clone, Copy, Debug)]
pub struct Feed<'a> {
    pub realm: &'a str,
    /// Ends the name of each event: `hostler.example`.
    pub domain: &'a str,
    /// When it was made; also the stamp of its events.
    pub made: Timestamp,
}

/// One event.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    pub schedule: &'a str,
    pub occurrence: Occurrence,
    /// Elapsed milliseconds.
    pub lasts_ms: u64,
    pub summary: &'a str,
    /// Higher after every change; calendars ignore lower ones.
    pub sequence: u32,
    pub cancelled: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FeedFault {
    #[error("{0} events, at most {EVENTS_MAX} in one feed; make the time shorter")]
    TooMany(usize),
    #[error("the domain `{0}` is no name; use letters, digits, `.` and `-`")]
    Domain(String),
    #[error("an event ends after the last year there is; make it shorter")]
    Time,
}

/// The iCalendar text.
///
/// # Errors
/// For too many events, a domain that would break a line, and times that do not exist.
pub fn text(feed: &Feed<'_>, entries: &[Entry<'_>]) -> Result<String, FeedFault> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    if feed.domain.is_empty() || feed.domain.len() > 200 || !feed.domain.bytes().all(plain) {
        return Err(FeedFault::Domain(feed.domain.to_owned()));
    }
    if entries.len() > EVENTS_MAX {
        return Err(FeedFault::TooMany(entries.len()));
    }
    let mut calendar = Calendar::empty();
    calendar
        .append_property(("VERSION", "2.0"))
        .append_property(("PRODID", "-//Hostler//Schedules//EN"))
        .append_property(("METHOD", "PUBLISH"));
    for entry in entries {
        calendar.push(event(feed, entry)?);
    }
    Ok(calendar.to_string())
}

/// The name of an event: the same for every version of it.
#[must_use]
pub fn uid(feed: &Feed<'_>, schedule: &str, occurrence: &Occurrence) -> String {
    let second = occurrence.change == Change::Second;
    let id = firing::event(feed.realm, schedule, occurrence.wanted, second);
    format!("{id}@{}", feed.domain)
}

fn event(feed: &Feed<'_>, entry: &Entry<'_>) -> Result<Event, FeedFault> {
    let length = i64::try_from(entry.lasts_ms).map_err(|_| FeedFault::Time)?;
    let starts = entry.occurrence.instant;
    let ends = starts
        .checked_add(SignedDuration::from_millis(length))
        .map_err(|_| FeedFault::Time)?;
    let status = if entry.cancelled {
        EventStatus::Cancelled
    } else {
        EventStatus::Confirmed
    };
    let mut event = Event::new();
    event
        .uid(&uid(feed, entry.schedule, &entry.occurrence))
        .sequence(entry.sequence)
        .add_property("DTSTAMP", utc(feed.made))
        .add_property("DTSTART", utc(starts))
        .add_property("DTEND", utc(ends))
        .add_property("TRANSP", "TRANSPARENT")
        .status(status)
        .summary(&tame(entry.summary));
    Ok(event.done())
}

pub(crate) fn utc(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// One line without control characters: a carriage return would begin a property.
pub(crate) fn tame(text: &str) -> String {
    let breaks = |one: char| one.is_control() || ['\u{2028}', '\u{2029}'].contains(&one);
    let spaced = text.chars().map(|one| if breaks(one) { ' ' } else { one });
    spaced.take(SUMMARY_MAX_CHARACTERS).collect()
}
