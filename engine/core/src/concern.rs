//! Whether an entry of the ledger may be shown to a customer: it is about them, and names nobody else.
//!
//! An entry cannot be shown in part: what proves it is its bytes. Not here: reading a ledger.

use crate::directory::Directory;
use crate::sight::Sight;
use serde_json::Value;
use std::collections::BTreeSet;

/// What one customer may have a proof of.
pub struct Concern {
    customer: String,
    people: BTreeSet<String>,
    sight: Sight,
}

impl Concern {
    /// None for a customer that the estate does not know.
    #[must_use]
    pub fn of(directory: &dyn Directory, customer: &str) -> Option<Self> {
        directory.customer(customer)?;
        let people = directory.contacts(customer, "any").into_iter();
        Some(Self {
            customer: customer.to_owned(),
            people: people.map(|contact| contact.person).collect(),
            sight: Sight::of_customers(directory, &[customer.to_owned()]),
        })
    }

    /// They were told, agreed or objected, put something off, one of their people decided, or one of them is told less.
    /// `body` is an entry's, as the ledger has it.
    #[must_use]
    pub fn has(&self, body: &str) -> bool {
        let Ok(value) = serde_json::from_str::<Value>(body) else {
            return false;
        };
        self.is_about(&value) && self.sight.sees(body)
    }

    fn is_about(&self, body: &Value) -> bool {
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
        if body.get("mail").is_some() {
            return text("/mail/customer") == Some(&self.customer);
        }
        if let Some("notices_muted" | "notices_unmuted") = text("/event") {
            return text("/customer") == Some(&self.customer);
        }
        let theirs = |person: Option<&str>| person.is_some_and(|id| self.people.contains(id));
        match text("/entry/event") {
            Some("notice_due") => text("/entry/customer") == Some(&self.customer),
            Some("turns_put_off") => text("/entry/deferral/customer") == Some(&self.customer),
            Some("consent_decided") => text("/entry/consent/customer") == Some(&self.customer),
            Some("vote_cast") => theirs(text("/entry/vote/person")),
            Some("person_settled") => theirs(text("/entry/by")),
            _ => false,
        }
    }
}
