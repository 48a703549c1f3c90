//! Two runs over the same servers: what the first has spent of its customers' budgets holds the second one, until time
//! passes or somebody lets it overdraw.
//!
//! Not here: what counts, and what was agreed.

use crate::doors::{Watched, refused, watched_while_held};
use crate::people::People;
use crate::play::{Outcome, begin, read, run_out};
use crate::scenario::Scenario;
use crate::world::{Stage, Trouble, World};
use hostler_api::Subject;
use hostler_api::services::budgets::{AllowAsk, BudgetRow, allow, list};
use hostler_api::services::planning::BudgetView;
use hostler_api::services::start::{StartAsk, preview};

/// The held run is watched for so long before anybody does anything.
const WATCHED_HOURS: u32 = 30;

/// What came of it.
pub struct Spending {
    pub first: Outcome,
    /// What was spent behind the first run, and at the end.
    pub spent: Vec<BudgetRow>,
    pub left: Vec<BudgetRow>,
    /// What the plan of the second run says before it is started.
    pub planned: Vec<BudgetView>,
    /// From when the second run was first held until somebody tries to let it overdraw.
    pub calls: Watched,
    /// Why each of those who tried to let it overdraw was refused; none: it was done.
    pub tried: Vec<Option<String>>,
    /// The second run; all of what both have left behind.
    pub second: Outcome,
}

/// Plays `first`, then `second` until a budget holds it; then each of `by` tries to let it overdraw the budgets of every
/// customer that has spent something, and it is played to its end.
///
/// # Errors
/// As `play`; also when no budget holds the second run.
pub async fn held_by_budget(
    stage: &Stage,
    first: &Scenario,
    second: &Scenario,
    by: &[&str],
) -> Result<Spending, Trouble> {
    let world = World::new(stage, first);
    let mut people = People::of(first);
    let run = begin(&world, first, "first").await?;
    let ended = run_out(&world, run, &mut people).await?;
    let first = read(&world, run, ended).await?;
    let reader = subject(&world, &second.starter)?;
    let spent = budgets(&world, &reader).await?;
    let ask = StartAsk {
        runbook: second.runbook.clone(),
        inputs: second.inputs.clone(),
        ..StartAsk::default()
    };
    let plan = preview(&world.api, &reader, ask).await.map_err(refused)?;
    world.host.answers_now(&second.answers);
    let run = begin(&world, second, "second").await?;
    let mut people = People::of(second);
    let calls = watched_while_held(&world, &mut people, "budget", WATCHED_HOURS).await?;
    let mut tried = Vec::new();
    for who in by {
        let who = subject(&world, who)?;
        for row in &spent {
            let ask = AllowAsk {
                run,
                reason: "agreed on the phone".to_owned(),
            };
            let done = allow(&world.api, &who, &row.customer, ask).await;
            tried.push(done.err().map(|problem| problem.to_string()));
        }
    }
    let ended = run_out(&world, run, &mut people).await?;
    let second = read(&world, run, ended).await?;
    Ok(Spending {
        first,
        spent,
        planned: plan.budgets,
        left: budgets(&world, &reader).await?,
        calls,
        tried,
        second,
    })
}

fn subject(world: &World, person: &str) -> Result<Subject, Trouble> {
    Subject::of(&*world.api.directory, person, "rehearsal")
        .ok_or_else(|| Trouble::Stuck(format!("{person} is nobody")))
}

async fn budgets(world: &World, reader: &Subject) -> Result<Vec<BudgetRow>, Trouble> {
    let budgets = list(&world.api, reader).await;
    budgets.map_err(|problem| Trouble::Stuck(problem.to_string()))
}
