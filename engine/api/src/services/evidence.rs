//! The bundle that shows an auditor what a run did: plan, decisions, messages, changes, ledger.

use super::{notices, runs};
use crate::authorize::{Action, Resource, Subject, authorize};
use crate::problem::Problem;
use crate::{Api, ledger, read};
use hostler_core::id::{LaneId, RunId};
use hostler_core::plan::Plan;
use hostler_core::result::StepResult;
use hostler_core::view::{LaneRow, MailRow, RunRow};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Most lanes whose outputs are gathered.
const LANES_MAX: usize = 2_000;
/// Most ledger entries that are looked through.
const LEDGER_MAX: usize = 200_000;
/// Clocks of stores that take over from each other differ by less than this.
const CLOCKS_MS: i64 = 3_600_000;
/// Names of output fields that list what was changed, as `guest-patch.apply` and `undo` give it.
const CHANGED: &str = "changed";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    pub run: RunRow,
    pub plan: Plan,
    /// Digest of the plan as it lies in the store: what approvers signed follows from it.
    pub plan_digest: String,
    pub lanes: Vec<LaneEvidence>,
    pub changes: Vec<Change>,
    pub notices: Vec<MailRow>,
    pub ledger: Vec<LedgerRow>,
    /// Something was left out at a limit; empty when all is here.
    pub limits: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LaneEvidence {
    pub row: LaneRow,
    pub steps: BTreeMap<String, StepResult>,
}

/// One version before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub asset: String,
    pub step: String,
    pub name: String,
    pub from: Option<String>,
    pub to: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerRow {
    pub number: u64,
    pub at_ms: i64,
    pub lane: Option<LaneId>,
    pub body: Value,
}

/// # Errors
/// `forbidden`, `not-found`, the store's.
pub async fn gather(api: &Api, subject: &Subject, run: RunId) -> Result<Evidence, Problem> {
    authorize(subject, Action::ReadEvidence, Resource::Realm).check(subject)?;
    let api = &read::of_run(api, run).await?;
    let row = read::run(api, run).await?;
    let plan = read::plan(api, row.plan).await?;
    let mut limits = Vec::new();
    let lanes = lanes(api, run, &mut limits).await?;
    let changes = lanes.iter().flat_map(changes).collect();
    let ids: BTreeSet<LaneId> = lanes.iter().map(|lane| lane.row.lane).collect();
    let ledger = rows(api, &row, &ids, &mut limits).await?;
    let notices = notices::list(api, subject, run).await?;
    let plan_digest = row.plan.to_string();
    Ok(Evidence {
        run: row,
        plan,
        plan_digest,
        lanes,
        changes,
        notices,
        ledger,
        limits,
    })
}

/// The root and everything below it, parents before children.
async fn lanes(
    api: &Api,
    run: RunId,
    limits: &mut Vec<String>,
) -> Result<Vec<LaneEvidence>, Problem> {
    let mut wanted = vec![run.root()];
    let mut found = Vec::new();
    while let Some(id) = wanted.pop() {
        if found.len() >= LANES_MAX {
            limits.push(format!("only {LANES_MAX} lanes are here"));
            break;
        }
        let Some(header) = api.store.headers(&[id]).await?.into_iter().next().flatten() else {
            continue;
        };
        let reading = read::lane(api, id).await?;
        let steps = reading
            .lane
            .results
            .iter()
            .map(|(step, result)| (step.to_string(), (**result).clone()))
            .collect();
        found.push(LaneEvidence {
            row: runs::parse_row(&header.summary, id),
            steps,
        });
        let (children, _) = runs::lanes_of(api, id, None).await?;
        wanted.extend(children.iter().rev().map(|child| child.lane));
    }
    Ok(found)
}

fn changes(lane: &LaneEvidence) -> Vec<Change> {
    let asset = lane.row.key.clone().unwrap_or_default();
    let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
    let of_step = |(step, result): (&String, &StepResult)| {
        let list = result
            .output
            .get(CHANGED)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let (asset, step) = (asset.clone(), step.clone());
        list.into_iter().filter_map(move |entry| {
            Some(Change {
                asset: asset.clone(),
                step: step.clone(),
                name: text(&entry, "name")?,
                from: text(&entry, "from"),
                to: text(&entry, "to"),
            })
        })
    };
    lane.steps.iter().flat_map(of_step).collect()
}

/// A number below which all entries are older than this instant: what came long before a run is not
/// looked through for it.
async fn first_entry(api: &Api, at_ms: i64) -> Result<u64, Problem> {
    let (mut older, mut end) = (0, api.store.counts().await?.ledger);
    while older < end {
        let middle = older + (end - older) / 2;
        let page = ledger::page(api, middle).await?;
        match page.first() {
            Some(entry) if entry.at_ms < at_ms => older = middle + 1,
            _ => end = middle,
        }
    }
    Ok(older)
}

/// The entries that name the run or one of its lanes.
async fn rows(
    api: &Api,
    run: &RunRow,
    lanes: &BTreeSet<LaneId>,
    limits: &mut Vec<String>,
) -> Result<Vec<LedgerRow>, Problem> {
    let begins_ms = run.started_ms.saturating_sub(CLOCKS_MS);
    let mut from = first_entry(api, begins_ms).await?;
    let run = run.run.to_string();
    let (mut rows, mut looked) = (Vec::new(), 0);
    loop {
        let page = ledger::page(api, from).await?;
        let Some(last) = page.last() else {
            return Ok(rows);
        };
        from = last.number + 1;
        looked += page.len();
        for entry in page {
            let body: Value =
                serde_json::from_str(&entry.body).unwrap_or(Value::String(entry.body.clone()));
            let names_run = body.get("run").and_then(Value::as_str) == Some(&run);
            if names_run || entry.lane.is_some_and(|lane| lanes.contains(&lane)) {
                rows.push(LedgerRow {
                    number: entry.number,
                    at_ms: entry.at_ms,
                    lane: entry.lane,
                    body,
                });
            }
        }
        if looked >= LEDGER_MAX {
            limits.push(format!("the ledger was looked through up to entry {from}"));
            return Ok(rows);
        }
    }
}
