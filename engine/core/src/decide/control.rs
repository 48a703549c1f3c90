//! Cancel, pause, resume, release, quarantine.

use super::Draft;
use crate::definition::{Step, Verb};
use crate::event::Event;
use crate::lane::{Origin, PersonKind, Phase, Section, Why};
use crate::lease::{ended_by, ends_ms};
use crate::refusal::Refusal;
use crate::result::{LaneResult, Verdict};
use serde_json::Value;

impl Draft<'_> {
    pub(super) fn cancel(&mut self, by: String, reason: Option<String>) -> Result<(), Refusal> {
        let note = reason.or_else(|| Some(format!("cancelled by {by}")));
        self.stop(
            Verdict {
                result: LaneResult::Cancelled,
                note,
                step: None,
            },
            by,
        )
    }

    /// First the wish, then the settling of what runs, then undo and `always`.
    pub(super) fn stop(&mut self, verdict: Verdict, by: String) -> Result<(), Refusal> {
        // What takes back or cleans up runs to its end.
        let has_main = self.lane.cursor.section == Section::Main;
        if self.lane.stop.is_some() || self.lane.verdict.is_some() || !has_main {
            return Err(Refusal::Stopping);
        }
        if self.lane.debt.is_some() {
            return Err(Refusal::Owes);
        }
        self.push(Event::StopRequested {
            verdict,
            by: by.clone(),
        });
        if self.lane.paused {
            self.push(Event::Resumed { by });
        }
        match &self.lane.phase {
            Phase::At | Phase::Gated(_) | Phase::Backoff { .. } | Phase::Waiting { .. } => {
                self.give_up_step()
            }
            // An unknown outcome stays to be cleared up first: nothing is undone from a guess.
            Phase::Person(person) if person.kind.is_doubt() => Ok(()),
            Phase::Person(_) => {
                self.push(Event::PersonSettled {
                    choice: "withdrawn".to_owned(),
                    by: None,
                    answer: Value::Null,
                    comment: None,
                });
                if matches!(self.lane.phase, Phase::Children) {
                    self.flow()
                } else {
                    self.give_up_step()
                }
            }
            Phase::Pending(_) => self.settle_if_stopping(),
            Phase::Children => self.flow(),
            Phase::Checking(checking) => {
                // It may still go on at the target, which is asked to stop.
                if checking.checkpoint.is_some() && checking.why != Why::Cancel {
                    let ask_ms = checking.ask_ms.max(self.at_ms);
                    self.look_up(Why::Cancel, self.at_ms, ask_ms);
                }
                Ok(())
            }
            // Settled by its answer or by an observation.
            Phase::Running(_) | Phase::Ended => Ok(()),
        }
    }

    fn give_up_step(&mut self) -> Result<(), Refusal> {
        if self.step().is_none() {
            self.onward();
            return Ok(());
        }
        let reason = "the run was stopped before this step".to_owned();
        self.fail(reason, Value::Null)
    }

    /// A pending call of a stopping lane: the target is asked to stop, then observed.
    pub(super) fn settle_if_stopping(&mut self) -> Result<(), Refusal> {
        if self.lane.is_stopping() && matches!(self.lane.phase, Phase::Pending(_)) {
            self.look_up(Why::Cancel, self.at_ms, self.at_ms);
        }
        Ok(())
    }

    pub(super) fn pause(&mut self, by: String) -> Result<(), Refusal> {
        if self.lane.is_stopping() {
            return Err(Refusal::Stopping);
        }
        if self.lane.paused {
            return Err(Refusal::PausedAlready);
        }
        self.push(Event::Paused { by });
        Ok(())
    }

    pub(super) fn resume(&mut self, by: String) -> Result<(), Refusal> {
        if !self.lane.paused {
            return Err(Refusal::NotPaused);
        }
        self.push(Event::Resumed { by });
        match self.lane.phase {
            Phase::Children => self.flow(),
            _ => Ok(()),
        }
    }

    /// A lease ends early; nobody is told any more that it will end.
    pub(super) fn release(&mut self, by: String, reason: Option<String>) -> Result<(), Refusal> {
        let is_end = |step: &Step| matches!(step.verb, Verb::Do(_));
        let holds = match &self.lane.phase {
            Phase::Waiting { .. } => true,
            // Its lane has not had its first turn yet: whoever releases it is heard all the same.
            Phase::At => !is_end(self.present_step()?.0),
            _ => false,
        };
        if !holds || !matches!(self.lane.opening.origin, Origin::Lease { .. }) {
            return self.unexpected("a release");
        }
        self.push(Event::LeaseReleased { by, reason });
        if matches!(self.present_step()?.0.verb, Verb::Wait(_)) {
            self.waited()?;
        }
        while let Some(step) = self.step().filter(|step| !is_end(step)) {
            let step = std::sync::Arc::clone(&step.id);
            self.push(Event::StepSkipped { step });
        }
        Ok(())
    }

    /// A lease lives longer: never longer from now on than it was given at first. Who was told of its end is not
    /// told again.
    pub(super) fn extend(&mut self, by: String, reason: String, by_ms: u64) -> Result<(), Refusal> {
        let ended = ended_by(&self.lane, self.context.definition);
        let (Phase::Waiting { .. }, Some((_, lease))) = (&self.lane.phase, ended) else {
            return self.unexpected("an extension");
        };
        let given_ms = lease.for_ms;
        let latest_ms = self.at_ms.saturating_add_unsigned(given_ms);
        let most_ms = latest_ms.saturating_sub(ends_ms(&self.lane, lease));
        let most_ms = u64::try_from(most_ms).unwrap_or_default();
        if by_ms == 0 || by_ms > most_ms {
            return Err(Refusal::TooLong { given_ms, most_ms });
        }
        self.push(Event::LeaseExtended { by, reason, by_ms });
        Ok(())
    }

    pub(super) fn quarantine(&mut self, reason: String) -> Result<(), Refusal> {
        let call = match &self.lane.phase {
            Phase::Running(running) => Some(running.clone()),
            Phase::Checking(checking) => Some(Box::new(checking.running.clone())),
            Phase::Pending(pending) => Some(Box::new(pending.running.clone())),
            // No call is in flight here, and live children or an open question would be lost.
            Phase::Children | Phase::Person(_) | Phase::Ended => {
                return self.unexpected("a quarantine");
            }
            Phase::At | Phase::Gated(_) | Phase::Backoff { .. } | Phase::Waiting { .. } => {
                self.lane.unsure.clone()
            }
        };
        let title = "This lane took its worker down".to_owned();
        let ask = self.own_question(PersonKind::Quarantine, title, Value::Null);
        self.ask(ask, call, Some(reason));
        Ok(())
    }
}
