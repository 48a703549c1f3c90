//! How lanes and steps end: closed lists.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// How a lane ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LaneResult {
    Succeeded,
    /// There was nothing to do.
    Nothing,
    /// Succeeded although something failed on the way.
    Recovered,
    /// Set aside: not a failure.
    Held,
    Deferred,
    /// Failed, and taken back.
    RolledBack,
    Rejected,
    Denied,
    Expired,
    Cancelled,
    Failed,
    /// A round that asks for another one.
    Again,
}

impl LaneResult {
    pub const ALL: [Self; 12] = [
        Self::Succeeded,
        Self::Nothing,
        Self::Recovered,
        Self::Held,
        Self::Deferred,
        Self::RolledBack,
        Self::Rejected,
        Self::Denied,
        Self::Expired,
        Self::Cancelled,
        Self::Failed,
        Self::Again,
    ];

    /// Counts as a failure of its parent's `each`.
    #[must_use]
    pub fn is_failure(self) -> bool {
        matches!(
            self,
            Self::RolledBack | Self::Rejected | Self::Denied | Self::Expired | Self::Failed
        )
    }

    /// Belongs to `.done`.
    #[must_use]
    pub fn is_done(self) -> bool {
        matches!(self, Self::Succeeded | Self::Recovered)
    }

    /// Belongs to `.held`.
    #[must_use]
    pub fn is_held(self) -> bool {
        matches!(self, Self::Held | Self::Deferred)
    }

    /// A lane that ends so takes back what it declared.
    #[must_use]
    pub fn undoes(self) -> bool {
        self.is_failure() || matches!(self, Self::Held | Self::Cancelled | Self::Again)
    }

    /// How bad an end is: a verdict is only ever replaced by a worse one.
    #[must_use]
    pub fn severity(self) -> u8 {
        match self {
            Self::Succeeded | Self::Nothing => 0,
            Self::Recovered => 1,
            Self::Held | Self::Deferred | Self::Again => 2,
            Self::Cancelled => 3,
            Self::RolledBack => 4,
            Self::Rejected | Self::Denied | Self::Expired => 5,
            Self::Failed => 6,
        }
    }

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Nothing => "nothing",
            Self::Recovered => "recovered",
            Self::Held => "held",
            Self::Deferred => "deferred",
            Self::RolledBack => "rolled_back",
            Self::Rejected => "rejected",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Again => "again",
        }
    }

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|result| result.name() == name)
    }
}

impl fmt::Display for LaneResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a lane is going to end, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub result: LaneResult,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The step that decided it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    Succeeded,
    Failed,
    Skipped,
    /// Was done, and has been taken back.
    Undone,
}

impl StepState {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Undone => "undone",
        }
    }
}

/// What a step left behind. A failed step keeps its output: it is evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepResult {
    pub state: StepState,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub output: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub attempts: u32,
    pub ended_ms: i64,
}
