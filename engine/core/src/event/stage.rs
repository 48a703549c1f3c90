//! The stages of a notice.
//!
//! Not here: who hears of one, and when (`decide`).

use serde::{Deserialize, Serialize};

/// What a customer's notice says has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Scheduled,
    Started,
    Completed,
    Cancelled,
    /// What was announced is no longer so, and has not begun.
    Changed,
    /// What was announced is near.
    Reminder,
    /// What was announced is going on: how far it is.
    Progress,
    /// A report to staff.
    Report,
    /// Those who are asked hear of it.
    Asked,
}

impl Stage {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Started => "started",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Changed => "changed",
            Self::Reminder => "reminder",
            Self::Progress => "progress",
            Self::Report => "report",
            Self::Asked => "asked",
        }
    }
}
