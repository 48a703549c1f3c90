//! Budgets of disruption: what a call spends, written in the commit that begins it, and given back where it was not
//! needed after all.
//!
//! Not here: what counts (core), and what was agreed (policies).

use super::Disturbs;
use super::ahead::disturbs_ahead;
use crate::scope::{View, asset_of};
use crate::{Driver, Trouble};
use hostler_core::budget::{Budgets, Over, REBOOTS, Spent, Wanted, budget_document};
use hostler_core::gate::{Closed, GateKind};
use hostler_core::lane::Lane;
use hostler_ports::store::{Batch, DocumentWrite, Expect};
use serde_json::json;
use tokio::sync::OwnedMutexGuard;

/// What a call spends.
pub(crate) struct Spends {
    pub write: DocumentWrite,
    /// Names of the budgets that have no room for it.
    pub overdraws: Vec<String>,
    /// Held until the commit is made: whoever looks meanwhile would only lose to it.
    pub _turn: OwnedMutexGuard<()>,
}

/// What the budgets say about a call: held, or what it spends; and from what that was read.
#[derive(Default)]
pub(super) struct Spending {
    pub closed: Option<Closed>,
    pub spends: Option<Spends>,
    pub expect: Option<Expect>,
}

/// What is on record behind the call, or why it is held.
type Outcome = Result<Option<(Spent, Vec<String>)>, Over>;

impl Driver {
    pub(super) async fn spending(
        &self,
        view: &View<'_>,
        disturbs: &Disturbs<'_>,
    ) -> Result<Spending, Trouble> {
        let directory = &self.parts.directory;
        let Some(budgets) = directory.budgets(disturbs.asset, &disturbs.classes, view.now_ms)
        else {
            return Ok(Spending::default());
        };
        let turn = self.gates.spenders().await;
        let document = budget_document(&budgets.customer);
        let spending = self.spend(view, disturbs, &budgets, &document).await?;
        let (expect, outcome) = match spending {
            // What is known may be old: a lane is held only by what is so now.
            (_, Err(_)) => {
                self.gates.forget_one(&document);
                self.spend(view, disturbs, &budgets, &document).await?
            }
            fits => fits,
        };
        Ok(match outcome {
            Err(over) => Spending {
                closed: Some(held(&over, &budgets.customer, view, document)),
                spends: None,
                expect: Some(expect),
            },
            // It has spent already: what others spend meanwhile is nothing to it.
            Ok(None) => Spending::default(),
            Ok(Some((spent, overdraws))) => Spending {
                closed: None,
                spends: Some(Spends {
                    write: DocumentWrite {
                        key: document,
                        body: Some(json!(spent).to_string()),
                    },
                    overdraws,
                    _turn: turn,
                }),
                expect: Some(expect),
            },
        })
    }

    async fn spend(
        &self,
        view: &View<'_>,
        disturbs: &Disturbs<'_>,
        budgets: &Budgets,
        document: &str,
    ) -> Result<(Expect, Outcome), Trouble> {
        let (expect, spent) = self.document::<Spent>(document).await?;
        let ahead = disturbs_ahead(view);
        let wanted = Wanted {
            asset: disturbs.asset,
            run: view.lane.opening.run,
            lane: view.lane.id(),
            now_ms: view.now_ms,
            disturbs: ahead.at_once,
            goes_on: disturbs.needs.has_begun() || (ahead.at_once && view.lane.attempt > 1),
            lasts_ms: ahead.lasts_ms,
            downtime_ms: ahead.downtime_ms,
        };
        Ok((expect, spent.unwrap_or_default().with(&wanted, budgets)))
    }

    /// A lane that ends gives back what it kept for a disturbing call that never began.
    pub(crate) async fn give_back(&self, lane: &Lane, batch: &mut Batch) -> Result<(), Trouble> {
        let view = View::of(self, lane, lane.ended_ms.unwrap_or_default()).await?;
        let Some(asset) = asset_of(lane, &view.plan) else {
            return Ok(());
        };
        let directory = &self.parts.directory;
        let Some(budgets) = directory.budgets(&asset, &[], view.now_ms) else {
            return Ok(());
        };
        let key = budget_document(&budgets.customer);
        // What this worker remembers may be older than what the lane has kept elsewhere.
        self.gates.forget_one(&key);
        let (expect, spent) = self.document::<Spent>(&key).await?;
        let Some(rest) = spent.and_then(|spent| spent.without(lane.id())) else {
            return Ok(());
        };
        let body = Some(json!(rest).to_string());
        batch.expect.push(expect);
        batch.documents.push(DocumentWrite { key, body });
        Ok(())
    }
}

fn held(over: &Over, customer: &str, view: &View<'_>, document: String) -> Closed {
    let run = view.lane.opening.run;
    let agreed = match over.budget == REBOOTS {
        true => format!("agree upon more (`reboots` of {customer} in the estate's files)"),
        false => "change budgets.yaml of the policies".to_owned(),
    };
    Closed {
        gate: GateKind::Budget,
        rule: format!("{}:{customer}", over.budget),
        why: over.why.clone(),
        remedy: format!(
            "wait, {agreed}, or have it overdrawn by an operator who did not start the run: hostler budget allow {customer} {run} --reason TEXT"
        ),
        until_ms: over.opens_ms,
        document: Some(document),
        never: false,
    }
}
