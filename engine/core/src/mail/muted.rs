//! What somebody has asked to be spared, and what reaches everybody whatever they have asked.
//!
//! Not here: asking (services), and leaving a message out (outbox).

use crate::event::Stage;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The word for all that is told of work of the class `emergency`.
pub const EMERGENCY: &str = "emergency";
/// What reaches everybody where no policy says otherwise.
pub const MUST_HAVE: [&str; 4] = ["scheduled", "changed", "cancelled", EMERGENCY];
/// Stages of messages to customers.
pub const STAGES: [&str; 7] = [
    "scheduled",
    "changed",
    "cancelled",
    "reminder",
    "started",
    "progress",
    "completed",
];

/// [`MUST_HAVE`] as policies keep it.
#[must_use]
pub fn must_have() -> BTreeSet<String> {
    MUST_HAVE.map(str::to_owned).into()
}

/// Whether a stage reaches everybody under these words of a policy. `urgent`: what it tells of may be of the class
/// `emergency`. The first word starts the customer's time, so nobody can be without it.
#[must_use]
pub fn is_demanded(must_have: &BTreeSet<String>, stage: Stage, urgent: bool) -> bool {
    stage == Stage::Scheduled
        || must_have.contains(stage.name())
        || (urgent && must_have.contains(EMERGENCY))
}

/// Stages that somebody who has asked so is not told of, but where they are about an emergency.
#[must_use]
pub fn spared(must_have: &BTreeSet<String>) -> Vec<&'static str> {
    let spared = STAGES.into_iter();
    spared
        .filter(|stage| *stage != Stage::Scheduled.name() && !must_have.contains(*stage))
        .collect()
}

/// The document of a person who has asked to be told only what they must have of a customer's servers; absent: they
/// are told everything. There is one for each contact at most, so their number is the estate's.
#[must_use]
pub fn muted_document(customer: &str, person: &str) -> String {
    format!("muted:{customer}:{person}")
}

/// What a document of [`muted_document`] holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Muted {
    pub customer: String,
    pub person: String,
    /// Who said so: the person, or somebody of the staff on their word.
    pub by: String,
    /// `link`, `mail`, `cli`, `api`.
    pub via: String,
    pub at_ms: i64,
    /// Why, as whoever said so for somebody else has written it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_starts_a_clock_and_what_the_policy_names_reaches_everybody() {
        let usual = must_have();
        for (stage, urgent, demanded) in [
            (Stage::Scheduled, false, true),
            (Stage::Changed, false, true),
            (Stage::Cancelled, false, true),
            (Stage::Reminder, false, false),
            (Stage::Started, false, false),
            (Stage::Completed, false, false),
            (Stage::Completed, true, true),
        ] {
            assert_eq!(is_demanded(&usual, stage, urgent), demanded, "{stage:?}");
        }
        assert_eq!(
            spared(&usual),
            ["reminder", "started", "progress", "completed"]
        );
        // Whatever a policy leaves out, the first word is not lost by it.
        let nothing = BTreeSet::new();
        assert!(is_demanded(&nothing, Stage::Scheduled, false));
        assert!(!is_demanded(&nothing, Stage::Completed, true));
        assert!(!spared(&nothing).contains(&"scheduled"));
    }

    #[test]
    fn the_stages_are_called_as_messages_call_them() {
        let stages = [
            Stage::Scheduled,
            Stage::Changed,
            Stage::Cancelled,
            Stage::Reminder,
            Stage::Started,
            Stage::Progress,
            Stage::Completed,
        ];
        assert_eq!(stages.map(Stage::name), STAGES);
    }
}
