//! What was spent of a customer's budget holds the next run on its servers until there is room or
//! somebody else lets it overdraw; an emergency goes on, and says that it overdrew.
//!
//! Not here: what counts, and how long (core, estate).

use super::ledger::{assert_none_patched, began_ms, entries};
use super::{good_of, stage};
use hostler_api::services::planning::BudgetView;
use hostler_core::budget::{Disruption, Spent, budget_document};
use hostler_core::id::{LaneId, RunId};
use hostler_ports::store::DocumentWrite;
use hostler_rehearsal::between::{Between, written_before_each_commit};
use hostler_rehearsal::doors::{Door, through};
use hostler_rehearsal::spending::{Spending, held_by_budget};
use hostler_rehearsal::{Outcome, Stage};
use serde_json::{Value, json};

/// No notice is promised, so that nothing but the budget holds the second run.
const CLASSES: &str = "classes:\n  standard-patch: { lead: none }\n";
const USUAL: &str = "budgets:\n  usual: { disruptions: 1, within: 60d }\n";
/// The windows of the practice estate are open all the time; in these there is time for one server: what two runs do
/// to it never lies in one opening.
const OPEN: &str = r#"{ when: daily, at: "00:00", lasts: 25h }"#;
const SUNDAYS: &str = r#"{ when: sunday, at: "02:00", lasts: 2h }"#;
const PATCH: &str = "guest-patch.apply";
const WITHIN_MS: i64 = 60 * 86_400_000;
const CUSTOMERS: [&str; 2] = ["physics", "registrar"];

fn under(budgets: &str) -> Stage {
    stage::ruled(
        &[("classes.yaml", CLASSES), ("budgets.yaml", budgets)],
        |text| text,
    )
}

fn weekly(budgets: &str) -> Stage {
    let files = [
        ("classes.yaml", CLASSES),
        ("budgets.yaml", budgets),
        ("fit.yaml", stage::QUICK),
    ];
    stage::patient(&files, |text| text.replace(OPEN, SUNDAYS))
}

async fn played(by: &[&str]) -> Spending {
    let (stage, scenario) = (weekly(USUAL), good_of("monthly-patch"));
    let spending = held_by_budget(&stage, &scenario, &scenario, by).await;
    spending.unwrap_or_else(|trouble| panic!("{trouble}"))
}

/// Whether a budget has held a step.
fn is_held(outcome: &Outcome) -> bool {
    let held = entries(outcome, "step_held");
    held.iter().any(|entry| entry["closed"]["gate"] == "budget")
}

/// Calls that began over a budget, with its name.
fn overdrawn(outcome: &Outcome) -> Vec<Value> {
    let began = entries(outcome, "step_started").into_iter();
    let named = began.map(|entry| entry["call"]["overdraws"].clone());
    named.filter(|names| !names.is_null()).collect()
}

#[tokio::test]
async fn a_run_is_held_by_what_another_has_spent_and_goes_on_when_that_is_forgotten() {
    let spending = played(&[]).await;
    assert_eq!(
        spending.first.ended.state, "succeeded",
        "{:?}",
        spending.first.ended
    );
    let customers: Vec<_> = spending
        .spent
        .iter()
        .map(|row| row.customer.as_str())
        .collect();
    assert_eq!(customers, CUSTOMERS);
    for row in &spending.spent {
        let [one] = &row.spent.disruptions[..] else {
            panic!("{row:?}");
        };
        assert!(
            one.begun && one.overdrew.is_empty() && one.downtime_ms > 0,
            "{one:?}"
        );
    }
    // The contracts of the customers have room for it.
    let own = |view: &&BudgetView| view.budget == "usual";
    let planned: Vec<_> = spending.planned.iter().filter(own).collect();
    assert!(planned.iter().all(|view| !view.fits && view.holds));
    let planned: Vec<_> = planned
        .iter()
        .map(|view| {
            (
                view.customer.as_str(),
                view.spent.disruptions,
                view.needs.disruptions,
            )
        })
        .collect();
    assert_eq!(planned, CUSTOMERS.map(|customer| (customer, 1, 1)));
    let held = entries(&spending.second, "step_held");
    let mut held = held.iter().map(|entry| &entry["closed"]);
    let closed = held.find(|closed| closed["gate"] == "budget").unwrap();
    println!("{closed}");
    let run = spending.spent[0].spent.disruptions[0].run.to_string();
    let says = |field: &str, what: &str| closed[field].as_str().unwrap().contains(what);
    assert!(
        says("why", "1 disruption in 60d") && says("why", &run),
        "{closed}"
    );
    assert!(
        says("rule", "usual:") && says("remedy", "hostler budget allow"),
        "{closed}"
    );
    assert_eq!(spending.calls.held, spending.calls.later);
    let first = began_ms(&spending.first, PATCH);
    let second = began_ms(&spending.second, PATCH).split_off(first.len());
    println!("first at {first:?}, second at {second:?}");
    assert_eq!((first.len(), second.len()), (2, 2));
    // What is kept counts from the first step that prepares the outage, a little before it.
    assert!(
        second
            .iter()
            .all(|at_ms| at_ms - first[0] > WITHIN_MS - 3_600_000)
    );
    assert_eq!(
        spending.second.ended.state, "succeeded",
        "{:?}",
        spending.second.ended
    );
    assert_eq!(overdrawn(&spending.second), Vec::<Value>::new());
}

#[tokio::test]
async fn an_operator_who_did_not_start_the_run_lets_it_overdraw_and_the_ledger_says_why() {
    let spending = played(&["olga", "vera", "pat"]).await;
    println!("{:?}", spending.tried);
    let [starter, other, viewer, stranger, done, also] = &spending.tried[..] else {
        panic!("{:?}", spending.tried);
    };
    for refused in [starter, other, viewer, stranger] {
        assert!(refused.is_some());
    }
    assert!(
        starter.as_ref().unwrap().contains("somebody else"),
        "{starter:?}"
    );
    assert_eq!((done, also), (&None, &None));
    let first = began_ms(&spending.first, PATCH);
    let second = began_ms(&spending.second, PATCH).split_off(first.len());
    assert_eq!(second.len(), 2);
    assert!(
        second.iter().all(|at_ms| at_ms - first[1] < WITHIN_MS / 2),
        "{second:?}"
    );
    assert!(
        overdrawn(&spending.second)
            .iter()
            .any(|names| *names == json!(["usual"]))
    );
    let allowed = |line: &&String| line.contains("budget_overdraft_allowed");
    let allowed: Vec<_> = spending.second.ledger.iter().filter(allowed).collect();
    assert_eq!(allowed.len(), 2);
    assert!(
        allowed
            .iter()
            .all(|line| line.contains("agreed on the phone") && line.contains("pat"))
    );
    let overdrew = spending.left.iter().flat_map(|row| &row.spent.disruptions);
    assert_eq!(overdrew.filter(|one| one.overdrew == ["usual"]).count(), 2);
}

#[tokio::test]
async fn an_emergency_goes_on_counts_and_says_that_it_overdrew() {
    let (stage, first) = (weekly(USUAL), good_of("monthly-patch"));
    let mut emergency = good_of("emergency-patch");
    emergency.inputs["targets"] = Value::from("id=phys-test1,reg-test1");
    let outcome = through(&stage, Some(&first), &emergency, Door::Cli, "").await;
    let outcome = outcome.unwrap_or_else(|trouble| panic!("{trouble}"));
    assert!(!is_held(&outcome), "{:?}", outcome.ended);
    let named = overdrawn(&outcome);
    println!("{named:?}");
    assert!(
        named.iter().any(|names| *names == json!(["usual"])),
        "{:?}",
        outcome.ended
    );
}

/// The whole of both customers' budgets, spent by somebody else for good.
fn spent_by_another() -> Between {
    let one = |asset: &str| Disruption {
        asset: asset.to_owned(),
        run: RunId(Default::default()),
        lane: LaneId(Default::default()),
        at_ms: 4_102_444_800_000,
        until_ms: 4_102_444_800_000,
        downtime_ms: 1,
        opening: None,
        begun: true,
        overdrew: Vec::new(),
    };
    let put = |customer: &str| DocumentWrite {
        key: budget_document(customer),
        body: Some(
            json!(Spent {
                disruptions: vec![one("another")],
                allowed: Vec::new(),
            })
            .to_string(),
        ),
    };
    Between {
        gate: "budget",
        assets: ["phys-test1".to_owned(), "reg-test1".to_owned()].into(),
        put: CUSTOMERS.map(put).into(),
    }
}

#[tokio::test]
async fn the_last_of_a_budget_that_is_taken_between_look_and_commit_lets_no_disturbing_call_begin()
{
    let (stage, scenario) = (under(USUAL), good_of("monthly-patch"));
    let raced = written_before_each_commit(&stage, &scenario, &spent_by_another()).await;
    let raced = raced.unwrap_or_else(|trouble| panic!("{trouble}"));
    assert_none_patched(&raced);
}
