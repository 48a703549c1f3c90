//! The proof of a runbook: every mutating step that its scenarios reach, hit by everything that can go wrong
//! with its calls, and how the run ended.
//!
//! Not here: keeping the page, and the judgement of the reader.

mod page;
mod rows;

pub use page::page;
pub use rows::{Cell, Proof, Row};

use crate::blow::Blow;
use crate::people::People;
use crate::play::{Disturbance, Outcome, disturbed_in};
use crate::scaffold::unseen_repeats;
use crate::scenario::Scenario;
use crate::trace::{Asked, StepName, Trace};
use crate::world::{Stage, Trouble, World};
use hostler_core::definition::{Definition, Verb};
use hostler_core::id::LaneId;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Steps of one runbook that are hit.
const ROWS_MAX: usize = 200;

/// How long it is looked for the end of a lane that outlives its run.
const AFTERMATH_HOURS: u32 = 48;

/// What a call belongs to.
struct Target {
    key: Uuid,
    lane: LaneId,
    step: StepName,
    action: String,
}

/// Plays all scenarios of a runbook, and hits each mutating step in the first one that comes to it. The good
/// one is to stand first.
///
/// # Errors
/// When a run is not accepted, or neither ends nor waits; the scenario and the step are named.
pub async fn prove(
    stage: &Stage,
    runbook: &str,
    scenarios: &[(String, Scenario)],
) -> Result<Proof, Trouble> {
    let definition = newest(stage, runbook)?;
    let mut rows = Vec::new();
    let mut reached = BTreeSet::new();
    for (name, scenario) in scenarios {
        if unreached(&definition, &reached).is_empty() {
            break;
        }
        let base = play(stage, scenario, None)
            .await
            .map_err(|fault| at(name, fault))?;
        for target in targets(stage, &base) {
            if reached.insert((target.step.clone(), target.action.clone())) {
                rows.push(row(stage, name, scenario, &base, target).await?);
            }
            if rows.len() > ROWS_MAX {
                let why = format!("{runbook} has more than {ROWS_MAX} steps to hit");
                return Err(Trouble::Stuck(why));
            }
        }
    }
    let unreached = unreached(&definition, &reached);
    Ok(Proof {
        runbook: runbook.to_owned(),
        version: definition.version,
        rows,
        unreached,
    })
}

/// The step hit by everything, one after the other.
async fn row(
    stage: &Stage,
    name: &str,
    scenario: &Scenario,
    base: &Played,
    target: Target,
) -> Result<Row, Trouble> {
    let mut cells = Vec::new();
    for blow in Blow::ALL {
        let hit = play(stage, scenario, Some((blow, target.key))).await;
        let place = || format!("{name}: {}: {}", target.step.step, blow.heading());
        let hit = hit.map_err(|fault| at(&place(), fault))?;
        cells.push(cell(stage, base, &hit, &target));
    }
    Ok(Row {
        step: target.step,
        action: target.action,
        scenario: name.to_owned(),
        cells,
    })
}

fn at(place: &str, fault: Trouble) -> Trouble {
    Trouble::Stuck(format!("{place}: {fault}"))
}

fn newest(stage: &Stage, runbook: &str) -> Result<std::sync::Arc<Definition>, Trouble> {
    let rows = stage.runbooks.list();
    let versions = rows.iter().filter(|row| row.name == runbook);
    let newest = versions.map(|row| row.version).max();
    newest
        .and_then(|version| stage.runbooks.definition(runbook, version))
        .ok_or_else(|| Trouble::Stuck(format!("there is no runbook {runbook}")))
}

/// One run with what its logs say.
struct Played {
    outcome: Outcome,
    trace: Trace,
    slept_on: bool,
}

async fn play(
    stage: &Stage,
    scenario: &Scenario,
    blow: Option<(Blow, Uuid)>,
) -> Result<Played, Trouble> {
    let world = World::new(stage, scenario);
    let how = Disturbance {
        blow,
        settle_all: true,
        ..Disturbance::default()
    };
    let mut outcome = disturbed_in(&world, scenario, how).await?;
    let mut trace = Trace::of(&world).await?;
    if let Some((_, key)) = blow
        && trace.is_at_work(key)
    {
        aftermath(&world).await?;
        outcome.seen = world.host.seen();
        trace = Trace::of(&world).await?;
    }
    Ok(Played {
        outcome,
        trace,
        slept_on: world.has_a_sleeper(),
    })
}

/// What goes on behind the run's end: the end of a lease has its own lane.
async fn aftermath(world: &World) -> Result<(), Trouble> {
    let mut people = People::new(&[], true);
    for _ in 0..AFTERMATH_HOURS {
        while world.step().await? || people.act(world).await? {}
        world.pass(3_600_000).await?;
    }
    Ok(())
}

/// The first call of each mutating step.
fn targets(stage: &Stage, base: &Played) -> Vec<Target> {
    let effects = stage.effects();
    let mutates = |action: &String| effects.get(action).is_some_and(|effect| effect.mutates());
    let calls = base.outcome.seen.iter();
    let calls = calls.filter(|seen| seen.entry == "perform" && mutates(&seen.action));
    let target = |seen: &crate::host::Seen| {
        Some(Target {
            key: seen.key,
            lane: seen.lane,
            step: base.trace.steps.get(&seen.key)?.clone(),
            action: seen.action.clone(),
        })
    };
    calls.filter_map(target).collect()
}

fn cell(stage: &Stage, base: &Played, hit: &Played, target: &Target) -> Cell {
    let outcome = &hit.outcome;
    let mut faults = unseen_repeats(outcome, &stage.effects());
    if hit.slept_on {
        faults.push("the call was never delivered again".to_owned());
    }
    let run = outcome.ended.state.clone();
    let stands = |played: &Played| played.trace.stands(&played.outcome.seen, &stage.contracts);
    let is_usual = run == base.outcome.ended.state && stands(hit) == stands(base);
    let good = ["succeeded", "nothing", "recovered"].contains(&&*run);
    Cell {
        lane: hit.trace.ends.get(&target.lane).cloned(),
        asked: asked(&base.trace.asked, &hit.trace.asked),
        stands: if good { Vec::new() } else { stands(hit) },
        run,
        is_usual,
        faults,
    }
}

fn asked(before: &BTreeSet<Asked>, now: &BTreeSet<Asked>) -> Vec<String> {
    let mut said = Vec::new();
    for asked in now.difference(before) {
        let text = match asked.kind.as_str() {
            "question" | "approval" => format!("{}: {}", asked.who, asked.title),
            kind => format!("{}: {kind}", asked.who),
        };
        if !said.contains(&text) {
            said.push(text);
        }
    }
    said
}

/// Mutating steps of a runbook, undo steps too, that no scenario came to.
fn unreached(definition: &Definition, reached: &BTreeSet<(StepName, String)>) -> Vec<String> {
    let programs = definition.programs.iter();
    let steps = programs.flat_map(|program| program.steps.iter().chain(&program.always));
    let named = steps.flat_map(|step| {
        let undo = step
            .undo
            .iter()
            .map(|undo| (format!("undo:{}", undo.id), undo));
        std::iter::once((step.id.to_string(), step)).chain(undo)
    });
    let left = named.filter_map(|(name, step)| {
        let Verb::Do(call) = &step.verb else {
            return None;
        };
        let row = StepName {
            runbook: definition.runbook.clone(),
            step: name.clone(),
        };
        let met = reached.contains(&(row, call.action.clone()));
        (call.effect.mutates() && !met).then(|| format!("{name} {}", call.action))
    });
    left.collect()
}
