//! The work grows with the number of servers, not with its square; windows are walked once.

use super::{HOUR, asset, base, of, window};
use hostler_calendar::window::Length;
use hostler_core::definition::Ramp;
use hostler_forecast::{AtOnce, Group, Input, Work};
use std::collections::BTreeSet;

/// So many servers in 8 windows, pairs, and 40 on each parent: everything that can make one wait.
fn estate(count: usize) -> Input {
    let mut input = base();
    input.at_once = AtOnce {
        ramp: Ramp::Stages(vec![1, 2, 4, 100]),
        per_group: Some(1),
        per_parent: Some(2),
    };
    input.overflow.at_most = 5;
    for number in 0..8 {
        let at = format!("{number:02}:30");
        input.windows.extend([window(
            &format!("w{number}"),
            "daily",
            &at,
            Length::Elapsed(6 * HOUR),
        )]);
    }
    let group = Group {
        members: 2,
        keep_up: 1,
    };
    input.groups = (0..count / 2)
        .map(|pair| (format!("g{pair}"), group))
        .collect();
    input.assets = (0..count)
        .map(|number| {
            let mut one = asset(&format!("a{number:06}"));
            one.windows = BTreeSet::from([format!("w{}", number % 8)]);
            one.group = Some(format!("g{}", number / 2));
            one.parent = Some(format!("p{}", number / 40));
            one
        })
        .collect();
    input
}

/// Makes an estate roomy or narrow.
type Shape = fn(&mut Input);

/// How many looks it took, and how many servers are planned.
fn looks(count: usize, shape: Shape) -> (usize, usize) {
    let mut input = estate(count);
    shape(&mut input);
    let forecast = of(&input);
    let Work { walked, looks } = forecast.work;
    // Windows are walked for each that differs, not for each server.
    assert_eq!(walked, 8);
    assert_eq!(forecast.assets.len(), count);
    (looks, forecast.waves[0].planned)
}

#[test]
fn ten_times_the_servers_are_about_ten_times_the_work() {
    let shapes: [(&str, Shape); 3] = [
        // Open day and night, so that all find a place, waiting for their partner and their parent.
        ("room for all", |input| {
            for number in 0..8 {
                let at = format!("{number:02}:30");
                let all_day = Length::Elapsed(24 * HOUR);
                input
                    .windows
                    .extend([window(&format!("w{number}"), "daily", &at, all_day)]);
            }
            input.at_once.ramp = Ramp::Fixed(200);
        }),
        // Nearly all go from window to window and are held in the end.
        ("room for few", |input| input.at_once.ramp = Ramp::Fixed(1)),
        ("all on one parent", |input| {
            for asset in &mut input.assets {
                asset.parent = Some("p".to_owned());
            }
        }),
    ];
    for (name, shape) in shapes {
        let ((small, planned), (large, planned_large)) =
            (looks(5_000, shape), looks(50_000, shape));
        assert!(small >= 5_000, "{name}: {small}");
        let all = (planned, planned_large) == (5_000, 50_000);
        assert_eq!(
            all,
            name == "room for all",
            "{name}: {planned} and {planned_large}"
        );
        assert!(large <= small * 12, "{name}: {small} and {large}");
    }
}
