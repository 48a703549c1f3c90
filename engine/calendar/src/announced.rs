//! A calendar feed of what was announced to a customer: the events of their notices in one text, each in its newest
//! version.
//!
//! Not here: whose events they are, and firings of schedules (`feed`).

use crate::feed::{EVENTS_MAX, FeedFault, tame, utc};
use icalendar::{Calendar, Component as _, Event, EventStatus};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// One version of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    /// The same for every version of it.
    pub uid: String,
    /// Higher after every change.
    pub sequence: u32,
    pub starts: Timestamp,
    pub ends: Timestamp,
    /// When this version was made.
    pub made: Timestamp,
    pub cancelled: bool,
    pub summary: String,
    pub description: String,
}

/// The iCalendar text, in the order of the events' names.
///
/// # Errors
/// For too many events, and one that ends before it begins.
pub fn text(all: &[Announced]) -> Result<String, FeedFault> {
    let mut newest: BTreeMap<&str, &Announced> = BTreeMap::new();
    for one in all {
        let known = newest.entry(&one.uid).or_insert(one);
        if one.sequence > known.sequence {
            *known = one;
        }
    }
    if newest.len() > EVENTS_MAX {
        return Err(FeedFault::TooMany(newest.len()));
    }
    let mut calendar = Calendar::empty();
    calendar
        .append_property(("VERSION", "2.0"))
        .append_property(("PRODID", "-//Hostler//Announced//EN"))
        .append_property(("METHOD", "PUBLISH"));
    for one in newest.values() {
        calendar.push(event(one)?);
    }
    Ok(calendar.to_string())
}

fn event(one: &Announced) -> Result<Event, FeedFault> {
    if one.ends < one.starts {
        return Err(FeedFault::Time);
    }
    let status = match one.cancelled {
        true => EventStatus::Cancelled,
        false => EventStatus::Confirmed,
    };
    let mut event = Event::new();
    event
        .uid(&tame(&one.uid))
        .sequence(one.sequence)
        .add_property("DTSTAMP", utc(one.made))
        .add_property("DTSTART", utc(one.starts))
        .add_property("DTEND", utc(one.ends))
        .add_property("TRANSP", "TRANSPARENT")
        .status(status)
        .summary(&tame(&one.summary))
        .description(&tame(&one.description));
    Ok(event.done())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(uid: &str, sequence: u32, cancelled: bool) -> Announced {
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        Announced {
            uid: uid.to_owned(),
            sequence,
            starts: at(1_000_000),
            ends: at(2_000_000),
            made: at(0),
            cancelled,
            summary: "Patching\r\nATTENDEE:eve".to_owned(),
            description: "web1".to_owned(),
        }
    }

    #[test]
    fn the_newest_version_of_each_event_is_told_and_no_text_begins_a_property() {
        let all = [
            one("a@h", 1, true),
            one("a@h", 0, false),
            one("b@h", 0, false),
        ];
        let text = text(&all).unwrap();
        assert_eq!(text.matches("BEGIN:VEVENT").count(), 2, "{text}");
        assert_eq!(text.matches("STATUS:CANCELLED").count(), 1, "{text}");
        assert!(!text.contains("\r\nATTENDEE"), "{text}");
    }

    #[test]
    fn an_event_that_ends_before_it_begins_is_refused() {
        let wrong = Announced {
            ends: Timestamp::UNIX_EPOCH,
            ..one("a@h", 0, false)
        };
        assert_eq!(text(&[wrong]), Err(FeedFault::Time));
    }
}
