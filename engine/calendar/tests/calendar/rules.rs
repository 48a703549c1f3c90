//! Rules as text: what they mean, what they are called, and how a slip of the pen is answered.

use super::{business, schedule, zone};
use hostler_calendar::Schedule;
use hostler_calendar::ScheduleFault;
use hostler_calendar::schedule::When;
use hostler_calendar::when::{Rule, parse};
use hostler_calendar::zone::Zone;
use hostler_calendar::{TextFault, when};
use jiff::civil::Date;

fn dates(text: &str, from: &str, to: &str) -> String {
    let Rule::Days(rule) = parse(text).unwrap() else {
        panic!("{text} is no rule for days")
    };
    let range: [Date; 2] = [from, to].map(|day| day.parse().unwrap());
    let found = rule.dates(range[0], range[1], Some(&business()));
    found
        .iter()
        .map(|date| date.strftime("%m-%d").to_string())
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn rules_name_their_dates() {
    // July 2026 begins on a Wednesday; the third is off.
    for (text, expected) in [
        ("wednesday", "07-01 07-08 07-15 07-22 07-29"),
        ("second tuesday", "07-14"),
        ("second tuesday + 9 days", "07-23"),
        ("second tuesday +9d", "07-23"),
        ("second tuesday + 1 week", "07-21"),
        ("first monday", "07-06"),
        ("last friday", "07-31"),
        ("fifth thursday", "07-30"),
        ("fifth monday", ""),
        ("day 15", "07-15"),
        ("last day", "07-31"),
        ("second day", "07-02"),
        ("last business day", "07-31"),
        ("last business day - 2bd", "07-29"),
        ("third business day", "07-06"),
        ("first business day - 1 business day", "07-31"),
        ("day 3 + 1bd", "07-06"),
        ("first saturday - 2bd", "07-01 07-30"),
    ] {
        assert_eq!(dates(text, "2026-07-01", "2026-07-31"), expected, "{text}");
    }
    let working = dates("business day", "2026-07-01", "2026-07-08");
    assert_eq!(working, "07-01 07-02 07-06 07-07 07-08");
    assert_eq!(
        dates("day 31", "2026-01-01", "2026-05-31"),
        "01-31 03-31 05-31"
    );
    assert_eq!(dates("friday + 1bd", "2026-07-01", "2026-07-10"), "07-06");
}

#[test]
fn a_rule_reads_back_what_it_writes() {
    for text in [
        "daily",
        "sunday",
        "business day",
        "day 31",
        "last day",
        "fourth friday - 1 day",
        "last business day - 2bd",
        "second tuesday + 9 days",
    ] {
        let Rule::Days(rule) = parse(text).unwrap() else {
            panic!("{text}")
        };
        assert_eq!(rule.to_string(), text);
    }
}

#[test]
fn a_slip_of_the_pen_is_shown_at_its_place_with_what_was_meant() {
    let cases: &[(&str, usize, &str, &str)] = &[
        ("second tuseday", 7, "tuseday", "did you mean `tuesday`?"),
        ("secnd tuesday", 0, "secnd", "did you mean `second`?"),
        ("2nd tuesday", 0, "2nd", "did you mean `second`?"),
        ("tue", 0, "tue", "did you mean `tuesday`?"),
        ("second tuesday + 9 dys", 19, "dys", "did you mean `days`?"),
        (
            "second tuesday + 9",
            18,
            "unit is missing",
            "write `9 days`",
        ),
        (
            "second tuesday +",
            16,
            "number of days is missing",
            "+ 9 days",
        ),
        ("second tuesday + x days", 17, "`x`", "+ 9 days"),
        (
            "second tuesday + 99 days",
            17,
            "more than 60",
            "another day",
        ),
        ("last busines day", 5, "busines", "did you mean `business`?"),
        ("last business", 13, "`day` is missing", "business day"),
        ("day 32", 4, "`32`", "1 to 31"),
        ("daily + 1 day", 6, "every day", "leave the offset out"),
        ("tuesday wednesday", 8, "too much", "write `daily`"),
        ("", 0, "nothing", "second tuesday"),
        ("@daily", 0, "short names", "`daily`"),
        ("61 2 * * *", 0, "no minute", "0 to 59"),
        ("30 24 * * *", 3, "no hour", "0 to 23"),
        ("*/0 * * * *", 0, "no step", "*/15"),
        ("30 2 * *", 0, "4 fields", "minute hour day month weekday"),
        (
            "0 30 2 * * *",
            0,
            "6 fields",
            "seconds and years are not offered",
        ),
        ("0 2 * * tus", 8, "`tus`", "did you mean `tue`?"),
    ];
    for (text, offset, message, remedy) in cases {
        let fault = parse(text).unwrap_err();
        assert_eq!(fault.offset, *offset, "{text}: {fault}");
        assert!(fault.message.contains(message), "{text}: {fault}");
        assert!(fault.remedy.contains(remedy), "{text}: {fault}");
    }
}

#[test]
fn zones_times_and_periods_are_strict() {
    let remedy = |result: Result<(), TextFault>| result.unwrap_err().remedy;
    let zone_of = |text| remedy(Zone::parse(text).map(|_| ()));
    assert!(zone_of("America/Chigaco").contains("did you mean `America/Chicago`?"));
    for text in ["CST", "EST5EDT", "+02:00", "", "local"] {
        assert!(zone_of(text).contains("IANA"), "{text}");
    }
    assert_eq!(zone("america/chicago").name(), "America/Chicago");
    for text in ["2:00", "24:00", "02:60", "0200", "+2:00", "02:00:00", ""] {
        assert!(
            remedy(when::time(text).map(|_| ())).contains("02:00"),
            "{text}"
        );
    }
    for text in ["30s", "90s", "8d", "often", "0m", "5bd"] {
        assert!(when::every(text).is_err(), "{text}");
    }
    assert_eq!(when::every("15m"), Ok(900_000));
}

#[test]
fn what_does_not_go_together_is_refused_with_the_remedy() {
    let rule = |text| parse(text).unwrap();
    let noon = when::time("12:00").unwrap();
    assert_eq!(When::of(rule("daily"), vec![]), Err(ScheduleFault::NoTimes));
    assert_eq!(
        When::of(rule("0 2 * * *"), vec![noon]),
        Err(ScheduleFault::TimesTwice)
    );
    let many: Vec<_> = (0..49)
        .map(|minute| jiff::civil::time(1, minute, 0, 0))
        .collect();
    assert_eq!(
        When::of(rule("daily"), many),
        Err(ScheduleFault::TooManyTimes(49))
    );
    let when = When::of(rule("last business day"), vec![noon]).unwrap();
    let without = Schedule::new("a", when, Zone::utc(), None);
    assert_eq!(without, Err(ScheduleFault::NoCalendar));
}

#[test]
fn two_times_that_a_gap_brings_together_fire_once() {
    let both = schedule("daily", &["02:30", "03:30"], "America/Chicago");
    let found = super::first(&both, "2026-03-08T06:00Z", 2);
    assert_eq!(
        found,
        ["2026-03-08T03:30:00 -05", "2026-03-09T02:30:00 -05"]
    );
}
