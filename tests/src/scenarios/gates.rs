//! Closed gates against every door: whoever starts a run or takes it up again, no disturbing call begins
//! outside its server's window or under a freeze.
//!
//! Not here: what a window or a freeze says at an instant (the estate's own tests).

use super::{good, stage};
use hostler_core::contract::Impact;
use hostler_rehearsal::doors::{Door, through};
use hostler_rehearsal::{Outcome, Stage};
use serde_json::Value;
use std::collections::BTreeSet;

/// The windows of the practice estate are open all the time; these open on Sundays, but on the first one
/// nothing may be disturbed.
const OPEN: &str = r#"{ when: daily, at: "00:00", lasts: 25h }"#;
const SUNDAYS: &str = r#"{ when: sunday, at: "02:00", lasts: 2h }"#;
const FREEZE: &str = "freezes:
  - { id: new-year, from: 2025-12-31, to: 2026-01-06, applies: \"service=co-managed\" }
windows:
";

fn closed() -> Stage {
    stage::practice_with(|text| text.replace(OPEN, SUNDAYS).replace("windows:\n", FREEZE))
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
    let wrong = calls.clone().filter_map(|seen| {
        let asset = seen.asset.as_deref()?;
        let closed = stage
            .directory
            .closed(asset, "standard-patch", 1, seen.at_ms)?;
        Some(format!(
            "{} on {asset} at {}: {}",
            seen.action,
            seen.at_ms,
            closed.name()
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
    for (name, scenario) in good() {
        for door in Door::ALL {
            let outcome = through(&stage, &scenario, door, "guest-patch.apply").await;
            let outcome = outcome.unwrap_or_else(|trouble| panic!("{name} {door:?}: {trouble}"));
            let (count, wrong) = calls(&stage, &outcome);
            let held = held(&outcome);
            println!(
                "{name} {door:?}: {} with {count} disturbing calls, held by {held:?}",
                outcome.ended.state
            );
            assert!(wrong.is_empty(), "{name} {door:?}: {wrong:?}");
            assert!(count >= 4, "{name} {door:?}: {count} disturbing calls");
            let gates = held.iter().map(|gate| gate.split(':').next().unwrap());
            assert_eq!(
                gates.collect::<BTreeSet<_>>(),
                BTreeSet::from(["freeze", "window"]),
                "{name} {door:?}"
            );
        }
    }
}
