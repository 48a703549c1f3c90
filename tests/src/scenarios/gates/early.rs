//! Disturbing calls of a rehearsed run, and those of them that began while a gate was closed: judged by files and dates,
//! by when customers had the notice, and by what their people said; no gate is asked.
//!
//! Not here: which gates must have held a run.

use super::closed::{CONTRACTS, Kind, asked, is_spent, promised_ms, silent_ms};
use super::disturbing::{Disturbing, Steps};
use crate::scenarios::ledger::{entries, held_by, lines, told_of_each};
use hostler_core::definition::CLASSES;
use hostler_core::id::RunId;
use hostler_rehearsal::{Outcome, Spoken, Stage};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of a call beside its own step.
struct Judge<'a> {
    stage: &'a Stage,
    outcome: &'a Outcome,
    told: BTreeMap<(RunId, String), i64>,
}

/// How many disturbing calls there were, and what is wrong with them.
pub fn calls(stage: &Stage, steps: &Steps, outcome: &Outcome) -> (usize, Vec<String>) {
    let judge = Judge {
        stage,
        outcome,
        told: told_of_each(outcome),
    };
    let performed = outcome.seen.iter().filter(|seen| seen.entry == "perform");
    let calls = performed.filter_map(|seen| {
        let name = outcome.steps.get(&seen.key)?;
        let step = steps.get(&(name.runbook.clone(), name.step.clone()))?;
        Some((seen.asset.as_deref()?, step, seen))
    });
    let wrong = calls.clone().filter_map(|(asset, step, seen)| {
        let run = *outcome.runs.get(&seen.lane).expect("a lane is of a run");
        let why = judge.closed(run, asset, step, seen.at_ms)?;
        Some(format!(
            "{} on {asset} at {}: {why}",
            seen.action, seen.at_ms
        ))
    });
    (calls.clone().count(), wrong.collect())
}

impl Judge<'_> {
    /// What stood against it at that instant.
    fn closed(&self, run: RunId, asset: &str, step: &Disturbing, at_ms: i64) -> Option<String> {
        let directory = &self.stage.directory;
        let record = directory.asset(asset).expect("an asset of the estate");
        let customer = record["customer"].as_str().expect("a customer");
        let closed = directory.closed(asset, &step.class, 1, at_ms);
        if let Some(closed) = closed {
            return Some(closed.name());
        }
        if is_spent(&step.class, at_ms) {
            return Some(format!("the budget of {customer} is spent"));
        }
        let told_ms = self.told.get(&(run, customer.to_owned())).copied();
        let promised_ms = told_ms.map(|told_ms| promised_ms(&step.class, told_ms));
        if step.announced && promised_ms.is_none_or(|promised_ms| at_ms < promised_ms) {
            return Some(format!("{customer} was told too late"));
        }
        self.unconsented(run, customer, step, at_ms)
    }

    /// By what the customer's people had said until then; silence counts from the notice of this work.
    fn unconsented(
        &self,
        run: RunId,
        customer: &str,
        step: &Disturbing,
        at_ms: i64,
    ) -> Option<String> {
        let (kind, _) = asked(customer, &step.class)?;
        let until_then = |spoken: &&Spoken| {
            (spoken.run, spoken.customer.as_str()) == (run, customer) && spoken.at_ms <= at_ms
        };
        match self.outcome.said.iter().rfind(until_then) {
            Some(spoken) if spoken.agrees => return None,
            Some(spoken) => return Some(format!("{} of {customer} objects", spoken.by)),
            None => {}
        }
        let told_ms = self.told.get(&(run, customer.to_owned())).copied();
        let told_ms = told_ms.filter(|_| step.announced && kind == Kind::Tacit);
        let agrees_ms = told_ms.map(|told_ms| silent_ms(self.stage, customer, told_ms));
        let is_early = agrees_ms.is_none_or(|agrees_ms| at_ms < agrees_ms);
        is_early.then(|| format!("{customer} has not agreed"))
    }
}

/// What the ledger says of consents against what was said, and refusals that name no contract of this stage.
pub fn untrue(outcome: &Outcome) -> Vec<String> {
    let mut decided: Vec<Spoken> = lines(outcome)
        .filter(|line| line["entry"]["event"] == "consent_decided")
        .map(|line| {
            let consent = &line["entry"]["consent"];
            Spoken {
                run: line["run"]
                    .as_str()
                    .and_then(|run| run.parse().ok())
                    .unwrap(),
                customer: consent["customer"].as_str().unwrap().to_owned(),
                by: consent["by"].as_str().unwrap().to_owned(),
                agrees: consent["agrees"].as_bool().unwrap(),
                at_ms: line["entry"]["at"].as_i64().unwrap(),
            }
        })
        .collect();
    let mut said = outcome.said.clone();
    said.sort();
    decided.sort();
    let mut faults = Vec::new();
    if said != decided {
        faults.push(format!("said was {said:?}, the ledger has {decided:?}"));
    }
    let rules = CONTRACTS.iter().flat_map(|(customer, _)| {
        let rules = CLASSES
            .iter()
            .filter_map(move |class| asked(customer, class));
        rules.map(|(_, rule)| rule)
    });
    let rules: BTreeSet<String> = rules.collect();
    let strange = held_by(outcome).into_iter();
    let strange = strange.filter(|(gate, rule)| gate == "consent" && !rules.contains(rule));
    faults.extend(strange.map(|(_, rule)| format!("held by the consent `{rule}`")));
    faults
}

/// How the customers of a run came to agree; none: it was not held for that.
pub fn way(outcome: &Outcome) -> Option<&'static str> {
    let was_held = entries(outcome, "step_held")
        .iter()
        .any(|entry| entry["closed"]["gate"] == "consent");
    let objected = outcome.said.iter().any(|spoken| !spoken.agrees);
    let agreed = outcome.said.iter().any(|spoken| spoken.agrees);
    match (was_held, objected, agreed) {
        (false, ..) | (_, true, false) => None,
        (_, true, true) => Some("by a yes behind an objection"),
        (_, false, true) => Some("by a yes"),
        (_, false, false) => Some("by silence"),
    }
}
