//! What a lane is doing: the closed list of its states.

use super::Person;
use crate::contract::Effect;
use crate::gate::Closed;
use crate::id::Digest;
use crate::plan::Route;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Before the step under the cursor.
    At,
    /// The step may not start yet.
    Gated(Gate),
    Running(Box<Running>),
    Pending(Box<Pending>),
    /// A failed attempt waits for the next one.
    Backoff {
        until_ms: i64,
    },
    Checking(Box<Checking>),
    Waiting {
        until_ms: i64,
    },
    /// Child lanes work; see `Lane::children`.
    Children,
    Person(Box<Person>),
    Ended,
}

impl Phase {
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::At => "at",
            Self::Gated(_) => "gated",
            Self::Running(_) => "running",
            Self::Pending(_) => "pending",
            Self::Backoff { .. } => "backoff",
            Self::Checking(_) => "checking",
            Self::Waiting { .. } => "waiting",
            Self::Children => "children",
            Self::Person(_) => "person",
            Self::Ended => "ended",
        }
    }
}

/// What holds a lane that could otherwise go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// The lock or slot that is taken, or the name of what is closed.
    pub resource: String,
    pub since_ms: i64,
    /// None: a lock or a slot, whose holder rings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Box<Closed>>,
}

/// One action call, fully resolved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallSpec {
    pub action: String,
    pub input: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset: Option<String>,
    pub route: Route,
    pub plugin: Digest,
    pub effect: Effect,
    pub timeout_ms: u64,
    /// Locks (kept to the lane's end) that this call needs, and slots (given back after it).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<(String, u32)>,
    /// Budgets of disruption that had no room for it: an emergency, or somebody has allowed it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overdraws: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Running {
    pub call: Arc<CallSpec>,
    pub key: Uuid,
    pub attempt: u32,
    /// Resumes a pending call instead of performing it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Value>,
    /// First start of this visit of the step.
    pub started_ms: i64,
    /// When this call is cut off.
    pub deadline_ms: i64,
}

/// The target goes on by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    pub running: Running,
    pub checkpoint: Value,
    pub resume_ms: i64,
}

/// A call's outcome is not known: the plugin is asked what happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checking {
    pub running: Running,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Value>,
    pub why: Why,
    /// "Not done" counts from then on: until then the lost call may still land.
    pub ask_ms: i64,
    /// Asked before that already: what is done by then need not wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_ms: Option<i64>,
    pub asked: u32,
    /// The slot of the call in doubt is still taken (a pending call had given it back).
    #[serde(default)]
    pub slot_held: bool,
}

impl Checking {
    /// When the plugin is asked next.
    #[must_use]
    pub fn due_ms(&self) -> i64 {
        self.look_ms.unwrap_or(self.ask_ms)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The worker that made the call is gone.
    Lost,
    /// The call ran into its deadline, or was cut.
    Timeout,
    /// The lane is being stopped; the target was asked to stop.
    Cancel,
}
