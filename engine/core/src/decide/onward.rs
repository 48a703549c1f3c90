//! From the end of one thing to the beginning of the next: success, failure, undo, `always`, end.

use super::Draft;
use crate::definition::OnFailure;
use crate::event::{Event, Stage};
use crate::lane::{PersonKind, Phase, Section, UndoEntry};
use crate::refusal::Refusal;
use crate::result::{LaneResult, StepState, Verdict};
use serde_json::Value;

impl Draft<'_> {
    pub(super) fn succeed(&mut self, output: Value, evidence: Vec<String>) -> Result<(), Refusal> {
        let (step, name) = self.present_step()?;
        let section = self.lane.cursor.section;
        let index = self.lane.cursor.index;
        if section == Section::Main && !step.undo.is_empty() {
            let entry = UndoEntry {
                step: index,
                child: None,
            };
            if self.lane.undo.last() != Some(&entry) {
                self.push(Event::UndoNoted { entry });
            }
        }
        self.note_open_undo();
        self.push(Event::StepSucceeded {
            step: name,
            output,
            evidence,
        });
        if step.lease.is_some() {
            self.push(Event::LeaseOpened {
                step: std::sync::Arc::clone(&step.id),
            });
        }
        if section == Section::Main && step.no_return {
            self.push(Event::NoReturnPassed);
        }
        if let (Section::Undo, Some(entry)) = (section, self.lane.undo.last().copied()) {
            self.push(Event::UndoneOne { entry });
        }
        self.onward();
        Ok(())
    }

    /// What ended children left open is this lane's to take back, however the step ends.
    pub(super) fn note_open_undo(&mut self) {
        if self.lane.cursor.section != Section::Main {
            return;
        }
        let step = self.lane.cursor.index;
        let children = self.lane.children.as_deref();
        let open = children.map_or_else(Vec::new, |children| children.open_undo.clone());
        for child in open {
            let entry = UndoEntry {
                step,
                child: Some(child),
            };
            self.push(Event::UndoNoted { entry });
        }
    }

    /// A verdict never becomes better, and a handled failure is never forgotten.
    pub(super) fn reach(&mut self, mut verdict: Verdict) {
        if self.lane.recovered && verdict.result.severity() == 0 {
            verdict.result = LaneResult::Recovered;
        }
        let present = self.lane.verdict.as_ref();
        if present.is_none_or(|known| known.result.severity() < verdict.result.severity()) {
            self.push(Event::VerdictReached { verdict });
        }
    }

    /// The step is over and did not work; its `on_failure` says what that means.
    pub(super) fn fail(&mut self, reason: String, output: Value) -> Result<(), Refusal> {
        self.fail_as(reason, output, None)
    }

    pub(super) fn fail_as(
        &mut self,
        reason: String,
        output: Value,
        result: Option<LaneResult>,
    ) -> Result<(), Refusal> {
        let on_failure = self.present_step()?.0.on_failure;
        self.fail_how(on_failure, reason, output, result)
    }

    pub(super) fn fail_how(
        &mut self,
        on_failure: OnFailure,
        reason: String,
        output: Value,
        result: Option<LaneResult>,
    ) -> Result<(), Refusal> {
        // What follows, perhaps an undo, must not begin from a guess.
        if let Some(running) = self.lane.unsure.clone() {
            return self.in_doubt(*running, reason);
        }
        let (step, name) = self.present_step()?;
        let note = Some(reason.clone());
        self.note_open_undo();
        self.announce(Stage::Cancelled, &|share| share.left > 0 && !share.told_end);
        self.push(Event::StepFailed {
            step: std::sync::Arc::clone(&name),
            reason: reason.clone(),
            output,
        });
        if self.lane.cursor.section != Section::Main {
            self.push(Event::FailureHandled { step: name });
            self.onward();
            return Ok(());
        }
        let verdict = |result| Verdict {
            result,
            note,
            step: Some(step.id.to_string()),
        };
        match on_failure {
            _ if self.lane.is_stopping() => {}
            OnFailure::Stop => self.reach(verdict(result.unwrap_or(LaneResult::Failed))),
            OnFailure::Undo => self.reach(verdict(result.unwrap_or(LaneResult::RolledBack))),
            OnFailure::Hold => self.reach(verdict(LaneResult::Held)),
            OnFailure::Again => self.reach(verdict(LaneResult::Again)),
            OnFailure::Continue => self.push(Event::FailureHandled { step: name }),
            OnFailure::Ask => {
                let title = format!("{} failed", step.name.as_deref().unwrap_or(&step.id));
                let ask = self.own_question(PersonKind::Failure, title, Value::Null);
                self.ask(ask, None, Some(reason));
                return Ok(());
            }
        }
        self.onward();
        Ok(())
    }

    /// Moves on until a step must be entered, people are asked, or the lane has ended.
    pub(super) fn onward(&mut self) {
        // Every round passes a section's end or an undo entry, so it is bounded by their number.
        while matches!(self.lane.phase, Phase::At) {
            let moved = match self.lane.cursor.section {
                Section::Main => self.onward_main(),
                Section::Undo => self.onward_undo(),
                Section::Always => self.onward_always(),
            };
            if !moved {
                break;
            }
        }
    }

    fn onward_main(&mut self) -> bool {
        if let (Some(stop), None) = (self.lane.stop.clone(), &self.lane.verdict) {
            self.reach(stop);
        } else if self.lane.verdict.is_none() {
            if self.step().is_some() {
                return false;
            }
            let verdict = Verdict {
                result: self.lane.good_end(),
                note: None,
                step: None,
            };
            self.reach(verdict);
        }
        let undoes = self
            .lane
            .verdict
            .as_ref()
            .is_some_and(|verdict| verdict.result.undoes());
        let next = if undoes && !self.lane.undo.is_empty() {
            Event::UndoBegan
        } else {
            Event::AlwaysBegan
        };
        self.push(next);
        true
    }

    fn onward_undo(&mut self) -> bool {
        let Some(entry) = self.lane.undo.last().copied() else {
            self.push(Event::AlwaysBegan);
            return true;
        };
        if entry.child.is_some() || self.step().is_some() {
            return false;
        }
        match self.why_not_undone(entry) {
            Some(why) => self.ask_about_undo(entry, why),
            None => self.push(Event::UndoneOne { entry }),
        }
        true
    }

    /// All alternatives of an entry are through and none worked: what each that was tried said.
    /// `None` when all were skipped.
    fn why_not_undone(&self, entry: UndoEntry) -> Option<String> {
        let step = self.program.steps.get(usize::from(entry.step))?;
        let failed = step.undo.iter().filter_map(|alternative| {
            let name = format!("undo:{}", alternative.id);
            let result = self.lane.results.get(name.as_str())?;
            let why = result.reason.as_deref().unwrap_or("it failed");
            (result.state == StepState::Failed).then(|| format!("{}: {why}", alternative.id))
        });
        let failed: Vec<_> = failed.collect();
        (!failed.is_empty()).then(|| failed.join("; "))
    }

    pub(super) fn ask_about_undo(&mut self, entry: UndoEntry, why: String) {
        let step = self
            .program
            .steps
            .get(usize::from(entry.step))
            .map_or("a step", |step| &*step.id);
        let title = format!("{step} could not be taken back");
        let ask = self.own_question(PersonKind::UndoFailed, title, Value::Null);
        self.ask(ask, None, Some(why));
    }

    fn onward_always(&mut self) -> bool {
        if self.step().is_some() {
            return false;
        }
        // A step of `always` that failed leaves a trace in an otherwise good end.
        let result = self.lane.good_end();
        self.reach(Verdict {
            result,
            note: None,
            step: None,
        });
        let Some(verdict) = self.lane.verdict.clone() else {
            return false;
        };
        self.push(Event::LaneEnded {
            result: verdict.result,
            note: verdict.note,
        });
        true
    }
}
