//! Disturbances that every scenario gets for free: each step fails, each answer is lost, the worker
//! crashes after each commit. Whatever is done to a run, it ends or waits for a named person, and no
//! `once` action happens twice.

use crate::play::{Disturbance, Outcome, disturbed};
use crate::scenario::{Answer, Scenario};
use crate::world::{Stage, Trouble};
use hostler_core::contract::Effect;
use hostler_ports::store::memory::{Fault, MemoryStore};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Disturbances of one kind in one scaffold; longer runs are sampled evenly.
const DISTURBANCES_MAX: u64 = 120;

/// Counts commits; the answer of the given one is lost.
pub(crate) fn count_commits(store: &Arc<MemoryStore>, crash_after: Option<u64>) -> Arc<AtomicU64> {
    let commits = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&commits);
    store.set_faults(Box::new(move |verb, _| {
        if verb != "commit" {
            return None;
        }
        let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
        (Some(number) == crash_after).then_some(Fault::AnswerLost)
    }));
    commits
}

/// One disturbed run.
#[derive(Debug)]
pub struct Case {
    pub what: String,
    pub outcome: Outcome,
}

/// Every action is rejected once, for the first asset that it is called for.
///
/// # Errors
/// When a disturbed run neither ends nor waits.
pub async fn fail_each_step(stage: &Stage, scenario: &Scenario) -> Result<Vec<Case>, Trouble> {
    let base = disturbed(stage, scenario, settling()).await?;
    let actions: BTreeSet<_> = base
        .seen
        .iter()
        .filter(|seen| seen.entry == "perform")
        .map(|seen| seen.action.clone())
        .collect();
    let mut cases = Vec::new();
    for action in actions {
        for hang in [false, true] {
            let mut failing = scenario.clone();
            let answer = Answer {
                action: action.clone(),
                times: Some(1),
                reject: (!hang).then(|| "failed by the scaffold".to_owned()),
                hang,
                ..Answer::default()
            };
            failing.answers.insert(0, answer);
            let what = format!("{action} {}", if hang { "hangs" } else { "fails" });
            let outcome = disturbed(stage, &failing, settling())
                .await
                .map_err(|fault| named(&what, fault))?;
            cases.push(Case { what, outcome });
        }
    }
    Ok(cases)
}

/// The answer of each call is lost together with its worker.
///
/// # Errors
/// As `fail_each_step`.
pub async fn lose_each_answer(stage: &Stage, scenario: &Scenario) -> Result<Vec<Case>, Trouble> {
    let base = disturbed(stage, scenario, settling()).await?;
    let calls = base
        .seen
        .iter()
        .filter(|seen| seen.entry == "perform")
        .count() as u64;
    let mut cases = Vec::new();
    for number in sampled(calls) {
        let how = Disturbance {
            lose_answer_of: Some(number),
            ..settling()
        };
        let what = format!("the answer of call {number} is lost");
        let outcome = disturbed(stage, scenario, how)
            .await
            .map_err(|fault| named(&what, fault))?;
        cases.push(Case { what, outcome });
    }
    Ok(cases)
}

/// The worker dies after each commit, before it learns that the commit was carried out.
///
/// # Errors
/// As `fail_each_step`.
pub async fn crash_after_each_commit(
    stage: &Stage,
    scenario: &Scenario,
) -> Result<Vec<Case>, Trouble> {
    let base = disturbed(stage, scenario, settling()).await?;
    let mut cases = Vec::new();
    for number in sampled(base.commits) {
        let how = Disturbance {
            crash_after_commit: Some(number),
            ..settling()
        };
        let what = format!("crash after commit {number}");
        let outcome = disturbed(stage, scenario, how)
            .await
            .map_err(|fault| named(&what, fault))?;
        cases.push(Case { what, outcome });
    }
    Ok(cases)
}

/// Actions that took effect more than once under different keys, or `once` actions that took effect
/// twice at all, for one asset: the repeats that nobody saw.
#[must_use]
pub fn unseen_repeats(outcome: &Outcome, effects: &BTreeMap<String, Effect>) -> Vec<String> {
    let mut by_key: BTreeMap<_, u32> = BTreeMap::new();
    for seen in outcome.seen.iter().filter(|seen| seen.done) {
        *by_key.entry((seen.action.clone(), seen.key)).or_default() += 1;
    }
    by_key
        .into_iter()
        .filter(|((action, _), count)| *count > 1 && effects.get(action) == Some(&Effect::Once))
        .map(|((action, key), count)| {
            format!("{action} took effect {count} times under the key {key}")
        })
        .collect()
}

fn settling() -> Disturbance {
    Disturbance {
        settle_all: true,
        ..Disturbance::default()
    }
}

fn sampled(count: u64) -> impl Iterator<Item = u64> {
    let stride = count.div_ceil(DISTURBANCES_MAX).max(1);
    (1..=count).step_by(usize::try_from(stride).unwrap_or(usize::MAX))
}

fn named(what: &str, fault: Trouble) -> Trouble {
    Trouble::Stuck(format!("{what}: {fault}"))
}
