//! What an emergency leaves owed, and contacts that nobody has confirmed, against every door; and how long the engine
//! lets an emergency wait.
//!
//! Not here: the same doors for every other runbook (`gates`).

use super::ledger::{gates_that_held, held_by, lines, told};
use super::{good_of, stage};
use hostler_core::contract::Impact;
use hostler_rehearsal::doors::{Door, held as until_held, through, up_to};
use hostler_rehearsal::{Outcome, Scenario, Stage, play};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// The windows of the practice estate are open all the time; these open on Sundays, but on the first one
/// nothing may be disturbed.
const OPEN: &str = r#"{ when: daily, at: "00:00", lasts: 25h }"#;
const SUNDAYS: &str = r#"{ when: sunday, at: "02:00", lasts: 4h }"#;
const FREEZE: &str = "freezes:
  - { id: new-year, from: 2025-12-31, to: 2026-01-06, applies: \"service=co-managed\" }
windows:
";

/// Longer than the debt of the emergency before it, that longer than the freeze; none ends on a Sunday.
const CLASSES: &str =
    "classes:\n  standard-patch: { lead: 26d }\n  emergency: { unproven: hold }\n";
const LEAD_MS: i64 = 26 * 86_400_000;
const OWED_FOR: &str = "20d";

fn closed() -> Stage {
    stage::ruled(
        &[("classes.yaml", CLASSES), ("fit.yaml", stage::QUICK)],
        |text| text.replace(OPEN, SUNDAYS).replace("windows:\n", FREEZE),
    )
}

/// An emergency over the same servers; its review is written long after it.
fn emergency() -> Scenario {
    let mut scenario = good_of("emergency-patch");
    scenario.inputs["targets"] = Value::from("id=phys-test1,reg-test1");
    for person in &mut scenario.people {
        let owes = person.step == "review";
        person.after = owes.then(|| OWED_FOR.to_owned()).or(person.after.take());
    }
    scenario
}

/// When what was owed was settled; what blocks nothing of this class does not count.
fn settled_ms(outcome: &Outcome) -> i64 {
    let mut settled = lines(outcome).filter(|line| {
        let entry = &line["entry"];
        entry["event"] == "debt_settled" && entry["by"] == "cem"
    });
    let settled = settled.next().and_then(|line| line["entry"]["at"].as_i64());
    settled.unwrap_or_else(|| panic!("{:?} before the debt is settled", outcome.ended))
}

/// What disturbs, and what is done for it just before.
fn disturbing(stage: &Stage) -> BTreeSet<String> {
    let actions = stage
        .contracts
        .iter()
        .flat_map(|contract| &contract.actions);
    let outages = actions.filter(|action| action.impact == Impact::Outage);
    let prepares = ["monitor.silence", "compute.snapshot"].map(str::to_owned);
    outages
        .map(|action| action.name.clone())
        .chain(prepares)
        .collect()
}

/// Disturbing calls, and those of them that began while a gate was closed. What takes back may.
fn calls(stage: &Stage, outcome: &Outcome) -> (usize, Vec<String>) {
    let disturbing = disturbing(stage);
    let calls = outcome.seen.iter().filter(|seen| {
        seen.entry == "perform"
            && disturbing.contains(&seen.action)
            && !seen.action.ends_with(".undo")
    });
    let (told, settled_ms) = (told(outcome), settled_ms(outcome));
    let wrong = calls.clone().filter_map(|seen| {
        let asset = seen.asset.as_deref()?;
        let directory = &stage.directory;
        let closed = directory.closed(asset, "standard-patch", 1, seen.at_ms);
        let customer = directory.asset(asset)?["customer"].as_str()?.to_owned();
        let early = told
            .get(&customer)
            .is_none_or(|told_ms| seen.at_ms < told_ms + LEAD_MS);
        let closed = closed.map(|closed| closed.name());
        let owed = (seen.at_ms < settled_ms).then(|| "a review is owed".to_owned());
        let why = closed
            .or(owed)
            .or_else(|| early.then(|| format!("{customer} was told too late")))?;
        Some(format!(
            "{} on {asset} at {}: {why}",
            seen.action, seen.at_ms
        ))
    });
    (calls.clone().count(), wrong.collect())
}

#[tokio::test]
async fn behind_every_door_what_is_owed_holds_what_disturbs() {
    let stage = closed();
    let scenario = good_of("monthly-patch");
    for door in Door::ALL {
        let outcome = through(
            &stage,
            Some(&emergency()),
            &scenario,
            door,
            "guest-patch.apply",
        )
        .await;
        let outcome = outcome.unwrap_or_else(|trouble| panic!("{door:?}: {trouble}"));
        let (count, wrong) = calls(&stage, &outcome);
        let held = gates_that_held(&outcome);
        let ended = &outcome.ended.state;
        println!("{door:?}: {ended} with {count} disturbing calls, held by {held:?}");
        assert!(wrong.is_empty(), "{door:?}: {wrong:?}");
        assert!(count >= 4, "{door:?}: {count} disturbing calls");
        let due = ["debt", "freeze", "notice", "window"].map(str::to_owned);
        assert_eq!(held, BTreeSet::from(due), "{door:?}");
    }
}

const CONFIRMED: &str = "classes:\n  standard-patch: { lead: none, confirmed: 90d }\n";

/// The practice estate with its contacts confirmed on this date.
fn confirmed_on(date: &str) -> Stage {
    let confirmed =
        |text: String| text.replace("confirmed: 2026-09-01", &format!("confirmed: {date}"));
    stage::promising(CONFIRMED, confirmed)
}

#[tokio::test]
async fn a_customer_whose_contacts_nobody_has_confirmed_lately_is_not_disturbed() {
    let scenario = good_of("monthly-patch");
    let stage = confirmed_on("2025-09-01");
    let outcome = until_held(&stage, &scenario, "contact", 3 * 24).await;
    let outcome = outcome.unwrap_or_else(|trouble| panic!("{trouble}"));
    let disturbing = disturbing(&stage);
    let held = held_by(&outcome);
    assert_eq!(held, [("contact".to_owned(), "physics".to_owned())].into());
    assert_eq!(outcome.ended.state, "running");
    let mut seen = outcome.seen.iter();
    assert!(!seen.any(|seen| disturbing.contains(&seen.action)));
    let outcome = play(&confirmed_on("2025-12-31"), &scenario).await;
    let outcome = outcome.unwrap_or_else(|trouble| panic!("{trouble}"));
    assert_eq!(outcome.ended.state, "succeeded", "{:?}", outcome.complaints);
}

/// The practice estate's clock begins here, in the freeze.
const BEGIN_MS: i64 = 1_767_225_600_000;
/// The notice of an emergency is given so long before anything is disturbed.
const FLOOR_MS: i64 = 3_600_000;
/// Of the engine's own; it takes milliseconds.
const OWN_MAX: Duration = Duration::from_secs(5);

#[tokio::test]
async fn an_emergency_comes_to_its_first_server_through_every_gate_without_waiting_for_the_engine()
{
    let stage = closed();
    let began = Instant::now();
    let outcome = up_to(&stage, &emergency(), "guest-patch.apply").await;
    // Calls are answered at once here, and people decide at once: what is left is the engine's.
    let own = began.elapsed();
    let outcome = outcome.unwrap_or_else(|trouble| panic!("{trouble}"));
    let first = outcome
        .seen
        .iter()
        .find(|seen| seen.action == "guest-patch.apply");
    let after_ms = first.map(|seen| seen.at_ms - BEGIN_MS).unwrap();
    println!(
        "the first server is patched {after_ms} ms after the declaration, {own:?} of it the engine's"
    );
    // Neither the freeze nor the window holds it; its customer has had the notice for an hour.
    let held = held_by(&outcome);
    assert_eq!(held, [("notice".to_owned(), "physics".to_owned())].into());
    assert!((FLOOR_MS..2 * FLOOR_MS).contains(&after_ms), "{after_ms}");
    let votes = outcome
        .ledger
        .iter()
        .filter(|line| line.contains("vote_cast"));
    assert_eq!(votes.count(), 2);
    assert!(own < OWN_MAX, "{own:?}");
}
