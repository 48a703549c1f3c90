//! Asking a plugin what became of a call, and judging a round.

use crate::held::Lease;
use crate::scope::View;
use crate::turn::Hold;
use crate::{Driver, Trouble};
use hostler_core::command::{Input, Seen};
use hostler_core::definition::Step;
use hostler_core::expression::Expression;
use hostler_core::lane::{Phase, Why};
use hostler_core::view::{ChildRecord, rows};
use hostler_ports::plugin::{Entry, HostError, Observed, Reply};
use hostler_ports::store::Seq;
use serde_json::Value;
use std::sync::Arc;

impl Driver {
    /// For a call that is being cancelled the target is first asked to stop.
    pub(crate) async fn observe(
        &self,
        hold: &mut Hold,
        lease: &Arc<Lease>,
        seq: Seq,
    ) -> Result<Input, Trouble> {
        let Phase::Checking(checking) = hold.lane.phase.clone() else {
            return Ok(Input::Continue);
        };
        if checking.why == Why::Cancel && checking.asked == 0 {
            let entry = Entry::Cancel {
                checkpoint: checking.checkpoint.clone(),
            };
            if let Err(fault) = self
                .enter(hold, lease, seq, &checking.running, entry)
                .await?
            {
                tracing::warn!(%fault, "the target was not told to stop; it is observed");
            }
        }
        let entry = Entry::Observe {
            checkpoint: checking.checkpoint.clone(),
        };
        let seen = match self
            .enter(hold, lease, seq, &checking.running, entry)
            .await?
        {
            Ok(Reply::Observed(Observed::Done { output })) => Seen::Done(output),
            Ok(Reply::Observed(Observed::NotDone)) => Seen::NotDone,
            Ok(Reply::Observed(Observed::Going { ask_after_ms })) => Seen::Going { ask_after_ms },
            Ok(Reply::Observed(Observed::Unknown { why })) => Seen::Unknown(why),
            Ok(_) => Seen::Unknown("the plugin answered another question".to_owned()),
            Err(HostError::Cut) if lease.lost.is_cancelled() => return Err(Trouble::LeaseLost),
            Err(fault) => Seen::Unknown(fault.to_string()),
        };
        Ok(Input::Observed(seen))
    }

    /// Does `until` hold in the scope of the round that has just ended?
    pub(crate) async fn judge(
        &self,
        view: &View<'_>,
        step: &Step,
        until: Option<&Expression>,
    ) -> Result<bool, Trouble> {
        let Some(until) = until else { return Ok(true) };
        let round = view
            .lane
            .children
            .as_ref()
            .map_or(0, |children| children.round);
        let key = rows::record_key(&step.id, &round.to_string());
        let record = self
            .parts
            .store
            .child_records(view.lane.id(), &[key])
            .await?;
        let steps = record
            .into_iter()
            .next()
            .flatten()
            .and_then(|child| serde_json::from_str::<ChildRecord>(child.record.as_deref()?).ok())
            .map(|record| record.steps);
        let mut scope = view
            .scope_of_round(until, &step.id, u64::from(round))
            .await?;
        if let (Some(Value::Object(known)), Some(Value::Object(round))) =
            (scope.get_mut("steps"), steps)
        {
            known.extend(round);
        }
        // What cannot be judged is not over: the bound of the rounds ends it.
        Ok(self.parts.evaluate.evaluate(until, &scope) == Ok(Value::Bool(true)))
    }
}
