//! Budgets of disruption: what counts once, what overdraws, when there is room again.

use hostler_core::budget::{
    Allowed, Budgets, DISRUPTIONS_MAX, Disruption, Limit, Over, Spent, Wanted, Within,
};
use hostler_core::id::{LaneId, RunId};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn id(number: u32) -> uuid::Uuid {
    uuid::Uuid::from_u128(number.into())
}

/// A disturbing call of an hour by the lane and run of this number.
fn wanted(asset: &'static str, number: u32, now_ms: i64) -> Wanted<'static> {
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

fn limit(disruptions: Option<u32>, hours: Option<i64>) -> Limit {
    Limit {
        name: "usual".to_owned(),
        per_asset: false,
        disruptions,
        downtime_ms: hours.map(|hours| (hours * HOUR).unsigned_abs()),
        windows: None,
        within: Within::Rolling {
            ms: (30 * DAY).unsigned_abs(),
        },
        holds: true,
    }
}

fn of(limit: Limit) -> Budgets {
    Budgets {
        customer: "chem".to_owned(),
        limits: vec![limit],
        closes_ms: None,
        opening: None,
    }
}

fn spend(spent: &mut Spent, wanted: Wanted<'_>, budgets: &Budgets) -> Result<Vec<String>, Over> {
    let Some((next, overdrew)) = spent.with(&wanted, budgets)? else {
        return Ok(vec!["nothing new".to_owned()]);
    };
    *spent = next;
    Ok(overdrew)
}

/// Is spent, and overdraws nothing.
#[track_caller]
fn fits(spent: &mut Spent, wanted: Wanted<'_>, budgets: &Budgets) {
    assert_eq!(spend(spent, wanted, budgets), Ok(vec![]));
}

#[test]
fn a_budget_holds_what_is_beyond_it_and_says_by_whom_it_was_spent_and_when_it_opens() {
    let (mut spent, budgets) = (Spent::default(), of(limit(Some(2), None)));
    fits(&mut spent, wanted("web1", 1, 0), &budgets);
    fits(&mut spent, wanted("web2", 2, DAY), &budgets);
    let over = spend(&mut spent, wanted("web3", 3, 2 * DAY), &budgets).unwrap_err();
    assert_eq!(
        (over.budget.as_str(), over.opens_ms),
        ("usual", Some(30 * DAY))
    );
    for said in [
        "2 disruptions in 30d",
        "web1",
        "web2",
        &RunId(id(1)).to_string(),
        "up to 1h",
    ] {
        assert!(over.why.contains(said), "{said}: {}", over.why);
    }
    assert!(spend(&mut spent, wanted("web3", 3, 30 * DAY - 1), &budgets).is_err());
    fits(&mut spent, wanted("web3", 3, 30 * DAY), &budgets);
}

#[test]
fn work_on_one_server_in_one_opening_of_its_window_counts_once() {
    let (mut spent, mut budgets) = (Spent::default(), of(limit(Some(1), None)));
    budgets.closes_ms = Some(5 * HOUR);
    fits(&mut spent, wanted("web1", 1, 0), &budgets);
    fits(&mut spent, wanted("web1", 2, 4 * HOUR), &budgets);
    assert!(spend(&mut spent, wanted("web2", 3, 4 * HOUR), &budgets).is_err());
    // The second one reaches beyond the end of the window, and still belongs to it; the next day does not.
    budgets.closes_ms = None;
    assert!(spend(&mut spent, wanted("web1", 4, DAY), &budgets).is_err());
    // A window that is always open is not one long disruption.
    budgets.closes_ms = Some(90 * DAY);
    let mut spent = Spent::default();
    fits(&mut spent, wanted("web1", 1, 0), &budgets);
    assert!(spend(&mut spent, wanted("web1", 2, DAY), &budgets).is_err());
}

#[test]
fn downtime_is_added_up_and_what_never_fits_never_opens() {
    let (mut spent, budgets) = (Spent::default(), of(limit(None, Some(2))));
    fits(&mut spent, wanted("web1", 1, 0), &budgets);
    fits(&mut spent, wanted("web2", 2, DAY), &budgets);
    let over = spend(&mut spent, wanted("web3", 3, 2 * DAY), &budgets).unwrap_err();
    assert_eq!(over.opens_ms, Some(30 * DAY));
    let long = Wanted {
        downtime_ms: (3 * HOUR).unsigned_abs(),
        ..wanted("web3", 3, 2 * DAY)
    };
    assert_eq!(
        spend(&mut spent, long, &budgets).unwrap_err().opens_ms,
        None
    );
}

#[test]
fn an_emergency_overdraws_and_counts_and_so_does_a_run_that_was_allowed_to() {
    let (mut spent, budgets) = (Spent::default(), of(limit(Some(1), None)));
    let passing = of(Limit {
        holds: false,
        ..limit(Some(1), None)
    });
    let named = Ok(vec!["usual".to_owned()]);
    assert_eq!(
        spend(&mut spent, wanted("web1", 1, 0), &passing),
        Ok(vec![])
    );
    assert_eq!(spend(&mut spent, wanted("web2", 2, 1), &passing), named);
    assert_eq!(spent.disruptions[1].overdrew, ["usual"]);
    // Two are spent of one: both must be forgotten before there is room.
    let over = spend(&mut spent, wanted("web3", 3, 2), &budgets).unwrap_err();
    assert_eq!(over.opens_ms, Some(30 * DAY + 1));
    spent.allowed.push(Allowed {
        run: RunId(id(3)),
        by: "olga".to_owned(),
        reason: "agreed on the phone".to_owned(),
        at_ms: 2,
    });
    assert_eq!(spend(&mut spent, wanted("web3", 3, 2), &budgets), named);
    assert!(spend(&mut spent, wanted("web4", 4, 2), &budgets).is_err());
}

#[test]
fn what_was_kept_and_never_used_is_given_back_and_who_has_begun_is_never_held() {
    let (mut spent, budgets) = (Spent::default(), of(limit(Some(1), None)));
    let prepares = Wanted {
        disturbs: false,
        ..wanted("web1", 1, 0)
    };
    let nothing = Ok(vec!["nothing new".to_owned()]);
    fits(&mut spent, prepares, &budgets);
    assert_eq!(spend(&mut spent, prepares, &budgets), nothing);
    assert!(spend(&mut spent, wanted("web2", 2, MINUTE), &budgets).is_err());
    let back = spent.without(prepares.lane).unwrap();
    assert_eq!(back.disruptions, []);
    // It begins: from now on it is spent, and no second attempt is held, though it counts when it comes later.
    fits(&mut spent, wanted("web1", 1, MINUTE), &budgets);
    assert_eq!(spent.without(prepares.lane), None);
    assert_eq!(
        spend(&mut spent, wanted("web1", 1, 2 * MINUTE), &budgets),
        nothing
    );
    let named = Ok(vec!["usual".to_owned()]);
    assert_eq!(spend(&mut spent, wanted("web1", 1, DAY), &budgets), named);
    assert_eq!(spent.disruptions.len(), 2);
}

#[test]
fn each_server_may_have_its_own_budget_and_other_months_do_not_count() {
    let mut own = limit(Some(1), None);
    own.per_asset = true;
    own.within = Within::Month {
        from_ms: 0,
        to_ms: 31 * DAY,
    };
    let (mut spent, budgets) = (Spent::default(), of(own));
    fits(&mut spent, wanted("web1", 1, -DAY), &budgets);
    fits(&mut spent, wanted("web1", 2, DAY), &budgets);
    fits(&mut spent, wanted("web2", 3, DAY), &budgets);
    let over = spend(&mut spent, wanted("web1", 4, 3 * DAY), &budgets).unwrap_err();
    assert_eq!(over.opens_ms, Some(31 * DAY));
    assert!(!over.why.contains("web2"), "{}", over.why);
}

#[test]
fn a_full_record_holds_rather_than_forgets_and_old_entries_go() {
    let one = |number: u32| Disruption {
        asset: format!("web{number}"),
        run: RunId(id(1)),
        lane: LaneId(id(number)),
        at_ms: i64::from(number),
        until_ms: i64::from(number) + HOUR,
        downtime_ms: 1,
        opening: None,
        begun: true,
        overdrew: Vec::new(),
    };
    let most = u32::try_from(DISRUPTIONS_MAX).unwrap();
    let mut spent = Spent {
        disruptions: (0..most).map(one).collect(),
        allowed: Vec::new(),
    };
    let mut own = limit(Some(1), None);
    own.per_asset = true;
    let budgets = of(own);
    let over = spend(&mut spent, wanted("other", 9_999, DAY), &budgets).unwrap_err();
    assert!(over.why.contains("all that is kept"), "{}", over.why);
    let opens_ms = over.opens_ms.unwrap();
    fits(&mut spent, wanted("other", 9_999, opens_ms), &budgets);
    assert_eq!(spent.disruptions.len(), DISRUPTIONS_MAX);
    assert_eq!(spent.disruptions[0].asset, "web1");
}
