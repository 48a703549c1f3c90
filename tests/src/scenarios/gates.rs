//! Closed gates against every door: whoever starts a run or takes it up again, no disturbing call begins
//! outside its server's window, under a freeze, or before its customer has had the notice that was promised.
//!
//! Not here: what a window or a freeze says at an instant (the estate's own tests).

use super::{good_of, stage};
use hostler_core::contract::Impact;
use hostler_rehearsal::doors::{Door, through};
use hostler_rehearsal::{Outcome, Stage};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The windows of the practice estate are open all the time; these open on Sundays, but on the first one
/// nothing may be disturbed.
const OPEN: &str = r#"{ when: daily, at: "00:00", lasts: 25h }"#;
const SUNDAYS: &str = r#"{ when: sunday, at: "02:00", lasts: 2h }"#;
const FREEZE: &str = "freezes:
  - { id: new-year, from: 2025-12-31, to: 2026-01-06, applies: \"service=co-managed\" }
windows:
";

/// Longer than the freeze, and its end is no Sunday.
const CLASSES: &str = "classes:\n  standard-patch: { lead: 20d }\n";
const LEAD_MS: i64 = 20 * 86_400_000;

fn closed() -> Stage {
    stage::promising(CLASSES, |text| {
        text.replace(OPEN, SUNDAYS).replace("windows:\n", FREEZE)
    })
}

/// When somebody of each customer first had the notice of a run.
fn told(outcome: &Outcome) -> BTreeMap<String, i64> {
    let lines = outcome.ledger.iter();
    let lines = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let accepted = lines.filter_map(|line| {
        let is_notice =
            line["mail"]["stage"] == "scheduled" && line["entry"]["mail"] == "mail_accepted";
        let customer = line["mail"]["customer"].as_str().filter(|_| is_notice)?;
        Some((customer.to_owned(), line["entry"]["at_ms"].as_i64()?))
    });
    let mut told = BTreeMap::new();
    for (customer, at_ms) in accepted {
        told.entry(customer).or_insert(at_ms);
    }
    told
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
    let told = told(outcome);
    let wrong = calls.clone().filter_map(|seen| {
        let asset = seen.asset.as_deref()?;
        let directory = &stage.directory;
        let closed = directory.closed(asset, "standard-patch", 1, seen.at_ms);
        let customer = directory.asset(asset)?["customer"].as_str()?.to_owned();
        let early = told
            .get(&customer)
            .is_none_or(|told_ms| seen.at_ms < told_ms + LEAD_MS);
        let closed = closed.map(|closed| closed.name());
        let why = closed.or_else(|| early.then(|| format!("{customer} was told too late")))?;
        Some(format!(
            "{} on {asset} at {}: {why}",
            seen.action, seen.at_ms
        ))
    });
    (calls.clone().count(), wrong.collect())
}

/// Gates that have held a step, by name; each has said why and what to do.
fn held(outcome: &Outcome) -> BTreeSet<String> {
    let lines = outcome
        .ledger
        .iter()
        .filter(|line| line.contains("step_held"));
    let gate = |line: &String| {
        let line: Value = serde_json::from_str(line).unwrap();
        let closed = &line["entry"]["closed"];
        for said in ["gate", "rule", "why", "remedy"] {
            assert!(
                closed[said].as_str().is_some_and(|text| !text.is_empty()),
                "{said}: {closed}"
            );
        }
        let text = |name: &str| closed[name].as_str().unwrap_or_default().to_owned();
        format!("{}:{}", text("gate"), text("rule"))
    };
    lines.map(gate).collect()
}

#[tokio::test]
async fn behind_every_door_the_gates_hold_what_disturbs() {
    let stage = closed();
    let scenario = good_of("monthly-patch");
    for door in Door::ALL {
        let outcome = through(&stage, &scenario, door, "guest-patch.apply").await;
        let outcome = outcome.unwrap_or_else(|trouble| panic!("{door:?}: {trouble}"));
        let (count, wrong) = calls(&stage, &outcome);
        let held = held(&outcome);
        let ended = &outcome.ended.state;
        println!("{door:?}: {ended} with {count} disturbing calls, held by {held:?}");
        assert!(wrong.is_empty(), "{door:?}: {wrong:?}");
        assert!(count >= 4, "{door:?}: {count} disturbing calls");
        let gates = held.iter().map(|gate| gate.split(':').next().unwrap());
        assert_eq!(
            gates.collect::<BTreeSet<_>>(),
            BTreeSet::from(["freeze", "notice", "window"]),
            "{door:?}"
        );
    }
}
