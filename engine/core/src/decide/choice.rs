//! What people choose where the engine itself asks: doubts, failures, undo, quarantine.
//!
//! Not here: approvals and forms (see `person`).

use super::Draft;
use super::person::expected;
use crate::command::{Actor, Choice};
use crate::definition::OnFailure;
use crate::event::{Event, Stage};
use crate::id::Digest;
use crate::lane::{Person, PersonKind, Phase, Section};
use crate::refusal::Refusal;
use crate::result::{LaneResult, Verdict};
use serde_json::Value;

/// Whether such a question is settled by this choice.
fn takes(kind: PersonKind, choice: Choice) -> bool {
    let asks_for_slots = kind == PersonKind::Overflow;
    match choice {
        _ if kind.is_approval() || kind.is_form() => false,
        Choice::Next | Choice::Leave | Choice::Stop => asks_for_slots,
        Choice::Done => kind == PersonKind::InDoubt,
        Choice::Skip => kind != PersonKind::InDoubt && !asks_for_slots,
        Choice::Retry | Choice::Fail => !asks_for_slots,
    }
}

impl Draft<'_> {
    /// A choice made on a page that shows an older question is not for this one.
    pub(super) fn same_question(&self, signs: Option<Digest>) -> Result<(), Refusal> {
        match (&self.lane.phase, signs) {
            (Phase::Person(person), Some(signs)) if person.signs != signs => {
                let present = person.signs;
                Err(Refusal::Changed { present })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn choose(
        &mut self,
        actor: Actor,
        choice: Choice,
        comment: Option<String>,
        output: Value,
    ) -> Result<(), Refusal> {
        let person = self.asked(&actor)?;
        if !takes(person.kind, choice) {
            return Err(Refusal::WrongKind {
                expected: expected(person.kind),
            });
        }
        // Nothing is called again for a lane that is being stopped.
        let calls = person.call.is_some() || person.kind == PersonKind::InDoubt;
        if choice == Choice::Retry && calls && self.lane.is_stopping() {
            return Err(Refusal::Stopping);
        }
        let by = actor.person;
        let settled = Event::PersonSettled {
            choice: choice.name().to_owned(),
            by: Some(by.clone()),
            answer: output.clone(),
            comment: comment.clone(),
        };
        self.push(settled);
        match person.kind {
            PersonKind::InDoubt => self.doubt_settled(&person, choice, comment, output),
            PersonKind::Overflow => self.overflow_settled(&person, choice, &by),
            PersonKind::Quarantine if choice == Choice::Retry && person.call.is_some() => {
                self.doubt_settled(&person, choice, comment, output)
            }
            _ if self.lane.undoing_child().is_some() => self.undo_settled(choice, by),
            PersonKind::UndoFailed => self.undo_settled(choice, by),
            _ => self.failure_settled(&person, choice, by),
        }
    }

    fn doubt_settled(
        &mut self,
        person: &Person,
        choice: Choice,
        comment: Option<String>,
        output: Value,
    ) -> Result<(), Refusal> {
        match (choice, &person.call) {
            (Choice::Done, _) => self.succeed(output, comment.into_iter().collect()),
            // No call of this log is in doubt: the step begins as if nobody had been asked.
            (Choice::Retry, None) => {
                self.onward();
                Ok(())
            }
            // The same key: if the first call did land, the target can tell.
            (Choice::Retry, Some(running)) => self.start_call(running.call.clone(), None),
            _ => {
                let reason = comment.unwrap_or_else(|| "in doubt, given up".to_owned());
                // People have just said it: they are not asked again.
                let on_failure = match self.present_step()?.0.on_failure {
                    OnFailure::Ask => OnFailure::Stop,
                    other => other,
                };
                self.fail_how(on_failure, reason, Value::Null, None)
            }
        }
    }

    fn undo_settled(&mut self, choice: Choice, by: String) -> Result<(), Refusal> {
        if choice == Choice::Retry {
            self.push(Event::StepReopened { by });
            return Ok(());
        }
        let known = self.lane.verdict.clone();
        let (note, step) = known.map_or((None, None), |known| (known.note, known.step));
        let left = "something could not be taken back";
        let note = note.map_or_else(|| left.to_owned(), |note| format!("{note}; {left}"));
        let verdict = Verdict {
            result: LaneResult::Failed,
            note: Some(note),
            step,
        };
        self.push(Event::VerdictReached { verdict });
        match (choice, self.lane.undo.last().copied()) {
            (Choice::Skip, Some(entry)) => self.push(Event::UndoneOne { entry }),
            _ => self.push(Event::AlwaysBegan),
        }
        self.onward();
        Ok(())
    }

    fn failure_settled(
        &mut self,
        person: &Person,
        choice: Choice,
        by: String,
    ) -> Result<(), Refusal> {
        if choice == Choice::Retry {
            self.note_open_undo();
            self.push(Event::StepReopened { by });
            self.onward();
            return Ok(());
        }
        let (step, name) = self.present_step()?;
        let reason = person
            .reason
            .clone()
            .unwrap_or_else(|| person.title.clone());
        let in_main = self.lane.cursor.section == Section::Main;
        // A failed call has left its trace before people were asked; children and crashes have not.
        let is_recorded = person.kind == PersonKind::Failure && self.lane.children.is_none();
        if !is_recorded {
            self.note_open_undo();
            self.announce(Stage::Cancelled, &|share| share.left > 0 && !share.told_end);
            let output = self.each_output();
            self.push(Event::StepFailed {
                step: name.clone(),
                reason: reason.clone(),
                output,
            });
        }
        if choice == Choice::Skip || !in_main {
            self.push(Event::FailureHandled { step: name });
        } else {
            let (result, step) = (LaneResult::Failed, Some(step.id.to_string()));
            self.reach(Verdict {
                result,
                note: Some(reason),
                step,
            });
        }
        self.onward();
        Ok(())
    }
}
