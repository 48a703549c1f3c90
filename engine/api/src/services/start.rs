//! Starting a run, or only showing what it would do.

use super::planning::{self, BudgetView, DeferView, Planned, ToldView, WavePreview, Wish};
use super::scheduler;
use crate::authorize::{Action, Resource, Subject, authorize};
use crate::durable::kept;
use crate::problem::{Code, Problem};
use crate::{Api, catalogue, read};
use hostler_core::definition::{Definition, Verb};
use hostler_core::duty::HandOff;
use hostler_core::event::{Event, Recorded};
use hostler_core::id::{Digest, RunId};
use hostler_core::lane::Opening;
use hostler_core::plan::{Starter, WindowRule};
use hostler_core::view::{LaneRow, RunRow, index};
use hostler_ports::store::{IndexChange, LedgerLine, Priority, Queue, Spawn, Start, Started};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Longest key, reason and the like in bytes.
const TEXT_MAX_BYTES: usize = 500;

/// What is asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartAsk {
    pub runbook: String,
    /// None: the newest that can be started.
    #[serde(default)]
    pub version: Option<u32>,
    #[serde(default)]
    pub inputs: Value,
    #[serde(default)]
    pub reason: Option<String>,
}

/// A plan as people look at it before they start it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanView {
    pub digest: Digest,
    pub runbook: String,
    pub version: u32,
    pub title: String,
    pub inputs: Value,
    pub targets: Vec<String>,
    /// Number of assets by customer.
    pub customers: BTreeMap<String, u32>,
    pub waves: Vec<WavePreview>,
    /// Steps of the run's own list, in order, with their verb.
    pub steps: Vec<StepView>,
    pub connections: BTreeMap<String, u32>,
    pub plugins: BTreeMap<String, Digest>,
    /// Steps that others do.
    #[serde(default)]
    pub hand_offs: Vec<HandOff>,
    /// When the windows open that hold its disturbing steps, by name.
    #[serde(default)]
    pub windows: BTreeMap<String, WindowRule>,
    /// Digest of the policies that hold, if there are any.
    #[serde(default)]
    pub policies: Option<Digest>,
    /// What it would spend of customers' budgets of disruption; only before it is started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<BudgetView>,
    /// Whom it would tell by the channels that the runbook names; only before it is started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<ToldView>,
    /// What its customers may put off; only before it is started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub defers: Vec<DeferView>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepView {
    pub id: String,
    pub name: Option<String>,
    pub verb: String,
    pub conditional: bool,
}

/// An accepted run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StartAnswer {
    pub run: RunId,
    /// The same key had started it before.
    pub known: bool,
    pub plan: PlanView,
}

/// Shows what a run would do, and starts nothing.
///
/// # Errors
/// As `start`.
pub async fn preview(api: &Api, subject: &Subject, ask: StartAsk) -> Result<PlanView, Problem> {
    let planned = prepare(api, subject, &ask, RunId(uuid::Uuid::nil()), None).await?;
    Ok(PlanView {
        budgets: planning::budgets(api, &planned).await?,
        told: planning::told(api, &planned)?,
        defers: planning::defers(api, &planned).await?,
        ..view(api, &planned)
    })
}

/// Starts a run. The same key with the same contents gives the same run.
///
/// # Errors
/// `forbidden`, what planning refuses, `conflict` for a key with other contents, the store's.
pub async fn start(
    api: &Api,
    subject: &Subject,
    ask: StartAsk,
    key: Option<&str>,
) -> Result<StartAnswer, Problem> {
    let run = run_id(api, subject, key)?;
    start_as(api, subject, ask, run, None).await
}

/// Starts the run with this id, unless it was started before.
pub(super) async fn start_as(
    api: &Api,
    subject: &Subject,
    ask: StartAsk,
    run: RunId,
    retry_of: Option<RunId>,
) -> Result<StartAnswer, Problem> {
    let body = body(subject, &ask, retry_of);
    let planned = prepare(api, subject, &ask, run, retry_of).await?;
    match api.store.start(opening(&planned, body)).await? {
        Started::New(seq) => {
            kept(api, Some(seq)).await?;
            Ok(StartAnswer {
                run,
                known: false,
                plan: view(api, &planned),
            })
        }
        Started::Same => {
            kept(api, None).await?;
            Ok(StartAnswer {
                run,
                known: true,
                plan: view(api, &stored(api, run).await?),
            })
        }
    }
}

/// The plan that was frozen when the run was started; the estate may have changed since.
async fn stored(api: &Api, run: RunId) -> Result<Planned, Problem> {
    let row = read::run(api, run).await?;
    let definition = Arc::new(read::definition(api, row.definition).await?);
    let plan = read::plan(api, row.plan).await?;
    Ok(Planned {
        definition,
        plan,
        blobs: Vec::new(),
    })
}

/// A key belongs to the person who gave it: two people's keys never meet.
pub(super) fn run_id(api: &Api, subject: &Subject, key: Option<&str>) -> Result<RunId, Problem> {
    match key {
        None => Ok(RunId(api.ids.fresh())),
        Some(key) if key.is_empty() || key.len() > TEXT_MAX_BYTES => Err(Problem::new(
            Code::Malformed,
            format!("a key has 1 to {TEXT_MAX_BYTES} bytes"),
        )),
        Some(key) => Ok(RunId::of_client_key(
            api.directory.realm(),
            &format!("{}\n{key}", subject.person),
        )),
    }
}

/// What must be the same under the same key: what was asked, not when.
fn body(subject: &Subject, ask: &StartAsk, retry_of: Option<RunId>) -> Digest {
    let asked = json!({ "ask": ask, "person": subject.person, "retry_of": retry_of });
    Digest::of(asked.to_string().as_bytes())
}

async fn prepare(
    api: &Api,
    subject: &Subject,
    ask: &StartAsk,
    run: RunId,
    retry_of: Option<RunId>,
) -> Result<Planned, Problem> {
    if ask
        .reason
        .as_ref()
        .is_some_and(|reason| reason.len() > TEXT_MAX_BYTES)
    {
        return Err(Problem::new(
            Code::Malformed,
            format!("a reason has at most {TEXT_MAX_BYTES} bytes"),
        ));
    }
    let definition = catalogue::find(&*api.runbooks, &ask.runbook, ask.version)?;
    authorize(
        subject,
        Action::StartRun,
        Resource::Runbook(&definition.policy),
    )
    .check(subject)?;
    let starter = Starter {
        who: subject.person.clone(),
        via: subject.via.clone(),
        reason: ask.reason.clone(),
    };
    let started_ms = api.store.now_ms().await?;
    let wish = Wish {
        run,
        starter,
        started_ms,
        inputs: ask.inputs.clone(),
        retry_of,
    };
    planning::plan(api, definition, wish)
}

fn opening(planned: &Planned, body: Digest) -> Start {
    let plan = &planned.plan;
    let (run, lane) = (plan.run, plan.run.root());
    let opening = Opening::root(run, plan.definition, plan.digest());
    let event = Recorded::new(
        Event::LaneOpened {
            opening: Box::new(opening),
        },
        plan.started_ms,
    );
    let row = run_row(planned);
    // Rows are plain data with string keys: they always serialise.
    let row_text = serde_json::to_string(&row).unwrap_or_default();
    let summary = serde_json::to_string(&lane_row(planned)).unwrap_or_default();
    let root = Spawn {
        lane,
        run,
        parent: None,
        key: None,
        queue: Queue::Run,
        priority: priority(&planned.definition, &plan.starter),
        events: vec![event.to_json()],
        summary,
    };
    let listed = IndexChange::Put {
        index: index::RUNS.to_owned(),
        member: run.to_string(),
        score: plan.started_ms,
        body: row_text.clone(),
    };
    let ledger = LedgerLine {
        body: ledger(planned),
    };
    Start {
        run,
        body,
        root,
        blobs: planned.blobs.clone(),
        plan: Some(planned.plan.digest()),
        index: vec![listed],
        ledger: vec![ledger],
        run_summary: row_text,
    }
}

/// Emergencies overtake; what a person starts goes before what a schedule starts.
fn priority(definition: &Definition, starter: &Starter) -> Priority {
    if definition.policy.class.starts_with("emergency") {
        Priority::Emergency
    } else if starter.via == scheduler::VIA {
        Priority::Scheduled
    } else {
        Priority::Operator
    }
}

fn ledger(planned: &Planned) -> String {
    let plan = &planned.plan;
    json!({
        "run": plan.run,
        "event": "run_started",
        "by": plan.starter.who,
        "via": plan.starter.via,
        "reason": plan.starter.reason,
        "runbook": format!("{}@{}", plan.runbook, plan.version),
        "plan": plan.digest(),
        "retry_of": plan.retry_of,
    })
    .to_string()
}

fn run_row(planned: &Planned) -> RunRow {
    let plan = &planned.plan;
    RunRow {
        run: plan.run,
        runbook: plan.runbook.clone(),
        version: plan.version,
        title: planned.definition.title.clone(),
        state: "running".to_owned(),
        starter: plan.starter.who.clone(),
        reason: plan.starter.reason.clone(),
        started_ms: plan.started_ms,
        ended_ms: None,
        step: first_step(planned),
        note: None,
        definition: plan.definition,
        plan: plan.digest(),
        targets: u32::try_from(plan.assets.len()).unwrap_or(u32::MAX),
        retry_of: plan.retry_of,
    }
}

fn first_step(planned: &Planned) -> Option<String> {
    Some(planned.definition.program(0)?.steps.first()?.id.to_string())
}

fn lane_row(planned: &Planned) -> LaneRow {
    LaneRow {
        step: first_step(planned),
        section: "main".to_owned(),
        phase: "at".to_owned(),
        attempt: 1,
        ..super::runs::bare(planned.plan.run.root())
    }
}

fn view(api: &Api, planned: &Planned) -> PlanView {
    let plan = &planned.plan;
    let mut customers: BTreeMap<String, u32> = BTreeMap::new();
    for customer in plan
        .assets
        .values()
        .filter_map(|asset| asset.get("customer")?.as_str())
    {
        *customers.entry(customer.to_owned()).or_default() += 1;
    }
    PlanView {
        digest: plan.digest(),
        runbook: plan.runbook.clone(),
        version: plan.version,
        title: planned.definition.title.clone(),
        inputs: plan.inputs.clone(),
        targets: plan.assets.keys().cloned().collect(),
        customers,
        waves: planning::waves(api, planned),
        steps: steps(&planned.definition),
        connections: plan.limits.clone(),
        plugins: plan.plugins.clone(),
        hand_offs: plan.hand_offs.clone(),
        windows: plan.windows.clone(),
        policies: plan.policies,
        budgets: Vec::new(),
        told: Vec::new(),
        defers: Vec::new(),
    }
}

/// The run's own steps.
#[must_use]
pub fn steps(definition: &Arc<Definition>) -> Vec<StepView> {
    let own = definition.program(0);
    let steps = own
        .into_iter()
        .flat_map(|program| program.steps.iter().chain(&program.always));
    steps
        .map(|step| StepView {
            id: step.id.to_string(),
            name: step.name.clone(),
            verb: verb(&step.verb),
            conditional: step.condition.is_some(),
        })
        .collect()
}

fn verb(verb: &Verb) -> String {
    use hostler_core::definition::Spawn as Children;
    match verb {
        Verb::Do(action) => format!("do {}", action.action),
        Verb::Approve(approve) => format!("approve ({} yes)", approve.quorum.max(1)),
        Verb::Ask(_) => "ask".to_owned(),
        Verb::Notify(notify) => format!("notify {}", notify.template),
        Verb::Wait(_) => "wait".to_owned(),
        Verb::Spawn(Children::Each(each)) if each.waves.is_empty() => "each".to_owned(),
        Verb::Spawn(Children::Each(each)) => format!("each in {} waves", each.waves.len()),
        Verb::Spawn(Children::Repeat(_)) => "repeat".to_owned(),
        Verb::Spawn(Children::Call(call)) => format!("call {}", call.runbook),
        Verb::Release { lease } => format!("release {lease}"),
        Verb::Finish(finish) => format!("finish as {}", finish.result),
    }
}
