//! From effects to the one commit.

use crate::drive::wanted;
use crate::held::Lease;
use crate::notices::{alternate, post};
use crate::scope::View;
use crate::spawn::Apart;
use crate::turn::{Hold, Turn};
use crate::{Driver, Trouble};
use hostler_core::command::Command;
use hostler_core::effect::{Effect, Wish};
use hostler_core::event::{ChildEnd, Event, Recorded};
use hostler_core::lane::{ChildMove, Lane};
use hostler_core::result::{LaneResult, Verdict};
use hostler_core::view::{index, rows};
use hostler_ports::store::{Batch, Child, IndexChange, LedgerLine, Post, Take, Then, TimerChange};
use serde_json::json;

impl Driver {
    /// `then` is what becomes of the lane. A lane that is kept goes on at once: its rows in lists are
    /// written when it pauses, or once its call has taken a moment.
    pub(crate) async fn batch(
        &self,
        hold: &Hold,
        turn: &Turn,
        then: Then,
    ) -> Result<Batch, Trouble> {
        let in_call = turn.in_call();
        let mut batch = Batch {
            events: turn.events.iter().map(Recorded::to_json).collect(),
            inbox_used: turn.letters_used,
            letters_known: turn.begins().then_some(hold.letters.len()),
            blobs: turn.blobs.clone(),
            expect: turn.expect.clone(),
            in_call: (hold.in_call != in_call).then_some(in_call),
            forgive: hold.strikes > 0 && turn.events.iter().any(forgives),
            then,
            ..Batch::default()
        };
        // A call that does not begin after all spends nothing.
        let spends = turn.spends.iter().filter(|_| turn.begins());
        batch
            .documents
            .extend(spends.map(|spends| spends.write.clone()));
        let marks = turn.marks.iter().filter(|_| turn.begins());
        batch.documents.extend(marks.chain(&turn.writes).cloned());
        batch.send.extend(turn.posts.iter().cloned());
        for effect in &turn.effects {
            self.add(hold, turn, effect, &mut batch).await?;
        }
        let announcements = self.announcements(hold, turn).await?;
        let (store, of) = (&*self.parts.store, (turn.lane.id(), turn.lane.version));
        batch.index.extend(alternate::watches(&announcements));
        post::put(store, of, hold.now_ms, announcements, &mut batch).await?;
        if then != Then::Keep && (hold.unshown || !turn.events.is_empty()) {
            self.rows(&turn.lane, &mut batch).await?;
        }
        if hold.wants_snapshot(turn) {
            batch.snapshot = serde_json::to_string(&turn.lane).ok();
        }
        Ok(batch)
    }

    /// Writes the lane's rows while its call goes on. What cannot be written now is written later.
    pub(crate) async fn show(&self, hold: &mut Hold, lease: &Lease) {
        let mut batch = Batch {
            then: Then::Keep,
            ..Batch::default()
        };
        hold.unshown = false;
        if self.rows(&hold.lane, &mut batch).await.is_err() {
            return;
        }
        let (store, version) = (&self.parts.store, hold.header.version);
        match store
            .commit(hold.lane.id(), &lease.fence, version, batch)
            .await
        {
            Ok(committed) => hold.more_letters |= committed.dirty,
            Err(fault) => tracing::debug!(%fault, "the rows of a lane were not written"),
        }
    }

    async fn rows(&self, lane: &Lane, batch: &mut Batch) -> Result<(), Trouble> {
        let store = &*self.parts.store;
        let definition = self
            .cache
            .definition(store, lane.opening.definition)
            .await?;
        batch.summary = serde_json::to_string(&rows::lane_row(lane, &definition)).ok();
        let is_root = lane.opening.parent.is_none() && lane.id() == lane.opening.run.root();
        if is_root {
            let plan = self.cache.plan(store, lane.opening.plan).await?;
            let row =
                serde_json::to_string(&rows::run_row(lane, &definition, &plan)).unwrap_or_default();
            batch.run_summary = Some(row.clone());
            let member = lane.opening.run.to_string();
            let index = index::RUNS.to_owned();
            batch.index.push(IndexChange::Put {
                index,
                member,
                score: plan.started_ms,
                body: row,
            });
        }
        Ok(())
    }

    async fn add(
        &self,
        hold: &Hold,
        turn: &Turn,
        effect: &Effect,
        batch: &mut Batch,
    ) -> Result<(), Trouble> {
        let lane = &turn.lane;
        match effect {
            Effect::SetTimer { name, at_ms } => {
                let body = json!(Command::Timer { name: name.clone() }).to_string();
                batch.timers.push(TimerChange::Set {
                    name: name.clone(),
                    at_ms: *at_ms,
                    body,
                });
            }
            Effect::ClearTimer { name } => {
                batch.timers.push(TimerChange::Clear { name: name.clone() })
            }
            Effect::Watch { document, on } => {
                let watch = if *on {
                    IndexChange::watch
                } else {
                    IndexChange::unwatch
                };
                batch.index.push(watch(document, lane.id()));
            }
            Effect::Take { locks, slot } => take(batch, locks, slot.as_ref()),
            Effect::ReleaseSlot { key } => batch.release.push(key.clone()),
            Effect::SpawnChildren { children } => batch
                .spawn
                .extend(self.children(hold, turn, children).await?),
            Effect::Detach { step } => batch
                .spawn
                .extend(self.detached(hold, lane, step, Apart::Step).await?),
            Effect::OpenLease { step } => self.open_lease(hold, lane, step, batch).await?,
            Effect::MoveLease => self.move_lease(hold, lane, batch).await?,
            Effect::EndLease { lease } => self.end_lease(lane, lease, batch).await?,
            Effect::TellParent { held_ms } => tell_parent(lane, *held_ms, batch),
            Effect::InformParent { result, note } => {
                self.inform(lane, *result, note.clone(), batch).await?
            }
            Effect::TellChildren { wish, by } => tell(lane, *wish, by, batch),
            Effect::FinishRun { verdict } => finish_run(lane, verdict, batch),
            Effect::Owe { customers } => {
                let view = View::of(self, lane, hold.now_ms).await?;
                self.owe(&view, customers, batch).await?;
            }
            Effect::Ledger => {}
            // All of a turn at once.
            Effect::Notice { .. } | Effect::Report { .. } | Effect::Asked { .. } => {}
            Effect::Waiting { open } => self.waiting(lane, *open, batch).await?,
            Effect::Perform | Effect::Resume | Effect::Observe | Effect::CancelCall => {}
        }
        if *effect == Effect::Ledger && batch.ledger.is_empty() {
            ledger(turn, batch);
        }
        Ok(())
    }

    async fn waiting(&self, lane: &Lane, open: bool, batch: &mut Batch) -> Result<(), Trouble> {
        let store = &*self.parts.store;
        let definition = self
            .cache
            .definition(store, lane.opening.definition)
            .await?;
        let row = rows::waiting_row(lane, &definition).filter(|_| open);
        let run = lane.opening.run;
        let of_child = (lane.id() != run.root()).then(|| index::waiting_in(run));
        for index in [index::WAITING.to_owned()].into_iter().chain(of_child) {
            let member = lane.id().to_string();
            batch.index.push(match &row {
                Some(row) => IndexChange::Put {
                    index,
                    member,
                    score: row.asked_ms,
                    body: serde_json::to_string(row).unwrap_or_default(),
                },
                None => IndexChange::Remove { index, member },
            });
        }
        Ok(())
    }

    /// The end of a lane, told to its parent together with what it hands back.
    async fn inform(
        &self,
        lane: &Lane,
        result: LaneResult,
        note: Option<String>,
        batch: &mut Batch,
    ) -> Result<(), Trouble> {
        self.close_lease(lane, batch).await?;
        self.cure(lane, result, batch).await?;
        self.give_back(lane, batch).await?;
        let Some(parent) = &lane.opening.parent else {
            return Ok(());
        };
        let record = self.record(lane, result, note).await?;
        let open_undo = result.is_done() && !lane.undo_left().is_empty();
        batch.collect = Some(Child {
            lane: lane.id(),
            key: rows::record_key(&parent.step, &parent.key),
            record: serde_json::to_string(&record).ok(),
        });
        let end = ChildEnd {
            key: parent.key.clone(),
            lane: lane.id(),
            iteration: parent.iteration,
            result,
            open_undo,
        };
        let body = json!(Command::ChildEnded { end }).to_string();
        batch.send.push(Post {
            lane: parent.lane,
            command: lane.id().command("ended", 0),
            body,
        });
        Ok(())
    }
}

/// A lane that got this far does not take workers down.
pub(crate) fn forgives(recorded: &Recorded) -> bool {
    matches!(
        recorded.event,
        Event::StepSucceeded { .. } | Event::PersonAsked { .. }
    )
}

fn take(batch: &mut Batch, locks: &[String], slot: Option<&(String, u32)>) {
    let wanted = wanted(locks, slot);
    if !wanted.is_empty() {
        batch.take = Some(Take::Now(wanted));
    }
}

/// Announced work of this lane is held until then, or (none) has begun.
fn tell_parent(lane: &Lane, held_ms: Option<i64>, batch: &mut Batch) {
    let Some(parent) = &lane.opening.parent else {
        return;
    };
    let moved = ChildMove {
        key: parent.key.clone(),
        lane: lane.id(),
        iteration: parent.iteration,
        held_ms,
    };
    batch.send.push(Post {
        lane: parent.lane,
        command: lane.id().command("moved", lane.version),
        body: json!(Command::ChildMoved { moved }).to_string(),
    });
}

fn tell(lane: &Lane, wish: Wish, by: &str, batch: &mut Batch) {
    let Some(children) = lane.children.as_deref() else {
        return;
    };
    let command = match wish {
        Wish::Cancel => Command::Cancel {
            by: by.to_owned(),
            reason: Some("the run was stopped".to_owned()),
        },
        Wish::Pause => Command::Pause { by: by.to_owned() },
        Wish::Resume => Command::Resume { by: by.to_owned() },
    };
    let body = json!(command).to_string();
    batch.send.extend(children.live.values().map(|live| Post {
        lane: live.lane,
        command: live.lane.command("told", lane.version),
        body: body.clone(),
    }));
}

fn finish_run(lane: &Lane, verdict: &Verdict, batch: &mut Batch) {
    let by = format!("lane {}", lane.id());
    let body = json!(Command::FinishRun {
        verdict: verdict.clone(),
        by
    })
    .to_string();
    let command = lane.id().command("finish", 0);
    batch.send.push(Post {
        lane: lane.opening.run.root(),
        command,
        body,
    });
}

/// The events of this turn that belong into the ledger, as they stand in the log.
fn ledger(turn: &Turn, batch: &mut Batch) {
    let belongs = |event: &Event| match event {
        Event::StepStarted { call, .. } => call.effect.mutates(),
        Event::StepHeld { .. }
        | Event::PersonAsked { .. }
        | Event::VoteCast { .. }
        | Event::PersonSettled { .. }
        | Event::PersonEscalated
        | Event::DebtOpened { .. }
        | Event::DebtSettled { .. }
        | Event::NoticeDue { .. }
        | Event::StopRequested { .. }
        | Event::Paused { .. }
        | Event::Resumed { .. }
        | Event::StepReopened { .. }
        | Event::ItemsReopened { .. }
        | Event::TurnsPutOff { .. }
        | Event::ConsentDecided { .. }
        | Event::LeaseOpened { .. }
        | Event::LeaseReleased { .. }
        | Event::LeaseExtended { .. } => true,
        _ => false,
    };
    let (run, lane) = (turn.lane.opening.run, turn.lane.id());
    // The batch has the events as texts, in the same order.
    for (recorded, text) in turn.events.iter().zip(&batch.events) {
        if belongs(&recorded.event) {
            let body = format!(r#"{{"entry":{text},"lane":"{lane}","run":"{run}"}}"#);
            batch.ledger.push(LedgerLine { body });
        }
    }
}
