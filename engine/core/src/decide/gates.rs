//! What holds a step that could begin: a closed gate, a lock, a slot.
//!
//! Not here: what is closed or taken; the worker finds out.

use super::{Draft, RETRY_WAIT_MS};
use crate::definition::OnFailure;
use crate::event::Event;
use crate::gate::{Closed, GateKind};
use crate::lane::{CallSpec, Phase, Section};
use crate::refusal::Refusal;
use serde_json::Value;
use std::sync::Arc;

impl Draft<'_> {
    /// A closed gate holds what goes forward. What takes back or cleans up is never held: half of a
    /// change is worse than a disturbance.
    pub(super) fn hold(
        &mut self,
        call: Arc<CallSpec>,
        mut closed: Box<Closed>,
    ) -> Result<(), Refusal> {
        if self.lane.cursor.section != Section::Main {
            return self.start_call(call, None);
        }
        // Closed beyond its own end: it is looked at again soon.
        let soon_ms = self.at_ms.saturating_add_unsigned(RETRY_WAIT_MS);
        let over = closed
            .until_ms
            .is_some_and(|until_ms| until_ms <= self.at_ms);
        if over {
            closed.until_ms = Some(soon_ms);
        }
        let known = match &self.lane.phase {
            Phase::Gated(gate) => gate.closed.as_ref() == Some(&closed),
            _ => false,
        };
        let never = closed
            .never
            .then(|| format!("{}: {}", closed.name(), closed.why));
        let (held_ms, gate) = (closed.until_ms, closed.gate);
        if !known {
            self.push(Event::StepHeld { closed });
            if held_ms.is_some() {
                self.tell_parent(held_ms);
            }
        }
        match never {
            Some(reason) if gate == GateKind::Deferral => self.set_aside(reason),
            Some(reason) => self.fail_how(OnFailure::Hold, reason, Value::Null, None),
            None => Ok(()),
        }
    }

    /// The step's locks or its slot are taken: it waits for a ring.
    pub(super) fn blocked(&mut self, resource: String) -> Result<(), Refusal> {
        match &self.lane.phase {
            Phase::At => self.push(Event::StepGated { resource }),
            Phase::Gated(gate) if gate.resource == resource => {}
            // Its slot is not free yet; the target goes on meanwhile.
            Phase::Pending(_) => {}
            Phase::Gated(_) => self.push(Event::StepGated { resource }),
            _ => return self.unexpected("a gate"),
        }
        Ok(())
    }
}
