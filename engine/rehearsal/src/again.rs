//! An approval that was asked for under one plan, held against the same question under another.
//!
//! Not here: what a difference between plans is (core).

use crate::doors::{refused, until, wish};
use crate::people::People;
use crate::play::{begin, run_out};
use crate::scenario::Scenario;
use crate::world::{Stage, Trouble, World};
use hostler_api::services::control::Wish;
use hostler_api::services::decide::{VoteAsk, vote};
use hostler_api::services::retry::{Retried, RetryAsk, retry};
use hostler_api::{Problem, Subject, read};
use hostler_core::difference::Difference;
use hostler_core::id::{Digest, RunId};
use hostler_core::lane::{PersonKind, Phase};
use hostler_core::plan::Plan;
use serde_json::Value;

/// What is not the same when the run is started for the second time.
#[derive(Default)]
pub struct Changed {
    /// The files of the engine; none: the same.
    pub stage: Option<Stage>,
    pub inputs: Option<Value>,
    /// A plugin with other bytes.
    pub rebuilt: Option<String>,
}

/// A plan with the question that asks for its approval.
pub struct Asked {
    pub plan: Plan,
    pub signs: Digest,
    /// What is displayed.
    pub shown: Value,
}

pub struct Twice {
    pub old: Asked,
    pub new: Asked,
    /// What becomes of a yes to the new question that names the old one.
    pub answer: Result<(), Problem>,
}

/// Plays a scenario until its run asks for an approval, twice: the second time with what has changed. `approver`
/// then says yes to the second with what they saw of the first.
///
/// # Errors
/// When a run is not accepted, or never asks.
pub async fn asked_twice(
    stage: &Stage,
    scenario: &Scenario,
    changed: Changed,
    approver: &str,
) -> Result<Twice, Trouble> {
    let world = World::new(stage, scenario);
    let old = asked(&world, scenario, "first").await?.1;
    let then = changed.stage.as_ref().unwrap_or(stage);
    let world = world.restarted(then, scenario, changed.rebuilt.as_deref());
    let mut again = scenario.clone();
    again.inputs = changed.inputs.unwrap_or(again.inputs);
    let (run, new) = asked(&world, &again, "second").await?;
    let subject = Subject::of(&*world.api.directory, approver, "cli")
        .ok_or_else(|| Trouble::Stuck(format!("the estate has no {approver}")))?;
    let yes = VoteAsk {
        yes: true,
        signs: old.signs,
        comment: None,
        typed: None,
        waive: Vec::new(),
        code: None,
    };
    let answer = vote(&world.api, &subject, run.root(), yes, None).await;
    let answer = answer.map(|_| ());
    Ok(Twice { old, new, answer })
}

/// A run is cancelled while it asks for its approval, the engine is started anew over another stage, and the run is run
/// again: what the answer says has changed.
///
/// # Errors
/// As [`asked_twice`].
pub async fn run_again(
    stage: &Stage,
    then: &Stage,
    scenario: &Scenario,
) -> Result<Vec<Difference>, Trouble> {
    let world = World::new(stage, scenario);
    let (run, _) = asked(&world, scenario, "first").await?;
    let starter = Subject::of(&*world.api.directory, &scenario.starter, "cli")
        .ok_or_else(|| Trouble::Stuck("the starter is nobody".to_owned()))?;
    wish(&world, &starter, run, Wish::Cancel).await?;
    run_out(&world, run, &mut People::new(&[], false)).await?;
    let world = world.restarted(then, scenario, None);
    let again = retry(&world.api, &starter, run, RetryAsk::default(), None).await;
    match again.map_err(refused)? {
        Retried::Run { changed, .. } => Ok(changed),
        other => Err(Trouble::Stuck(format!(
            "run again in another way: {other:?}"
        ))),
    }
}

async fn asked(world: &World, scenario: &Scenario, key: &str) -> Result<(RunId, Asked), Trouble> {
    let run = begin(world, scenario, key).await?;
    let mut people = People::of(scenario);
    until(world, &mut people, "the approval", async |world| {
        Ok(question(world, run).await?.is_some())
    })
    .await?;
    let asked = question(world, run).await?;
    let asked = asked.ok_or_else(|| Trouble::Stuck("the question is gone".to_owned()))?;
    Ok((run, asked))
}

/// The approval that the run's own lane waits for.
async fn question(world: &World, run: RunId) -> Result<Option<Asked>, Trouble> {
    let unread = |problem| Trouble::NotStarted(Box::new(problem));
    let reading = read::lane(&world.api, run.root()).await.map_err(unread)?;
    let Phase::Person(person) = &reading.lane.phase else {
        return Ok(None);
    };
    let Some(shown) = person.shown.filter(|_| person.kind == PersonKind::Approve) else {
        return Ok(None);
    };
    let plan = read::plan(&world.api, reading.lane.opening.plan).await;
    let shown = read::blob(&world.api, "display", shown).await;
    Ok(Some(Asked {
        plan: plan.map_err(unread)?,
        signs: person.signs,
        shown: shown.map_err(unread)?,
    }))
}
