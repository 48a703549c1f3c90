//! A letter by which a customer agrees or objects: what must be known of it, and what the commit writes with it.
//!
//! What was said before is an expectation of that commit, and what is said now is one document that every disturbing
//! commit of the customer's lanes expects. Not here: what is legal (core), what it holds (`gates`).

use crate::scope::View;
use crate::turn::Turn;
use crate::{Driver, Trouble};
use hostler_core::command::Input;
use hostler_core::consent::{ConsentAsk, Known, Said, consent_document};
use hostler_core::definition::Definition;
use hostler_core::event::Event;
use hostler_core::refusal::Refusal;
use hostler_ports::store::{DocumentWrite, Expect, StoreError};
use serde_json::json;

impl Driver {
    /// Decides one yes or no. Inside: why it is refused.
    pub(crate) async fn consent(
        &self,
        turn: &mut Turn,
        definition: &Definition,
        ask: Box<ConsentAsk>,
        at_ms: i64,
    ) -> Result<Result<(), Refusal>, Trouble> {
        let items = self.items(&turn.lane).await?;
        let key = consent_document(turn.lane.opening.run, &ask.customer);
        // As it is now: what is remembered may be old.
        let keys = [key.clone()];
        let found = self.parts.store.documents(&keys).await?;
        let found = found.into_iter().flatten().next();
        let version = found.as_ref().map_or(0, |found| found.version);
        let body = found.and_then(|found| found.body);
        let plan = View::of(self, &turn.lane, at_ms).await?.plan;
        let directory = &*self.parts.directory;
        let known = Known::of(directory, &plan, definition, &ask.customer, body.as_deref());
        let known =
            known.map_err(|fault| StoreError::Corrupt(format!("the document {key}: {fault}")))?;
        let before = turn.events.len();
        let input = Input::Consent {
            ask,
            known: Box::new(known),
        };
        let settle_ms = self.parts.settings.settle_ms;
        if let Err(refusal) = turn.decide(definition, &items, settle_ms, input, at_ms) {
            return Ok(Err(refusal));
        }
        let consent = turn.events[before..]
            .iter()
            .find_map(|recorded| match &recorded.event {
                Event::ConsentDecided { consent } => Some((**consent).clone()),
                _ => None,
            });
        if let Some(consent) = consent {
            let document = key.clone();
            turn.expect.push(Expect { document, version });
            let body = Some(json!(Said { consent, at_ms }).to_string());
            turn.writes.push(DocumentWrite { key, body });
        }
        Ok(Ok(()))
    }
}
