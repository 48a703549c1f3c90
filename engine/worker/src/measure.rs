//! How long a call took that changes or disturbs something, noted beside the log once its success is committed.
//!
//! Whoever asks whether work fits into a window asks this. A measurement that cannot be noted is lost: the lane has
//! better things to do. Not here: what follows from it (gates, forecast), and how it is kept (ports).

use crate::Driver;
use crate::turn::{Hold, Turn};
use hostler_core::event::Event;
use hostler_core::fit::{counted, kind};
use hostler_core::lane::{Lane, Phase, Running};
use hostler_ports::store::histories;

/// One call that has succeeded.
pub(crate) struct Lasted {
    action: String,
    kind: String,
    ms: u64,
}

impl Driver {
    /// What the turn tells about the call that went on before it; none: it has not succeeded, or does not count.
    pub(crate) async fn lasted(&self, hold: &Hold, turn: &Turn) -> Option<Lasted> {
        let lane = &hold.lane;
        let Phase::Running(running) = &lane.phase else {
            // What was observed later says nothing of how long it took.
            return None;
        };
        if !running.call.effect.mutates() || was_lost(lane, running) {
            return None;
        }
        let (store, opening) = (&*self.parts.store, &lane.opening);
        let definition = self
            .cache
            .definition(store, opening.definition)
            .await
            .ok()?;
        let program = lane.program(&definition)?;
        let step = lane.step(&program)?;
        counted(step)?;
        let name = lane.result_name(step);
        let succeeded =
            |event: &Event| matches!(event, Event::StepSucceeded { step, .. } if *step == name);
        let mut events = turn.events.iter();
        let ended_ms = events.find(|recorded| succeeded(&recorded.event))?.at_ms;
        let plan = self.cache.plan(store, opening.plan).await.ok()?;
        let asset = running.call.asset.as_ref();
        let record = asset.and_then(|asset| plan.assets.get(asset));
        Some(Lasted {
            action: running.call.action.clone(),
            kind: kind(&running.call.route.plugin, record),
            ms: u64::try_from(ended_ms - running.started_ms).ok()?,
        })
    }

    /// Remembers it, behind the commit of the success.
    pub(crate) async fn remember(&self, lasted: Lasted) {
        let Lasted { action, kind, ms } = &lasted;
        match histories::note(&*self.parts.store, action, kind, *ms).await {
            Ok(true) => {}
            Ok(false) => tracing::debug!(action, kind, "a measurement was not kept"),
            Err(fault) => tracing::debug!(%fault, action, kind, "a measurement was not kept"),
        }
    }
}

/// A worker was lost in the middle of it: part of the time nobody worked.
fn was_lost(lane: &Lane, running: &Running) -> bool {
    lane.lands_ms >= running.started_ms
}
