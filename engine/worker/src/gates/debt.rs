//! Debts: what an open one holds, writing them into their customers' documents, and telling them of a cure.
//!
//! Not here: when a debt opens and what settles it (core).

use super::Disturbs;
use crate::scope::{View, asset_of};
use crate::spawn::{each_of, program_index};
use crate::{Driver, Trouble};
use hostler_core::command::Command;
use hostler_core::debt::{Debts, OpenDebt, debts_document};
use hostler_core::gate::{Closed, GateKind};
use hostler_core::lane::{Lane, Origin};
use hostler_core::result::{LaneResult, StepState};
use hostler_core::view::rows;
use hostler_ports::store::{Batch, DocumentWrite, Expect, Post};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The customer of an asset of the plan; empty where it has none.
pub fn customer_of<'a>(view: &'a View<'_>, asset: &str) -> &'a str {
    let record = view.plan.assets.get(asset);
    let customer = record.and_then(|record| record.get("customer")?.as_str());
    customer.unwrap_or_default()
}

impl Driver {
    /// The debt that holds such a call, and from what that was read.
    pub(super) async fn owed(
        &self,
        view: &View<'_>,
        disturbs: &Disturbs<'_>,
    ) -> Result<(Option<Closed>, Expect), Trouble> {
        let document = debts_document(customer_of(view, disturbs.asset));
        let (expect, debts) = self.document::<Debts>(&document).await?;
        let debts = debts.unwrap_or_default().debts;
        let run = view.lane.opening.run;
        let holds = |debt: &&OpenDebt| {
            let mut classes = disturbs.classes.iter();
            classes.any(|class| debt.holds(run, disturbs.asset, class))
        };
        let closed = debts.iter().find(holds);
        Ok((closed.map(|debt| held(debt, document)), expect))
    }

    /// What the lane owes these customers behind this turn, into their documents.
    pub(crate) async fn owe(
        &self,
        view: &View<'_>,
        customers: &[String],
        batch: &mut Batch,
    ) -> Result<(), Trouble> {
        for customer in customers {
            let key = debts_document(customer);
            // Opened and settled, or settled twice, in one commit.
            if batch.documents.iter().any(|write| write.key == key) {
                continue;
            }
            let (expect, debts) = self.document::<Debts>(&key).await?;
            let mut debts = debts.unwrap_or_default();
            debts.put(view.lane.id(), open(view, customer));
            let body = (!debts.debts.is_empty()).then(|| json!(debts).to_string());
            if !batch.expect.contains(&expect) {
                batch.expect.push(expect);
            }
            batch.documents.push(DocumentWrite { key, body });
        }
        Ok(())
    }

    /// A lane that has done its work on an asset tells the debts which wait for that.
    pub(crate) async fn cure(
        &self,
        lane: &Lane,
        result: LaneResult,
        batch: &mut Batch,
    ) -> Result<(), Trouble> {
        if result != LaneResult::Succeeded {
            return Ok(());
        }
        let view = View::of(self, lane, lane.ended_ms.unwrap_or_default()).await?;
        let Some(asset) = worked_on(&view) else {
            return Ok(());
        };
        let document = debts_document(customer_of(&view, &asset));
        let (expect, debts) = self.document::<Debts>(&document).await?;
        if !batch.expect.contains(&expect) {
            batch.expect.push(expect);
        }
        let run = lane.opening.run;
        let (runbook, class) = (&view.definition.runbook, &view.definition.policy.class);
        for debt in debts.unwrap_or_default().debts {
            let mut cures = debt.cured_by.iter();
            let how = cures.find(|cure| cure.is_run(runbook, class)).cloned();
            let Some(how) = how.filter(|_| debt.run != run && debt.assets.contains(&asset)) else {
                continue;
            };
            let assets = BTreeSet::from([asset.clone()]);
            let body = json!(Command::Cure { assets, how, run }).to_string();
            batch.send.push(Post {
                lane: debt.lane,
                command: debt
                    .lane
                    .command(&format!("cure:{}", lane.id()), lane.version),
                body,
            });
        }
        Ok(())
    }
}

/// The asset that this lane has taken in hand as a whole, and disturbed with success: not that of a round within.
fn worked_on(view: &View<'_>) -> Option<String> {
    let lane = view.lane;
    let asset = asset_of(lane, &view.plan)?;
    let takes_in_hand = || {
        let each = each_of(&view.definition, program_index(lane)?)?;
        Some(lane.opening.locals.get(&each.binds)?.as_str()? == asset)
    };
    let whole = match lane.opening.origin {
        Origin::Program(0) => true,
        Origin::Program(_) => takes_in_hand().unwrap_or(false),
        Origin::Undo { .. } | Origin::Lease { .. } | Origin::Later { .. } => false,
    };
    let program = view.program()?;
    let mut disturbing = program.steps.iter().filter(|step| step.disturbs());
    let done = disturbing.any(|step| {
        let result = lane.results.get(&step.id);
        result.is_some_and(|result| result.state == StepState::Succeeded)
    });
    (whole && done).then_some(asset)
}

fn open(view: &View<'_>, customer: &str) -> Option<OpenDebt> {
    let lane = view.lane;
    let debt = lane.debt.as_deref()?;
    let step = match &lane.opening.origin {
        Origin::Later { step, .. } => Some(step.clone()),
        _ => rows::present_step(lane, &view.definition),
    };
    Some(OpenDebt {
        lane: lane.id(),
        run: lane.opening.run,
        runbook: view.definition.runbook.clone(),
        step: step.map(|step| step.to_string()).unwrap_or_default(),
        says: debt.says.clone(),
        assets: debt.owed.get(customer)?.clone(),
        blocks: debt.blocks.clone(),
        cured_by: debt.cured_by.clone(),
        since_ms: debt.since_ms,
        due_ms: debt.due_ms,
    })
}

fn held(debt: &OpenDebt, document: String) -> Closed {
    let cures: Vec<_> = debt.cured_by.iter().map(ToString::to_string).collect();
    Closed {
        gate: GateKind::Debt,
        rule: format!("{}.{}", debt.runbook, debt.step),
        why: format!("{} is owed since run {}", debt.says, debt.run),
        remedy: format!(
            "settle it by one of: {} (`hostler debt list`, `hostler ask list`)",
            cures.join(", ")
        ),
        until_ms: None,
        document: Some(document),
        never: false,
    }
}

/// Ids of assets in a list of records or ids.
pub fn ids(list: &Value) -> Option<BTreeSet<String>> {
    let id = |item: &Value| Some(item.get("id").unwrap_or(item).as_str()?.to_owned());
    list.as_array()?.iter().map(id).collect()
}
