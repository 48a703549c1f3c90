//! Whose word counts for a customer: its own people's, and that of staff who name one of them.
//!
//! Not here: what they say.

use crate::Api;
use crate::authorize::{Action, Resource, Subject, authorize};
use crate::problem::{Code, Problem};
use hostler_core::mail::ALTERNATE;

/// Whoever has a customer's notices may speak about what they announce, and whoever stands in for them.
const TOLD: [&str; 2] = ["notices", ALTERNATE];

/// What somebody says for a customer.
pub(super) struct Word {
    /// Said by the customer's own people.
    pub own: Action,
    /// Said by staff, on the word of one of them.
    pub on_behalf: Action,
    /// What a person who is named cannot do: `speak`.
    pub cannot: &'static str,
}

/// The people whom notices of the customer reach, sooner or later.
pub(super) fn told(api: &Api, customer: &str) -> Vec<String> {
    let contacts = TOLD.map(|role| api.directory.contacts(customer, role));
    let people = contacts.into_iter().flatten().map(|contact| contact.person);
    people.collect()
}

impl Word {
    /// Whether the subject may say it for this customer.
    pub fn allowed(
        &self,
        api: &Api,
        subject: &Subject,
        customer: &str,
        word_of: Option<&str>,
    ) -> Result<(), Problem> {
        let people = told(api, customer);
        let resource = Resource::Contacts {
            customer,
            people: &people,
        };
        let Some(person) = word_of else {
            return authorize(subject, self.own, resource).check(subject);
        };
        authorize(subject, self.on_behalf, resource).check(subject)?;
        let decides = api.directory.holds(person, &format!("customer:{customer}"));
        if people.iter().any(|known| known == person) || decides {
            return Ok(());
        }
        let detail = format!("{person} cannot {} for {customer}", self.cannot);
        Err(Problem::new(Code::Forbidden, detail)
            .remedy(format!("name who said it: one of {}", people.join(", "))))
    }
}
