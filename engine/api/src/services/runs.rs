//! Lists of runs, one run with its lanes, one lane with what its steps left.

use super::consent_view::{self, ConsentView};
use super::waiting;
use crate::authorize::{Action, Resource, Subject, authorize};
use crate::filter::RunFilter;
use crate::problem::{Code, Problem};
use crate::{Api, read};
use hostler_core::id::{LaneId, RunId};
use hostler_core::result::StepResult;
use hostler_core::view::{ChildRecord, LaneRow, RunRow, WaitingRow, index};
use hostler_ports::store::{Child, Cursor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Most runs of one answer.
pub const RUNS_MAX: usize = 500;
/// Most rows of one matrix; a cursor leads on.
pub const ROWS_MAX: usize = 2_000;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunList {
    pub runs: Vec<RunRow>,
    /// Where the next page begins; none when this was the last.
    pub next: Option<String>,
}

/// Newest first.
///
/// # Errors
/// `forbidden`, `malformed` for the filter, the store's.
pub async fn list(
    api: &Api,
    subject: &Subject,
    filter: &str,
    limit: usize,
    after: Option<String>,
) -> Result<RunList, Problem> {
    authorize(subject, Action::ReadRuns, Resource::Realm).check(subject)?;
    let filter = RunFilter::parse(filter)?;
    let now_ms = api.store.now_ms().await?;
    let limit = limit.clamp(1, RUNS_MAX);
    let mut runs = Vec::new();
    let mut too_old = false;
    let next = read::walk(api, index::RUNS, true, Cursor(after), |entry| {
        too_old = filter.is_before(entry.score, now_ms);
        if let Ok(row) = serde_json::from_str::<RunRow>(&entry.body)
            && filter.matches(&row, now_ms)
        {
            runs.push(row);
        }
        runs.len() < limit && !too_old
    })
    .await?;
    Ok(RunList {
        runs,
        next: next.filter(|_| !too_old).and_then(|cursor| cursor.0),
    })
}

/// A run from its id or from the beginning of it, if no other begins so.
///
/// # Errors
/// `not-found`, `malformed` when it is ambiguous or too short.
pub async fn resolve(api: &Api, subject: &Subject, text: &str) -> Result<RunId, Problem> {
    if let Ok(run) = text.parse() {
        return Ok(run);
    }
    if text.len() < 4 || !text.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
        return Err(
            Problem::new(Code::Malformed, format!("{text} is not the id of a run"))
                .remedy("give the id, or at least four digits of its beginning"),
        );
    }
    let found = list(api, subject, &format!("run:{text}"), 2, None)
        .await?
        .runs;
    match found.as_slice() {
        [] => Err(Problem::not_found("run", text)),
        [one] => Ok(one.run),
        _ => Err(
            Problem::new(Code::Malformed, format!("several runs begin with {text}"))
                .remedy("give more digits"),
        ),
    }
}

/// A run as its page shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunView {
    pub run: RunRow,
    pub root: LaneRow,
    /// Child lanes by step and key.
    pub lanes: Vec<LaneRow>,
    pub next: Option<String>,
    /// Open questions of this run.
    pub waiting: Vec<WaitingRow>,
    /// Customers who are asked for their consent, or have spoken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consents: Vec<ConsentView>,
    /// Changes after this are told by `follow`.
    pub seq: u64,
    pub now_ms: i64,
}

/// # Errors
/// `forbidden`, `not-found`, the store's.
pub async fn show(
    api: &Api,
    subject: &Subject,
    run: RunId,
    after: Option<String>,
) -> Result<RunView, Problem> {
    authorize(subject, Action::ReadRuns, Resource::Realm).check(subject)?;
    // Read first: what changes meanwhile is told again, never missed.
    let seq = api.store.counts().await?.seq;
    let api = &read::of_run(api, run).await?;
    let row = read::run(api, run).await?;
    let root = api
        .store
        .headers(&[run.root()])
        .await?
        .into_iter()
        .next()
        .flatten();
    let root = root.ok_or_else(|| Problem::not_found("lane", run.root()))?;
    let root = parse_row(&root.summary, run.root());
    let (lanes, next) = lanes_of(api, run.root(), after).await?;
    let waiting = waiting::of_run(api, run).await?;
    let consents = consent_view::of_run(api, &row).await?;
    let now_ms = api.store.now_ms().await?;
    Ok(RunView {
        run: row,
        root,
        lanes,
        next,
        waiting,
        consents,
        seq,
        now_ms,
    })
}

/// Children of a lane with their present rows.
pub async fn lanes_of(
    api: &Api,
    parent: LaneId,
    after: Option<String>,
) -> Result<(Vec<LaneRow>, Option<String>), Problem> {
    let mut rows = Vec::new();
    let mut cursor = Cursor(after);
    while rows.len() < ROWS_MAX {
        let page = api.store.children(parent, cursor).await?;
        let ids: Vec<LaneId> = page.entries.iter().map(|child| child.lane).collect();
        let headers = api.store.headers(&ids).await?;
        for (child, header) in page.entries.iter().zip(headers) {
            rows.push(match header {
                Some(header) => parse_row(&header.summary, child.lane),
                None => from_record(child),
            });
        }
        match page.next {
            Some(next) => cursor = next,
            None => return Ok((rows, None)),
        }
    }
    Ok((rows, cursor.0))
}

/// A summary that cannot be read is shown as a lane of which nothing is known.
pub(super) fn parse_row(summary: &str, lane: LaneId) -> LaneRow {
    serde_json::from_str(summary).unwrap_or_else(|_| bare(lane))
}

/// Of which nothing is known.
pub(super) fn bare(lane: LaneId) -> LaneRow {
    LaneRow {
        lane,
        key: None,
        of_step: None,
        wave: None,
        step: None,
        section: String::new(),
        phase: "unknown".to_owned(),
        steps: BTreeMap::new(),
        result: None,
        note: None,
        children: None,
        attempt: 0,
        paused: false,
        fell_back: Vec::new(),
    }
}

/// A child whose log is archived: what it left beside its parent.
fn from_record(child: &Child) -> LaneRow {
    let (step, key) = child.key.split_once('/').unwrap_or(("", &child.key));
    let record = record(child);
    LaneRow {
        key: Some(key.to_owned()),
        of_step: Some(step.to_owned()),
        phase: "ended".to_owned(),
        result: record.as_ref().map(|record| record.result),
        note: record.and_then(|record| record.note),
        ..bare(child.lane)
    }
}

pub(super) fn record(child: &Child) -> Option<ChildRecord> {
    serde_json::from_str(child.record.as_deref()?).ok()
}

/// One lane with what its steps left.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LaneView {
    pub row: LaneRow,
    pub run: RunId,
    pub steps: BTreeMap<String, StepResult>,
    /// State, as the engine keeps it.
    pub state: Value,
    /// The newest events, oldest first.
    pub events: Vec<Value>,
    /// Children of its own.
    pub lanes: Vec<LaneRow>,
}

/// # Errors
/// `forbidden`, `not-found`, the store's.
pub async fn lane(
    api: &Api,
    subject: &Subject,
    run: RunId,
    id: LaneId,
) -> Result<LaneView, Problem> {
    authorize(subject, Action::ReadRuns, Resource::Realm).check(subject)?;
    let api = &read::of_run(api, run).await?;
    let header = api.store.headers(&[id]).await?.into_iter().next().flatten();
    let header = header
        .filter(|header| header.run == run)
        .ok_or_else(|| Problem::not_found("lane", id))?;
    let reading = read::lane(api, id).await?;
    let (lanes, _) = lanes_of(api, id, None).await?;
    let steps = reading
        .lane
        .results
        .iter()
        .map(|(step, result)| (step.to_string(), (**result).clone()))
        .collect();
    let event = |recorded| serde_json::to_value(recorded).unwrap_or_default();
    Ok(LaneView {
        row: parse_row(&header.summary, id),
        run,
        steps,
        state: serde_json::to_value(&reading.lane.phase).unwrap_or_default(),
        events: reading.events.iter().map(event).collect(),
        lanes,
    })
}
