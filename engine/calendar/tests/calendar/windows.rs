//! Windows and freezes: when they are open, how long, and what fits.

use super::{instant, zone};
use hostler_calendar::freeze::{Freeze, blocked, next_free};
use hostler_calendar::holiday::Holidays;
use hostler_calendar::interval::{Interval, without};
use hostler_calendar::when::{Rule, parse, time};
use hostler_calendar::window::{Fit, Length, Window, WindowFault, Windows, fit};
use jiff::civil::datetime;

const HOUR_MS: u64 = 3_600_000;

fn window(rule: &str, at: &str, length: Length) -> Window {
    let Rule::Days(rule) = parse(rule).unwrap() else {
        panic!("{rule}")
    };
    Window::new(
        "w",
        rule,
        time(at).unwrap(),
        length,
        zone("America/Chicago"),
        None,
    )
    .unwrap()
}

fn hours(count: u64) -> Length {
    Length::Elapsed(count * HOUR_MS)
}

/// Opening and end by the wall, and hours that really pass.
fn lines(window: &Window, from: &str, to: &str) -> Vec<String> {
    let openings = window.openings(instant(from), instant(to), 10);
    let line = |one: &hostler_calendar::window::Opening| {
        let (opens, closes) = (
            one.opens.wall.strftime("%m-%d %H:%M"),
            one.closes.0.strftime("%H:%M"),
        );
        format!(
            "{opens}-{closes} {}h",
            one.interval.elapsed_ms() as f64 / HOUR_MS as f64
        )
    };
    openings.iter().map(line).collect()
}

#[test]
fn an_elapsed_length_moves_the_end_and_a_local_end_moves_the_length() {
    let elapsed = window("second sunday", "02:00", hours(4));
    let local = window("sunday", "00:00", Length::Until(time("06:00").unwrap()));
    let march = ("2026-03-08T00:00Z", "2026-03-09T00:00Z");
    assert_eq!(lines(&elapsed, march.0, march.1), ["03-08 03:00-07:00 4h"]);
    assert_eq!(lines(&local, march.0, march.1), ["03-08 00:00-06:00 5h"]);
    assert_eq!(
        lines(&local, "2026-11-01T00:00Z", "2026-11-02T00:00Z"),
        ["11-01 00:00-06:00 7h"]
    );
    assert_eq!(
        lines(&local, "2026-11-08T00:00Z", "2026-11-09T00:00Z"),
        ["11-08 00:00-06:00 6h"]
    );
    let night = window("saturday", "22:00", Length::Until(time("04:00").unwrap()));
    assert_eq!(
        lines(&night, march.0, march.1),
        ["03-07 22:00-04:00 5h"],
        "over midnight"
    );
}

#[test]
fn a_window_inside_the_gap_does_not_open_and_one_across_its_end_opens_there() {
    let until = |at: &str| Length::Until(time(at).unwrap());
    let day = ("2026-03-08T06:00Z", "2026-03-09T04:00Z");
    assert_eq!(
        lines(&window("sunday", "02:10", until("02:50")), day.0, day.1),
        [""; 0]
    );
    assert_eq!(
        lines(&window("sunday", "02:30", until("03:30")), day.0, day.1),
        ["03-08 03:00-03:30 0.5h"]
    );
}

#[test]
fn lengths_out_of_bounds_are_refused() {
    let Rule::Days(daily) = parse("daily").unwrap() else {
        panic!()
    };
    let with = |ms| {
        Window::new(
            "w",
            daily,
            time("01:00").unwrap(),
            Length::Elapsed(ms),
            zone("UTC"),
            None,
        )
    };
    assert_eq!(with(0), Err(WindowFault::Length(0)));
    assert_eq!(with(169 * HOUR_MS), Err(WindowFault::Length(169 * HOUR_MS)));
}

#[test]
fn of_several_windows_one_is_enough_for_a_server_and_all_for_servers_that_go_together() {
    let one = || Windows::One(window("tuesday", "09:00", hours(6)));
    let other = || Windows::One(window("tuesday", "13:00", hours(6)));
    let range = (instant("2026-06-02T00:00Z"), instant("2026-06-03T12:00Z"));
    let of = |windows: Windows| -> Vec<u64> {
        let open = windows.intervals(range.0, range.1);
        open.iter()
            .map(|interval| interval.elapsed_ms() / HOUR_MS)
            .collect()
    };
    assert_eq!(of(Windows::AnyOf(vec![one(), other()])), [10]);
    assert_eq!(of(Windows::AllOf(vec![one(), other()])), [2]);
    assert_eq!(
        of(Windows::AllOf(vec![])),
        [0; 0],
        "no window is no permission"
    );
    assert_eq!(of(Windows::AnyOf(vec![])), [0; 0]);
}

#[test]
fn what_is_left_and_what_comes_next_is_known_inside_and_outside() {
    let windows = Windows::One(window("second sunday", "02:00", hours(4)));
    let inside = instant("2026-06-14T08:30Z");
    assert_eq!(windows.left_ms(inside), Some(5 * HOUR_MS / 2));
    assert_eq!(
        windows.next_open(inside).unwrap().from,
        instant("2026-07-12T07:00Z")
    );
    let outside = instant("2026-06-14T11:00Z");
    assert_eq!(windows.left_ms(outside), None, "the end is outside");
    assert_eq!(
        windows.next_open(outside).unwrap().elapsed_ms(),
        4 * HOUR_MS
    );
    let rare = Windows::One(window("fifth sunday", "02:00", hours(4)));
    let next = rare.next_open(instant("2026-05-31T20:00Z")).unwrap();
    assert_eq!(
        next.from,
        instant("2026-08-30T07:00Z"),
        "further than a month away"
    );
}

#[test]
fn work_fits_now_later_or_never() {
    let windows = Windows::One(window("second sunday", "02:00", hours(4)));
    let inside = instant("2026-06-14T08:30Z");
    assert_eq!(
        windows.fit(inside, 2 * HOUR_MS),
        Fit::Now {
            left_ms: 5 * HOUR_MS / 2
        }
    );
    let Fit::Later(next) = windows.fit(inside, 3 * HOUR_MS) else {
        panic!("not in what is left")
    };
    assert_eq!(next.from, instant("2026-07-12T07:00Z"));
    assert_eq!(
        windows.fit(inside, 5 * HOUR_MS),
        Fit::Never {
            longest_ms: 4 * HOUR_MS
        }
    );
}

#[test]
fn five_hours_do_not_fit_into_the_night_that_has_only_five() {
    let night = Windows::One(window(
        "sunday",
        "00:00",
        Length::Until(time("06:00").unwrap()),
    ));
    let opens = instant("2026-03-08T06:00Z");
    assert_eq!(
        night.fit(opens, 5 * HOUR_MS),
        Fit::Now {
            left_ms: 5 * HOUR_MS
        }
    );
    assert!(
        matches!(night.fit(opens, 6 * HOUR_MS), Fit::Later(next) if next.from == instant("2026-03-15T05:00Z"))
    );
}

fn finals() -> Freeze {
    let zone = zone("America/Chicago");
    let (from, to) = (
        datetime(2026, 12, 11, 0, 0, 0, 0),
        datetime(2026, 12, 23, 17, 0, 0, 0),
    );
    let mut freeze = Freeze::once("finals", "final examinations", zone, from, to).unwrap();
    freeze.lets_through = vec!["emergency".to_owned()];
    freeze
}

fn holidays() -> Freeze {
    let days = ["2026-12-23", "2026-12-24", "2026-12-25", "2026-12-26"];
    let days = Holidays::of(days.map(|day| (day.parse().unwrap(), "closed".to_owned())));
    Freeze::days("closed", "nobody is there", zone("America/Chicago"), days)
}

#[test]
fn a_freeze_says_which_it_is_until_when_and_whom_it_lets_through() {
    let freezes = [finals(), holidays()];
    let inside = instant("2026-12-12T00:00Z");
    let stopped = blocked(&freezes, "planned", inside).unwrap();
    assert_eq!(
        (stopped.freeze.id.as_str(), stopped.until),
        ("finals", instant("2026-12-23T23:00Z"))
    );
    assert_eq!(blocked(&freezes, "emergency", inside), None);
    assert_eq!(
        blocked(&freezes, "planned", instant("2026-12-11T05:59:59Z")),
        None
    );
    assert!(blocked(&freezes, "planned", instant("2026-12-11T06:00Z")).is_some());
    let free = next_free(&freezes, "planned", inside);
    assert_eq!(
        free,
        Some(instant("2026-12-27T06:00Z")),
        "one freeze runs into the other"
    );
    assert_eq!(
        next_free(&freezes, "emergency", instant("2026-12-24T12:00Z")),
        free
    );
    assert_eq!(
        next_free(&freezes, "planned", instant("2027-01-01T00:00Z")),
        Some(instant("2027-01-01T00:00Z"))
    );
}

#[test]
fn a_freeze_without_end_or_backwards_is_found() {
    let backwards = Freeze::once(
        "x",
        "",
        zone("UTC"),
        datetime(2026, 2, 2, 0, 0, 0, 0),
        datetime(2026, 2, 1, 0, 0, 0, 0),
    );
    assert!(backwards.unwrap_err().to_string().contains("exchange"));
    let day = |text: &str| (text.parse().unwrap(), "x".to_owned());
    let all = (2026..2030).flat_map(|year| {
        (1..=12).flat_map(move |month| (1..=31).map(move |number| (year, month, number)))
    });
    let days =
        all.filter_map(|(year, month, number)| jiff::civil::Date::new(year, month, number).ok());
    let endless = Freeze::days(
        "x",
        "",
        zone("UTC"),
        Holidays::of(days.map(|date| day(&date.to_string()))),
    );
    let free = next_free(&[endless], "planned", instant("2026-06-01T00:00Z"));
    assert_eq!(
        free,
        Some(instant("2030-01-01T00:00Z")),
        "longer than a year, in several steps"
    );
}

#[test]
fn windows_without_freezes_are_what_is_left_for_work() {
    let windows = Windows::One(window("daily", "00:00", hours(24)));
    let range = (instant("2026-12-10T06:00Z"), instant("2026-12-28T06:00Z"));
    let frozen: Vec<Interval> = [finals(), holidays()]
        .iter()
        .flat_map(|one| one.intervals(range.0, range.1))
        .collect();
    let frozen = hostler_calendar::interval::union(frozen);
    let free = without(&windows.intervals(range.0, range.1), &frozen);
    assert_eq!(free.len(), 2);
    assert_eq!(
        fit(&free, instant("2026-12-12T00:00Z"), HOUR_MS),
        Fit::Later(free[1])
    );
}
