//! Monthly patching in which customers put the turn of their servers off.
//!
//! Not here: each bound by itself, links and races (core, rehearsal).

use super::{good_of, stage};
use hostler_rehearsal::deferring::{Deferring, Wish, put_off};
use hostler_rehearsal::{Outcome, Scenario, Stage};

/// A week between notice and work, so that there is time to put it off.
const CLASSES: &str = "classes:\n  standard-patch: { lead: 7d }\n  emergency: { lead: none }\n";
const DEFERRALS: &str = "deferrals:\n  standard-patch: { times: 1, until: 48h, longest: 14d }\n";
const DAY_MS: i64 = 86_400_000;

/// No customer has a number of its own, or all have this one.
fn agreed(own: Option<&str>) -> Stage {
    let files = [("classes.yaml", CLASSES), ("deferrals.yaml", DEFERRALS)];
    let own = own.map_or_else(String::new, |own| format!(" deferrals: {own},"));
    stage::ruled(&files, |text| {
        text.replace(" deferrals: 2 per quarter,", &own)
    })
}

fn wish<'a>(by: &'a str, asset: &'a str) -> Wish<'a> {
    Wish {
        by,
        asset,
        until_days: 14,
        after_hours: 0,
    }
}

async fn played(scenario: &Scenario, wishes: &[Wish<'_>]) -> Deferring {
    played_under(None, scenario, wishes).await
}

async fn played_under(own: Option<&str>, scenario: &Scenario, wishes: &[Wish<'_>]) -> Deferring {
    let deferring = put_off(&agreed(own), scenario, wishes).await;
    deferring.unwrap_or_else(|trouble| panic!("{trouble}"))
}

/// When each patch of a server began.
fn patched_ms(outcome: &Outcome, asset: &str) -> Vec<i64> {
    let calls = outcome.seen.iter().filter(|seen| {
        seen.action == "guest-patch.apply"
            && seen.entry == "perform"
            && seen.asset.as_deref() == Some(asset)
    });
    calls.map(|seen| seen.at_ms).collect()
}

fn asked(outcome: &Outcome) -> usize {
    let asked = outcome.ledger.iter();
    asked.filter(|line| line.contains("person_asked")).count()
}

fn why(refused: &Option<String>) -> &str {
    refused.as_deref().unwrap_or("it was granted")
}

#[tokio::test]
async fn what_is_put_off_is_patched_a_week_later_under_the_same_signature() {
    let good = good_of("monthly-patch");
    let plain = played(&good, &[]).await;
    let done = played(&good, &[wish("petra", "phys-test1")]).await;
    assert_eq!(done.refused, [None]);
    let outcome = &done.outcome;
    assert_eq!(outcome.ended.state, "succeeded", "{:?}", outcome.ended);
    let of = |asset: &str| match patched_ms(outcome, asset)[..] {
        [one] => (one - done.announced_ms) / DAY_MS,
        ref other => panic!("{asset}: {other:?}"),
    };
    let (phys, reg) = (of("phys-test1"), of("reg-test1"));
    println!("patched on day {phys} and {reg} behind the announcement");
    assert_eq!((phys, reg), (14, 7), "others did not wait");
    assert_eq!(asked(outcome), asked(&plain.outcome), "nobody signs again");
    assert_eq!(
        outcome.notices.get("changed"),
        Some(&2),
        "{:?}",
        outcome.notices
    );
    assert_eq!(plain.outcome.notices.get("changed"), None);
}

#[tokio::test]
async fn over_the_budget_too_late_and_anothers_are_refused_and_patched_as_announced() {
    let good = good_of("monthly-patch");
    let late = Wish {
        after_hours: 6 * 24,
        ..wish("rosa", "reg-test1")
    };
    let more = Wish {
        until_days: 16,
        ..wish("petra", "phys-test1")
    };
    let wishes = [
        wish("rosa", "phys-test1"),
        wish("petra", "phys-test1"),
        more,
        late,
    ];
    let done = played(&good, &wishes).await;
    let [another, granted, over, late] = &done.refused[..] else {
        panic!("{:?}", done.refused)
    };
    println!("{:#?}", done.refused);
    assert!(why(another).contains("not-found"), "{another:?}");
    assert_eq!(granted, &None);
    assert!(why(over).contains("1 of 1 deferrals"), "{over:?}");
    assert!(why(late).contains("it must come 2d before"), "{late:?}");
    let outcome = &done.outcome;
    assert_eq!(outcome.ended.state, "succeeded", "{:?}", outcome.ended);
    let [patched] = patched_ms(outcome, "reg-test1")[..] else {
        panic!("{:?}", patched_ms(outcome, "reg-test1"))
    };
    assert_eq!((patched - done.announced_ms) / DAY_MS, 7);
}

#[tokio::test]
async fn a_contracts_number_binds_its_customer_instead_of_the_classes() {
    let good = good_of("monthly-patch");
    let again = |until_days| Wish {
        until_days,
        ..wish("petra", "phys-test1")
    };
    let wishes = [again(14), again(16), again(18)];
    let done = played_under(Some("2 per quarter"), &good, &wishes).await;
    let [first, second, third] = &done.refused[..] else {
        panic!("{:?}", done.refused)
    };
    println!("{:#?}", done.refused);
    assert_eq!((first, second), (&None, &None), "the class says one");
    assert!(
        why(third).contains("2 of 2 deferrals of your contract"),
        "{third:?}"
    );
    assert_eq!(
        done.outcome.ended.state, "succeeded",
        "{:?}",
        done.outcome.ended
    );
    let never = played_under(Some("0 per quarter"), &good, &[again(14)]).await;
    let refused = why(&never.refused[0]);
    assert!(refused.contains("was not agreed"), "{refused}");
}

#[tokio::test]
async fn a_server_of_an_emergency_is_not_put_off() {
    let done = played(&good_of("emergency-patch"), &[wish("petra", "phys-test1")]).await;
    let [refused] = &done.refused[..] else {
        panic!("{:?}", done.refused)
    };
    println!("{refused:?}");
    assert!(refused.is_some());
    assert!(
        !done
            .outcome
            .ledger
            .iter()
            .any(|line| line.contains("turns_put_off"))
    );
}
