//! Items that have missed as many windows as they may, where the runbook says that people are asked.
//!
//! Not here: which windows count (the gates of workers), and items whose runbook says that they are held (`gates`).

use super::Draft;
use crate::command::Choice;
use crate::definition::OnFailure;
use crate::event::Event;
use crate::gate::Closed;
use crate::lane::{CallSpec, Person, PersonKind, SLOTS_MAX, Section};
use crate::refusal::Refusal;
use crate::result::{LaneResult, Verdict};
use serde_json::Value;
use std::sync::Arc;

impl Draft<'_> {
    /// Asks whether it waits for one more window. What has changed something already is held and takes that back: no
    /// server stays half changed, and locked, until somebody has time.
    pub(super) fn missed(
        &mut self,
        call: Arc<CallSpec>,
        mut closed: Box<Closed>,
    ) -> Result<(), Refusal> {
        let changed = !self.lane.undo.is_empty() || !self.lane.locks.is_empty();
        if self.lane.cursor.section != Section::Main || changed {
            return self.hold(call, closed);
        }
        let given = self.lane.granted.map_or(0, |granted| granted.times);
        if given >= SLOTS_MAX {
            closed.why = format!("{}; people gave it {given} more, and no others", closed.why);
            return self.hold(call, closed);
        }
        let title = "Its windows passed without it: one more?".to_owned();
        let ask = self.own_question(PersonKind::Overflow, title, Value::Null);
        let reason = format!("{}: {}", closed.name(), closed.why);
        self.ask(ask, None, Some(reason));
        Ok(())
    }

    pub(super) fn overflow_settled(
        &mut self,
        person: &Person,
        choice: Choice,
        by: &str,
    ) -> Result<(), Refusal> {
        let title = || person.title.clone();
        let reason = person.reason.clone().unwrap_or_else(title);
        match choice {
            // It is held until then like by every closed gate, so its customer hears of the new slot.
            Choice::Next => {
                self.onward();
                Ok(())
            }
            Choice::Leave => self.leave_out(format!("left out by {by}: {reason}")),
            _ if self.lane.opening.put_off.is_some() => self.set_aside(reason),
            _ => self.fail_how(OnFailure::Hold, reason, Value::Null, None),
        }
    }

    /// The lane ends without having done anything.
    fn leave_out(&mut self, note: String) -> Result<(), Refusal> {
        let (step, name) = self.present_step()?;
        // A failure on the way is not made good by it.
        let result = match self.lane.recovered {
            true => LaneResult::Held,
            false => LaneResult::Nothing,
        };
        self.reach(Verdict {
            result,
            note: Some(note),
            step: Some(step.id.to_string()),
        });
        self.push(Event::StepSkipped { step: name });
        self.onward();
        Ok(())
    }
}
