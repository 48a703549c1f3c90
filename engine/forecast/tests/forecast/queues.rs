//! Who is let in when several wait for one place: nobody is passed over because somebody else was asked
//! first and could not use it.

use super::{HOUR, MINUTE, asset, base, of, planned, window};
use hostler_calendar::window::Length;
use hostler_core::definition::Ramp;
use hostler_forecast::{Asset, Duration, Forecast, Group, Input};
use std::collections::BTreeSet;

fn input(assets: Vec<Asset>) -> Input {
    let mut input = base();
    input.at_once.ramp = Ramp::Fixed(10);
    input.at_once.per_parent = Some(1);
    let group = Group {
        members: 5,
        keep_up: 4,
    };
    input.groups.insert("pair".to_owned(), group);
    input.assets = assets;
    input
}

fn on(id: &str, group: bool, parent: bool) -> Asset {
    Asset {
        group: group.then(|| "pair".to_owned()),
        parent: parent.then(|| "esx".to_owned()),
        ..asset(id)
    }
}

fn takes(input: &mut Input, id: &str, steps_ms: u64) {
    let duration = Duration {
        steps_ms,
        rollback_ms: 20 * MINUTE,
    };
    input.durations.measured.insert(id.to_owned(), duration);
}

fn starts(forecast: &Forecast, id: &str) -> String {
    planned(forecast, id)[..20].to_owned()
}

#[test]
fn of_a_pair_one_follows_the_other() {
    let forecast = of(&input(vec![
        on("web1", true, false),
        on("web2", true, false),
    ]));
    assert_eq!(starts(&forecast, "web1"), "Thu 2026-10-22 02:00");
    assert_eq!(starts(&forecast, "web2"), "Thu 2026-10-22 02:40");
    assert_eq!(forecast.conflicts, []);
}

/// When web1 ends, the window of web2 is over: its place goes to web3 at once.
#[test]
fn a_place_that_comes_too_late_for_one_is_the_next_ones() {
    let all = ["web1", "web2", "web3"];
    let mut input = input(all.map(|id| on(id, false, true)).to_vec());
    let two_hours = Length::Elapsed(2 * HOUR);
    input
        .windows
        .extend([window("brief", "daily", "02:00", two_hours)]);
    input.assets[1].windows = BTreeSet::from(["brief".to_owned()]);
    takes(&mut input, "web1", 150 * MINUTE);
    let forecast = of(&input);
    assert_eq!(starts(&forecast, "web1"), "Thu 2026-10-22 02:00");
    assert_eq!(starts(&forecast, "web3"), "Thu 2026-10-22 04:30");
    assert_eq!(starts(&forecast, "web2"), "Fri 2026-10-23 02:00");
}

/// When `a` ends, `c` may take its place in the group but not the parent's, which `b` holds: `d` goes.
#[test]
fn a_place_that_one_cannot_take_for_want_of_another_is_the_next_ones() {
    let all = vec![
        on("a", true, false),
        on("b", false, true),
        on("c", true, true),
        on("d", true, false),
    ];
    let mut input = input(all);
    takes(&mut input, "b", 2 * HOUR);
    let forecast = of(&input);
    assert_eq!(starts(&forecast, "d"), "Thu 2026-10-22 02:40");
    assert_eq!(starts(&forecast, "c"), "Thu 2026-10-22 04:00");
}
