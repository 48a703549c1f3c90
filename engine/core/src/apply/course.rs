//! Events of one step's own course.

use super::{advance, fresh_step};
use crate::event::Event;
use crate::lane::{Checking, Gate, Lane, Pending, Phase, Running, Section};
use crate::result::{StepResult, StepState};
use serde_json::Value;
use std::sync::Arc;

pub fn apply(lane: &mut Lane, event: &Event, at_ms: i64) {
    match event {
        Event::StepSkipped { step } => {
            keep(lane, step, StepState::Skipped, Value::Null, None, at_ms);
            advance(lane);
        }
        Event::StepGated { resource } => {
            lane.phase = Phase::Gated(Gate {
                resource: resource.clone(),
                since_ms: at_ms,
                closed: None,
            });
        }
        Event::StepHeld { closed } => {
            lane.phase = Phase::Gated(Gate {
                resource: closed.name(),
                since_ms: at_ms,
                closed: Some(closed.clone()),
            });
        }
        Event::StepSucceeded { step, output, .. } => {
            keep(
                lane,
                step,
                StepState::Succeeded,
                output.clone(),
                None,
                at_ms,
            );
            advance(lane);
        }
        Event::StepFailed {
            step,
            reason,
            output,
        } => {
            keep(
                lane,
                step,
                StepState::Failed,
                output.clone(),
                Some(reason.clone()),
                at_ms,
            );
            lane.phase = Phase::At;
            lane.children = None;
        }
        Event::FailureHandled { .. } => {
            lane.recovered |= lane.cursor.section != Section::Undo;
            advance(lane);
        }
        Event::StepReopened { .. } => {
            let visit = lane.visit + 1;
            fresh_step(lane);
            lane.visit = visit;
            if lane.cursor.section == Section::Undo {
                lane.cursor.index = 0;
            }
        }
        Event::WaitBegan { until_ms } => {
            lane.phase = Phase::Waiting {
                until_ms: *until_ms,
            }
        }
        other => call(lane, other, at_ms),
    }
}

fn call(lane: &mut Lane, event: &Event, at_ms: i64) {
    match event {
        Event::StepStarted {
            call,
            key,
            attempt,
            deadline_ms,
            checkpoint,
            ..
        } => {
            lane.locks.extend(
                call.locks
                    .iter()
                    .filter(|lock| !lane.locks.contains(lock))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
            lane.phase = Phase::Running(Box::new(Running {
                call: Arc::clone(call),
                key: *key,
                attempt: *attempt,
                checkpoint: checkpoint.clone(),
                started_ms: at_ms,
                deadline_ms: *deadline_ms,
            }));
        }
        Event::StepRestarted {
            deadline_ms,
            lands_ms,
        } => {
            restart(lane, *deadline_ms);
            lane.lands_ms = lane.lands_ms.max(*lands_ms);
        }
        Event::StepPended {
            checkpoint,
            resume_ms,
        } => {
            if let Some(running) = running(lane) {
                lane.phase = Phase::Pending(Box::new(Pending {
                    running,
                    checkpoint: checkpoint.clone(),
                    resume_ms: *resume_ms,
                }));
            }
        }
        Event::StepResumed { deadline_ms } => restart(lane, *deadline_ms),
        Event::CallJournaled { entry } => {
            match lane
                .journal
                .iter_mut()
                .find(|known| known.number == entry.number)
            {
                Some(known) => *known = entry.clone(),
                None => lane.journal.push(entry.clone()),
            }
        }
        Event::StepUnsettled {
            why,
            ask_ms,
            look_ms,
        } => {
            let checkpoint = match &lane.phase {
                Phase::Pending(pending) => Some(pending.checkpoint.clone()),
                Phase::Checking(checking) => checking.checkpoint.clone(),
                Phase::Running(running) => running.checkpoint.clone(),
                _ => None,
            };
            // Another reason is a new question: a cancel reaches the target before it is asked.
            let asked = match &lane.phase {
                Phase::Checking(checking) if checking.why == *why => checking.asked + 1,
                _ => 0,
            };
            let slot_held = match &lane.phase {
                Phase::Running(_) => true,
                Phase::Checking(checking) => checking.slot_held,
                _ => false,
            };
            if let Some(running) = running(lane) {
                let checking = Checking {
                    slot_held,
                    running,
                    checkpoint,
                    why: *why,
                    ask_ms: *ask_ms,
                    look_ms: *look_ms,
                    asked,
                };
                lane.phase = Phase::Checking(Box::new(checking));
            }
        }
        Event::AttemptFailed {
            retry_ms, unsure, ..
        } => {
            lane.unsure = running(lane).filter(|_| *unsure).map(Box::new);
            lane.attempt += 1;
            lane.phase = Phase::Backoff {
                until_ms: *retry_ms,
            };
        }
        Event::UndoHeld { until_ms } => {
            lane.phase = Phase::Backoff {
                until_ms: *until_ms,
            }
        }
        Event::BackoffEnded => lane.phase = Phase::At,
        _ => {}
    }
}

/// The call that the present phase is about.
fn running(lane: &Lane) -> Option<Running> {
    match &lane.phase {
        Phase::Running(running) => Some((**running).clone()),
        Phase::Pending(pending) => Some(pending.running.clone()),
        Phase::Checking(checking) => Some(checking.running.clone()),
        Phase::Person(person) => person.call.as_deref().cloned(),
        _ => None,
    }
}

fn restart(lane: &mut Lane, deadline_ms: i64) {
    let checkpoint = match &lane.phase {
        Phase::Pending(pending) => Some(pending.checkpoint.clone()),
        Phase::Running(running) => running.checkpoint.clone(),
        _ => None,
    };
    if let Some(mut running) = running(lane) {
        running.checkpoint = checkpoint.or(running.checkpoint);
        running.deadline_ms = deadline_ms;
        lane.phase = Phase::Running(Box::new(running));
    }
}

fn keep(
    lane: &mut Lane,
    step: &Arc<str>,
    state: StepState,
    output: Value,
    reason: Option<String>,
    ended_ms: i64,
) {
    let result = StepResult {
        state,
        output,
        reason,
        attempts: lane.attempt,
        ended_ms,
    };
    lane.results.insert(Arc::clone(step), Arc::new(result));
}
