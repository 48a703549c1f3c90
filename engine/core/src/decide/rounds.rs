//! `repeat`: rounds, one after the other, each a child lane. A call is one round.
//!
//! Not here: the judgement of `until`; the worker evaluates it and says what it found.

use super::Draft;
use crate::definition::{OnExhausted, Repeat, Spawn, Verb};
use crate::event::Event;
use crate::lane::{ChildrenKind, PersonKind, Phase};
use crate::refusal::Refusal;
use crate::result::LaneResult;
use serde_json::Value;

impl Draft<'_> {
    pub(super) fn repeat(&self) -> Option<&Repeat> {
        match &self.step()?.verb {
            Verb::Spawn(Spawn::Repeat(repeat)) => Some(repeat),
            _ => None,
        }
    }

    pub(super) fn flow_rounds(&mut self) -> Result<(), Refusal> {
        let children = self.children()?;
        if !children.live.is_empty() {
            return Ok(());
        }
        let until = self.repeat().ok_or(Refusal::Lost)?.until.is_some();
        match (children.last, children.next_round_ms) {
            (None, None) => self.next_round(),
            (_, Some(at_ms)) if at_ms <= self.at_ms => self.next_round(),
            (_, Some(_)) => Ok(()),
            (Some(LaneResult::Again), None) => self.schedule_round(),
            // The worker evaluates `until` in the round's scope and says what it found. A round
            // that was held or cancelled proves nothing: it is the last one.
            (Some(result), None) if until && is_judged(result) => Ok(()),
            (Some(result), None) => self.rounds_over(result),
        }
    }

    pub(super) fn next_round(&mut self) -> Result<(), Refusal> {
        let number = self.children()?.round + 1;
        self.admit_one("round", &number.to_string());
        Ok(())
    }

    pub(super) fn round_judged(&mut self, until: bool) -> Result<(), Refusal> {
        let children = self.children()?;
        let waiting = matches!(self.lane.phase, Phase::Children)
            && children.kind == ChildrenKind::Rounds
            && children.live.is_empty()
            && children.next_round_ms.is_none();
        match (waiting, children.last) {
            (true, Some(result)) if until => self.rounds_over(result),
            (true, Some(_)) => self.schedule_round(),
            _ => self.unexpected("a judged round"),
        }
    }

    pub(super) fn schedule_round(&mut self) -> Result<(), Refusal> {
        let repeat = self.repeat().ok_or(Refusal::Lost)?;
        let (at_most, for_ms, every_ms) = (repeat.at_most, repeat.for_ms, repeat.every_ms);
        let on_exhausted = repeat.on_exhausted;
        let children = self.children()?;
        let next_ms = self.at_ms.saturating_add_unsigned(every_ms);
        let over = for_ms.is_some_and(|ms| next_ms > children.began_ms.saturating_add_unsigned(ms));
        if !over && at_most.is_none_or(|most| children.round < most) {
            self.push(Event::RoundDue { at_ms: next_ms });
            return self.flow();
        }
        let reason = format!("still not done after {} rounds", children.round);
        match on_exhausted {
            OnExhausted::Stop => self.fail(reason, self.each_output()),
            OnExhausted::Ask => {
                let ask = self.own_question(PersonKind::Exhausted, reason.clone(), Value::Null);
                self.ask(ask, None, Some(reason));
                Ok(())
            }
        }
    }

    pub(super) fn rounds_over(&mut self, result: LaneResult) -> Result<(), Refusal> {
        let output = self.each_output();
        if result.is_failure() || result.is_held() || result == LaneResult::Cancelled {
            return self.fail_as(
                format!("the last round ended {result}"),
                output,
                Some(result),
            );
        }
        self.succeed(output, Vec::new())
    }
}

/// A round that went well is judged by `until`.
fn is_judged(result: LaneResult) -> bool {
    result.is_done() || result == LaneResult::Nothing
}
