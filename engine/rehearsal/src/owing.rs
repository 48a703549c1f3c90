//! Two runs over the same servers, one behind the other: what the first one owes holds the second one, until
//! people settle it.
//!
//! Not here: what a debt is, and what settles it.

use crate::doors::{is_held, until};
use crate::host::Seen;
use crate::people::People;
use crate::play::{Ended, Outcome, begin, play, read, run_out};
use crate::scaffold::sampled;
use crate::scenario::{Person, Scenario};
use crate::world::{Stage, Trouble, World};
use futures::FutureExt;
use hostler_api::Subject;
use hostler_api::services::debts::{DebtRow, list};
use hostler_core::debt::{Debts, debts_document};
use hostler_ports::store::{DocumentWrite, Store, Upkeep};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

const HOUR_MS: i64 = 3_600_000;
/// The held run is watched for so long before anything is settled.
const WATCHED_HOURS: u32 = 30;
/// How long something is owed that came up in the middle of a run.
const OWED_HOURS: u32 = 72;

/// What came of it.
pub struct Owing {
    /// The first run as it ended; its ledger goes no further.
    pub first: Outcome,
    /// Open debts while the second run was held, and at the end.
    pub owed: Vec<DebtRow>,
    pub left: Vec<DebtRow>,
    /// Calls that the plugins had seen when the second run was first held, and when the settling began.
    pub calls_held: usize,
    pub calls_watched: usize,
    /// The second run; all of what both have left behind.
    pub second: Outcome,
}

/// Plays `first`, then `second` until `gate` holds it; then `settling` act, and it is played to its end.
///
/// # Errors
/// As `play`; also when nothing holds the second run.
pub async fn held_and_settled(
    stage: &Stage,
    first: &Scenario,
    second: &Scenario,
    settling: &[Person],
) -> Result<Owing, Trouble> {
    let mut both = first.clone();
    both.answers.extend(second.answers.clone());
    let world = World::new(stage, &both);
    let mut people = People::new(&first.people, false);
    let run = begin(&world, first, "first").await?;
    let ended = run_out(&world, run, &mut people).await?;
    let first = read(&world, run, ended).await?;

    let reader = Subject::of(&*world.api.directory, &second.starter, "rehearsal")
        .ok_or_else(|| Trouble::Stuck("the starter is nobody".to_owned()))?;
    let run = begin(&world, second, "second").await?;
    let mut people = People::new(&second.people, false);
    until(&world, &mut people, "a debt that holds", async |world| {
        is_held(world, "debt").await
    })
    .await?;
    let calls_held = world.host.seen().len();
    for _ in 0..WATCHED_HOURS {
        world.pass(HOUR_MS).await?;
        while world.step().await? || people.act(&world).await? {}
    }
    let calls_watched = world.host.seen().len();
    let owed = debts(&world, &reader).await?;
    let mut settling = People::new(settling, false);
    while settling.act(&world).await? || world.step().await? {}
    people.complaints.append(&mut settling.complaints);
    let ended = run_out(&world, run, &mut people).await?;
    let mut second = read(&world, run, ended).await?;
    second.complaints.append(&mut people.complaints);
    Ok(Owing {
        first,
        owed,
        left: debts(&world, &reader).await?,
        calls_held,
        calls_watched,
        second,
    })
}

async fn debts(world: &World, reader: &Subject) -> Result<Vec<DebtRow>, Trouble> {
    let debts = list(&world.api, reader).await;
    debts.map_err(|problem| Trouble::Stuck(problem.to_string()))
}

/// One run that came to owe something while it was under way, for [`OWED_HOURS`].
pub struct Raced {
    /// The debt appeared before the commit of this number was carried out.
    pub before_commit: u64,
    /// It held a step.
    pub held: bool,
    /// Calls on what it was owed for, while it was.
    pub calls: Vec<Seen>,
    pub ended: Ended,
}

/// Debts appear before each commit, between a worker's look at the gates and its write, and are settled later.
///
/// # Errors
/// As `play`.
pub async fn owed_before_each_commit(
    stage: &Stage,
    scenario: &Scenario,
    debts: &BTreeMap<String, Debts>,
) -> Result<Vec<Raced>, Trouble> {
    let assets = debts.values().flat_map(|debts| &debts.debts);
    let between = Between {
        gate: "debt",
        assets: assets.flat_map(|debt| debt.assets.clone()).collect(),
        put: written(debts),
    };
    written_before_each_commit(stage, scenario, &between).await
}

/// What others write between a worker's look at the gates and its commit, and remove again after [`OWED_HOURS`].
pub struct Between {
    /// The gate that it closes, and the assets of which calls are collected.
    pub gate: &'static str,
    pub assets: BTreeSet<String>,
    pub put: Vec<DocumentWrite>,
}

/// The same with any documents.
///
/// # Errors
/// As `play`.
pub async fn written_before_each_commit(
    stage: &Stage,
    scenario: &Scenario,
    between: &Between,
) -> Result<Vec<Raced>, Trouble> {
    let commits = play(stage, scenario).await?.commits;
    let mut raced = Vec::new();
    for number in sampled(commits) {
        raced.push(race(stage, scenario, between, number).await?);
    }
    Ok(raced)
}

async fn race(
    stage: &Stage,
    scenario: &Scenario,
    between: &Between,
    before_commit: u64,
) -> Result<Raced, Trouble> {
    let world = World::new(stage, scenario);
    let run = begin(&world, scenario, "raced").await?;
    let (store, host) = (Arc::downgrade(&world.store), Arc::clone(&world.host));
    let (count, began) = (AtomicU64::new(0), Arc::new(AtomicUsize::new(usize::MAX)));
    let (put, told) = (between.put.clone(), Arc::clone(&began));
    world.store.set_faults(Box::new(move |verb, _| {
        let number = u64::from(verb == "commit")
            + count.fetch_add(u64::from(verb == "commit"), Ordering::SeqCst);
        if verb == "commit"
            && number == before_commit
            && let Some(store) = store.upgrade()
        {
            told.store(host.seen().len(), Ordering::SeqCst);
            // The twin in memory never waits.
            let _ = store.upkeep(upkeep(put.clone())).now_or_never();
        }
        None
    }));
    let mut people = People::new(&scenario.people, false).settling();
    until(&world, &mut people, "the commit", async |_| {
        Ok(began.load(Ordering::SeqCst) != usize::MAX)
    })
    .await?;
    for _ in 0..OWED_HOURS {
        while world.step().await? || people.act(&world).await? {}
        world.pass(HOUR_MS).await?;
    }
    let held = is_held(&world, between.gate).await?;
    let mut calls = world.host.seen().split_off(began.load(Ordering::SeqCst));
    calls.retain(|seen| seen.entry == "perform");
    calls.retain(|seen| {
        seen.asset
            .as_ref()
            .is_some_and(|asset| between.assets.contains(asset))
    });
    let gone = between.put.iter().map(|write| DocumentWrite {
        key: write.key.clone(),
        body: None,
    });
    let settled = world.store.upkeep(upkeep(gone.collect())).await;
    settled.map_err(|fault| Trouble::Stuck(fault.to_string()))?;
    let ended = run_out(&world, run, &mut people).await?;
    Ok(Raced {
        before_commit,
        held,
        calls,
        ended,
    })
}

/// These debts in their customers' documents.
fn written(debts: &BTreeMap<String, Debts>) -> Vec<DocumentWrite> {
    let document = |(customer, debts): (&String, &Debts)| DocumentWrite {
        key: debts_document(customer),
        body: serde_json::to_string(debts).ok(),
    };
    debts.iter().map(document).collect()
}

fn upkeep(documents: Vec<DocumentWrite>) -> Upkeep {
    Upkeep {
        documents,
        ..Upkeep::default()
    }
}
