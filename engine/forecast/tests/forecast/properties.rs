//! Random estates: what is planned keeps every rule, everybody is planned or held once, and the order of
//! the input is no part of it.
//!
//! The rules are checked here by themselves, from the input and the calendar, not by the planner's own
//! functions.

use super::{DAY, HOUR, MINUTE, asset, base, customer, freeze, of, wave, window};
use hostler_calendar::deadline::Lead;
use hostler_calendar::window::Length;
use hostler_core::definition::{Ramp, WaveLimit};
use hostler_forecast::{Asset, Duration, Forecast, Group, Input, Moment, Outcome, render};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const WINDOWS: [(&str, &str, &str, u64); 5] = [
    ("nightly", "daily", "02:00", 4 * HOUR),
    ("evening", "tuesday", "20:00", 2 * HOUR),
    ("weekly", "sunday", "01:00", 5 * HOUR),
    ("short", "daily", "12:00", 50 * MINUTE),
    ("once", "second sunday", "02:00", 4 * HOUR),
];
const FREEZES: [(&str, &str, &str); 3] = [
    ("a", "2026-10-20T00:00", "2026-10-24T03:00"),
    ("b", "2026-10-28T02:30", "2026-11-02T00:00"),
    ("c", "2026-10-01T00:00", "2026-12-01T00:00"),
];

/// Window, second window, freezes, group, parent, ring, customer, minutes.
type Seed = (
    usize,
    Option<usize>,
    [bool; 3],
    Option<usize>,
    Option<usize>,
    usize,
    usize,
    u64,
);

fn any_seed() -> impl Strategy<Value = Seed> {
    (
        0..6_usize,
        proptest::option::weighted(0.2, 0..5_usize),
        [
            proptest::bool::weighted(0.3),
            proptest::bool::weighted(0.3),
            proptest::bool::weighted(0.05),
        ],
        proptest::option::of(0..4_usize),
        proptest::option::of(0..3_usize),
        0..3_usize,
        0..3_usize,
        1..130_u64,
    )
}

fn any_ramp() -> impl Strategy<Value = Ramp> {
    prop_oneof![
        (1..5_u32).prop_map(Ramp::Fixed),
        (1..60_u32).prop_map(Ramp::Percent),
        Just(Ramp::Stages(vec![1, 2, 4])),
    ]
}

fn any_input() -> impl Strategy<Value = Input> {
    let limits = (
        any_ramp(),
        proptest::option::of(1..3_u32),
        proptest::option::of(1..4_u32),
        0..4_u32,
    );
    let times = (0..15_u16, 0..4_u64, 0..9_u64, proptest::bool::ANY);
    (proptest::collection::vec(any_seed(), 0..40), limits, times).prop_map(
        |(seeds, (ramp, per_group, per_parent, at_most), (opens, soak, lead, take))| {
            let mut input = base();
            input.at_once.ramp = ramp;
            input.at_once.per_group = per_group;
            input.at_once.per_parent = per_parent;
            input.overflow.at_most = at_most;
            input.terms.lead = if lead == 8 {
                Lead::BusinessDays(5)
            } else {
                Lead::Elapsed(lead * DAY)
            };
            input.terms.published_rings.insert("canary".to_owned());
            let mut canary = wave("canary", 2, soak * DAY);
            canary.matches = Some("ring=canary".to_owned());
            let mut early = wave("early", opens, soak * HOUR);
            early.take = Some(WaveLimit::Percent(30));
            input.waves = vec![canary, early];
            if take {
                input.waves.push(wave("rest", opens + 2, 0));
            }
            fill(&mut input, &seeds);
            input
        },
    )
}

fn fill(input: &mut Input, seeds: &[Seed]) {
    let windows = WINDOWS.map(|(id, rule, at, lasts)| window(id, rule, at, Length::Elapsed(lasts)));
    input.windows = windows.into();
    input.freezes = FREEZES.map(|(id, from, to)| freeze(id, from, to)).into();
    let group = |number: usize| {
        let members = 4;
        let keep_up = u32::try_from(number).unwrap() + 1;
        (format!("g{number}"), Group { members, keep_up })
    };
    input.groups = (0..4).map(group).collect();
    for id in ["physics", "library"] {
        input.customers.insert(id.to_owned(), customer(id));
    }
    input
        .customers
        .get_mut("library")
        .unwrap()
        .contacts
        .truncate(1);
    input.assets = seeds
        .iter()
        .enumerate()
        .map(|(number, seed)| one(number, seed))
        .collect();
    input.durations.measured = (0..seeds.len())
        .map(|number| {
            let steps_ms = seeds[number].7 * MINUTE;
            (
                format!("s{number:02}"),
                Duration {
                    steps_ms,
                    rollback_ms: 10 * MINUTE,
                },
            )
        })
        .collect();
}

fn one(number: usize, seed: &Seed) -> Asset {
    let (first, second, frozen, group, parent, ring, customer, _) = seed;
    let windows = [Some(*first), *second].into_iter().flatten();
    let windows = windows.filter_map(|place| Some(WINDOWS.get(place)?.0.to_owned()));
    let rings = ["canary", "early", "rest"];
    Asset {
        customer: ["chem", "physics", "library"][*customer].to_owned(),
        ring: Some(rings[*ring].to_owned()),
        windows: windows.collect(),
        freezes: (0..3)
            .filter(|place| frozen[*place])
            .map(|place| FREEZES[place].0.to_owned())
            .collect(),
        group: group.map(|number| format!("g{number}")),
        parent: parent.map(|number| format!("p{number}")),
        fits: if *ring == 0 {
            BTreeSet::from(["canary".to_owned()])
        } else {
            BTreeSet::new()
        },
        ..asset(&format!("s{number:02}"))
    }
}

/// Start and end of each that is planned.
fn times(forecast: &Forecast) -> BTreeMap<&str, (Timestamp, Timestamp)> {
    let all = forecast.assets.iter();
    all.filter_map(|row| match &row.outcome {
        Outcome::Planned { starts, ends, .. } => Some((row.id.as_str(), (starts.0, ends.0))),
        Outcome::Held { .. } => None,
    })
    .collect()
}

/// The most of these that are disturbed at the same instant.
fn together<'a>(all: impl Iterator<Item = &'a (Timestamp, Timestamp)> + Clone) -> usize {
    let at = |instant: Timestamp| {
        all.clone()
            .filter(|(from, to)| *from <= instant && instant < *to)
            .count()
    };
    all.clone()
        .map(|(from, _)| at(*from))
        .max()
        .unwrap_or_default()
}

fn later(instant: Timestamp, ms: u64) -> Timestamp {
    instant
        .checked_add(SignedDuration::from_millis(i64::try_from(ms).unwrap()))
        .unwrap()
}

fn place_is_lawful(input: &Input, asset: &Asset, times: &(Timestamp, Timestamp)) {
    let (starts, ends) = *times;
    let duration = input.durations.of(&asset.id);
    let until = later(starts, duration.needed_ms());
    assert_eq!(ends, later(starts, duration.steps_ms));
    let inside = asset.windows.iter().any(|name| {
        // The opening must hold steps and rollback; looked at a day around.
        let (from, to) = (
            later(starts, 0) - SignedDuration::from_hours(24),
            later(until, DAY),
        );
        let open = input.windows[name].intervals(from, to);
        open.iter().any(|one| one.from <= starts && until <= one.to)
    });
    // Two windows of one server may touch; none of these does.
    assert!(inside, "{} at {starts} is outside of its windows", asset.id);
    for name in &asset.freezes {
        let frozen = input.freezes[name].intervals(starts, until);
        assert!(
            frozen.is_empty(),
            "{} at {starts} is frozen by {name}",
            asset.id
        );
    }
}

fn limits_hold(input: &Input, forecast: &Forecast) {
    let times = times(forecast);
    for wave in &forecast.waves {
        let of_wave = forecast
            .assets
            .iter()
            .filter(|row| row.wave.as_ref() == Some(&wave.name));
        let size = of_wave.clone().count();
        let all: Vec<_> = of_wave
            .filter_map(|row| times.get(row.id.as_str()))
            .copied()
            .collect();
        let most = match &input.at_once.ramp {
            Ramp::Fixed(number) => *number as usize,
            Ramp::Percent(percent) => (size * *percent as usize / 100).max(1),
            Ramp::Stages(stages) => *stages.iter().max().unwrap() as usize,
        };
        assert!(together(all.iter()) <= most, "wave {}", wave.name);
        assert!(
            all.iter().all(|(starts, _)| *starts >= wave.opens.0),
            "wave {}",
            wave.name
        );
        assert!(wave.wanted.is_none_or(|wanted| wanted <= wave.opens));
    }
    let by = |key: &dyn Fn(&Asset) -> Option<String>| {
        let mut found: BTreeMap<String, Vec<(Timestamp, Timestamp)>> = BTreeMap::new();
        for asset in &input.assets {
            if let (Some(key), Some(times)) = (key(asset), times.get(asset.id.as_str())) {
                found.entry(key).or_default().push(*times);
            }
        }
        found
    };
    for (name, all) in by(&|asset| asset.group.clone()) {
        let group = input.groups[&name];
        let most = (group.members - group.keep_up).min(input.at_once.per_group.unwrap_or(u32::MAX));
        assert!(together(all.iter()) <= most as usize, "group {name}");
    }
    for (name, all) in by(&|asset| asset.parent.clone()) {
        let most = input.at_once.per_parent.unwrap_or(u32::MAX);
        assert!(together(all.iter()) <= most as usize, "parent {name}");
    }
}

/// Nobody is disturbed before the notice that could leave after the approval has had its lead.
fn notices_hold(input: &Input, forecast: &Forecast) {
    let asked = forecast.approval.as_ref().unwrap().asked;
    for row in &forecast.assets {
        let Outcome::Planned { slot, starts, .. } = &row.outcome else {
            continue;
        };
        assert!(slot.opens <= *starts && *starts < slot.closes);
        let asset = input.assets.iter().find(|one| one.id == row.id).unwrap();
        if asset.ring.as_deref() == Some("canary") {
            continue;
        }
        let customer = &input.customers[&row.customer];
        let by = input
            .terms
            .lead
            .before(slot.opens.0, &customer.business, &customer.zone);
        assert!(by.unwrap() >= asked.0, "{}", row.id);
        let told = forecast
            .customers
            .iter()
            .find(|one| one.id == row.customer)
            .unwrap();
        assert!(told.notice_by.unwrap() <= Moment(by.unwrap()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_planned_keeps_every_rule(input in any_input()) {
        let forecast = of(&input);
        let ids: Vec<&str> = forecast.assets.iter().map(|row| row.id.as_str()).collect();
        let wanted: BTreeSet<&str> = input.assets.iter().map(|asset| asset.id.as_str()).collect();
        prop_assert_eq!(ids, wanted.into_iter().collect::<Vec<_>>());
        let times = times(&forecast);
        for asset in &input.assets {
            if let Some(times) = times.get(asset.id.as_str()) {
                place_is_lawful(&input, asset, times);
            }
        }
        limits_hold(&input, &forecast);
        notices_hold(&input, &forecast);
        let counted: usize = forecast.customers.iter().map(|row| row.planned + row.held).sum();
        prop_assert_eq!(counted, input.assets.len());
        prop_assert_eq!(forecast.customers.iter().map(|row| row.planned).sum::<usize>(), times.len());
        for row in &forecast.assets {
            let Outcome::Held { code, why } = &row.outcome else { continue };
            prop_assert!(!why.is_empty());
            prop_assert!(forecast.conflicts.iter().any(|one| one.code == *code));
        }
    }

    /// Each night has room for one at least, and there are more nights than servers: nobody may be
    /// forgotten while waiting for a partner or a parent.
    #[test]
    fn with_room_for_all_nobody_is_left_waiting(
        seeds in proptest::collection::vec(any_seed(), 1..16),
        at_once in 1..5_u32,
        per_parent in 1..3_u32,
    ) {
        let mut input = base();
        fill(&mut input, &seeds);
        input.at_once.ramp = Ramp::Fixed(at_once);
        input.at_once.per_parent = Some(per_parent);
        input.overflow.at_most = 30;
        for asset in &mut input.assets {
            asset.windows = BTreeSet::from(["nightly".to_owned()]);
            asset.freezes.clear();
            // All members of this one must stay up.
            asset.group = asset.group.take().filter(|group| group != "g3");
        }
        let forecast = of(&input);
        prop_assert_eq!(times(&forecast).len(), seeds.len(), "{:?}", forecast.conflicts);
    }

    #[test]
    fn the_order_of_the_input_is_no_part_of_the_answer(
        (input, mixed) in any_input().prop_flat_map(|input| {
            let assets = Just(input.assets.clone()).prop_shuffle();
            (Just(input), assets)
        })
    ) {
        let mut other = input.clone();
        other.assets = mixed;
        other.approvers.people.reverse();
        for customer in other.customers.values_mut() {
            customer.contacts.reverse();
        }
        let (one, other) = (of(&input), of(&other));
        prop_assert_eq!(render::json(&one).unwrap(), render::json(&other).unwrap());
        prop_assert_eq!(render::svg(&one), render::svg(&other));
        prop_assert_eq!(render::table(&one), render::table(&other));
    }
}
