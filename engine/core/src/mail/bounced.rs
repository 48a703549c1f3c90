//! A message that came back after the next hop had taken it, and the address that cannot be reached since.
//!
//! A message's lane has ended by then, so what came back is kept in a document beside its log: read together they
//! are the message. Not here: reading reports of mail servers.

use crate::id::{Digest, LaneId, RunId};
use serde::{Deserialize, Serialize};

/// The document that holds the `MailBounced` of a message; absent: it did not come back.
#[must_use]
pub fn bounced_document(message: LaneId) -> String {
    format!("bounced:{message}")
}

/// The document of an address that cannot be reached. Upper and lower case are one address.
#[must_use]
pub fn dead_document(address: &str) -> String {
    let address = address.trim().to_ascii_lowercase();
    format!("dead-contact:{}", Digest::of(address.as_bytes()))
}

/// What a document of [`dead_document`] holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadContact {
    pub address: String,
    /// `5.1.1`, as the report says it.
    pub status: String,
    pub diagnostic: String,
    /// The message that came back.
    pub message_id: String,
    pub run: RunId,
    pub at_ms: i64,
    /// The customer's date at that instant: `2026-11-23`.
    pub on: String,
}

impl DeadContact {
    /// Whether nobody has made sure of the address since. Both dates are ISO 8601, so their texts are in the order of
    /// the days; a confirmation of the same day may be older than what came back.
    #[must_use]
    pub fn holds(&self, confirmed: Option<&str>) -> bool {
        confirmed.is_none_or(|confirmed| confirmed <= self.on.as_str())
    }
}

/// Whether a status (`5.1.1`) says that another attempt is useless.
#[must_use]
pub fn is_permanent(status: &str) -> bool {
    status.starts_with("5.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn an_address_is_dead_until_a_later_day_confirms_it() {
        let dead = DeadContact {
            address: "Ada@Chem.example".to_owned(),
            status: "5.1.1".to_owned(),
            diagnostic: String::new(),
            message_id: "m@main.hostler".to_owned(),
            run: RunId(Uuid::from_u128(1)),
            at_ms: 0,
            on: "2026-11-23".to_owned(),
        };
        for (confirmed, holds) in [
            (None, true),
            (Some("2026-11-22"), true),
            (Some("2026-11-23"), true),
            (Some("2026-11-24"), false),
        ] {
            assert_eq!(dead.holds(confirmed), holds, "{confirmed:?}");
        }
        assert_eq!(
            dead_document("Ada@Chem.example"),
            dead_document("ada@chem.EXAMPLE")
        );
        assert_ne!(
            dead_document("ada@chem.example"),
            dead_document("bob@chem.example")
        );
        assert!(is_permanent("5.1.1") && !is_permanent("4.4.7") && !is_permanent("50"));
    }
}
