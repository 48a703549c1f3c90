//! The faults of the crate `cron` when it walks by itself, one test each: it reads and matches here.

use super::{all, first, instant, schedule};
use hostler_calendar::schedule::Dst;
use hostler_calendar::when;
use hostler_calendar::zone::{Fold, Gap};
use std::str::FromStr as _;

#[test]
fn a_daily_half_past_two_is_not_dropped_in_the_spring_gap() {
    let daily = schedule("30 2 * * *", &[], "America/Chicago");
    let expected = [
        "2026-03-07T02:30:00 -06",
        "2026-03-08T03:30:00 -05 shifted",
        "2026-03-09T02:30:00 -05",
    ];
    assert_eq!(first(&daily, "2026-03-07T00:00Z", 3), expected);
    let skipping = daily.with_dst(Dst {
        gap: Gap::Skip,
        fold: None,
    });
    assert_eq!(
        first(&skipping, "2026-03-07T00:00Z", 2),
        [expected[0], expected[2]]
    );
}

#[test]
fn half_past_one_fires_once_in_autumn_unless_both_are_wanted() {
    let daily = schedule("30 1 * * *", &[], "America/Chicago");
    let once = [
        "2026-11-01T01:30:00 -05 first of two",
        "2026-11-02T01:30:00 -06",
    ];
    assert_eq!(first(&daily, "2026-11-01T00:00Z", 2), once);
    let with = |fold| {
        daily.clone().with_dst(Dst {
            gap: Gap::Shift,
            fold: Some(fold),
        })
    };
    let second = "2026-11-01T01:30:00 -06 second of two";
    assert_eq!(
        first(&with(Fold::Both), "2026-11-01T00:00Z", 2),
        [once[0], second]
    );
    assert_eq!(
        first(&with(Fold::Second), "2026-11-01T00:00Z", 2),
        [second, once[1]]
    );
}

#[test]
fn every_quarter_hour_has_no_hole_of_75_minutes_across_the_fold() {
    let quarters = schedule("*/15 * * * *", &[], "America/Chicago");
    let found = all(
        &quarters,
        instant("2026-11-01T05:00Z"),
        instant("2026-11-01T09:00Z"),
    );
    assert_eq!(found.len(), 16);
    assert!(
        found
            .windows(2)
            .all(|pair| pair[1].instant.as_second() - pair[0].instant.as_second() == 900)
    );
}

#[test]
fn weekday_2_is_tuesday_as_in_every_crontab() {
    let alone = cron::Schedule::from_str("0 0 2 * * 2").unwrap();
    assert!(
        cron::TimeUnitSpec::includes(alone.days_of_week(), 2),
        "the crate counts from 1 for Sunday, so its 2 is Monday"
    );
    for (field, days) in [
        ("2", "2026-06-02 2026-06-09"),
        ("tue", "2026-06-02 2026-06-09"),
        ("0", "2026-06-07 2026-06-14"),
        ("7", "2026-06-07 2026-06-14"),
        ("5-7", "2026-06-05 2026-06-06"),
        ("sat-sun", "2026-06-06 2026-06-07"),
        ("1-5/2", "2026-06-01 2026-06-03"),
        ("Tuesday", "2026-06-02 2026-06-09"),
    ] {
        let weekly = schedule(&format!("0 2 * * {field}"), &[], "UTC");
        let found = first(&weekly, "2026-06-01T00:00Z", 2);
        let dates: Vec<&str> = found.iter().map(|line| &line[..10]).collect();
        assert_eq!(dates.join(" "), days, "{field}");
    }
}

#[test]
fn tue_2_is_refused_with_the_rule_that_says_it() {
    assert!(cron::Schedule::from_str("0 0 2 * * TUE#2").is_err());
    for (text, remedy) in [
        ("0 2 * * TUE#2", "`when: second tuesday` and `at`"),
        ("0 2 * * 2#2", "`when: second tuesday` and `at`"),
        ("0 2 * * 5L", "`when: last friday` and `at`"),
        ("0 2 L * *", "`when: last day`"),
    ] {
        let fault = when::parse(text).unwrap_err();
        assert!(fault.remedy.contains(remedy), "{text}: {fault}");
        let offset = if text.contains(" L") { 4 } else { 8 };
        assert_eq!(fault.offset, offset, "{text}");
    }
}

#[test]
fn day_and_weekday_together_are_refused_because_programs_disagree() {
    let fault = when::parse("0 2 13 * fri").unwrap_err();
    assert!(
        fault.message.contains("both narrowed") && fault.offset == 9,
        "{fault}"
    );
}
