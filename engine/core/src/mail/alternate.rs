//! Alternate contacts of a customer: who hears of announced work where none of those who have its notices is reached.
//!
//! Whoever learns that the last of these messages has failed notes the customer in a document, in the same commit; the
//! lane that announces is rung by it, and tells the alternate contacts. Not here: who is one (the estate), and which
//! message has failed (`gate::Told`).

use crate::id::LaneId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The role of a customer's alternate contacts.
pub const ALTERNATE: &str = "alternate";

/// What an announcement has to do with them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alternates {
    /// Nothing.
    #[default]
    None,
    /// There are some, who are told where none of its recipients is reached.
    Kept,
    /// They are its recipients: nobody else is reached.
    Told,
}

impl Alternates {
    // serde hands over a reference.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// The document of the customers of whom nobody has what a lane announces under this template. The lane watches it.
#[must_use]
pub fn unreached_document(lane: LaneId, template: &str) -> String {
    format!("unreached:{lane}:{template}")
}

/// What a document of [`unreached_document`] holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreached {
    /// Their ids, also of those whose alternate contacts were told since.
    pub customers: BTreeSet<String>,
}
