//! Leases: the lane that ends one, its row, what it keeps off its asset while it lives, and an early end.
//!
//! What it keeps off is written in the commit that opens its lane, and taken out in the one in which that lane ends,
//! whatever came of it. Not here: whom it holds (`gates`), and who is told before its end (`notices`).

use crate::resolve::{Fault, asset_meant};
use crate::scope::{View, asset_of};
use crate::spawn::{Apart, lease_lane, program_index};
use crate::turn::Hold;
use crate::{Driver, Trouble};
use hostler_core::command::Command;
use hostler_core::definition::{Definition, Step, StepLease, Verb};
use hostler_core::effect::Effect;
use hostler_core::id::{LaneId, RunId};
use hostler_core::lane::{Lane, Origin};
use hostler_core::lease::{Leases, LiveLease, ended_by, ends_ms, leases_document};
use hostler_core::view::{LeaseRow, index, rows};
use hostler_ports::store::{Batch, DocumentWrite, IndexChange, Post};
use serde_json::json;
use std::sync::Arc;

/// The step of a lane that has opened a lease, and the lease.
fn opened<'a>(
    lane: &Lane,
    definition: &'a Definition,
    step: &str,
) -> Option<(&'a Step, &'a StepLease)> {
    let step = definition.find(program_index(lane)?, step)?;
    Some((step, step.lease.as_ref()?))
}

/// What a lane that ends a lease says of it in the list of leases; none for every other lane.
pub fn row(lane: &Lane, definition: &Definition, asset: Option<String>) -> Option<LeaseRow> {
    let (step, lease) = ended_by(lane, definition)?;
    let of = (lane.opening.run, lane.id(), &*definition.runbook);
    Some(row_of(of, (step, lease), asset, ends_ms(lane, lease)))
}

fn row_of(
    (run, lane, runbook): (RunId, LaneId, &str),
    (step, lease): (&Step, &StepLease),
    asset: Option<String>,
    ends_ms: i64,
) -> LeaseRow {
    LeaseRow {
        run,
        lane,
        step: step.id.to_string(),
        asset,
        ends_ms,
        runbook: runbook.to_owned(),
        end: lease.end.action.action.clone(),
        blocks: lease.blocks.clone(),
    }
}

fn listed(row: &LeaseRow) -> IndexChange {
    IndexChange::Put {
        index: index::LEASES.to_owned(),
        member: row.lane.to_string(),
        score: row.ends_ms,
        body: serde_json::to_string(row).unwrap_or_default(),
    }
}

/// One of these effects opens a lease that keeps something off: what the lane does next is judged when that is known.
pub fn keeps_off(lane: &Lane, definition: &Definition, effects: &[Effect]) -> bool {
    effects.iter().any(|effect| match effect {
        Effect::OpenLease { step } => {
            let opened = opened(lane, definition, step);
            opened.is_some_and(|(_, lease)| !lease.blocks.is_empty())
        }
        _ => false,
    })
}

impl Driver {
    pub(crate) async fn open_lease(
        &self,
        hold: &Hold,
        lane: &Lane,
        step: &Arc<str>,
        batch: &mut Batch,
    ) -> Result<(), Trouble> {
        let view = View::of(self, lane, hold.now_ms).await?;
        let opened = opened(lane, &view.definition, step);
        let live = match opened.filter(|(_, lease)| !lease.blocks.is_empty()) {
            Some((opener, lease)) => self.live(&view, opener, lease).await?,
            None => None,
        };
        let asset = live.as_ref().map(|(asset, _)| asset.clone());
        let apart = Apart::Lease { keeps_off: asset };
        let Some(spawn) = self.detached(hold, lane, step, apart).await? else {
            return Ok(());
        };
        if let Some(opened) = opened {
            let of = (lane.opening.run, spawn.lane, &*view.definition.runbook);
            let ends_ms = hold.now_ms.saturating_add_unsigned(opened.1.for_ms);
            let row = row_of(of, opened, asset_of(lane, &view.plan), ends_ms);
            batch.index.push(listed(&row));
        }
        batch.spawn.push(spawn);
        match live {
            Some((asset, live)) => {
                let put = |leases: &mut Leases| leases.put(live.lane, Some(live.clone()));
                self.keep(&asset, put, batch).await
            }
            None => Ok(()),
        }
    }

    /// What a lease keeps off which asset; none where its step works on none that anybody can tell.
    async fn live(
        &self,
        view: &View<'_>,
        opener: &Step,
        lease: &StepLease,
    ) -> Result<Option<(String, LiveLease)>, Trouble> {
        let Verb::Do(action) = &opener.verb else {
            return Ok(None);
        };
        let asset = match asset_meant(view, action).await {
            Ok(asset) => asset,
            Err(Fault::Worker(trouble)) => return Err(trouble),
            // It was told when the step was entered; what cannot be told any more is the lane's own.
            Err(Fault::Step(_)) => asset_of(view.lane, &view.plan),
        };
        let live = |asset| {
            let live = LiveLease {
                lane: lease_lane(view.lane.id(), &opener.id),
                run: view.lane.opening.run,
                runbook: view.definition.runbook.clone(),
                step: opener.id.to_string(),
                blocks: lease.blocks.clone(),
                since_ms: view.now_ms,
                ends_ms: view.now_ms.saturating_add_unsigned(lease.for_ms),
            };
            (asset, live)
        };
        Ok(asset.map(live))
    }

    /// What leases keep off an asset from this commit on.
    async fn keep(
        &self,
        asset: &str,
        change: impl FnOnce(&mut Leases) + Send,
        batch: &mut Batch,
    ) -> Result<(), Trouble> {
        let key = leases_document(asset);
        let (expect, leases) = self.document_now::<Leases>(&key).await?;
        let mut leases = leases.unwrap_or_default();
        change(&mut leases);
        if !batch.expect.contains(&expect) {
            batch.expect.push(expect);
        }
        let body = (!leases.leases.is_empty()).then(|| json!(leases).to_string());
        batch.documents.push(DocumentWrite { key, body });
        Ok(())
    }

    /// The lane that ends a lease has ended, and with it the lease.
    pub(crate) async fn close_lease(&self, lane: &Lane, batch: &mut Batch) -> Result<(), Trouble> {
        if !matches!(lane.opening.origin, Origin::Lease { .. }) {
            return Ok(());
        }
        let (index, member) = (index::LEASES.to_owned(), lane.id().to_string());
        batch.index.push(IndexChange::Remove { index, member });
        match &lane.opening.keeps_off {
            Some(asset) => {
                let over = |leases: &mut Leases| leases.put(lane.id(), None);
                self.keep(asset, over, batch).await
            }
            None => Ok(()),
        }
    }

    /// The lease that this lane ends lives longer.
    pub(crate) async fn move_lease(
        &self,
        hold: &Hold,
        lane: &Lane,
        batch: &mut Batch,
    ) -> Result<(), Trouble> {
        let view = View::of(self, lane, hold.now_ms).await?;
        let Some(row) = row(lane, &view.definition, asset_of(lane, &view.plan)) else {
            return Ok(());
        };
        batch.index.push(listed(&row));
        match &lane.opening.keeps_off {
            Some(asset) => {
                let later = |leases: &mut Leases| leases.move_end(row.lane, row.ends_ms);
                self.keep(asset, later, batch).await
            }
            None => Ok(()),
        }
    }

    /// `step` of this lane, or `outer.inner`: of the lane that worked on the same item in `outer`.
    pub(crate) async fn end_lease(
        &self,
        lane: &Lane,
        lease: &str,
        batch: &mut Batch,
    ) -> Result<(), Trouble> {
        let opener = match (lease.split_once('.'), &lane.opening.parent) {
            (Some((outer, inner)), Some(parent)) => {
                let key = rows::record_key(outer, &parent.key);
                let child = self.parts.store.child_records(parent.lane, &[key]).await?;
                child
                    .into_iter()
                    .next()
                    .flatten()
                    .map(|child| (child.lane, inner))
            }
            (None, _) => Some((lane.id(), lease)),
            (Some(_), None) => None,
        };
        if let Some((opener, step)) = opener {
            let to = lease_lane(opener, step);
            let body = json!(Command::Release {
                by: format!("run {}", lane.opening.run),
                reason: None,
            })
            .to_string();
            batch.send.push(Post {
                lane: to,
                command: lane.id().command(lease, lane.version),
                body,
            });
        }
        Ok(())
    }
}
