//! People as the estate knows them.
//!
//! Not here: who may decide what (`Directory`), and who was told.

use super::PersonId;
use crate::mail::Way;
use serde::{Deserialize, Serialize};

/// Somebody at a customer who can be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    pub person: PersonId,
    pub name: String,
    pub mail: String,
    /// Address for which a hook stands, through which this person hears too where a runbook says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<String>,
    pub phone: Option<String>,
    pub roles: Vec<String>,
    /// Date (ISO 8601) on which somebody last made sure that the contact is right.
    pub confirmed: Option<String>,
}

impl Contact {
    /// Where a message in this way goes; none: the contact does not have it.
    #[must_use]
    pub fn address(&self, way: Way) -> Option<&str> {
        match way {
            Way::Mail => Some(&self.mail),
            Way::Webhook => self.hook.as_deref(),
        }
    }

    /// The ways among these that the contact has, each with its address: nobody is left without any.
    #[must_use]
    pub fn ways(&self, wanted: &[Way]) -> Vec<(Way, &str)> {
        let has = |way: &Way| Some((*way, self.address(*way)?));
        let ways: Vec<_> = wanted.iter().filter_map(has).collect();
        match ways.is_empty() {
            true => vec![(Way::Mail, self.mail.as_str())],
            false => ways,
        }
    }
}

/// Anybody who can sign in or be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub id: PersonId,
    pub name: String,
    pub mail: String,
    /// Staff roles; empty for a customer's people.
    pub roles: Vec<String>,
    /// Customers this person belongs to.
    pub customers: Vec<String>,
}
