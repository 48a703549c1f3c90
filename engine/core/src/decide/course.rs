//! A step's own course: entering it, calling the plugin, what the answer means.

use super::{Draft, OBSERVE_MAX, PLUGIN_RETRY_MAX, READ_REPEAT_MAX, RETRY_WAIT_MS};
use crate::answer::Answer;
use crate::command::{Entry, Seen};
use crate::contract::Effect;
use crate::event::{Event, Journal};
use crate::id::LaneId;
use crate::lane::{CallSpec, PersonKind, Phase, Running, Section, UndoEntry, Why};
use crate::refusal::Refusal;
use crate::result::Verdict;
use serde_json::Value;
use std::sync::Arc;

impl Draft<'_> {
    pub(super) fn enter(&mut self, entry: Entry) -> Result<(), Refusal> {
        if !matches!(self.lane.phase, Phase::At | Phase::Gated(_)) || self.lane.paused {
            return self.unexpected("a step to begin");
        }
        let until_ms = self.settled_ms();
        if self.lane.cursor.section == Section::Undo && until_ms > self.at_ms {
            self.push(Event::UndoHeld { until_ms });
            return Ok(());
        }
        if let Some(child) = self.lane.undoing_child() {
            return self.enter_undo_of(child, entry);
        }
        let (step, name) = self.present_step()?;
        match entry {
            Entry::Skip if self.lane.unsure.is_some() => {
                self.fail("its condition no longer holds".to_owned(), Value::Null)?;
            }
            Entry::Skip => {
                self.push(Event::StepSkipped { step: name });
                self.onward();
            }
            Entry::Fault(reason) => self.fail(reason, Value::Null)?,
            Entry::Do(call) => self.start_call(call, None)?,
            Entry::Held { call, closed } => self.hold(call, closed)?,
            Entry::Missed { call, closed } => self.missed(call, closed)?,
            Entry::Wait { until_ms } if until_ms <= self.at_ms => {
                self.succeed(Value::Null, Vec::new())?
            }
            Entry::Wait { until_ms } => self.push(Event::WaitBegan { until_ms }),
            Entry::Person(ask) => self.ask(*ask, None, None),
            Entry::Spawn(entry) => self.spawn(*entry)?,
            Entry::Detach => {
                self.push(Event::Detached { step: name });
                self.succeed(Value::Null, Vec::new())?;
            }
            Entry::Notify {
                template,
                to,
                about,
            } => {
                self.push(Event::ReportDue {
                    template,
                    to,
                    about,
                });
                self.succeed(Value::Null, Vec::new())?;
            }
            Entry::Release { output } => {
                if let crate::definition::Verb::Release { lease } = &step.verb {
                    self.push(Event::LeaseEndAsked {
                        lease: lease.clone(),
                    });
                }
                self.succeed(output, Vec::new())?;
            }
            Entry::Finish { verdict, of_run } => self.finish(verdict, of_run)?,
            Entry::UndoChild { .. } => return self.unexpected("an undo"),
        }
        Ok(())
    }

    /// The present undo entry is an ended child: a lane takes it back, or people hear why not.
    fn enter_undo_of(&mut self, child: LaneId, entry: Entry) -> Result<(), Refusal> {
        match (entry, self.lane.undo.last().copied()) {
            (Entry::UndoChild { of }, _) if of == child => self.undo_child(of),
            (Entry::Fault(reason), Some(entry)) => {
                self.ask_about_undo(entry, reason);
                Ok(())
            }
            _ => self.unexpected("anything but the undo of its child"),
        }
    }

    fn finish(&mut self, verdict: Verdict, of_run: bool) -> Result<(), Refusal> {
        if of_run && self.lane.opening.parent.is_some() {
            self.push(Event::RunFinishAsked {
                verdict: verdict.clone(),
            });
        }
        self.reach(verdict);
        self.succeed(Value::Null, Vec::new())
    }

    pub(super) fn start_call(
        &mut self,
        call: Arc<CallSpec>,
        checkpoint: Option<Value>,
    ) -> Result<(), Refusal> {
        let (step, name) = self.present_step()?;
        let can_undo = self.lane.cursor.section == Section::Main && !step.undo.is_empty();
        let entry = UndoEntry {
            step: self.lane.cursor.index,
            child: None,
        };
        // Noted before the call: a failed or lost call may have left half an effect.
        if can_undo && call.effect.mutates() && self.lane.undo.last() != Some(&entry) {
            self.push(Event::UndoNoted { entry });
        }
        if call.effect.mutates() && self.lane.may_have_gone_on() {
            self.ask_about_copy(&call);
            return Ok(());
        }
        if self.lane.cursor.section == Section::Main && call.effect.mutates() {
            self.tell_parent(None);
        }
        let key = self.lane.id().idempotency_key(&name, self.lane.visit);
        let deadline_ms = self.at_ms.saturating_add_unsigned(call.timeout_ms);
        let attempt = self.lane.attempt;
        self.push(Event::StepStarted {
            step: name,
            call,
            key,
            attempt,
            deadline_ms,
            checkpoint,
        });
        Ok(())
    }

    pub(super) fn answered(&mut self, answer: Answer) -> Result<(), Refusal> {
        let Phase::Running(running) = &self.lane.phase else {
            return self.unexpected("an answer");
        };
        let call = running.clone();
        match answer {
            Answer::Done { output, evidence } => self.succeed(output, evidence),
            Answer::Pending {
                checkpoint,
                resume_after_ms,
            } => {
                let resume_ms = self.at_ms.saturating_add_unsigned(resume_after_ms);
                self.push(Event::StepPended {
                    checkpoint,
                    resume_ms,
                });
                self.settle_if_stopping()
            }
            // Its work goes on at the target: begun anew, it would be done twice.
            Answer::Retry { after_ms, .. } if call.checkpoint.is_some() => {
                let wait_ms = after_ms.unwrap_or(0).max(RETRY_WAIT_MS);
                self.push(Event::StepPended {
                    checkpoint: call.checkpoint.unwrap_or_default(),
                    resume_ms: self.at_ms.saturating_add_unsigned(wait_ms),
                });
                self.settle_if_stopping()
            }
            Answer::Retry { reason, after_ms } => {
                // That this attempt did nothing says nothing of the one before it.
                let unsure = self.lane.unsure.is_some();
                self.attempt_failed(reason, after_ms, PLUGIN_RETRY_MAX, unsure)
            }
            Answer::Reject { reason, output } => self.fail(reason, output),
            Answer::NeedsHuman { .. } if self.lane.is_stopping() => {
                self.fail("stopped before people answered".to_owned(), Value::Null)
            }
            Answer::NeedsHuman { title, form } => {
                let ask = self.own_question(PersonKind::NeedsHuman, title, form);
                self.ask(ask, Some(call), None);
                Ok(())
            }
        }
    }

    pub(super) fn journaled(&mut self, entry: Journal) -> Result<(), Refusal> {
        match self.lane.phase {
            Phase::Running(_) | Phase::Checking(_) => {
                self.push(Event::CallJournaled { entry });
                Ok(())
            }
            _ => self.unexpected("a journal entry"),
        }
    }

    /// A repeat if one is left, else the step fails.
    fn attempt_failed(
        &mut self,
        reason: String,
        after_ms: Option<u64>,
        granted: u32,
        unsure: bool,
    ) -> Result<(), Refusal> {
        let (step, _) = self.present_step()?;
        let allowed = step.retry.times.max(granted);
        if self.lane.is_stopping() || self.lane.attempt > allowed {
            return self.fail(reason, Value::Null);
        }
        let wait_ms = after_ms
            .unwrap_or(0)
            .max(step.retry.wait_ms)
            .max(RETRY_WAIT_MS);
        let retry_ms = self.at_ms.saturating_add_unsigned(wait_ms);
        self.push(Event::AttemptFailed {
            reason,
            retry_ms,
            unsure,
        });
        Ok(())
    }

    pub(super) fn resume_call(&mut self) -> Result<(), Refusal> {
        let Phase::Pending(pending) = &self.lane.phase else {
            return self.unexpected("a resume");
        };
        let deadline_ms = self
            .at_ms
            .saturating_add_unsigned(pending.running.call.timeout_ms);
        let total_ms = self.at_ms - pending.running.started_ms;
        let limit_ms = i64::try_from(pending.running.call.timeout_ms).unwrap_or(i64::MAX);
        let mutates = pending.running.call.effect.mutates();
        if mutates && self.lane.may_have_gone_on() {
            // Where it stands now is asked of the target: the checkpoint may be an old one.
            self.look_up(Why::Lost, self.at_ms, self.settled_ms());
        } else if total_ms > limit_ms {
            self.look_up(Why::Timeout, self.at_ms, self.settled_ms());
        } else {
            self.push(Event::StepResumed { deadline_ms });
        }
        Ok(())
    }

    pub(super) fn waited(&mut self) -> Result<(), Refusal> {
        self.succeed(Value::Null, Vec::new())
    }

    /// The call was cut, or ran into its deadline. Only a read may simply be repeated.
    pub(super) fn unsettled(&mut self, reason: &str) -> Result<(), Refusal> {
        let Phase::Running(running) = &self.lane.phase else {
            return self.unexpected("a cut call");
        };
        if running.call.effect == Effect::Read {
            return self.attempt_failed(reason.to_owned(), None, READ_REPEAT_MAX, false);
        }
        self.check_after_settling();
        Ok(())
    }

    /// "Not done" counts only when the cut call can no longer land.
    fn check_after_settling(&mut self) {
        let cut_ms = self.at_ms.saturating_add(self.context.settle_ms);
        let ask_ms = cut_ms.max(self.settled_ms());
        self.look_up(self.why(Why::Timeout), ask_ms, ask_ms);
    }

    /// The plugin is asked from `look_ms` on, and its "not done" counts from `ask_ms` on.
    pub(super) fn look_up(&mut self, why: Why, look_ms: i64, ask_ms: i64) {
        self.push(Event::StepUnsettled {
            why,
            ask_ms: ask_ms.max(look_ms),
            look_ms: (look_ms < ask_ms).then_some(look_ms),
        });
    }

    /// From then on no call of a lost worker can land any more.
    fn settled_ms(&self) -> i64 {
        match self.lane.lands_ms {
            0 => 0,
            lands_ms => lands_ms.saturating_add(self.context.settle_ms),
        }
    }

    /// A call of a stopping lane that may go on at the target is asked to stop.
    fn why(&self, otherwise: Why) -> Why {
        match &self.lane.phase {
            Phase::Running(running) if self.lane.is_stopping() && running.checkpoint.is_some() => {
                Why::Cancel
            }
            _ => otherwise,
        }
    }

    pub(super) fn broken(&mut self, reason: String) -> Result<(), Refusal> {
        let Phase::Running(running) = &self.lane.phase else {
            return self.unexpected("a broken call");
        };
        let half_done = self
            .lane
            .journal
            .iter()
            .any(|entry| entry.attempt == running.attempt);
        if running.call.effect.mutates() && half_done {
            self.check_after_settling();
            return Ok(());
        }
        self.fail(reason, Value::Null)
    }

    /// The worker that called is gone. The call itself may still land until its deadline.
    pub(super) fn orphaned(&mut self) -> Result<(), Refusal> {
        let Phase::Running(running) = &self.lane.phase else {
            return self.unexpected("a lost call");
        };
        let stopping = self.lane.is_stopping();
        if running.call.effect == Effect::Read && stopping {
            return self.fail("stopped before it was done".to_owned(), Value::Null);
        }
        // A stopping lane begins nothing anew: what a lost call did is looked up.
        let old = self.lane.may_have_gone_on() && running.call.effect.mutates();
        if running.call.effect == Effect::Once || stopping || old {
            let lands_ms = running.deadline_ms.max(self.at_ms);
            let settled_ms = lands_ms.saturating_add(self.context.settle_ms);
            let ask_ms = settled_ms.max(self.settled_ms());
            // Perhaps it is done already: nobody waits out the whole time of a call that has landed.
            self.look_up(self.why(Why::Lost), self.at_ms, ask_ms);
        } else {
            let deadline_ms = self.at_ms.saturating_add_unsigned(running.call.timeout_ms);
            let may_land = running.call.effect.mutates();
            let lands_ms = if may_land { running.deadline_ms } else { 0 };
            self.push(Event::StepRestarted {
                deadline_ms,
                lands_ms,
            });
        }
        Ok(())
    }

    pub(super) fn observed(&mut self, seen: Seen) -> Result<(), Refusal> {
        let Phase::Checking(checking) = &self.lane.phase else {
            return self.unexpected("an observation");
        };
        let checking = checking.clone();
        let cancelled = checking.why == Why::Cancel || self.lane.is_stopping();
        let mutates = checking.running.call.effect.mutates();
        let granted = self.step().map_or(0, |step| step.retry.times).max(1);
        // Until it has settled, the lost call may still land.
        if self.at_ms < checking.ask_ms && matches!(seen, Seen::NotDone | Seen::Unknown(_)) {
            if self.at_ms < checking.due_ms() {
                return self.unexpected("an observation that early");
            }
            self.look_up(checking.why, checking.ask_ms, checking.ask_ms);
            return Ok(());
        }
        match seen {
            Seen::Done(output) => self.succeed(output, vec!["observed at the target".to_owned()]),
            Seen::Going { ask_after_ms } if checking.asked < OBSERVE_MAX => {
                let look_ms = self
                    .at_ms
                    .saturating_add_unsigned(ask_after_ms.max(RETRY_WAIT_MS));
                self.look_up(checking.why, look_ms, checking.ask_ms);
                Ok(())
            }
            Seen::NotDone if cancelled => {
                self.fail("stopped before it was done".to_owned(), Value::Null)
            }
            Seen::NotDone => {
                self.attempt_failed("the call did not take effect".to_owned(), None, 1, false)
            }
            Seen::Unknown(why) if checking.running.call.effect == Effect::Once => {
                self.in_doubt(checking.running, why)
            }
            // No more repeats: what follows, perhaps an undo, must not begin from a guess.
            Seen::Unknown(why) if mutates && (cancelled || self.lane.attempt > granted) => {
                self.in_doubt(checking.running, why)
            }
            Seen::Unknown(why) if cancelled => self.fail(why, Value::Null),
            Seen::Unknown(why) => self.attempt_failed(why, None, 1, mutates),
            Seen::Going { .. } => self.in_doubt(
                checking.running,
                "the target never came to an end".to_owned(),
            ),
        }
    }

    pub(super) fn in_doubt(&mut self, running: Running, why: String) -> Result<(), Refusal> {
        let title = format!("Did {} happen?", running.call.action);
        let ask = self.own_question(PersonKind::InDoubt, title, Value::Null);
        self.ask(ask, Some(Box::new(running)), Some(why));
        Ok(())
    }
}
