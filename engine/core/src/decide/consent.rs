//! A customer agrees to a run, or objects.
//!
//! Not here: what that holds (the gates of workers), and what was agreed with whom.

use super::Draft;
use crate::consent::{ConsentAsk, Known};
use crate::event::Event;
use crate::refusal::Refusal;

impl Draft<'_> {
    /// What was said before changes nothing.
    pub(super) fn consent(&mut self, ask: &ConsentAsk, known: &Known) -> Result<(), Refusal> {
        if self.lane.is_stopping() {
            return Err(Refusal::Stopping);
        }
        let (lane, definition) = (&self.lane, self.context.definition);
        let consent = known.judge(lane, definition, self.context.items, ask)?;
        if let Some(consent) = consent {
            let consent = Box::new(consent);
            self.push(Event::ConsentDecided { consent });
        }
        Ok(())
    }
}
