//! Two runs over one server, beside or behind each other: what a lease of the first one keeps off holds the second one,
//! until the lease ends.
//!
//! Not here: what a lease keeps off, and when it ends.

use crate::between::{Between, Raced, written_before_each_commit};
use crate::doors::{Watched, until, watched_while_held};
use crate::people::People;
use crate::play::{Disturbance, Outcome, begin, read, run_out};
use crate::scaffold::disturb_commits;
use crate::scenario::Scenario;
use crate::world::{Stage, Trouble, World};
use hostler_core::lease::{Leases, leases_document};
use hostler_ports::store::{DocumentWrite, Store};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// What came of it.
pub struct Behind {
    /// The second run as it ended, with the calls, messages and entries of both.
    pub outcome: Outcome,
    /// From when the second run was first held, hours long.
    pub calls: Watched,
    /// What still kept something off the server at the end.
    pub left: Leases,
    /// Commits until the lease of the first run was open, and what the store said of it then.
    pub commits: u64,
    pub opened: Leases,
}

/// Starts `first`, and `second` as soon as something is kept off `asset`; watches `second` for so many hours from when
/// a lease first holds it, and plays it to its end. `crash`: the answer of this commit is lost with its worker.
///
/// # Errors
/// As `play`; also when nothing is ever kept off, or no lease holds the second run.
pub async fn behind_a_lease(
    stage: &Stage,
    (first, second): (&Scenario, &Scenario),
    asset: &str,
    crash: Option<u64>,
    hours: u32,
) -> Result<Behind, Trouble> {
    let mut both = first.clone();
    both.answers.extend(second.answers.clone());
    let world = World::new(stage, &both);
    begin(&world, first, "first").await?;
    let disturbed = disturb_commits(
        &world,
        Disturbance {
            crash_after_commit: crash,
            ..Disturbance::default()
        },
    );
    let mut people = People::of(first);
    until(&world, &mut people, "a lease", async |world| {
        Ok(!leases(world, asset).await?.leases.is_empty())
    })
    .await?;
    let commits = disturbed.commits.load(Ordering::SeqCst);
    let opened = leases(&world, asset).await?;
    let run = begin(&world, second, "second").await?;
    let mut people = People::of(second);
    let calls = watched_while_held(&world, &mut people, "lease", hours).await?;
    let ended = run_out(&world, run, &mut people).await?;
    let mut outcome = read(&world, run, ended).await?;
    outcome.complaints.append(&mut people.complaints);
    Ok(Behind {
        outcome,
        calls,
        left: leases(&world, asset).await?,
        commits,
        opened,
    })
}

async fn leases(world: &World, asset: &str) -> Result<Leases, Trouble> {
    let found = world.store.documents(&[leases_document(asset)]).await?;
    let body = found.into_iter().flatten().next().and_then(|it| it.body);
    Ok(match body {
        Some(body) => serde_json::from_str(&body)?,
        None => Leases::default(),
    })
}

/// Leases appear before each commit, between a worker's look at the gates and its write, and end later.
///
/// # Errors
/// As `play`.
pub async fn leased_before_each_commit(
    stage: &Stage,
    scenario: &Scenario,
    leases: &BTreeMap<String, Leases>,
) -> Result<Vec<Raced>, Trouble> {
    let put = leases.iter().map(|(asset, leases)| DocumentWrite {
        key: leases_document(asset),
        body: serde_json::to_string(leases).ok(),
    });
    let between = Between {
        gate: "lease",
        assets: leases.keys().cloned().collect(),
        put: put.collect(),
    };
    written_before_each_commit(stage, scenario, &between).await
}
