//! Messages that say all that they could say, for tests that look at who was told what.
//!
//! Not here: what a message looks like (the channels' own tests).

use hostler_ports::channel::{Compose, Composed, Draft};

pub struct Plain;

impl Compose for Plain {
    fn compose(&self, draft: &Draft) -> Result<Composed, String> {
        Ok(Composed {
            subject: draft.template.clone(),
            text: draft.context.to_string(),
            html: String::new(),
            calendar: draft.calendar.as_ref().map(|entry| {
                let cancelled = if entry.cancelled { "cancelled, " } else { "" };
                format!("{cancelled}sequence {}", entry.sequence)
            }),
        })
    }
}
