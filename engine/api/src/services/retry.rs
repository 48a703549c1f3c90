//! Running again what has failed: in place while the run lives, else as a new run.

use super::changed;
use super::outcome::{self, Settled};
use super::start::{self, StartAsk};
use super::{control, runs};
use crate::Api;
use crate::authorize::{Action, Subject};
use crate::problem::{Code, Problem};
use crate::read::{self, Reading};
use hostler_core::command::{Choice, Command, RetryItem};
use hostler_core::difference::Difference;
use hostler_core::id::{Digest, LaneId, RunId};
use hostler_core::lane::{ChildrenKind, Phase};
use hostler_core::refusal::Refusal;
use hostler_ports::store::Cursor;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Items opened anew by one command.
const ITEMS_MAX: usize = 200;
/// Most differences of a new run from the old one that an answer lists.
const CHANGED_MAX: usize = 200;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryAsk {
    /// Keys of items (assets); empty: all that failed.
    #[serde(default)]
    pub items: Vec<String>,
    #[serde(default)]
    pub reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "retried")]
pub enum Retried {
    /// Items of the present step run again.
    Items {
        items: Vec<String>,
        settled: Settled,
    },
    /// The step that failed is entered anew.
    Step { lane: LaneId, settled: Settled },
    /// The run was over: a new one does the same, asks for approvals of its own, and is planned over the estate of
    /// today.
    Run {
        run: RunId,
        /// What nobody who approved the old one has seen.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        changed: Vec<Difference>,
    },
}

/// # Errors
/// `forbidden`, `not-found`, `nothing-to-retry`, `refused`.
pub async fn retry(
    api: &Api,
    subject: &Subject,
    run: RunId,
    ask: RetryAsk,
    key: Option<&str>,
) -> Result<Retried, Problem> {
    let reading = control::allowed(api, subject, run, Action::ControlRun).await?;
    if reading.lane.has_ended() {
        return anew(api, subject, run, ask, key).await;
    }
    let is_each = reading
        .lane
        .children
        .as_ref()
        .is_some_and(|children| children.kind == ChildrenKind::Each);
    if let Phase::Person(person) = &reading.lane.phase
        && !person.kind.is_approval()
        && !person.kind.is_form()
        && ask.items.is_empty()
    {
        return step(api, subject, run, &reading, person.signs, ask, key).await;
    }
    if is_each {
        return items(api, subject, run, &reading, ask, key).await;
    }
    Err(Refusal::NothingToRetry.into())
}

async fn step(
    api: &Api,
    subject: &Subject,
    run: RunId,
    reading: &Reading,
    signs: Digest,
    ask: RetryAsk,
    key: Option<&str>,
) -> Result<Retried, Problem> {
    let actor = super::decide::actor(subject);
    let command = Command::Choose {
        actor,
        signs: Some(signs),
        choice: Choice::Retry,
        comment: ask.reason,
        output: Value::Null,
    };
    outcome::try_out(api, reading, &command).await?;
    let lane = run.root();
    let id = outcome::command_id(api, subject, lane, key);
    let settled = outcome::send(api, lane, id, &command, reading).await?;
    Ok(Retried::Step { lane, settled })
}

async fn items(
    api: &Api,
    subject: &Subject,
    run: RunId,
    reading: &Reading,
    ask: RetryAsk,
    key: Option<&str>,
) -> Result<Retried, Problem> {
    let failed = failed(api, reading, &ask.items).await?;
    let keys = failed.iter().map(|item| item.key.clone()).collect();
    let command = Command::RetryItems {
        by: subject.person.clone(),
        items: failed,
    };
    outcome::try_out(api, reading, &command).await?;
    let id = outcome::command_id(api, subject, run.root(), key);
    let settled = outcome::send(api, run.root(), id, &command, reading).await?;
    Ok(Retried::Items {
        items: keys,
        settled,
    })
}

/// Failed children of the present step, from what they left beside their parent.
async fn failed(
    api: &Api,
    reading: &Reading,
    wanted: &[String],
) -> Result<Vec<RetryItem>, Problem> {
    let definition = read::definition(api, reading.lane.opening.definition).await?;
    let program = reading.lane.program(&definition);
    let step = program
        .as_deref()
        .and_then(|program| reading.lane.step(program));
    let step = step.map(|step| step.id.to_string()).unwrap_or_default();
    let mut found = Vec::new();
    let mut cursor = Cursor::default();
    for _ in 0..read::PAGES_MAX {
        let page = api.store.children(reading.lane.id(), cursor).await?;
        for child in &page.entries {
            let Some((of, key)) = child.key.split_once('/') else {
                continue;
            };
            let Some(record) = runs::record(child).filter(|_| of == step) else {
                continue;
            };
            let is_wanted = wanted.is_empty() || wanted.iter().any(|wanted| wanted == key);
            if is_wanted
                && (record.result.is_failure() || record.result.is_held())
                && found.len() < ITEMS_MAX
            {
                found.push(RetryItem {
                    key: key.to_owned(),
                    index: record.index,
                    result: record.result,
                });
            }
        }
        match page.next {
            Some(next) => cursor = next,
            None => break,
        }
    }
    let missing = wanted
        .iter()
        .find(|key| !found.iter().any(|item| item.key == **key));
    match (missing, found.is_empty()) {
        (Some(key), _) => Err(Problem::new(
            Code::NothingToRetry,
            format!("{key} has not failed in {step}"),
        )),
        (None, true) => Err(Refusal::NothingToRetry.into()),
        (None, false) => Ok(found),
    }
}

/// The same version with the same inputs, as the subject's own run.
async fn anew(
    api: &Api,
    subject: &Subject,
    run: RunId,
    ask: RetryAsk,
    key: Option<&str>,
) -> Result<Retried, Problem> {
    let row = read::run(api, run).await?;
    let plan = read::plan(api, row.plan).await?;
    let reason = ask.reason.or_else(|| Some(format!("again after {run}")));
    let wish = StartAsk {
        runbook: plan.runbook.clone(),
        version: Some(plan.version),
        inputs: plan.inputs.clone(),
        reason,
    };
    let id = start::run_id(api, subject, key)?;
    let started = start::start_as(api, subject, wish, id, Some(run)).await?;
    let run = started.run;
    let again = read::plan(api, read::run(api, run).await?.plan).await?;
    let mut changed = changed::plans(api, &plan, &again).await;
    changed.truncate(CHANGED_MAX);
    Ok(Retried::Run { run, changed })
}
