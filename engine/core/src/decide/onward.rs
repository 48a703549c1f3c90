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
        if section == Section::Main {
            let open = self
                .lane
                .children
                .as_ref()
                .map(|c| c.open_undo.clone())
                .unwrap_or_default();
            for child in open {
                self.push(Event::UndoNoted {
                    entry: UndoEntry {
                        step: index,
                        child: Some(child),
                    },
                });
            }
        }
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
        let (step, name) = self.present_step()?;
        let note = Some(reason.clone());
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
        let verdict = |result| Event::VerdictReached {
            verdict: Verdict {
                result,
                note,
                step: Some(step.id.to_string()),
            },
        };
        match step.on_failure {
            _ if self.lane.stop.is_some() => {}
            OnFailure::Stop => self.push(verdict(result.unwrap_or(LaneResult::Failed))),
            OnFailure::Undo => self.push(verdict(result.unwrap_or(LaneResult::RolledBack))),
            OnFailure::Hold => self.push(verdict(LaneResult::Held)),
            OnFailure::Again => self.push(verdict(LaneResult::Again)),
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
        if let Some(stop) = self.lane.stop.clone() {
            self.push(Event::VerdictReached { verdict: stop });
        } else if self.lane.verdict.is_none() {
            if self.step().is_some() {
                return false;
            }
            let verdict = Verdict {
                result: self.lane.good_end(),
                note: None,
                step: None,
            };
            self.push(Event::VerdictReached { verdict });
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
        if self.an_alternative_failed(entry) {
            self.ask_about_undo(entry);
        } else {
            self.push(Event::UndoneOne { entry });
        }
        true
    }

    /// All alternatives of an entry are through and none worked; were they tried, or all skipped?
    fn an_alternative_failed(&self, entry: UndoEntry) -> bool {
        let Some(step) = self.program.steps.get(usize::from(entry.step)) else {
            return false;
        };
        step.undo.iter().any(|alternative| {
            let name = format!("undo:{}", alternative.id);
            self.lane
                .results
                .get(name.as_str())
                .is_some_and(|result| result.state == StepState::Failed)
        })
    }

    pub(super) fn ask_about_undo(&mut self, entry: UndoEntry) {
        let step = self
            .program
            .steps
            .get(usize::from(entry.step))
            .map_or("a step", |step| &*step.id);
        let title = format!("{step} could not be taken back");
        let ask = self.own_question(PersonKind::UndoFailed, title, Value::Null);
        let reason = self
            .lane
            .verdict
            .as_ref()
            .and_then(|verdict| verdict.note.clone());
        self.ask(ask, None, reason);
    }

    fn onward_always(&mut self) -> bool {
        if self.step().is_some() {
            return false;
        }
        let verdict = self.lane.verdict.clone().unwrap_or_else(|| Verdict {
            result: self.lane.good_end(),
            note: None,
            step: None,
        });
        self.push(Event::LaneEnded {
            result: verdict.result,
            note: verdict.note,
        });
        true
    }
}
