//! What the ledger of an outcome says: who was told and when, and which gates held.
//!
//! Not here: what an entry must say of itself (the ledger's own tests).

use hostler_core::id::RunId;
use hostler_rehearsal::Outcome;
use hostler_rehearsal::between::Raced;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Every line, as it was read.
pub fn lines(outcome: &Outcome) -> impl Iterator<Item = Value> {
    let lines = outcome.ledger.iter();
    lines.filter_map(|line| serde_json::from_str(line).ok())
}

/// The entries of one kind of event.
pub fn entries(outcome: &Outcome, event: &str) -> Vec<Value> {
    let entries = lines(outcome).map(|line| line["entry"].clone());
    entries.filter(|entry| entry["event"] == event).collect()
}

/// The instants at which people of customers had notices of work to come, in their order, with the run and the customer.
fn notices(outcome: &Outcome) -> impl Iterator<Item = (RunId, String, i64)> {
    lines(outcome).filter_map(|line| {
        let is_notice =
            line["mail"]["stage"] == "scheduled" && line["entry"]["mail"] == "mail_accepted";
        let customer = line["mail"]["customer"].as_str().filter(|_| is_notice)?;
        let run = line["run"].as_str()?.parse().ok()?;
        Some((run, customer.to_owned(), line["entry"]["at_ms"].as_i64()?))
    })
}

/// When somebody of each customer first had the notice of a run.
pub fn told(outcome: &Outcome) -> BTreeMap<String, i64> {
    let mut told = BTreeMap::new();
    for (_, customer, at_ms) in notices(outcome) {
        told.entry(customer).or_insert(at_ms);
    }
    told
}

/// The same of each run by itself.
pub fn told_of_each(outcome: &Outcome) -> BTreeMap<(RunId, String), i64> {
    let mut told = BTreeMap::new();
    for (run, customer, at_ms) in notices(outcome) {
        told.entry((run, customer)).or_insert(at_ms);
    }
    told
}

/// Gates that have held a step, each with the rule; each has said which rule it is, why, and what to do.
pub fn held_by(outcome: &Outcome) -> BTreeSet<(String, String)> {
    let held = entries(outcome, "step_held").into_iter();
    held.map(|entry| {
        let closed = &entry["closed"];
        let said = |name: &str| {
            let text = closed[name].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{name}: {closed}");
            text.to_owned()
        };
        let (_why, gate, remedy) = (said("why"), said("gate"), said("remedy"));
        for (command, of) in [
            ("hostler budget allow", "budget"),
            ("hostler run agree", "consent"),
        ] {
            assert_eq!(remedy.contains(command), gate == of, "{closed}");
        }
        (gate, said("rule"))
    })
    .collect()
}

/// The same by kind of gate only.
pub fn gates_that_held(outcome: &Outcome) -> BTreeSet<String> {
    held_by(outcome).into_iter().map(|(gate, _)| gate).collect()
}

/// When each call of an action began, over all servers; one that is asked for its answer again began once.
pub fn began_ms(outcome: &Outcome, action: &str) -> Vec<i64> {
    let mut keys = BTreeSet::new();
    let calls = outcome.seen.iter();
    let began = calls.filter(|seen| seen.action == action && seen.entry == "perform");
    let first = began.filter(|seen| keys.insert(seen.key));
    first.map(|seen| seen.at_ms).collect()
}

/// Runs before whose commits a gate was closed behind a worker's look: none of them has patched meanwhile, all have
/// ended well, and the gate held some of them (who had patched before is not held any more).
pub fn assert_none_patched(raced: &[Raced]) {
    assert_none(raced, "guest-patch.apply");
}

/// The same of any action.
pub fn assert_none(raced: &[Raced], of: &str) {
    for race in raced {
        let began: Vec<_> = race.calls.iter().map(|seen| &seen.action).collect();
        let done = began.iter().any(|action| *action == of);
        assert!(!done, "before commit {}: {began:?}", race.before_commit);
        assert_eq!(
            race.ended.state, "succeeded",
            "before commit {}",
            race.before_commit
        );
    }
    let held = raced.iter().filter(|race| race.held).count();
    println!("held in {held} of {} runs", raced.len());
    assert!(held >= raced.len() / 4, "{held} of {}", raced.len());
}
