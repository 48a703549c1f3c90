//! The consent of customers before their servers are disturbed: what is asked of them, what they said, and what it
//! holds.
//!
//! What was said last lies in one document a customer and run, written in the commit of its event; every disturbing
//! commit expects the version that was looked at, so an objection comes before it or behind it. Not here: what was
//! agreed with whom (estate), who may speak (the doors), and holding anything (the worker).

mod asks;
mod judge;

pub use asks::{Asked, Asks};
pub use judge::Known;

use crate::command::Actor;
use crate::directory::Directory;
use crate::id::RunId;
use crate::plan::Starter;
use crate::spoken::by_whom;
use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// What a customer asked for is agreed by asking.
pub const REQUEST: &str = "request";
/// Longest reason, in bytes.
pub const REASON_MAX_BYTES: usize = 1_000;
/// Whoever has the notices may speak for the customer, as whoever stands in for them or decides for it.
const TOLD: &str = "notices";

/// The document that holds what a customer said last of a run. Lanes that it holds watch it.
#[must_use]
pub fn consent_document(run: RunId, customer: &str) -> String {
    format!("consent:{run}:{customer}")
}

/// How a customer is asked. The greater one is the stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConsentKind {
    /// Silence agrees after so many business days, counted from proven delivery.
    Tacit { business_days: u16 },
    /// Nothing happens before a yes.
    Explicit,
}

impl fmt::Display for ConsentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tacit { business_days } => write!(f, "tacit-{business_days}bd"),
            Self::Explicit => f.write_str("explicit"),
        }
    }
}

/// What is asked of a customer before work on its servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Required {
    pub kind: ConsentKind,
    /// Who says so: `the contract of chemistry`, `consent.yaml for planned`.
    pub from: String,
}

impl Required {
    /// The strictest that any of these classes asks of a customer in a run of this starter. None: nothing.
    pub fn of<'a>(
        directory: &dyn Directory,
        starter: &Starter,
        customer: &str,
        classes: impl IntoIterator<Item = &'a String>,
    ) -> Option<Self> {
        let asks = |class: &&String| *class != REQUEST || !is_theirs(directory, starter, customer);
        let classes = classes.into_iter().filter(asks);
        let all = classes.filter_map(|class| directory.consent(customer, class));
        all.max_by_key(|required| required.kind)
    }

    /// `tacit-5bd by the contract of chemistry`.
    #[must_use]
    pub fn rule(&self) -> String {
        format!("{} by {}", self.kind, self.from)
    }
}

/// Whether a run was started by one of the customer's own people.
fn is_theirs(directory: &dyn Directory, starter: &Starter, customer: &str) -> bool {
    let person = directory.person(&starter.who);
    let customers = person.map(|person| person.customers).unwrap_or_default();
    starter.via != Starter::SCHEDULE && customers.iter().any(|own| own == customer)
}

/// Somebody agrees, or objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentAsk {
    pub actor: Actor,
    pub customer: String,
    /// False: an objection.
    pub agrees: bool,
    /// The customer's person on whose word somebody of the staff says it; none: the actor is the customer's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word_of: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl ConsentAsk {
    /// Who speaks for the customer.
    #[must_use]
    pub fn person(&self) -> &str {
        self.word_of.as_deref().unwrap_or(&self.actor.person)
    }
}

/// What an event says: who has agreed or objected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    pub customer: String,
    pub agrees: bool,
    pub by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word_of: Option<String>,
    /// The door: `cli`, `api`, `link`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Consent {
    /// `ada`, or `olga (on the word of ada)`.
    #[must_use]
    pub fn who(&self) -> String {
        by_whom(&self.by, self.word_of.as_deref())
    }
}

/// What a document of [`consent_document`] holds: what was said last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    pub consent: Consent,
    pub at_ms: i64,
}

/// What follows for work that has not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may begin, since this instant.
    Open { since_ms: i64 },
    /// Silence agrees at this instant.
    Silent { until_ms: i64 },
    /// Nobody has said anything, and silence does not agree (yet).
    Unsaid,
    /// Until the same customer agrees: an objection never expires.
    Objected,
}

impl Standing {
    /// Of what is asked and what was said. `silent_ms`: when silence agrees, counted from proven delivery; none:
    /// nobody is known to have the notice, or silence never agrees.
    #[must_use]
    pub fn of(kind: ConsentKind, said: Option<&Said>, silent_ms: Option<i64>, now_ms: i64) -> Self {
        match (said, silent_ms.filter(|_| kind != ConsentKind::Explicit)) {
            (Some(said), _) if !said.consent.agrees => Self::Objected,
            (Some(said), _) => Self::Open {
                since_ms: said.at_ms,
            },
            (None, Some(until_ms)) if until_ms <= now_ms => Self::Open { since_ms: until_ms },
            (None, Some(until_ms)) => Self::Silent { until_ms },
            (None, None) => Self::Unsaid,
        }
    }
}

/// Why nobody's yes or no is taken.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NotConsented {
    #[error(
        "{customer} has no server in this run; name the customer whose servers it is about (`hostler run show RUN`)"
    )]
    NotHere { customer: String },
    #[error(
        "{customer} is told of work of the class {classes} and not asked: neither its contract nor consent.yaml of the policies asks for more; to stop it, call whoever runs it"
    )]
    NotAsked { customer: String, classes: String },
    #[error(
        "{person} does not speak for {customer}: one of those who have its notices or decide for it does"
    )]
    NotTheirs { person: String, customer: String },
    #[error("a reason has {REASON_MAX_BYTES} bytes at most; shorten it")]
    TooLong,
    #[error(
        "too late: every server of {customer} in this run has begun or is over; ask for the run to be cancelled, or wait for its end"
    )]
    TooLate { customer: String },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(agrees: bool, at_ms: i64) -> Said {
        let consent = Consent {
            customer: "chem".to_owned(),
            agrees,
            by: "ada".to_owned(),
            word_of: None,
            via: None,
            reason: None,
        };
        Said { consent, at_ms }
    }

    #[test]
    fn silence_agrees_only_where_it_may_and_never_over_an_objection() {
        let tacit = ConsentKind::Tacit { business_days: 5 };
        let of = |kind, said: Option<&Said>, silent_ms| Standing::of(kind, said, silent_ms, 10);
        assert_eq!(of(tacit, None, Some(11)), Standing::Silent { until_ms: 11 });
        assert_eq!(of(tacit, None, Some(10)), Standing::Open { since_ms: 10 });
        assert_eq!(of(tacit, None, None), Standing::Unsaid);
        assert_eq!(of(ConsentKind::Explicit, None, Some(5)), Standing::Unsaid);
        let (yes, no) = (said(true, 7), said(false, 7));
        for kind in [tacit, ConsentKind::Explicit] {
            assert_eq!(of(kind, Some(&no), Some(5)), Standing::Objected);
            let open = Standing::Open { since_ms: 7 };
            assert_eq!(of(kind, Some(&yes), Some(99)), open);
        }
    }

    #[test]
    fn explicit_is_stricter_than_any_silence_and_more_days_than_fewer() {
        let tacit = |business_days| ConsentKind::Tacit { business_days };
        assert!(ConsentKind::Explicit > tacit(u16::MAX) && tacit(6) > tacit(5));
        assert_eq!(
            [ConsentKind::Explicit, tacit(5)].map(|kind| kind.to_string()),
            ["explicit", "tacit-5bd"]
        );
    }
}
