//! Disturbances that every scenario gets for free: each step fails, each answer is lost, the worker
//! crashes after each commit. Whatever is done to a run, it ends or waits for a named person, and no
//! `once` action happens twice.

use crate::host::Seen;
use crate::play::{Disturbance, Outcome, disturbed};
use crate::scenario::{Answer, Scenario};
use crate::world::{Stage, Trouble, World};
use futures::FutureExt;
use hostler_core::command::Command;
use hostler_core::contract::{Effect, Impact};
use hostler_core::gate::{DeclaredFreeze, FREEZES, Freezes};
use hostler_ports::store::memory::{Fault, MemoryStore};
use hostler_ports::store::{DocumentWrite, Store, Upkeep};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// Disturbances of one kind in one scaffold; longer runs are sampled evenly.
const DISTURBANCES_MAX: u64 = 40;

/// How long a freeze of a scaffold holds.
pub const FREEZE_MS: i64 = 30 * 86_400_000;

/// What the disturbance of a run has come to.
#[derive(Default)]
pub(crate) struct Disturbed {
    pub commits: AtomicU64,
    /// Calls that the plugins had seen when the freeze was declared, and the instant of its end.
    pub frozen: Mutex<Option<(usize, i64)>>,
}

/// Counts commits; the answer of one is lost, before one a freeze is declared.
pub(crate) fn disturb_commits(world: &World, how: Disturbance) -> Arc<Disturbed> {
    let disturbed = Arc::new(Disturbed::default());
    let (told, host) = (Arc::clone(&disturbed), Arc::clone(&world.host));
    let store = Arc::downgrade(&world.store);
    world.store.set_faults(Box::new(move |verb, _| {
        if verb != "commit" {
            return None;
        }
        let number = told.commits.fetch_add(1, Ordering::SeqCst) + 1;
        if Some(number) == how.freeze_before_commit
            && let Some(store) = store.upgrade()
        {
            let frozen = (host.seen().len(), freeze(&store));
            *told.frozen.lock().unwrap_or_else(PoisonError::into_inner) = Some(frozen);
        }
        (Some(number) == how.crash_after_commit).then_some(Fault::AnswerLost)
    }));
    disturbed
}

/// The lane that makes this call is told to stop while it goes on.
pub(crate) fn stop_during(world: &World, number: u64) {
    let store = Arc::downgrade(&world.store);
    let stop = Command::Cancel {
        by: "scaffold".to_owned(),
        reason: None,
    };
    let body = serde_json::to_string(&stop).unwrap_or_default();
    let tell = move |lane| {
        if let Some(store) = store.upgrade() {
            // The twin in memory never waits.
            let _ = store.send(lane, Uuid::nil(), body.clone()).now_or_never();
        }
    };
    world.host.during(number, Box::new(tell));
}

/// Declares a freeze of everything, as the API does; the instant of its end.
pub(crate) fn freeze(store: &MemoryStore) -> i64 {
    let now_ms = store
        .now_ms()
        .now_or_never()
        .and_then(Result::ok)
        .unwrap_or_default();
    let all = DeclaredFreeze {
        id: "all".to_owned(),
        from_ms: now_ms,
        to_ms: now_ms + FREEZE_MS,
        applies: "id=*".to_owned(),
        lets_through: Vec::new(),
        reason: "declared by the scaffold".to_owned(),
        by: "scaffold".to_owned(),
        declared_ms: now_ms,
    };
    let freezes = Freezes { freezes: vec![all] };
    let change = Upkeep {
        documents: vec![DocumentWrite {
            key: FREEZES.to_owned(),
            body: serde_json::to_string(&freezes).ok(),
        }],
        ..Upkeep::default()
    };
    // The twin in memory never waits.
    let _ = store.upkeep(change).now_or_never();
    now_ms + FREEZE_MS
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

/// A freeze is declared before each commit, between a worker's look at the gates and its write. The
/// disturbing calls that began while it held, which must be none, are complaints.
///
/// # Errors
/// As `fail_each_step`.
pub async fn freeze_before_each_commit(
    stage: &Stage,
    scenario: &Scenario,
) -> Result<Vec<Case>, Trouble> {
    let base = disturbed(stage, scenario, settling()).await?;
    let disturbing: BTreeSet<_> = stage
        .contracts
        .iter()
        .flat_map(|contract| &contract.actions)
        .filter(|action| action.impact == Impact::Outage)
        .map(|action| action.name.clone())
        .collect();
    let mut cases = Vec::new();
    for number in sampled(base.commits) {
        let how = Disturbance {
            freeze_before_commit: Some(number),
            ..settling()
        };
        let what = format!("a freeze before commit {number}");
        let mut outcome = disturbed(stage, scenario, how)
            .await
            .map_err(|fault| named(&what, fault))?;
        let dispatched = dispatched(&outcome, &disturbing);
        outcome.complaints.extend(dispatched);
        cases.push(Case { what, outcome });
    }
    Ok(cases)
}

/// Each lane is told to stop while each of its calls goes on. What follows that call where nobody stops it,
/// and began all the same, is a complaint; the actions of `cleans_up` may follow.
///
/// # Errors
/// As `fail_each_step`.
pub async fn stop_during_each_call(
    stage: &Stage,
    scenario: &Scenario,
    cleans_up: &[&str],
) -> Result<Vec<Case>, Trouble> {
    let base = disturbed(stage, scenario, settling()).await?;
    let calls = performed(&base);
    let mut cases = Vec::new();
    for number in sampled(calls.len() as u64) {
        let place = usize::try_from(number - 1).unwrap_or(usize::MAX);
        let how = Disturbance {
            stop_during_call: Some(number),
            ..settling()
        };
        let what = format!("a stop during call {number}");
        let mut outcome = disturbed(stage, scenario, how)
            .await
            .map_err(|fault| named(&what, fault))?;
        let next = followers(&calls, place).next();
        let next = next.filter(|next| !cleans_up.contains(&next.action.as_str()));
        let seen = performed(&outcome);
        let began =
            followers(&seen, place).any(|seen| Some(&seen.action) == next.map(|next| &next.action));
        if began {
            let action = next.map_or("", |next| &next.action).to_owned();
            outcome
                .complaints
                .push(format!("{action} began behind the stop"));
        }
        cases.push(Case { what, outcome });
    }
    Ok(cases)
}

fn performed(outcome: &Outcome) -> Vec<Seen> {
    let calls = outcome.seen.iter();
    calls
        .filter(|seen| seen.entry == "perform")
        .cloned()
        .collect()
}

/// Further calls of the lane that made the one at this place.
fn followers(calls: &[Seen], place: usize) -> impl Iterator<Item = &Seen> {
    let lane = calls.get(place).map(|seen| seen.lane);
    calls
        .iter()
        .skip(place + 1)
        .filter(move |seen| Some(seen.lane) == lane)
}

/// Disturbing calls that began after the freeze was declared and before it was over.
fn dispatched(outcome: &Outcome, disturbing: &BTreeSet<String>) -> Vec<String> {
    let Some((before, over_ms)) = outcome.frozen else {
        return vec!["no freeze was declared".to_owned()];
    };
    let calls = outcome.seen.iter().skip(before);
    let under = calls.filter(|seen| seen.entry == "perform" && seen.at_ms < over_ms);
    under
        .filter(|seen| disturbing.contains(&seen.action))
        .map(|seen| format!("{} began under the freeze", seen.action))
        .collect()
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

pub(crate) fn sampled(count: u64) -> impl Iterator<Item = u64> {
    let stride = count.div_ceil(DISTURBANCES_MAX).max(1);
    (1..=count).step_by(usize::try_from(stride).unwrap_or(usize::MAX))
}

fn named(what: &str, fault: Trouble) -> Trouble {
    Trouble::Stuck(format!("{what}: {fault}"))
}
