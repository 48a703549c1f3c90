//! Five years in six zones against a table that Python's `zoneinfo` made (table.py).

use super::{all, instant, schedule, zone};
use hostler_calendar::schedule::Dst;
use hostler_calendar::when::{Rule, parse};
use hostler_calendar::window::{Length, Window};
use hostler_calendar::zone::{Fold, Gap};
use hostler_calendar::{Occurrence, Schedule};
use jiff::civil::Date;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

fn table() -> Value {
    serde_json::from_str(include_str!("table.json")).unwrap()
}

fn schedules(zone: &str) -> [(&'static str, Schedule); 6] {
    let dst = |gap, fold| Dst {
        gap,
        fold: Some(fold),
    };
    [
        ("daily", schedule("daily", &["02:30"], zone)),
        (
            "daily_skip_second",
            schedule("daily", &["02:30"], zone).with_dst(dst(Gap::Skip, Fold::Second)),
        ),
        (
            "daily_half_past_one_both",
            schedule("30 1 * * *", &[], zone).with_dst(dst(Gap::Shift, Fold::Both)),
        ),
        ("weekly", schedule("sunday", &["02:30"], zone)),
        ("hourly", schedule("0 * * * *", &[], zone)),
        ("quarterly", schedule("*/15 * * * *", &[], zone)),
    ]
}

fn five_years(schedule: &Schedule) -> Vec<Occurrence> {
    all(
        schedule,
        instant("2026-01-01T00:00Z"),
        instant("2031-01-01T00:00Z"),
    )
}

fn digest(found: &[Occurrence]) -> String {
    let lines: String = found
        .iter()
        .map(|one| format!("{}\n", one.instant.as_second()))
        .collect();
    hex::encode(Sha256::digest(lines.as_bytes()))
}

/// Days on which the clock changes first, for a difference there says most.
fn check_days(zone: &str, key: &str, found: &[Occurrence], days: &Value) {
    for (day, expected) in days.as_object().unwrap() {
        let date: Date = day.parse().unwrap();
        let of_day = found.iter().filter(|one| one.wall.date() == date);
        let seconds: Vec<i64> = of_day.map(|one| one.instant.as_second()).collect();
        match &expected[key] {
            Value::Array(_) => {
                assert_eq!(Value::from(seconds), expected[key], "{zone} {key} {day}")
            }
            Value::Number(count) => {
                assert_eq!(
                    Some(seconds.len() as u64),
                    count.as_u64(),
                    "{zone} {key} {day}"
                );
            }
            _ => {}
        }
    }
}

/// A pattern of a quarter of an hour is never longer quiet, and never twice at once.
fn check_holes(zone: &str, found: &[Occurrence]) {
    let seconds = found.iter().map(|one| one.instant.as_second());
    let holes = seconds
        .clone()
        .skip(1)
        .zip(seconds)
        .map(|(next, one)| next - one);
    assert_eq!(holes.clone().min(), Some(900), "{zone}");
    assert_eq!(holes.max(), Some(900), "{zone}");
}

#[test]
fn five_years_in_six_zones_miss_nothing_and_double_nothing() {
    let table = table();
    let zones = table["zones"].as_object().unwrap();
    assert_eq!(zones.len(), 6);
    for (name, expected) in zones {
        for (key, schedule) in schedules(name) {
            let found = five_years(&schedule);
            check_days(name, key, &found, &expected["days"]);
            if key == "quarterly" {
                check_holes(name, &found);
            }
            let sum = &expected["sums"][key];
            assert_eq!(Some(found.len() as u64), sum[0].as_u64(), "{name} {key}");
            assert_eq!(
                Some(digest(&found).as_str()),
                sum[1].as_str(),
                "{name} {key}"
            );
        }
    }
}

#[test]
fn windows_on_days_of_a_change_have_their_true_elapsed_length() {
    let Rule::Days(daily) = parse("daily").unwrap() else {
        panic!("a rule for days")
    };
    let time = |hour| jiff::civil::time(hour, 0, 0, 0);
    for (name, expected) in table()["zones"].as_object().unwrap() {
        for (key, opens) in [("midnight_to_six", 0), ("two_to_six", 2)] {
            let until = Length::Until(time(6));
            let window = Window::new("w", daily, time(opens), until, zone(name), None).unwrap();
            for (day, expected) in expected["days"].as_object().unwrap() {
                let date: Date = day.parse().unwrap();
                let noon = zone(name).instant(date.at(12, 0, 0, 0)).unwrap();
                let midnight = zone(name).instant(date.at(0, 0, 0, 0)).unwrap();
                let openings = window.openings(midnight, noon, 9);
                assert_eq!(openings.len(), 1, "{name} {day}");
                let minutes = openings[0].interval.elapsed_ms() / 60_000;
                assert_eq!(Some(minutes), expected[key].as_u64(), "{name} {day} {key}");
                assert_eq!(openings[0].closes.0, date.at(6, 0, 0, 0));
            }
        }
    }
}

#[test]
fn patch_tuesday_and_nine_days_is_right_for_120_months() {
    let patch = schedule("second tuesday + 9 days", &["18:00"], "America/Chicago");
    let found = all(
        &patch,
        instant("2026-01-01T00:00Z"),
        instant("2036-01-01T00:00Z"),
    );
    let dates: Vec<String> = found
        .iter()
        .map(|one| one.wall.date().to_string())
        .collect();
    assert_eq!(dates.len(), 120);
    assert_eq!(Value::from(dates), table()["patch"]);
}
