//! Openings of windows: what is disturbed in one of them counts once for its customer, in the month of its first day.

use hostler_core::budget::{
    Budgets, Disruption, Limit, OPENING_MAX_MS, Opening, Over, REBOOTS, Spent, Wanted, Within,
};
use hostler_core::id::{LaneId, RunId};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const MONTH: Within = Within::Month {
    from_ms: 0,
    to_ms: 31 * DAY,
};

fn id(number: u32) -> uuid::Uuid {
    uuid::Uuid::from_u128(number.into())
}

/// A disturbing call of an hour by the lane and run of this number.
fn wanted(asset: &str, number: u32, now_ms: i64) -> Wanted<'_> {
    Wanted {
        asset,
        run: RunId(id(number)),
        lane: LaneId(id(number)),
        now_ms,
        disturbs: true,
        goes_on: false,
        lasts_ms: HOUR.unsigned_abs(),
        downtime_ms: HOUR.unsigned_abs(),
    }
}

fn limit(most: u32) -> Limit {
    Limit {
        name: REBOOTS.to_owned(),
        per_asset: false,
        disruptions: None,
        downtime_ms: None,
        windows: Some(most),
        within: MONTH,
        holds: true,
    }
}

/// So many windows a month, in the four hours of this day's night.
fn night(most: u32, day: i64) -> Budgets {
    let closes_ms = Some(day * DAY + 6 * HOUR);
    Budgets {
        customer: "chem".to_owned(),
        limits: vec![limit(most)],
        closes_ms,
        opening: Some(Opening {
            window: "night".to_owned(),
            day_ms: day * DAY,
            closes_ms,
        }),
    }
}

/// The same in a window that is open all the time.
fn always(most: u32, day: i64) -> Budgets {
    let opening = Opening {
        window: "always".to_owned(),
        day_ms: day * DAY,
        closes_ms: None,
    };
    Budgets {
        closes_ms: Some(90 * DAY),
        opening: Some(opening),
        ..night(most, day)
    }
}

/// What it overdraws; none: nothing new is on record.
fn spend(
    spent: &mut Spent,
    wanted: Wanted<'_>,
    budgets: &Budgets,
) -> Result<Option<Vec<String>>, Over> {
    let Some((next, overdrew)) = spent.with(&wanted, budgets)? else {
        return Ok(None);
    };
    *spent = next;
    Ok(Some(overdrew))
}

#[test]
fn whatever_is_disturbed_in_one_opening_of_a_window_counts_once() {
    let (mut spent, first, second) = (Spent::default(), night(1, 2), night(1, 3));
    let at = 2 * DAY + 2 * HOUR;
    assert_eq!(
        spend(&mut spent, wanted("web1", 1, at), &first),
        Ok(Some(vec![]))
    );
    for number in 2..5_000 {
        let asset = format!("web{number}");
        assert_eq!(
            spend(&mut spent, wanted(&asset, number, at + HOUR), &first),
            Ok(None)
        );
    }
    assert_eq!(spent.disruptions.len(), 1);
    let over = spend(&mut spent, wanted("web2", 2, at + DAY), &second).unwrap_err();
    assert_eq!(
        (over.budget.as_str(), over.opens_ms),
        (REBOOTS, Some(31 * DAY))
    );
    for said in [
        "1 window with disruptions a month are granted",
        "1 window with disruptions are spent: web1",
        &RunId(id(1)).to_string(),
    ] {
        assert!(over.why.contains(said), "{said}: {}", over.why);
    }
    // Another window that is open at the same time is another one.
    let mut other = night(1, 2);
    other.opening.as_mut().unwrap().window = "late".to_owned();
    assert!(spend(&mut spent, wanted("web2", 2, at), &other).is_err());
}

#[test]
fn an_opening_counts_to_the_month_of_its_first_day_for_as_long_as_it_is_open() {
    let (mut spent, first) = (Spent::default(), night(1, 2));
    assert_eq!(
        spend(&mut spent, wanted("web1", 1, 2 * DAY), &first),
        Ok(Some(vec![]))
    );
    // It begins on the last day of the month, and it is the next one already.
    let last = night(1, 30);
    let last = Budgets {
        opening: last.opening.map(|opening| Opening {
            closes_ms: Some(31 * DAY + 4 * HOUR),
            ..opening
        }),
        ..last
    };
    let over = spend(&mut spent, wanted("web2", 2, 31 * DAY + HOUR), &last).unwrap_err();
    assert_eq!(over.opens_ms, Some(31 * DAY + 4 * HOUR));
    let february = Limit {
        within: Within::Month {
            from_ms: 31 * DAY,
            to_ms: 59 * DAY,
        },
        ..limit(1)
    };
    let next = Budgets {
        limits: vec![february],
        ..night(1, 32)
    };
    assert_eq!(
        spend(&mut spent, wanted("web2", 2, 32 * DAY), &next),
        Ok(Some(vec![]))
    );
    // None in a month is never, without somebody who lets it.
    let none = spend(&mut Spent::default(), wanted("web1", 1, 0), &night(0, 0));
    assert_eq!(none.unwrap_err().opens_ms, None);
}

#[test]
fn an_opening_that_was_only_prepared_for_is_given_back_by_the_last_who_did() {
    let (mut spent, first) = (Spent::default(), night(1, 2));
    let prepares = |asset, number| Wanted {
        disturbs: false,
        ..wanted(asset, number, 2 * DAY)
    };
    for (asset, number) in [("web1", 1), ("web2", 2)] {
        assert_eq!(
            spend(&mut spent, prepares(asset, number), &first),
            Ok(Some(vec![]))
        );
    }
    let elsewhere = |spent: &Spent| {
        let mut spent = spent.clone();
        spend(&mut spent, wanted("web3", 3, 2 * DAY + 1), &always(1, 2)).is_ok()
    };
    let one_left = spent.without(LaneId(id(1))).unwrap();
    assert!(!elsewhere(&one_left));
    let none_left = one_left.without(LaneId(id(2))).unwrap();
    assert!(elsewhere(&none_left));
    // It begins: now nobody gives it back.
    assert_eq!(
        spend(&mut spent, wanted("web1", 1, 2 * DAY + 1), &first),
        Ok(Some(vec![]))
    );
    let begun = spent.without(LaneId(id(2))).unwrap();
    assert!(begun.without(LaneId(id(1))).is_none() && !elsewhere(&begun));
}

#[test]
fn a_window_that_is_open_all_the_time_counts_each_day_on_which_work_starts() {
    let mut spent = Spent::default();
    let (monday, tuesday) = (always(1, 0), always(1, 1));
    let late = 23 * HOUR + HOUR / 2;
    assert_eq!(
        spend(&mut spent, wanted("web1", 1, late), &monday),
        Ok(Some(vec![]))
    );
    assert_eq!(
        spend(&mut spent, wanted("web2", 2, late), &monday),
        Ok(Some(vec![]))
    );
    // What has begun goes on into the next day; what starts on it is another one.
    assert_eq!(
        spend(&mut spent, wanted("web1", 1, DAY + 1), &tuesday),
        Ok(None)
    );
    assert!(spend(&mut spent, wanted("web3", 3, DAY + 1), &tuesday).is_err());
    let goes_on = Wanted {
        goes_on: true,
        ..wanted("web3", 3, DAY + 1)
    };
    let named = Ok(Some(vec![REBOOTS.to_owned()]));
    assert_eq!(spend(&mut spent, goes_on, &tuesday), named);
    // A month of many servers stays small.
    let mut spent = Spent::default();
    for number in 0..3_000_u32 {
        let (day, asset) = (i64::from(number / 100), format!("web{number}"));
        let at = day * DAY + i64::from(number % 100);
        let done = spend(&mut spent, wanted(&asset, number, at), &always(31, day));
        assert_eq!(done, Ok(Some(vec![])));
    }
    assert!(spent.disruptions.len() < 250, "{}", spent.disruptions.len());
    assert_eq!(spent.sum(&limit(31), "web1", 29 * DAY).windows, 30);
}

#[test]
fn an_emergency_is_counted_and_whoever_may_overdraw_is_not_held() {
    let mut spent = Spent::default();
    let passing = |day| Budgets {
        limits: vec![Limit {
            holds: false,
            ..limit(1)
        }],
        ..night(1, day)
    };
    let named = Ok(Some(vec![REBOOTS.to_owned()]));
    assert_eq!(
        spend(&mut spent, wanted("web1", 1, 0), &passing(0)),
        Ok(Some(vec![]))
    );
    assert_eq!(
        spend(&mut spent, wanted("web1", 2, DAY), &passing(1)),
        named
    );
    assert!(spend(&mut spent, wanted("web1", 3, 2 * DAY), &night(1, 2)).is_err());
    spent.allowed.push(hostler_core::budget::Allowed {
        run: RunId(id(3)),
        by: "olga".to_owned(),
        reason: "agreed on the phone".to_owned(),
        at_ms: 2 * DAY,
    });
    assert_eq!(
        spend(&mut spent, wanted("web1", 3, 2 * DAY), &night(1, 2)),
        named
    );
}

#[test]
fn openings_and_disruptions_are_counted_beside_each_other() {
    let mut both = night(1, 2);
    both.limits.push(Limit {
        name: "usual".to_owned(),
        disruptions: Some(2),
        windows: None,
        ..limit(1)
    });
    let mut spent = Spent::default();
    for (asset, number) in [("web1", 1), ("web2", 2)] {
        assert_eq!(
            spend(&mut spent, wanted(asset, number, 2 * DAY), &both),
            Ok(Some(vec![]))
        );
    }
    let over = spend(&mut spent, wanted("web3", 3, 2 * DAY), &both).unwrap_err();
    assert_eq!(over.budget, "usual");
    // What was on record before openings were counted is in none.
    let old = r#"{"asset":"a","run":"00000000-0000-0000-0000-000000000001","lane":"00000000-0000-0000-0000-000000000001","at_ms":1,"until_ms":2,"downtime_ms":1,"begun":true}"#;
    let old: Disruption = serde_json::from_str(old).unwrap();
    let spent = Spent {
        disruptions: vec![old],
        allowed: Vec::new(),
    };
    assert_eq!(spent.sum(&limit(1), "a", 3).windows, 0);
    assert_eq!(spent.sum(&both.limits[1], "a", 3).disruptions, 1);
}

#[test]
fn an_opening_of_more_than_a_day_is_no_disruption_as_a_whole() {
    let day = |ms: i64| ms.div_euclid(DAY) * DAY;
    let most = OPENING_MAX_MS.cast_signed();
    let of = |open, starts_ms| {
        let opening = Opening::of(open, starts_ms, day);
        (opening.day_ms, opening.closes_ms)
    };
    let (from, starts) = (20 * HOUR, 30 * HOUR);
    let whole = of(Some(("night", from, from + most)), starts);
    assert_eq!(whole, (0, Some(from + most)));
    assert_eq!(
        of(Some(("night", from, from + most + 1)), starts),
        (DAY, None)
    );
    assert_eq!(of(None, starts), (DAY, None));
}
