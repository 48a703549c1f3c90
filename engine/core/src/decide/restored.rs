//! The realm goes on from a copy: what the lane did behind it is in no log.
//!
//! A lane is sequential: if its next mutating call did not happen behind the copy, nothing after it
//! did. So people are asked about that call, and one "it did not" settles the lane for good; "it did"
//! leaves the next one to be asked about.

use super::Draft;
use crate::event::Event;
use crate::lane::{CallSpec, PersonKind, Phase};
use crate::refusal::Refusal;
use serde_json::Value;

/// What people are told with the question.
const WHY: &str =
    "the store was restored from a copy; what was done after the copy was taken is not in it";

impl Draft<'_> {
    pub(super) fn restored(&mut self, taken_ms: i64, restored_ms: i64) -> Result<(), Refusal> {
        if self.lane.has_heard_of(restored_ms) {
            return self.unexpected("a copy that it knows of");
        }
        self.push(Event::CopyRestored {
            taken_ms,
            restored_ms,
        });
        match self.lane.phase {
            Phase::Running(_) => self.orphaned(),
            _ => Ok(()),
        }
    }

    /// Instead of a start. The question is about a call of which this log knows nothing, so it
    /// carries none: "retry" enters the step as usual, with its locks and its gates.
    pub(super) fn ask_about_copy(&mut self, call: &CallSpec) {
        let title = match &call.asset {
            Some(asset) => format!("Did {} happen on {asset} since the copy?", call.action),
            None => format!("Did {} happen since the copy?", call.action),
        };
        let ask = self.own_question(PersonKind::InDoubt, title, Value::Null);
        self.ask(ask, None, Some(WHY.to_owned()));
    }
}
