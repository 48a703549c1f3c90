//! Delivery of one message to one recipient.

use async_trait::async_trait;
pub use hostler_core::mail::{CalendarEntry, ReturnTag};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A rendered message. The same `message_id` is used on every repeat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Stable, without angle brackets: `<local>@<domain>`.
    pub message_id: String,
    /// Message ids of the earlier messages of the thread, oldest first.
    pub references: Vec<String>,
    pub to_name: String,
    pub to_address: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// An iCalendar object (METHOD:PUBLISH or CANCEL), if the message announces a time.
    pub calendar: Option<String>,
    /// None: the recipient must have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsubscribe: Option<Unsubscribe>,
    /// Of the address to which it comes back, where it comes back at all.
    #[serde(skip)]
    pub return_tag: Option<ReturnTag>,
}

/// Where the recipient asks for no more messages that they need not have. It stands for the recipient, and is in the
/// message alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsubscribe {
    /// A page that shows the choice; a POST makes it.
    pub link: String,
    /// The same by mail: an address, and the subject to write to it. None: nobody takes such mail.
    pub mail: Option<(String, String)>,
}

impl fmt::Debug for Unsubscribe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unsubscribe(…)")
    }
}

/// What the next hop said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "delivery")]
pub enum Delivery {
    /// Taken over by the next hop; its answer and the SHA-256 of the bytes are the evidence.
    Accepted { answer: String, sha256: String },
    /// Try again later.
    Deferred { answer: String },
    /// Will never be taken.
    Refused { answer: String },
}

/// A way to reach people. Called by the outbox, several messages at a time; may block on the
/// network up to its own timeout; must not retry by itself.
#[async_trait]
pub trait Channel: Send + Sync + 'static {
    async fn deliver(&self, message: &Message) -> Delivery;

    /// Whether nobody but the recipient reads what goes to this address. A link that stands for a person goes nowhere
    /// else.
    fn is_private(&self, _to_address: &str) -> bool {
        true
    }
}

/// What a message is made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// Templates of the definition: `maintenance.subject`, `maintenance.text`, `maintenance.html`, …
    pub templates: std::collections::BTreeMap<String, String>,
    /// `maintenance`.
    pub template: String,
    /// Typed, flat; what the template may name.
    pub context: serde_json::Value,
    /// When the announced work happens, where a calendar file goes with it.
    pub calendar: Option<CalendarEntry>,
}

/// A rendered draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composed {
    pub subject: String,
    pub text: String,
    pub html: String,
    pub calendar: Option<String>,
}

/// Renders messages. Pure; an error names template and field, and nothing is sent.
pub trait Compose: Send + Sync + 'static {
    /// # Errors
    /// When a template is missing, names a missing field, or grows over its limit.
    fn compose(&self, draft: &Draft) -> Result<Composed, String>;
}
