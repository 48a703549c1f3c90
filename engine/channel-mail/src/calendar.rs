//! The calendar file of a notice: one event, times in UTC, the same UID for every version of it.
//!
//! Pure. Not here: when something takes place, and who is told.

use hostler_core::mail::CalendarEntry;
use icalendar::{Calendar, Component as _, Event, EventStatus};
use jiff::Timestamp;
use thiserror::Error;
use uuid::Uuid;

/// Longest summary and description; a calendar shows less.
const SUMMARY_MAX_CHARACTERS: usize = 200;
const DESCRIPTION_MAX_CHARACTERS: usize = 4_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CalendarFault {
    #[error("the time {0} ms is out of range; give milliseconds since 1970")]
    Time(i64),
    #[error("the event ends before it begins; exchange start and end")]
    Order,
    #[error("the uid is no `name@domain` of plain characters; derive it with `uid`")]
    Uid,
}

/// The UID of a customer's event of a run: the same for every stage and repeat.
#[must_use]
pub fn uid(run: Uuid, customer: &str, domain: &str) -> String {
    let id = hostler_core::id::derive(&[run.as_bytes(), b"calendar", customer.as_bytes()]);
    format!("{id}@{domain}")
}

/// The iCalendar object: `METHOD:PUBLISH`, or `CANCEL` for what will not take place.
///
/// # Errors
/// When times or the uid cannot be written.
pub fn file(entry: &CalendarEntry) -> Result<String, CalendarFault> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_+@".contains(&byte);
    if entry.uid.len() > 200 || !entry.uid.contains('@') || !entry.uid.bytes().all(plain) {
        return Err(CalendarFault::Uid);
    }
    if entry.end_ms < entry.start_ms {
        return Err(CalendarFault::Order);
    }
    let mut event = Event::new();
    event
        .uid(&entry.uid)
        .sequence(entry.sequence)
        .add_property("DTSTAMP", utc(entry.stamp_ms)?)
        .add_property("DTSTART", utc(entry.start_ms)?)
        .add_property("DTEND", utc(entry.end_ms)?)
        .add_property("TRANSP", "TRANSPARENT")
        .status(if entry.cancelled {
            EventStatus::Cancelled
        } else {
            EventStatus::Confirmed
        })
        .summary(&tame(&entry.summary, SUMMARY_MAX_CHARACTERS))
        .description(&tame(&entry.description, DESCRIPTION_MAX_CHARACTERS));
    let mut calendar = Calendar::empty();
    calendar
        .append_property(("VERSION", "2.0"))
        .append_property(("PRODID", "-//Hostler//Notices//EN"))
        .append_property(("METHOD", if entry.cancelled { "CANCEL" } else { "PUBLISH" }));
    calendar.push(event.done());
    Ok(calendar.to_string())
}

fn utc(at_ms: i64) -> Result<String, CalendarFault> {
    let instant = Timestamp::from_millisecond(at_ms).map_err(|_| CalendarFault::Time(at_ms))?;
    Ok(instant.strftime("%Y%m%dT%H%M%SZ").to_string())
}

/// Line feeds stay (the format escapes them), other control characters go: a carriage return would
/// begin a property.
fn tame(text: &str, characters_max: usize) -> String {
    let text = text
        .replace("\r\n", "\n")
        .replace(['\r', '\u{85}', '\u{2028}', '\u{2029}'], "\n");
    text.chars()
        .filter(|character| !character.is_control() || *character == '\n')
        .take(characters_max)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> CalendarEntry {
        CalendarEntry {
            uid: "a-b@hostler.example".to_owned(),
            sequence: 3,
            start_ms: 1_797_148_800_000,
            end_ms: 1_797_163_200_000,
            cancelled: false,
            summary: "Maintenance; web1, web2".to_owned(),
            description: "First\nsecond".to_owned(),
            stamp_ms: 1_790_000_000_000,
        }
    }

    /// Property lines, unfolded.
    fn lines(file: &str) -> Vec<String> {
        file.replace("\r\n ", "")
            .split("\r\n")
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn a_file_is_one_event_in_utc_with_a_stable_uid() {
        let text = file(&entry()).unwrap();
        let lines = lines(&text);
        for expected in [
            "METHOD:PUBLISH",
            "UID:a-b@hostler.example",
            "SEQUENCE:3",
            "DTSTART:20261213T080000Z",
            "DTEND:20261213T120000Z",
            "STATUS:CONFIRMED",
            "SUMMARY:Maintenance\\; web1\\, web2",
            "DESCRIPTION:First\\nsecond",
        ] {
            assert!(
                lines.iter().any(|line| line == expected),
                "{expected} in {text}"
            );
        }
        assert!(!text.contains("TZID"));
        assert_eq!(
            text,
            file(&entry()).unwrap(),
            "the same entry, the same bytes"
        );
        assert_eq!(
            uid(Uuid::nil(), "chem", "h.example"),
            uid(Uuid::nil(), "chem", "h.example")
        );
        assert_ne!(
            uid(Uuid::nil(), "chem", "h.example"),
            uid(Uuid::nil(), "phys", "h.example")
        );
    }

    #[test]
    fn a_cancelled_event_says_so_twice() {
        let text = file(&CalendarEntry {
            cancelled: true,
            ..entry()
        })
        .unwrap();
        assert!(text.contains("METHOD:CANCEL\r\n") && text.contains("STATUS:CANCELLED\r\n"));
    }

    #[test]
    fn no_text_can_add_a_property_or_an_event() {
        for hostile in [
            "x\r\nATTACH:http://evil.example",
            "x\nBEGIN:VEVENT",
            "x\rURL:y",
            "x\u{2028}URL:y",
            "x\\nURL:y",
        ] {
            let with = CalendarEntry {
                summary: hostile.to_owned(),
                description: hostile.to_owned(),
                ..entry()
            };
            let names = |file: &str| {
                lines(file)
                    .iter()
                    .map(|line| line.split([':', ';']).next().unwrap_or_default().to_owned())
                    .collect::<Vec<_>>()
            };
            assert_eq!(
                names(&file(&with).unwrap()),
                names(&file(&entry()).unwrap()),
                "{hostile:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        assert_eq!(
            file(&CalendarEntry {
                end_ms: 0,
                ..entry()
            }),
            Err(CalendarFault::Order)
        );
        assert_eq!(
            file(&CalendarEntry {
                uid: "a\r\nb@c".to_owned(),
                ..entry()
            }),
            Err(CalendarFault::Uid)
        );
        assert_eq!(
            file(&CalendarEntry {
                stamp_ms: i64::MAX,
                ..entry()
            }),
            Err(CalendarFault::Time(i64::MAX))
        );
    }
}
