//! Whether anybody at the customer is known to be reached: else what disturbs its servers waits.
//!
//! Not here: who was confirmed when, and how long that counts (the estate and its policies); what came back.

use super::Disturbs;
use super::debt::customer_of;
use crate::notices::{RECIPIENTS_MAX, TOLD};
use crate::scope::View;
use crate::{Driver, Trouble};
use hostler_core::gate::Closed;
use hostler_core::mail::{DeadContact, dead_document};
use hostler_ports::store::Expect;
use std::collections::BTreeSet;

impl Driver {
    /// The gate of the first class that asks for a confirmed contact and finds none, and from what that was read.
    pub(super) async fn unsure_contact(
        &self,
        view: &View<'_>,
        disturbs: &Disturbs<'_>,
    ) -> Result<(Option<Closed>, Vec<Expect>), Trouble> {
        let directory = &self.parts.directory;
        let (asset, now_ms) = (disturbs.asset, view.now_ms);
        let held = |dead: &BTreeSet<String>| {
            let mut classes = disturbs.classes.iter();
            classes.find_map(|class| directory.unconfirmed(asset, class, now_ms, dead))
        };
        let contacts = directory.contacts(customer_of(view, asset), TOLD);
        // Whoever gets no notices because there are too many before them counts as nobody.
        let mut dead: BTreeSet<String> = contacts.iter().map(|it| it.person.clone()).collect();
        if held(&dead).is_none() {
            // Nobody asks for a contact.
            return Ok((None, Vec::new()));
        }
        let mut expect = Vec::new();
        for contact in contacts.iter().take(RECIPIENTS_MAX) {
            let document = dead_document(&contact.mail);
            let (version, kept) = self.document::<DeadContact>(&document).await?;
            expect.push(version);
            if kept.is_none_or(|kept| !kept.holds(contact.confirmed.as_deref())) {
                dead.remove(&contact.person);
            }
        }
        Ok((held(&dead), expect))
    }
}
