//! Performing a started step: the call, its journal, what it came back with.

use crate::held::Lease;
use crate::turn::{Hold, Turn};
use crate::{Driver, Trouble};
use async_trait::async_trait;
use hostler_core::answer::{Answer, CHECKPOINT_MAX_BYTES, OUTPUT_MAX_BYTES};
use hostler_core::command::Input;
use hostler_core::event::Journal;
use hostler_core::lane::{Lane, Phase, Running};
use hostler_core::plan::{Plan, Route};
use hostler_ports::clock::Clock;
use hostler_ports::plugin::{
    Call, CallWatch, Entry, Grant, HostError, JournalEntry, LeaseLost, Reply,
};
use hostler_ports::store::{Batch, Confirmed, Seq, Then};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// A call that takes longer is worth a row in lists; a shorter one is over before anybody looks.
const SHOWN_AFTER: Duration = Duration::from_millis(50);
/// Journal entries on their way into the log.
const JOURNAL_QUEUE: usize = 4;

type Note = (JournalEntry, oneshot::Sender<Result<(), LeaseLost>>);

/// What a call tells the engine while it runs.
struct Watch {
    lease: Arc<Lease>,
    clock: Arc<dyn Clock>,
    age_max_ms: i64,
    journal: mpsc::Sender<Note>,
    about: String,
}

#[async_trait]
impl CallWatch for Watch {
    async fn journal(&self, entry: JournalEntry) -> Result<(), LeaseLost> {
        let (answer, answered) = oneshot::channel();
        self.journal
            .send((entry, answer))
            .await
            .map_err(|_| LeaseLost)?;
        answered.await.map_err(|_| LeaseLost)?
    }

    fn may_begin(&self) -> bool {
        self.lease
            .is_young(self.clock.monotonic_ms(), self.age_max_ms)
    }

    async fn cut(&self) {
        self.lease.lost.cancelled().await;
    }

    fn log(&self, level: &str, line: &str) {
        tracing::info!(target: "hostler::plugin", level, about = %self.about, "{line}");
    }

    fn progress(&self, percent: u8, note: &str) {
        tracing::debug!(target: "hostler::plugin", percent, about = %self.about, "{note}");
    }
}

impl Driver {
    /// Performs (or resumes) what the lane's log says is running.
    pub(crate) async fn perform(
        &self,
        hold: &mut Hold,
        lease: &Arc<Lease>,
        seq: Seq,
    ) -> Result<Input, Trouble> {
        let Phase::Running(running) = hold.lane.phase.clone() else {
            return Ok(Input::Continue);
        };
        let entry = match &running.checkpoint {
            Some(checkpoint) => Entry::Resume {
                checkpoint: checkpoint.clone(),
            },
            None => Entry::Perform,
        };
        let outcome = self.enter(hold, lease, seq, &running, entry).await?;
        Ok(match outcome {
            Ok(Reply::Answer(answer)) => Input::Answered(fitting(answer)),
            Ok(_) => Input::Broken {
                reason: "the plugin answered another question".to_owned(),
            },
            Err(HostError::Cut) if lease.lost.is_cancelled() => return Err(Trouble::LeaseLost),
            Err(HostError::Cut) => Input::Unsettled {
                reason: "the call was cut off".to_owned(),
            },
            Err(fault @ HostError::Limit { limit: "time", .. }) => Input::Unsettled {
                reason: fault.to_string(),
            },
            Err(fault @ HostError::Limit { .. }) => Input::Broken {
                reason: fault.to_string(),
            },
            Err(fault @ HostError::Unusable { .. }) => Input::Answered(Answer::Reject {
                reason: fault.to_string(),
                output: Value::Null,
            }),
            Err(fault @ HostError::Internal(_)) => Input::Unsettled {
                reason: fault.to_string(),
            },
        })
    }

    /// Enters a plugin once the commit before it is durable; journals what it does meanwhile.
    pub(crate) async fn enter(
        &self,
        hold: &mut Hold,
        lease: &Arc<Lease>,
        seq: Seq,
        running: &Running,
        entry: Entry,
    ) -> Result<Result<Reply, HostError>, Trouble> {
        if running.call.effect.mutates()
            && self.parts.store.confirm(seq).await? == Confirmed::Unknown
        {
            return Err(Trouble::Unconfirmed);
        }
        let plan = self
            .cache
            .plan(&*self.parts.store, hold.lane.opening.plan)
            .await?;
        let (sender, mut notes) = mpsc::channel(JOURNAL_QUEUE);
        let mut call = self.call_of(hold, lease, running, &plan, sender);
        if matches!(entry, Entry::Perform | Entry::Resume { .. }) {
            // A call that begins late ends no later: another worker counts on its deadline.
            let now_ms = self.store_now_at_most(hold);
            let left_ms = running.deadline_ms.saturating_sub(now_ms);
            call.timeout_ms = call.timeout_ms.min(u64::try_from(left_ms).unwrap_or(0));
        }
        let host = Arc::clone(&self.parts.host);
        let calling = host.call(entry, call);
        let shown = tokio::time::sleep(SHOWN_AFTER);
        tokio::pin!(calling, shown);
        let outcome = loop {
            tokio::select! {
                // What was noted comes before the end of the call that noted it.
                biased;
                Some((note, answer)) = notes.recv() => {
                    let kept = self.note(hold, lease, note).await;
                    // The call may be over already; then nobody listens.
                    let _ = answer.send(kept);
                }
                outcome = &mut calling => break outcome,
                () = &mut shown, if hold.unshown => self.show(hold, lease).await,
            }
        };
        Ok(outcome)
    }

    /// Makes a journal entry durable while the call waits for it.
    async fn note(
        &self,
        hold: &mut Hold,
        lease: &Arc<Lease>,
        note: JournalEntry,
    ) -> Result<(), LeaseLost> {
        let mut turn = Turn::new(&hold.lane);
        let definition = self
            .cache
            .definition(&*self.parts.store, hold.lane.opening.definition)
            .await
            .map_err(|_| LeaseLost)?;
        let intent = note.outcome.is_none();
        let entry = Journal {
            number: note.number,
            attempt: note.attempt,
            what: note.what,
            outcome: note.outcome,
        };
        let now_ms = self.store_now(hold);
        turn.decide(
            &definition,
            &[],
            self.parts.settings.settle_ms,
            Input::Journaled(entry),
            now_ms,
        )
        .map_err(|_| LeaseLost)?;
        let batch = self.batch(hold, &turn, Then::Keep).await;
        let batch = Batch {
            inbox_used: 0,
            ..batch.map_err(|_| LeaseLost)?
        };
        let version = hold.header.version;
        let store = &self.parts.store;
        let committed = store
            .commit(hold.lane.id(), &lease.fence, version, batch)
            .await;
        let committed = committed.map_err(|_| LeaseLost)?;
        hold.take(turn, committed.version, committed.dirty);
        if intent && store.confirm(committed.seq).await != Ok(Confirmed::Durable) {
            return Err(LeaseLost);
        }
        Ok(())
    }

    fn call_of(
        &self,
        hold: &Hold,
        lease: &Arc<Lease>,
        running: &Running,
        plan: &Plan,
        journal: mpsc::Sender<Note>,
    ) -> Call {
        let lane = &hold.lane;
        let call = &running.call;
        let now_ms = self.store_now(hold);
        let step = step_name(lane, call);
        let asset = call
            .asset
            .as_ref()
            .and_then(|id| plan.assets.get(id))
            .cloned()
            .unwrap_or_default();
        Call {
            plugin: call.plugin,
            action: call.action.clone(),
            input: call.input.clone(),
            asset,
            grants: grants(&call.route),
            run: lane.opening.run,
            lane: lane.id(),
            step: step.clone(),
            attempt: running.attempt,
            idempotency_key: running.key,
            now_ms,
            timeout_ms: call.timeout_ms,
            dry_run: false,
            journal: lane.journal.iter().map(entry_of).collect(),
            watch: Arc::new(Watch {
                lease: Arc::clone(lease),
                clock: Arc::clone(&self.parts.clock),
                age_max_ms: self.parts.settings.lease_age_max_ms,
                journal,
                about: format!("{} {step}", call.asset.as_deref().unwrap_or("-")),
            }),
        }
    }
}

fn step_name(lane: &Lane, call: &hostler_core::lane::CallSpec) -> String {
    let section = match lane.cursor.section {
        hostler_core::lane::Section::Undo => "undo:",
        _ => "",
    };
    format!("{section}{}", call.action)
}

fn entry_of(journal: &Journal) -> JournalEntry {
    JournalEntry {
        number: journal.number,
        attempt: journal.attempt,
        what: journal.what.clone(),
        outcome: journal.outcome.clone(),
    }
}

/// The asset's own connection, and the further ones that it names.
fn grants(route: &Route) -> Vec<Grant> {
    let own = Grant {
        handle: "target".to_owned(),
        connection: route.connection.clone(),
        address: route.address.clone(),
        reference: route.reference.clone(),
        host_key: route.host_key.clone(),
    };
    let further = route.handles.iter().map(|(handle, connection)| Grant {
        handle: handle.clone(),
        connection: connection.clone(),
        address: None,
        reference: route.reference.clone(),
        host_key: None,
    });
    std::iter::once(own).chain(further).collect()
}

/// An answer over the limits of the log is a fault of the plugin, named as such.
fn fitting(answer: Answer) -> Answer {
    let size = |value: &Value| value.to_string().len();
    match &answer {
        Answer::Done { output, .. } if size(output) > OUTPUT_MAX_BYTES => Answer::Reject {
            reason: format!(
                "the output has {} bytes; {OUTPUT_MAX_BYTES} is the limit",
                size(output)
            ),
            output: Value::Null,
        },
        Answer::Pending { checkpoint, .. } if size(checkpoint) > CHECKPOINT_MAX_BYTES => {
            Answer::Reject {
                reason: format!(
                    "the checkpoint has {} bytes; {CHECKPOINT_MAX_BYTES} is the limit",
                    size(checkpoint)
                ),
                output: Value::Null,
            }
        }
        Answer::Reject { reason, output } if size(output) > OUTPUT_MAX_BYTES => Answer::Reject {
            reason: reason.clone(),
            output: Value::Null,
        },
        _ => answer,
    }
}
