//! Holidays from iCalendar files, and counting in business days.

use super::business;
use hostler_calendar::business::{BusinessDays, COUNT_MAX};
use hostler_calendar::holiday::Holidays;
use jiff::civil::{Date, date};

fn file(events: &[&str]) -> String {
    let event = |body: &&str| {
        format!(
            "BEGIN:VEVENT\r\nUID:x\r\n{}\r\nEND:VEVENT\r\n",
            body.replace('\n', "\r\n")
        )
    };
    let events: String = events.iter().map(event).collect();
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\n{events}END:VCALENDAR\r\n")
}

fn off(holidays: &Holidays, from: Date, to: Date) -> Vec<String> {
    holidays
        .between(from, to)
        .iter()
        .map(Date::to_string)
        .collect()
}

#[test]
fn all_day_events_and_yearly_ones_are_read() {
    let text = file(&[
        "DTSTART;VALUE=DATE:20261126\nDTEND;VALUE=DATE:20261128\nSUMMARY:Thanks\\, all",
        "DTSTART;VALUE=DATE:20200101\nRRULE:FREQ=YEARLY\nSUMMARY:New Year",
        "DTSTART;VALUE=DATE:20200120\nRRULE:FREQ=YEARLY;BYMONTH=1;BYDAY=3MO;UNTIL=20270601\nSUMMARY:King",
        "DTSTART;VALUE=DATE:20250525\nRRULE:FREQ=YEARLY;COUNT=2\nSUMMARY:Twice",
        "DTSTART;VALUE=DATE:20260701\nSTATUS:CANCELLED\nSUMMARY:Not any more",
    ]);
    let holidays = Holidays::import(&text).unwrap();
    assert_eq!(
        off(&holidays, date(2026, 1, 1), date(2026, 12, 31)),
        [
            "2026-01-01",
            "2026-01-19",
            "2026-05-25",
            "2026-11-26",
            "2026-11-27"
        ]
    );
    assert_eq!(
        off(&holidays, date(2028, 1, 1), date(2028, 12, 31)),
        ["2028-01-01"]
    );
    assert_eq!(
        off(&holidays, date(2019, 1, 1), date(2019, 12, 31)),
        [""; 0],
        "not before the first"
    );
    assert_eq!(holidays.name(date(2026, 11, 27)), Some("Thanks, all"));
}

#[test]
fn the_calendar_of_the_examples_is_read() {
    let text = include_str!("../../../estate/examples/calendars/campus.ics");
    let holidays = Holidays::import(text).unwrap();
    assert_eq!(holidays.name(date(2026, 11, 26)), Some("Thanksgiving"));
}

#[test]
fn what_is_not_read_is_refused_by_its_name_and_place() {
    for (event, part) in [
        (
            "DTSTART:20261126T090000Z\nSUMMARY:Party",
            "`Party` is no all-day event",
        ),
        (
            "DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=WEEKLY\nSUMMARY:Off",
            "`FREQ=WEEKLY`",
        ),
        (
            "DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY;INTERVAL=2\nSUMMARY:Off",
            "`INTERVAL=2`",
        ),
        (
            "DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY;BYYEARDAY=1\nSUMMARY:Off",
            "`BYYEARDAY=1`",
        ),
        (
            "DTSTART;VALUE=DATE:20260102\nRRULE:FREQ=YEARLY;BYMONTHDAY=1\nSUMMARY:Off",
            "another day than 2026-01-02",
        ),
        (
            "DTSTART;VALUE=DATE:20240229\nRRULE:FREQ=YEARLY;COUNT=5\nSUMMARY:Leap",
            "`COUNT=5`",
        ),
        (
            "DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY\nEXDATE:20270101\nSUMMARY:Off",
            "EXDATE",
        ),
        (
            "DTSTART;VALUE=DATE:20260101\nDTEND;VALUE=DATE:20260301\nSUMMARY:Long",
            "lasts 59 days",
        ),
        ("SUMMARY:When", "has no DTSTART"),
    ] {
        let text = file(&["DTSTART;VALUE=DATE:20260101\nSUMMARY:Good", event]);
        let fault = Holidays::import(&text).unwrap_err();
        assert!(fault.message.contains(part), "{event}: {fault}");
        assert!(
            text[fault.offset..].starts_with("BEGIN:VEVENT"),
            "{event}: {}",
            fault.offset
        );
        assert!(fault.offset > 100, "the second event");
    }
    let todo = file(&[]).replace(
        "END:VCALENDAR",
        "BEGIN:VTODO\r\nSUMMARY:Do\r\nEND:VTODO\r\nEND:VCALENDAR",
    );
    assert!(
        Holidays::import(&todo)
            .unwrap_err()
            .message
            .contains("VTODO")
    );
    assert!(Holidays::import("holidays: [2026-01-01]").is_err());
    let two = file(&["DTSTART;VALUE=DATE:20260101\nSUMMARY:A"]).repeat(2);
    assert!(
        Holidays::import(&two).is_err(),
        "nothing is left out in silence"
    );
}

#[test]
fn a_hostile_file_is_refused_before_it_is_parsed() {
    let deep = format!("BEGIN:VCALENDAR\r\n{}", "BEGIN:VEVENT\r\n".repeat(50_000));
    let fault = Holidays::import(&deep).unwrap_err();
    assert!(fault.message.contains("deeper than 4"), "{fault}");
    let large = "x".repeat(2 * 1024 * 1024);
    assert!(
        Holidays::import(&large)
            .unwrap_err()
            .message
            .contains("bytes")
    );
}

#[test]
fn business_days_count_over_weekends_and_holidays_in_both_directions() {
    let business = business();
    let add = |from: &str, count| {
        business
            .add(from.parse().unwrap(), count)
            .unwrap()
            .to_string()
    };
    for (from, count, expected) in [
        ("2026-07-02", 1, "2026-07-06"),
        ("2026-07-06", -1, "2026-07-02"),
        ("2026-07-04", 1, "2026-07-06"),
        ("2026-07-04", -1, "2026-07-02"),
        ("2026-07-04", 0, "2026-07-04"),
        ("2026-11-25", 5, "2026-12-03"),
        ("2026-12-03", -5, "2026-11-25"),
    ] {
        assert_eq!(add(from, count), expected, "{from} {count}");
    }
}

#[test]
fn a_count_that_cannot_end_is_none() {
    let day = date(2026, 1, 1);
    assert_eq!(business().add(day, COUNT_MAX + 1), None);
    assert_eq!(business().add(day, i32::MIN), None);
    assert_eq!(
        BusinessDays::default().add(day, 1),
        None,
        "nobody ever works"
    );
    for bad in ["", "monday", "mon-", "mon,,fri", "moo"] {
        assert!(
            BusinessDays::new(bad, Holidays::default()).is_err(),
            "{bad}"
        );
    }
    let fault = BusinessDays::new("mon,tus", Holidays::default()).unwrap_err();
    assert_eq!(
        (fault.offset, fault.remedy.as_str()),
        (4, "did you mean `tue`?")
    );
}
