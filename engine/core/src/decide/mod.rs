//! What is legal, and what follows: `decide(lane, input) -> events or a named refusal`. Pure.
//!
//! One file a family: a step's course, people, children, control. `onward` moves a lane from the
//! end of one thing to the beginning of the next.
//!
//! Not here: evaluation of expressions, effects, time. Values come in with the input.

mod admit;
mod behalf;
mod children;
mod choice;
mod consent;
mod control;
mod course;
mod debt;
mod deferral;
mod gates;
mod onward;
mod overflow;
mod person;
mod question;
mod restored;
mod rounds;
mod shares;
mod waves;

pub use admit::limit as children_at_once;

use crate::apply::apply;
use crate::command::{Command, Input};
use crate::definition::{Definition, Program, Step};
use crate::effect::{Effect, effects};
use crate::event::{Event, Recorded};
use crate::lane::{Item, Lane, Phase};
use crate::refusal::Refusal;
use question::Ballot;
use std::sync::Arc;

/// Most children that one decision admits: a commit that spawns more of them holds everybody else up.
pub const ADMIT_MAX: usize = 100;
/// Most live children of one lane: one commit can tell them all to stop.
pub const LIVE_MAX: u32 = 200;
/// Most customers of one list that are told: one decision announces to all of them, and a commit has at most 500
/// events.
pub const CUSTOMERS_MAX: usize = 250;
/// How far behind a full group admission looks for other items.
pub const LOOK_AHEAD_MAX: usize = 200;
/// Repeats that a plugin may ask for by itself when the runbook grants fewer.
pub const PLUGIN_RETRY_MAX: u32 = 20;
/// Repeats of a read whose answer did not come, beside those of the runbook.
pub const READ_REPEAT_MAX: u32 = 2;
/// How often a call in flight is asked about before people are.
pub const OBSERVE_MAX: u32 = 120;
/// Wait before a repeat when neither runbook nor plugin names one.
pub const RETRY_WAIT_MS: u64 = 1_000;

/// What a decision may look at besides the lane.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub definition: &'a Definition,
    /// The list of the present `each`, where the lane has children.
    pub items: &'a [Item],
    /// How long after its deadline a lost call may still land at the target.
    pub settle_ms: i64,
}

/// A decision: the lane as it will be, and the events that make it so.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    pub lane: Lane,
    pub events: Vec<Recorded>,
    /// What the events ask for, in their order.
    pub effects: Vec<Effect>,
}

/// Decides one input at an instant of the store's clock (for letters: when they were accepted).
///
/// # Errors
/// A named refusal: the lane does not take this input now, and nothing changes.
pub fn decide(
    context: Context<'_>,
    lane: &Lane,
    input: Input,
    at_ms: i64,
) -> Result<Decision, Refusal> {
    if lane.has_ended() {
        return Err(Refusal::Ended);
    }
    let program = lane.program(context.definition).ok_or(Refusal::Lost)?;
    let mut draft = Draft {
        context,
        program: &program,
        lane: lane.clone(),
        events: Vec::new(),
        effects: Vec::new(),
        at_ms,
    };
    draft.take(input)?;
    draft.set_shares();
    Ok(Decision {
        lane: draft.lane,
        events: draft.events,
        effects: draft.effects,
    })
}

/// A lane on which events are tried out while a decision grows.
struct Draft<'a> {
    context: Context<'a>,
    program: &'a Program,
    lane: Lane,
    events: Vec<Recorded>,
    effects: Vec<Effect>,
    at_ms: i64,
}

impl<'a> Draft<'a> {
    fn take(&mut self, input: Input) -> Result<(), Refusal> {
        match input {
            Input::Command(command) => self.command(command),
            Input::ChildrenEnded(ends) => self.children_ended(ends),
            Input::Enter(entry) => self.enter(entry),
            Input::EnterGate(ask) => self.enter_gate(ask),
            Input::RoundJudged { until } => self.round_judged(until),
            Input::Blocked { resource } => self.blocked(resource),
            Input::Answered(answer) => self.answered(answer),
            Input::Journaled(entry) => self.journaled(entry),
            Input::Observed(seen) => self.observed(seen),
            Input::Unsettled { reason } => self.unsettled(&reason),
            Input::Broken { reason } => self.broken(reason),
            Input::Orphaned => self.orphaned(),
            Input::Restored {
                taken_ms,
                restored_ms,
            } => self.restored(taken_ms, restored_ms),
            Input::Quarantine { reason } => self.quarantine(reason),
            Input::Defer { ask, known } => self.defer(&ask, &known),
            Input::Consent { ask, known } => self.consent(&ask, &known),
            Input::Compared(compared) => self.compared(compared),
            Input::Unreached(unreached) => self.unreached(unreached),
            Input::Continue => self.due(),
        }
    }

    fn command(&mut self, command: Command) -> Result<(), Refusal> {
        match command {
            Command::Decide {
                actor,
                yes,
                signs,
                comment,
                typed,
                waive,
            } => {
                let ballot = Ballot {
                    yes,
                    signs,
                    comment,
                    typed,
                    waive,
                };
                self.vote(actor, ballot)
            }
            Command::Answer {
                actor,
                signs,
                answer,
            } => self.answer(actor, signs, answer),
            Command::Choose {
                actor,
                choice,
                comment,
                signs,
                output,
            } => {
                self.same_question(signs)?;
                self.choose(actor, choice, comment, output)
            }
            Command::Cancel { by, reason } => self.cancel(by, reason),
            Command::Pause { by } => self.pause(by),
            Command::Resume { by } => self.resume(by),
            Command::RetryItems { by, items } => self.retry_items(by, items),
            Command::Release { by, reason } => self.release(by, reason),
            Command::Extend { by, reason, by_ms } => self.extend(by, reason, by_ms),
            Command::Cure { assets, how, run } => self.cured(&assets, &how, run),
            // Judged with what the worker has read of it.
            Command::Defer { .. } => self.unexpected("a deferral of which nothing was read"),
            Command::Consent { .. } => self.unexpected("a consent of which nothing was read"),
            Command::FinishRun { verdict, by } => self.stop(verdict, by),
            Command::ChildEnded { end } => self.children_ended(vec![end]),
            Command::ChildMoved { moved } => self.child_moved(moved),
            Command::Timer { name } => self.due().map_err(|_| Refusal::StaleTimer { name }),
        }
    }

    /// Records an event and lets it change the draft.
    fn push(&mut self, event: Event) {
        self.effects.extend(effects(&self.lane, &event));
        let recorded = Recorded::new(event, self.at_ms);
        apply(&mut self.lane, &recorded);
        self.events.push(recorded);
    }

    fn step(&self) -> Option<&'a Step> {
        self.lane.step(self.program)
    }

    fn present_step(&self) -> Result<(&'a Step, Arc<str>), Refusal> {
        let step = self.step().ok_or(Refusal::Lost)?;
        Ok((step, self.lane.result_name(step)))
    }

    fn unexpected<T>(&self, input: &'static str) -> Result<T, Refusal> {
        Err(Refusal::Unexpected {
            phase: self.lane.phase.name(),
            input,
        })
    }

    /// Whatever has come due by the clock. Refused when nothing has.
    fn due(&mut self) -> Result<(), Refusal> {
        let at_ms = self.at_ms;
        let reminded = self.remind_shares();
        match &self.lane.phase {
            // What rang were the shares.
            _ if reminded => Ok(()),
            Phase::Backoff { until_ms } if *until_ms <= at_ms => {
                self.push(Event::BackoffEnded);
                self.onward();
                Ok(())
            }
            Phase::Pending(pending) if pending.resume_ms <= at_ms => self.resume_call(),
            Phase::Waiting { until_ms } if *until_ms <= at_ms => self.waited(),
            Phase::Person(_) => self.question_due(),
            Phase::Children => self.children_due(),
            _ => self.unexpected("a timer"),
        }
    }
}
