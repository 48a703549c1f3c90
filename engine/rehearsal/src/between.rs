//! Documents that others write between a worker's look at the gates and its commit, and that close a gate until
//! they are removed.
//!
//! Not here: what a gate says (`owing` and `spending` know what is written), and races against single calls (`races`).

use crate::doors::{is_held, until};
use crate::host::Seen;
use crate::people::People;
use crate::play::{Ended, begin, play, run_out};
use crate::scaffold::sampled;
use crate::scenario::Scenario;
use crate::world::{Stage, Trouble, World};
use futures::FutureExt;
use hostler_ports::store::{DocumentWrite, Store, Upkeep};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

const HOUR_MS: i64 = 3_600_000;
/// How long a gate stays closed that closed in the middle of a run.
const CLOSED_HOURS: u32 = 72;

/// One run behind which a gate was closed while it was under way, for [`CLOSED_HOURS`].
pub struct Raced {
    /// It was closed before the commit of this number was carried out.
    pub before_commit: u64,
    /// It held a step.
    pub held: bool,
    /// Calls on its assets, while it was closed.
    pub calls: Vec<Seen>,
    pub ended: Ended,
}

/// What others write between a worker's look at the gates and its commit, and remove again after [`CLOSED_HOURS`].
pub struct Between {
    /// The gate that it closes, and the assets of which calls are collected.
    pub gate: &'static str,
    pub assets: BTreeSet<String>,
    pub put: Vec<DocumentWrite>,
}

/// The documents are written before each commit, between a worker's look at the gates and its write; later they go.
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
    let mut people = People::of(scenario).settling();
    until(&world, &mut people, "the commit", async |_| {
        Ok(began.load(Ordering::SeqCst) != usize::MAX)
    })
    .await?;
    for _ in 0..CLOSED_HOURS {
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

fn upkeep(documents: Vec<DocumentWrite>) -> Upkeep {
    Upkeep {
        documents,
        ..Upkeep::default()
    }
}
