//! The doors through which a run is begun, or taken up again: behind each stand the same gates.
//!
//! Not here: what a gate says.

use crate::people::{self, People};
use crate::play::{Ended, Outcome, begin, read, run_out, run_row};
use crate::scenario::{Answer, Scenario};
use crate::world::{Stage, Trouble, World};
use hostler_api::services::control::{ControlAsk, Wish, control};
use hostler_api::services::retry::{Retried, RetryAsk, retry};
use hostler_api::services::scheduler::Scheduler;
use hostler_api::{Problem, Subject};
use hostler_calendar::schedule::When;
use hostler_calendar::zone::Zone;
use hostler_calendar::{Schedule, Scheduled};
use hostler_core::id::RunId;
use hostler_core::view::index;
use hostler_ports::store::{Cursor, DocumentWrite, Store, Upkeep};
use serde_json::json;
use std::cell::Cell;
use std::sync::Arc;

/// Moves until something is expected to have happened.
const MOVES_MAX: u32 = 50_000;
/// So many of them are a minute apart, the others so many minutes.
const OFTEN: u32 = 10_000;
const SELDOM: i64 = 10;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Who waits for so long waits for nobody of the script: the rungs of a ladder are closer to each other.
const LADDER_MS: i64 = 20 * MINUTE_MS;
/// A schedule of rehearsals fires this often.
const EVERY_MS: u64 = 15 * 60_000;

/// How a run comes to its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// A person starts it on the command line.
    Cli,
    /// A program starts it.
    Api,
    /// A schedule starts it.
    Schedule,
    /// It is paused while a gate holds it, and resumed at an instant at which the gate is closed.
    Resumed,
    /// A step fails, and what failed is run again hours later: its item, the step, or else the run.
    RetriedItem,
    /// It is cancelled, and run again as a whole.
    RetriedRun,
}

impl Door {
    pub const ALL: [Self; 6] = [
        Self::Cli,
        Self::Api,
        Self::Schedule,
        Self::Resumed,
        Self::RetriedItem,
        Self::RetriedRun,
    ];
}

/// Plays a scenario through a door, perhaps behind the whole of another one, whose calls and entries of the ledger are
/// left out; `action` is the one that fails where a step has to.
///
/// # Errors
/// As `play`.
pub async fn through(
    stage: &Stage,
    before: Option<&Scenario>,
    scenario: &Scenario,
    door: Door,
    action: &str,
) -> Result<Outcome, Trouble> {
    enter(stage, before, &[], scenario, (door, action)).await
}

/// The same where somebody else has left these documents in the store.
///
/// # Errors
/// As `play`.
pub async fn behind(
    stage: &Stage,
    left: &[DocumentWrite],
    scenario: &Scenario,
    door: Door,
    action: &str,
) -> Result<Outcome, Trouble> {
    enter(stage, None, left, scenario, (door, action)).await
}

async fn enter(
    stage: &Stage,
    before: Option<&Scenario>,
    left: &[DocumentWrite],
    scenario: &Scenario,
    (door, action): (Door, &str),
) -> Result<Outcome, Trouble> {
    let mut scenario = scenario.clone();
    if door == Door::RetriedItem {
        let fails = Answer {
            action: action.to_owned(),
            times: Some(1),
            reject: Some("fails once".to_owned()),
            ..Answer::default()
        };
        scenario.answers.insert(0, fails);
    }
    let mut world = World::new(stage, before.unwrap_or(&scenario));
    let left = Upkeep {
        documents: left.to_vec(),
        ..Upkeep::default()
    };
    let kept = world.store.upkeep(left).await;
    kept.map_err(|fault| Trouble::Stuck(fault.to_string()))?;
    let (mut seen, mut written, mut behind) = (0, 0, None);
    if let Some(before) = before {
        let mut people = People::of(before);
        let run = begin(&world, before, "before").await?;
        let ended = run_out(&world, run, &mut people).await?;
        let outcome = read(&world, run, ended).await?;
        (seen, written, behind) = (outcome.seen.len(), outcome.ledger.len(), Some(run));
        world.host.answers_now(&scenario.answers);
        // Whatever nobody did while it ran, somebody does later.
        scenario.people.extend(people.into_left());
    }
    let from = ledger_end(&world).await?;
    let via = if door == Door::Api { "api" } else { "cli" };
    let starter = Subject::of(&*world.api.directory, &scenario.starter, via)
        .ok_or_else(|| Trouble::Stuck("the starter is nobody".to_owned()))?;
    let mut people = People::of(&scenario);
    let run = match door {
        Door::Schedule => scheduled(&mut world, &scenario, behind).await?,
        _ => begin(&world, &scenario, via).await?,
    };
    let run = match door {
        Door::Cli | Door::Api | Door::Schedule => run,
        Door::Resumed => resumed(&world, &mut people, &starter, run, from).await?,
        Door::RetriedItem => retried_item(&world, &mut people, &starter, run).await?,
        Door::RetriedRun => retried_run(&world, &mut people, &starter, run).await?,
    };
    let mut people = people.settling();
    let ended = run_out(&world, run, &mut people).await?;
    let mut outcome = read(&world, run, ended).await?;
    outcome.seen.drain(..seen);
    outcome.ledger.drain(..written);
    outcome.trace(&world, &people).await?;
    Ok(outcome)
}

/// Starts a scenario, and leaves it so many hours behind the moment at which this gate has held it.
///
/// # Errors
/// As `play`; also when the gate does not hold it.
pub async fn held(
    stage: &Stage,
    scenario: &Scenario,
    gate: &str,
    hours: u32,
) -> Result<Outcome, Trouble> {
    let world = World::new(stage, scenario);
    let mut people = People::of(scenario);
    let run = begin(&world, scenario, "held").await?;
    watched_while_held(&world, &mut people, gate, hours).await?;
    let row = run_row(&world, run).await?;
    let ended = Ended {
        state: row.state,
        note: row.note,
    };
    read(&world, run, ended).await
}

/// Calls that the plugins had seen when a gate first held a run, and hours later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched {
    pub held: usize,
    pub later: usize,
}

/// Goes on until `gate` holds a step, and then for so many hours.
pub(crate) async fn watched_while_held(
    world: &World,
    people: &mut People,
    gate: &str,
    hours: u32,
) -> Result<Watched, Trouble> {
    until(world, people, gate, async |world| {
        is_held(world, gate).await
    })
    .await?;
    let held = world.host.seen().len();
    for _ in 0..hours {
        world.pass(HOUR_MS).await?;
        while world.step().await? || people.act(world).await? {}
    }
    let later = world.host.seen().len();
    Ok(Watched { held, later })
}

/// Starts a scenario, and leaves it behind the first call of an action.
///
/// # Errors
/// As `play`; also when the action is never called.
pub async fn up_to(stage: &Stage, scenario: &Scenario, action: &str) -> Result<Outcome, Trouble> {
    let world = World::new(stage, scenario);
    let mut people = People::of(scenario);
    let run = begin(&world, scenario, "first").await?;
    until(&world, &mut people, action, async |world| {
        Ok(world.host.seen().iter().any(|seen| seen.action == action))
    })
    .await?;
    let row = run_row(&world, run).await?;
    let ended = Ended {
        state: row.state,
        note: row.note,
    };
    read(&world, run, ended).await
}

/// Whether a step was held by this gate.
pub(crate) async fn is_held(world: &World, gate: &str) -> Result<bool, Trouble> {
    let gate = format!(r#""gate":"{gate}""#);
    let mut from = 0;
    loop {
        let ledger = world.store.ledger(from).await?;
        let Some(last) = ledger.last() else {
            return Ok(false);
        };
        from = last.number + 1;
        let held = |body: &str| body.contains("step_held") && body.contains(&gate);
        if ledger.iter().any(|line| held(&line.body)) {
            return Ok(true);
        }
    }
}

/// The number of the next entry.
async fn ledger_end(world: &World) -> Result<u64, Trouble> {
    let mut from = 0;
    loop {
        let ledger = world.store.ledger(from).await?;
        let Some(last) = ledger.last() else {
            return Ok(from);
        };
        from = last.number + 1;
    }
}

pub(crate) fn refused(problem: Problem) -> Trouble {
    Trouble::Stuck(problem.to_string())
}

async fn scheduled(
    world: &mut World,
    scenario: &Scenario,
    before: Option<RunId>,
) -> Result<RunId, Trouble> {
    let schedule = Schedule::new("rehearsed", When::Every(EVERY_MS), Zone::utc(), None)
        .map_err(|fault| Trouble::Stuck(fault.to_string()))?;
    world.api.schedules = Arc::new([Scheduled {
        schedule,
        runbook: scenario.runbook.clone(),
        version: None,
        inputs: if scenario.inputs.is_null() {
            json!({})
        } else {
            scenario.inputs.clone()
        },
    }]);
    let mut scheduler = Scheduler::new(world.api.clone());
    // A firing that is late is a missed one: it is looked for at its own instant.
    let now_ms = world.store.now_ms().await?;
    world
        .pass(15 * MINUTE_MS - now_ms.rem_euclid(15 * MINUTE_MS))
        .await?;
    scheduler.pass().await.map_err(refused)?;
    world.pass(15 * MINUTE_MS).await?;
    scheduler.pass().await.map_err(refused)?;
    let runs = world
        .store
        .query(index::RUNS, true, Cursor::default())
        .await?;
    let all = runs.entries.iter();
    let newest = all
        .filter_map(|entry| entry.member.parse().ok())
        .find(|run| Some(*run) != before);
    newest.ok_or_else(|| Trouble::Stuck("the schedule has started nothing".to_owned()))
}

pub(crate) async fn wish(
    world: &World,
    who: &Subject,
    run: RunId,
    wish: Wish,
) -> Result<(), Trouble> {
    let ask = ControlAsk::default();
    let key = format!("{wish:?}");
    control(&world.api, who, run, wish, ask, Some(&key))
        .await
        .map_err(refused)?;
    Ok(())
}

/// Moves on, minute by minute at first, until `seen` is so.
pub(crate) async fn until(
    world: &World,
    people: &mut People,
    what: &str,
    seen: impl AsyncFn(&World) -> Result<bool, Trouble>,
) -> Result<(), Trouble> {
    for move_number in 0..MOVES_MAX {
        if world.step().await? || people.act(world).await? {
            continue;
        }
        if seen(world).await? {
            return Ok(());
        }
        let pause = if move_number < OFTEN { 1 } else { SELDOM };
        world.pass(pause * MINUTE_MS).await?;
    }
    Err(Trouble::Stuck(format!("{what} has never come")))
}

async fn resumed(
    world: &World,
    people: &mut People,
    who: &Subject,
    run: RunId,
    from: u64,
) -> Result<RunId, Trouble> {
    until(world, people, "a held step", async |world| {
        let ledger = world.store.ledger(from).await?;
        Ok(ledger.iter().any(|line| line.body.contains("step_held")))
    })
    .await?;
    wish(world, who, run, Wish::Pause).await?;
    // Over the next opening, and into the week behind it.
    for _ in 0..20 {
        while world.step().await? {}
        world.pass(12 * HOUR_MS).await?;
    }
    wish(world, who, run, Wish::Resume).await?;
    Ok(run)
}

async fn retried_item(
    world: &World,
    people: &mut People,
    who: &Subject,
    run: RunId,
) -> Result<RunId, Trouble> {
    let waits_since = Cell::new(None);
    until(
        world,
        people,
        "the question behind a failed item, or the end",
        async |world| {
            let row = run_row(world, run).await?;
            let now_ms = world.store.now_ms().await?;
            let waits = row.state == "waiting";
            waits_since.set(waits.then(|| waits_since.get().unwrap_or(now_ms)));
            let waited = waits_since
                .get()
                .is_some_and(|since| now_ms - since > LADDER_MS);
            let over = waited || row.ended_ms.is_some();
            Ok(over || people::are_asked_about_a_failure(world).await?)
        },
    )
    .await?;
    world.pass(2 * HOUR_MS).await?;
    let again = retry(&world.api, who, run, RetryAsk::default(), Some("again")).await;
    match again {
        Ok(Retried::Items { .. } | Retried::Step { .. }) => Ok(run),
        Ok(Retried::Run { run, .. }) => Ok(run),
        // What stands in the middle of a lane is tried again by whoever is asked about it.
        Err(_) if people.try_again(world).await? => Ok(run),
        Err(problem) => Err(refused(problem)),
    }
}

async fn retried_run(
    world: &World,
    people: &mut People,
    who: &Subject,
    run: RunId,
) -> Result<RunId, Trouble> {
    wish(world, who, run, Wish::Cancel).await?;
    let mut nobody = People::new(&[], false);
    run_out(world, run, &mut nobody).await?;
    people.complaints.append(&mut nobody.complaints);
    let again = retry(&world.api, who, run, RetryAsk::default(), Some("again")).await;
    match again.map_err(refused)? {
        Retried::Run { run, .. } => Ok(run),
        other => Err(Trouble::Stuck(format!("retried in another way: {other:?}"))),
    }
}
