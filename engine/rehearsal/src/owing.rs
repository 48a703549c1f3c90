//! Two runs over the same servers, one behind the other: what the first one owes holds the second one, until
//! people settle it.
//!
//! Not here: what a debt is, and what settles it.

use crate::between::{Between, Raced, written_before_each_commit};
use crate::doors::{Watched, watched_while_held};
use crate::people::People;
use crate::play::{Outcome, begin, read, run_out};
use crate::scenario::{Person, Scenario};
use crate::world::{Stage, Trouble, World};
use hostler_api::Subject;
use hostler_api::services::debts::{DebtRow, list};
use hostler_core::debt::{Debts, debts_document};
use hostler_ports::store::DocumentWrite;
use std::collections::BTreeMap;

/// The held run is watched for so long before anything is settled.
const WATCHED_HOURS: u32 = 30;

/// What came of it.
pub struct Owing {
    /// The first run as it ended; its ledger goes no further.
    pub first: Outcome,
    /// Open debts while the second run was held, and at the end.
    pub owed: Vec<DebtRow>,
    pub left: Vec<DebtRow>,
    /// From when the second run was first held until the settling began.
    pub calls: Watched,
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
    let mut people = People::of(first);
    let run = begin(&world, first, "first").await?;
    let ended = run_out(&world, run, &mut people).await?;
    let first = read(&world, run, ended).await?;

    let reader = Subject::of(&*world.api.directory, &second.starter, "rehearsal")
        .ok_or_else(|| Trouble::Stuck("the starter is nobody".to_owned()))?;
    let run = begin(&world, second, "second").await?;
    let mut people = People::of(second);
    let calls = watched_while_held(&world, &mut people, "debt", WATCHED_HOURS).await?;
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
        calls,
        second,
    })
}

async fn debts(world: &World, reader: &Subject) -> Result<Vec<DebtRow>, Trouble> {
    let debts = list(&world.api, reader).await;
    debts.map_err(|problem| Trouble::Stuck(problem.to_string()))
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

/// These debts in their customers' documents.
fn written(debts: &BTreeMap<String, Debts>) -> Vec<DocumentWrite> {
    let document = |(customer, debts): (&String, &Debts)| DocumentWrite {
        key: debts_document(customer),
        body: serde_json::to_string(debts).ok(),
    };
    debts.iter().map(document).collect()
}
