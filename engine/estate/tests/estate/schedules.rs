//! Files of schedules: the example, and faults with their place and remedy.

use hostler_calendar::due::{Then, WhileRunning};
use hostler_calendar::schedule::When;
use hostler_estate::schedules::{Schedules, load};
use hostler_estate::{Fault, Faults};

const EXAMPLE: &str = include_str!("../../examples/schedules.yaml");
const CALENDAR: &str = include_str!("../../examples/calendars/campus.ics");

fn read(text: &str) -> Result<Schedules, Faults> {
    let file = |path: &str| match path {
        "etc/schedules.yaml" => Ok(text.to_owned()),
        "etc/calendars/campus.ics" => Ok(CALENDAR.to_owned()),
        "etc/weekly.ics" => Ok(CALENDAR.replace("SUMMARY", "RRULE:FREQ=WEEKLY\nSUMMARY")),
        _ => Err("not there".to_owned()),
    };
    load("etc/schedules.yaml", &file)
}

#[test]
fn the_example_of_schedules_is_good_and_shows_every_field() {
    let read = read(EXAMPLE).unwrap_or_else(|faults| panic!("{faults}"));
    let ids: Vec<&str> = read.schedules.iter().map(|one| one.schedule.id()).collect();
    assert_eq!(
        ids,
        [
            "patch-cycle",
            "daily-unix",
            "month-end",
            "hourly-report",
            "probe"
        ]
    );
    assert_eq!(read.windows.len(), 3);
    let first = &read.schedules[0].schedule;
    assert_eq!(
        (first.missed().late_ms, first.missed().then),
        (86_400_000, Then::Ask)
    );
    let hourly = &read.schedules[3].schedule;
    assert_eq!(hourly.missed().then, Then::RunAll { at_most: 3 });
    assert_eq!(hourly.while_running(), WhileRunning::Queue);
    assert!(matches!(
        read.schedules[4].schedule.when(),
        When::Every(900_000)
    ));
    assert!(matches!(read.schedules[2].schedule.when(), When::Days { at, .. } if at.len() == 2));
    for line in include_str!("../../src/schedules/file.rs")
        .lines()
        .map(str::trim)
    {
        let Some((name, _)) = line
            .strip_prefix("pub ")
            .and_then(|rest| rest.split_once(':'))
        else {
            continue;
        };
        assert!(
            EXAMPLE.contains(&format!("{name}:")),
            "not in the example: {name}"
        );
    }
}

#[test]
fn the_schedules_of_the_design_are_read_as_they_stand() {
    let text = "schedules:
  - { runbook: monthly-patch, when: second tuesday, at: \"18:00\", zone: America/Chicago, missed: { late: 24h, then: ask }, dst: { gap: shift, fold: first }, while_running: skip }
  - { runbook: daily-unix, when: daily, at: \"04:30\", zone: America/Los_Angeles, missed: { late: 6h, then: skip }, while_running: skip }
  - { runbook: probe, every: 15m, missed: skip, while_running: skip }";
    assert_eq!(
        read(text)
            .unwrap_or_else(|faults| panic!("{faults}"))
            .schedules
            .len(),
        3
    );
}

/// A schedule of these fields, its first fault: code, line, column, part of message and remedy.
const FAULTS: &[(&str, &str, u32, u32, &str, &str)] = &[
    (
        "runbook: a, when: second tuseday, at: \"02:00\", zone: UTC",
        "HE030",
        2,
        32,
        "`tuseday` is no weekday",
        "did you mean `tuesday`?",
    ),
    (
        "runbook: a, when: \"0 2 * * TUE#2\", zone: UTC",
        "HE030",
        2,
        34,
        "TUE#2",
        "second tuesday",
    ),
    (
        "runbook: a, when: daily, at: \"2:00\", zone: UTC",
        "HE030",
        2,
        37,
        "`2:00`",
        "02:00",
    ),
    (
        "runbook: a, when: daily, at: [\"02:00\", \"25:00\"], zone: UTC",
        "HE030",
        2,
        47,
        "`25:00`",
        "02:00",
    ),
    (
        "runbook: a, when: daily, at: \"02:00\", zone: CST",
        "HE030",
        2,
        51,
        "`CST` is no time zone",
        "America/Chicago",
    ),
    (
        "runbook: a, when: daily, at: \"02:00\"",
        "HE040",
        2,
        16,
        "`zone` is missing",
        "no default",
    ),
    (
        "runbook: a, when: daily, zone: UTC",
        "HE040",
        2,
        25,
        "no time of day",
        "add `at",
    ),
    (
        "runbook: a, zone: UTC",
        "HE040",
        2,
        16,
        "`when` or `every`",
        "every: 15m",
    ),
    (
        "runbook: a, every: 90s",
        "HE030",
        2,
        26,
        "whole minutes",
        "1m",
    ),
    (
        "runbook: a, every: 15m, at: \"02:00\"",
        "HE030",
        2,
        35,
        "counts in UTC",
        "when: daily",
    ),
    (
        "runbook: a, wehn: daily",
        "HE002",
        2,
        19,
        "wehn",
        "did you mean `when`?",
    ),
    (
        "runbook: a, every: 15m, missed: ksip",
        "HE030",
        2,
        39,
        "ksip",
        "did you mean `skip`?",
    ),
    (
        "runbook: a, every: 15m, missed: { late: soon }",
        "HE030",
        2,
        47,
        "soon",
        "90m",
    ),
    (
        "runbook: a, every: 15m, missed: { late: 32d }",
        "HE030",
        2,
        47,
        "31 days",
        "shorter",
    ),
    (
        "runbook: a, every: 15m, missed: { than: skip }",
        "HE002",
        2,
        41,
        "than",
        "did you mean `then`?",
    ),
    (
        "runbook: a, every: 15m, missed: run_all",
        "HE040",
        2,
        39,
        "needs a bound",
        "at_most: 5",
    ),
    (
        "runbook: a, every: 15m, missed: { then: run_all, at_most: 0 }",
        "HE030",
        2,
        65,
        "out of bounds",
        "1 to 100",
    ),
    (
        "runbook: a, every: 15m, missed: { then: skip, at_most: 2 }",
        "HE030",
        2,
        62,
        "belongs to",
        "remove",
    ),
    (
        "runbook: a, every: 15m, missed: { then: run_all, at_most: 2 }",
        "HE040",
        2,
        16,
        "one run after the other",
        "while_running: queue",
    ),
    (
        "runbook: a, every: 15m, while_running: que",
        "HE030",
        2,
        46,
        "que",
        "skip",
    ),
    (
        "runbook: a, when: daily, at: \"02:00\", zone: UTC, dst: { gap: shfit }",
        "HE030",
        2,
        68,
        "shfit",
        "did you mean `shift`?",
    ),
    (
        "runbook: a, when: last business day, at: \"02:00\", zone: UTC",
        "HE040",
        2,
        16,
        "business days",
        "add `calendar`",
    ),
    (
        "runbook: a, when: last business day, at: \"02:00\", zone: UTC, calendar: campus",
        "HE020",
        2,
        78,
        "no calendar `campus`",
        "calendars",
    ),
    ("runbook: A B, every: 15m", "HE030", 2, 16, "", ""),
];

#[test]
fn every_fault_of_a_schedule_says_where_and_how_to_mend_it() {
    let mut wrong = Vec::new();
    for (fields, code, line, column, message, remedy) in FAULTS {
        let text = format!("schedules:\n  - {{ {fields} }}");
        let Faults(faults) = read(&text).expect_err(&text);
        let Fault {
            code: found,
            message: says,
            remedy: mend,
            ..
        } = &faults[0];
        let place = (faults[0].line, faults[0].column, faults[0].file.as_str());
        if found != code
            || place != (*line, *column, "etc/schedules.yaml")
            || !says.contains(message)
            || !mend.contains(remedy)
        {
            wrong.push(format!("{fields}\n  {}", faults[0]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn windows_calendars_and_names_are_checked_too() {
    for (text, place, part) in [
        (
            "windows:\n  w: { when: sunday, at: \"02:00\", zone: UTC }",
            (2, 3),
            "lasts: 4h",
        ),
        (
            "windows:\n  w: { when: sunday, at: \"02:00\", lasts: 8d, zone: UTC }",
            (2, 3),
            "7 days",
        ),
        (
            "windows:\n  w: { when: \"0 2 * * *\", at: \"02:00\", lasts: 1h, zone: UTC }",
            (2, 14),
            "no rule for days",
        ),
        (
            "windows:\n  w: { when: snuday, at: \"02:00\", lasts: 1h, zone: UTC }",
            (2, 14),
            "sunday",
        ),
        (
            "calendars:\n  c: { business_days: mon-fir, hours: \"08:00-17:00\" }",
            (2, 27),
            "fri",
        ),
        (
            "calendars:\n  c: { file: gone.ics, business_days: mon, hours: \"08:00-17:00\" }",
            (2, 14),
            "not there",
        ),
        (
            "calendars:\n  c: { file: ../x.ics, business_days: mon, hours: \"08:00-17:00\" }",
            (2, 14),
            "leads out",
        ),
        (
            "calendars:\n  c: { file: weekly.ics, business_days: mon, hours: \"08:00-17:00\" }",
            (2, 14),
            "line 4: `Thanksgiving` repeats by `FREQ=WEEKLY`",
        ),
        (
            "schedules:\n  - { runbook: a, every: 15m }\n  - { runbook: a, every: 30m }",
            (3, 16),
            "twice",
        ),
        ("schedule: []", (1, 1), "did you mean `schedules`?"),
    ] {
        let Faults(faults) = read(text).expect_err(text);
        assert_eq!((faults[0].line, faults[0].column), place, "{}", faults[0]);
        assert!(faults[0].to_string().contains(part), "{}", faults[0]);
    }
}

#[test]
fn a_place_inside_a_text_counts_characters_and_gives_up_on_escapes() {
    let column = |when: &str| {
        let text = format!("schedules:\n  - {{ when: {when}, runbook: a }}");
        read(&text).unwrap_err().0[0].column
    };
    assert_eq!(column("'sécond tuesday'"), 14, "the first word is wrong");
    assert_eq!(
        column("\"second\\ttuseday\""),
        13,
        "an escape: the start of the value"
    );
    assert_eq!(column("'second tuseday'"), 21);
}

#[test]
fn a_missing_file_of_schedules_is_a_fault() {
    let Faults(faults) = load("gone.yaml", &|_| Err("not there".to_owned())).unwrap_err();
    assert_eq!(
        (faults[0].code, faults[0].file.as_str()),
        ("HE060", "gone.yaml")
    );
}
