//! Turns that customers put off, and lanes that end because of it.
//!
//! Not here: what is agreed and what counts (the worker reads it), and when the turn comes then.

use super::Draft;
use crate::deferral::{DeferAsk, Known, Scope};
use crate::definition::OnFailure;
use crate::event::Event;
use crate::refusal::Refusal;
use crate::result::LaneResult;
use serde_json::Value;

impl Draft<'_> {
    /// One deferral, whatever it puts off: it counts once.
    pub(super) fn defer(&mut self, ask: &DeferAsk, known: &Known) -> Result<(), Refusal> {
        if self.lane.is_stopping() {
            return Err(Refusal::Stopping);
        }
        let (lane, definition) = (&self.lane, self.context.definition);
        let scope = Scope::of(lane, definition, self.context.items, ask)?;
        let deferral = scope.judge(lane, known, ask, self.at_ms)?;
        self.push(Event::TurnsPutOff {
            deferral: Box::new(deferral),
        });
        self.flow()
    }

    /// The lane gives its place to others; its turn comes in a lane of its own.
    pub(super) fn set_aside(&mut self, reason: String) -> Result<(), Refusal> {
        let result = Some(LaneResult::Deferred);
        self.fail_how(OnFailure::Stop, reason, Value::Null, result)
    }
}
