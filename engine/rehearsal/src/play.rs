//! One scenario from start to end, and what came of it against what was expected.

use crate::blow::Blow;
use crate::customers::Spoken;
use crate::host::Seen;
use crate::people::{self, People};
use crate::scenario::{Expect, Scenario};
use crate::trace::StepName;
use crate::world::{Stage, Trouble, World};
use hostler_api::Subject;
use hostler_api::services::start::{StartAsk, start};
use hostler_core::id::{LaneId, RunId};
use hostler_core::view::{ChildRecord, LaneRow, MailRow, RunRow, index};
use hostler_ports::channel::Message;
use hostler_ports::store::{Cursor, Store};
use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use uuid::Uuid;

/// Moves of one scenario in any case.
const MOVES_MAX: u32 = 200_000;
/// How time passes while nothing is ready: often at first, then in longer steps.
const PAUSES_MS: [i64; 5] = [1_000, 10_000, 60_000, 300_000, 3_600_000];
/// From so many pauses on, hours pass at a time until a timer fires.
const LONG_IDLE: usize = 50;
const HOURS_MAX: u32 = 48;
/// Simulated time after which a run that waits for nobody counts as stuck.
const TIME_MAX_MS: i64 = 400 * 86_400_000;

/// How a rehearsed run ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// A result, or `waiting` when it waits for people whom nobody scripted.
    pub state: String,
    pub note: Option<String>,
}

#[derive(Debug)]
pub struct Outcome {
    pub ended: Ended,
    /// Results of items by step and key.
    pub items: BTreeMap<String, BTreeMap<String, String>>,
    pub seen: Vec<Seen>,
    /// The step of each call by the call's key, of a run through a door.
    pub steps: BTreeMap<Uuid, StepName>,
    /// How many by their stage, and what was sent to whom.
    pub notices: BTreeMap<String, u32>,
    pub messages: Vec<Message>,
    pub ledger: Vec<String>,
    /// What customers of the script said, and the run of each lane of a run through a door.
    pub said: Vec<Spoken>,
    pub runs: BTreeMap<LaneId, RunId>,
    /// Store calls of the whole run.
    pub commits: u64,
    /// Calls that had been made when a freeze was declared, and the instant of its end.
    pub frozen: Option<(usize, i64)>,
    /// Differences from what the scenario expects, and broken invariants.
    pub complaints: Vec<String>,
}

/// How a scenario is disturbed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disturbance {
    /// The answer of this call is lost with its worker.
    pub lose_answer_of: Option<u64>,
    /// The answer of this commit is lost with its worker.
    pub crash_after_commit: Option<u64>,
    /// Before this commit is carried out, people declare a freeze of everything; see `FREEZE_MS`.
    pub freeze_before_commit: Option<u64>,
    /// While this call goes on, its lane is told to stop.
    pub stop_during_call: Option<u64>,
    /// The calls under this key go wrong.
    pub blow: Option<(Blow, Uuid)>,
    /// Open questions without a script are settled so that the run ends.
    pub settle_all: bool,
}

/// Plays a scenario as it is written.
///
/// # Errors
/// When the run is not accepted, or neither ends nor waits.
pub async fn play(stage: &Stage, scenario: &Scenario) -> Result<Outcome, Trouble> {
    let mut outcome = disturbed(stage, scenario, Disturbance::default()).await?;
    let complaints = compare(&outcome, &scenario.expect);
    outcome.complaints.extend(complaints);
    Ok(outcome)
}

/// Plays a scenario with one disturbance; the expectation is not compared.
///
/// # Errors
/// As `play`.
pub async fn disturbed(
    stage: &Stage,
    scenario: &Scenario,
    how: Disturbance,
) -> Result<Outcome, Trouble> {
    disturbed_in(&World::new(stage, scenario), scenario, how).await
}

pub(crate) async fn disturbed_in(
    world: &World,
    scenario: &Scenario,
    how: Disturbance,
) -> Result<Outcome, Trouble> {
    let run = begin(world, scenario, "rehearsal").await?;
    let disturbed = crate::scaffold::disturb_commits(world, how);
    if let Some((blow, key)) = how.blow {
        world.host.aim(blow, key);
    }
    if let Some(number) = how.lose_answer_of {
        world.host.lose_answer_of(number);
    }
    if let Some(number) = how.stop_during_call {
        crate::scaffold::stop_during(world, number);
    }
    let mut people = People::of(scenario);
    if how.settle_all {
        people = people.settling();
    }
    let ended = run_out(world, run, &mut people).await?;
    let mut outcome = read(world, run, ended).await?;
    outcome.commits = disturbed.commits.load(Ordering::SeqCst);
    outcome.frozen = *disturbed
        .frozen
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    outcome.said = people.said().to_vec();
    outcome.complaints.append(&mut people.complaints);
    let as_written =
        how.lose_answer_of.is_none() && how.crash_after_commit.is_none() && how.blow.is_none();
    if people.left() > 0 && as_written {
        outcome.complaints.push(format!(
            "{} scripted decisions were never asked for",
            people.left()
        ));
    }
    let never = people.never_asked().into_iter().filter(|_| as_written);
    outcome
        .complaints
        .extend(never.map(|customer| format!("{customer} was never asked for its consent")));
    Ok(outcome)
}

/// Plays several runs of the same scenario side by side over the same servers; open questions are
/// settled so that the runs end.
///
/// # Errors
/// As `play`.
pub async fn side_by_side(
    stage: &Stage,
    scenario: &Scenario,
    runs: u32,
) -> Result<Vec<Ended>, Trouble> {
    let world = World::new(stage, scenario);
    let mut started = Vec::new();
    for number in 0..runs {
        started.push(begin(&world, scenario, &format!("rehearsal {number}")).await?);
    }
    let mut people = People::new(&[], true);
    let mut ended = Vec::new();
    for run in started {
        ended.push(run_out(&world, run, &mut people).await?);
    }
    Ok(ended)
}

/// Starts a scenario's run as its starter; the same key is the same run.
///
/// # Errors
/// When it is not accepted.
pub async fn begin(world: &World, scenario: &Scenario, key: &str) -> Result<RunId, Trouble> {
    let subject = Subject::of(&*world.api.directory, &scenario.starter, "rehearsal")
        .ok_or_else(|| Trouble::Stuck(format!("the estate has no {}", scenario.starter)))?;
    let ask = StartAsk {
        runbook: scenario.runbook.clone(),
        inputs: scenario.inputs.clone(),
        ..StartAsk::default()
    };
    let answer = start(&world.api, &subject, ask, Some(key)).await;
    Ok(answer
        .map_err(|problem| Trouble::NotStarted(Box::new(problem)))?
        .run)
}

pub(crate) async fn run_out(
    world: &World,
    run: RunId,
    people: &mut People,
) -> Result<Ended, Trouble> {
    let began_ms = world.store.now_ms().await?;
    let mut idle = 0;
    for _ in 0..MOVES_MAX {
        if world.step().await? {
            idle = 0;
            continue;
        }
        if people.act(world).await? {
            idle = 0;
            continue;
        }
        let row = run_row(world, run).await?;
        let quiet = world.store.counts().await?;
        let over = row.ended_ms.is_some() && quiet.ready == 0 && idle > 2;
        if over {
            return Ok(Ended {
                state: row.state,
                note: row.note,
            });
        }
        if row.state == "waiting" && idle > 40 && !people::expires(world).await? {
            return Ok(Ended {
                state: row.state,
                note: row.step,
            });
        }
        if world.store.now_ms().await? - began_ms > TIME_MAX_MS {
            return Err(Trouble::Stuck(format!(
                "{} at {:?} after 400 days",
                row.state, row.step
            )));
        }
        let pause = PAUSES_MS[(idle / 10).min(PAUSES_MS.len() - 1)];
        // Only people of the script come by themselves.
        let times = if !people.come_by_themselves() && idle > LONG_IDLE {
            HOURS_MAX
        } else {
            1
        };
        world.pass_on(pause, times).await?;
        idle += 1;
    }
    Err(Trouble::Stuck(format!(
        "the run went on for {MOVES_MAX} moves"
    )))
}

pub(crate) async fn run_row(world: &World, run: RunId) -> Result<RunRow, Trouble> {
    let text = world
        .store
        .run_summary(run)
        .await?
        .ok_or_else(|| Trouble::Stuck("the run is gone".to_owned()))?;
    Ok(serde_json::from_str(&text)?)
}

pub(crate) async fn read(world: &World, run: RunId, ended: Ended) -> Result<Outcome, Trouble> {
    let mut outcome = Outcome {
        ended,
        items: BTreeMap::new(),
        seen: world.host.seen(),
        steps: BTreeMap::new(),
        notices: BTreeMap::new(),
        messages: world.next_hop.taken(),
        ledger: Vec::new(),
        said: Vec::new(),
        runs: BTreeMap::new(),
        commits: 0,
        frozen: None,
        complaints: Vec::new(),
    };
    items(world, run.root(), &mut outcome).await?;
    notices(world, run, &mut outcome).await?;
    let mut from = 0;
    loop {
        let entries = world.store.ledger(from).await?;
        let Some(last) = entries.last() else { break };
        from = last.number + 1;
        outcome
            .ledger
            .extend(entries.into_iter().map(|entry| entry.body));
    }
    Ok(outcome)
}

async fn notices(world: &World, run: RunId, outcome: &mut Outcome) -> Result<(), Trouble> {
    let mut after = Cursor::default();
    loop {
        let page = world
            .store
            .query(&index::notices(run), false, after)
            .await?;
        for entry in page.entries {
            let row: MailRow = serde_json::from_str(&entry.body)?;
            // What is over before its message leaves is told to nobody.
            let is_in_order = row.state == "accepted" || row.state == "withdrawn";
            if !is_in_order && !world.next_hop.refuses(&row.to) {
                let why = row.answer.unwrap_or_default();
                outcome.complaints.push(format!(
                    "notice {} to {} is {}: {why}",
                    row.stage, row.to, row.state
                ));
            }
            *outcome.notices.entry(row.stage).or_default() += 1;
        }
        match page.next {
            Some(next) => after = next,
            None => return Ok(()),
        }
    }
}

async fn items(world: &World, lane: LaneId, outcome: &mut Outcome) -> Result<(), Trouble> {
    let mut after = Cursor::default();
    loop {
        let page = world.store.children(lane, after).await?;
        let lanes: Vec<_> = page.entries.iter().map(|child| child.lane).collect();
        let headers = world.store.headers(&lanes).await?;
        for (child, header) in page.entries.iter().zip(headers) {
            let Some((step, key)) = child.key.split_once('/') else {
                continue;
            };
            let result = match &child.record {
                Some(text) => serde_json::from_str::<ChildRecord>(text)?
                    .result
                    .name()
                    .to_owned(),
                None => live_state(header.map(|header| header.summary)),
            };
            outcome
                .items
                .entry(step.to_owned())
                .or_default()
                .insert(key.to_owned(), result);
        }
        match page.next {
            Some(next) => after = next,
            None => return Ok(()),
        }
    }
}

fn live_state(summary: Option<String>) -> String {
    let row: Option<LaneRow> = summary.and_then(|text| serde_json::from_str(&text).ok());
    row.map_or_else(|| "live".to_owned(), |row| row.phase)
}

fn compare(outcome: &Outcome, expect: &Expect) -> Vec<String> {
    let mut complaints = Vec::new();
    if outcome.ended.state != expect.result {
        complaints.push(format!(
            "the run ended {} ({}), not {}",
            outcome.ended.state,
            outcome.ended.note.as_deref().unwrap_or("-"),
            expect.result
        ));
    }
    for (step, keys) in &expect.items {
        for (key, wanted) in keys {
            let found = outcome.items.get(step).and_then(|items| items.get(key));
            if found != Some(wanted) {
                complaints.push(format!("{step}/{key} is {found:?}, not {wanted}"));
            }
        }
    }
    for (action, wanted) in &expect.calls {
        let performed = |seen: &&Seen| seen.action == *action && seen.entry == "perform";
        let count = outcome.seen.iter().filter(performed).count();
        if count != *wanted as usize {
            complaints.push(format!("{action} was called {count} times, not {wanted}"));
        }
    }
    for (stage, wanted) in &expect.notices {
        let count = outcome.notices.get(stage).copied().unwrap_or(0);
        if count != *wanted {
            complaints.push(format!(
                "{count} notices of the stage {stage}, not {wanted}"
            ));
        }
    }
    complaints.extend(ledger_gaps(&outcome.ledger, &expect.ledger));
    complaints
}

fn ledger_gaps(ledger: &[String], wanted: &[String]) -> Vec<String> {
    let mut rest = ledger.iter();
    let missing = wanted
        .iter()
        .filter(|text| !rest.any(|entry| entry.contains(text.as_str())));
    missing
        .map(|text| format!("no ledger entry (in this order) contains `{text}`"))
        .collect()
}
