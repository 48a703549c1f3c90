//! What a customer's contract grants (`reboots: 1 per month`): all of its servers in one opening of a window count once,
//! the next opening waits for the next month, and an emergency goes on.
//!
//! Not here: what counts, and how long (core, estate), and budgets of the policies.

use super::ledger::{assert_none_patched, began_ms, entries};
use super::{good_of, stage};
use hostler_core::budget::{Disruption, Opening, REBOOTS, Spent, budget_document};
use hostler_core::id::{LaneId, RunId};
use hostler_ports::store::DocumentWrite;
use hostler_rehearsal::between::{Between, written_before_each_commit};
use hostler_rehearsal::doors::{Door, through};
use hostler_rehearsal::spending::{Spending, held_by_budget};
use hostler_rehearsal::{Outcome, Stage, play};
use serde_json::{Value, json};

/// No notice is promised, so that nothing but the contract holds.
const CLASSES: &str = "classes:\n  standard-patch: { lead: none }\n";
/// The windows of the practice estate are open all the time, and its contracts grant each day of them.
const OPEN: &str = r#"{ when: daily, at: "00:00", lasts: 25h }"#;
const AGREED: &str = "reboots: 100 per month";
const ONE: &str = "reboots: 1 per month";
const PATCH: &str = "guest-patch.apply";
const CUSTOMERS: [&str; 2] = ["physics", "registrar"];
/// Midnight in Chicago of the first day of December 2025, and of the next three months.
const FIRSTS_MS: [i64; 4] = [
    1_764_568_800_000,
    1_767_247_200_000,
    FEBRUARY_MS,
    1_772_344_800_000,
];
const FEBRUARY_MS: i64 = 1_769_925_600_000;
const HOUR_MS: i64 = 3_600_000;

/// Windows of this length on such nights, one of which a month may be used.
fn agreed(when: &str, lasts: &str) -> Stage {
    let nights = format!(r#"{{ when: {when}, at: "02:00", lasts: {lasts} }}"#);
    let files = [("classes.yaml", CLASSES), ("fit.yaml", stage::QUICK)];
    stage::patient(&files, |text| {
        text.replace(OPEN, &nights).replace(AGREED, ONE)
    })
}

/// What the contract says of the steps that it has held.
fn held(outcome: &Outcome) -> Vec<Value> {
    let held = entries(outcome, "step_held").into_iter();
    let closed = held.map(|entry| entry["closed"].clone());
    closed.filter(|closed| closed["gate"] == "budget").collect()
}

async fn played(by: &[&str]) -> Spending {
    // In a night there is room for both servers of the first run and one of the second.
    let (stage, scenario) = (agreed("daily", "270m"), good_of("monthly-patch"));
    let spending = held_by_budget(&stage, &scenario, &scenario, by).await;
    spending.unwrap_or_else(|trouble| panic!("{trouble}"))
}

#[tokio::test]
async fn a_second_window_of_a_month_waits_for_the_next_one_where_the_contract_grants_one() {
    let spending = played(&[]).await;
    let (first, second) = (&spending.first, &spending.second);
    assert_eq!(first.ended.state, "succeeded", "{:?}", first.ended);
    for (row, customer) in spending.spent.iter().zip(CUSTOMERS) {
        let [one] = &row.spent.disruptions[..] else {
            panic!("{row:?}");
        };
        let opening = one.opening.as_ref().unwrap();
        assert_eq!(row.customer, customer);
        assert!(one.begun && opening.closes_ms.is_some(), "{one:?}");
    }
    let planned = spending.planned.iter();
    let planned: Vec<_> = planned
        .map(|view| {
            (
                view.customer.as_str(),
                view.spent.windows,
                view.needs.windows,
                view.fits,
            )
        })
        .collect();
    assert_eq!(planned, CUSTOMERS.map(|customer| (customer, 1, 1, false)));
    let closed = &held(second)[0];
    println!("{closed}");
    let run = spending.spent[0].spent.disruptions[0].run.to_string();
    for (field, what) in [
        ("rule", "contract:reboots:registrar"),
        ("why", "1 window with disruptions a month are granted"),
        ("why", &run),
        ("remedy", "`reboots` of "),
        ("remedy", "hostler budget allow"),
    ] {
        let says = closed[field].as_str().unwrap();
        assert!(says.contains(what), "{field}: {closed}");
    }
    assert_eq!(closed["until_ms"], FEBRUARY_MS);
    let before = began_ms(first, PATCH);
    let after = began_ms(second, PATCH).split_off(before.len());
    println!("first at {before:?}, second at {after:?}");
    assert_eq!((before.len(), after.len()), (2, 2));
    // Physics is still in the night that counts already, the registrar would need another one.
    assert!(after[0] - before[0] < 4 * HOUR_MS);
    assert!(before[1] < FEBRUARY_MS && after[1] >= FEBRUARY_MS);
    assert_eq!(second.ended.state, "succeeded", "{:?}", second.ended);
}

#[tokio::test]
async fn another_operator_lets_a_run_use_a_window_more_than_the_contract_grants() {
    let spending = played(&["olga", "pat"]).await;
    let [starter, _, done, also] = &spending.tried[..] else {
        panic!("{:?}", spending.tried);
    };
    assert!(starter.as_ref().unwrap().contains("somebody else"));
    assert_eq!((done, also), (&None, &None));
    let before = began_ms(&spending.first, PATCH);
    let after = began_ms(&spending.second, PATCH).split_off(before.len());
    assert_eq!(after.len(), 2);
    assert!(after.iter().all(|at_ms| *at_ms < FEBRUARY_MS), "{after:?}");
    let overdrew = spending.left.iter().flat_map(|row| &row.spent.disruptions);
    let overdrew = overdrew.filter(|one| one.overdrew == [REBOOTS]).count();
    assert_eq!(
        overdrew, 1,
        "the other server is in the night that counts already"
    );
}

#[tokio::test]
async fn servers_that_share_an_opening_use_one_window_of_the_contract() {
    let (stage, mut scenario) = (agreed("sunday", "12h"), good_of("monthly-patch"));
    scenario.inputs["targets"] = Value::from("id=phys-node1,phys-node2,phys-files1");
    let outcome = play(&stage, &scenario).await;
    let outcome = outcome.unwrap_or_else(|trouble| panic!("{trouble}"));
    let began = began_ms(&outcome, PATCH);
    println!("{began:?}");
    assert_eq!(held(&outcome), Vec::<Value>::new());
    assert_eq!(began.len(), 3, "{:?}", outcome.ended);
    assert!(began.iter().all(|at_ms| at_ms - began[0] < 12 * HOUR_MS));
}

#[tokio::test]
async fn an_emergency_uses_a_window_that_the_contract_does_not_grant_and_says_so() {
    let (stage, first) = (agreed("sunday", "2h"), good_of("monthly-patch"));
    let mut emergency = good_of("emergency-patch");
    emergency.inputs["targets"] = Value::from("id=phys-test1,reg-test1");
    let outcome = through(&stage, Some(&first), &emergency, Door::Cli, "").await;
    let outcome = outcome.unwrap_or_else(|trouble| panic!("{trouble}"));
    assert_eq!(held(&outcome), Vec::<Value>::new());
    let began = entries(&outcome, "step_started").into_iter();
    let overdraws: Vec<Value> = began
        .map(|entry| entry["call"]["overdraws"].clone())
        .collect();
    assert!(overdraws.contains(&json!([REBOOTS])), "{:?}", outcome.ended);
}

/// The one window of each month of both customers, used by somebody else.
fn used_by_another() -> Between {
    let one = |day_ms: i64| Disruption {
        asset: "another".to_owned(),
        run: RunId(Default::default()),
        lane: LaneId(Default::default()),
        at_ms: day_ms,
        until_ms: day_ms,
        downtime_ms: 1,
        opening: Some(Opening {
            window: "another".to_owned(),
            day_ms,
            closes_ms: Some(day_ms + HOUR_MS),
        }),
        begun: true,
        overdrew: Vec::new(),
    };
    let spent = Spent {
        disruptions: FIRSTS_MS.map(one).into(),
        allowed: Vec::new(),
    };
    let put = |customer: &str| DocumentWrite {
        key: budget_document(customer),
        body: Some(json!(spent).to_string()),
    };
    Between {
        gate: "budget",
        assets: ["phys-test1".to_owned(), "reg-test1".to_owned()].into(),
        put: CUSTOMERS.map(put).into(),
    }
}

#[tokio::test]
async fn the_last_window_of_a_contract_that_is_used_between_look_and_commit_lets_no_call_begin() {
    let stage = stage::ruled(&[("classes.yaml", CLASSES)], |text| {
        text.replace(AGREED, ONE)
    });
    let scenario = good_of("monthly-patch");
    let raced = written_before_each_commit(&stage, &scenario, &used_by_another()).await;
    let raced = raced.unwrap_or_else(|trouble| panic!("{trouble}"));
    assert_none_patched(&raced);
}
