//! What an action says about itself.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How an action may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Repeat freely.
    Read,
    /// Repeat with the same idempotency key.
    Repeatable,
    /// Never repeated blindly: after a lost call the plugin is asked to observe.
    Once,
}

impl Effect {
    #[must_use]
    pub fn mutates(self) -> bool {
        self != Self::Read
    }
}

/// What an action disturbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    None,
    Change,
    Outage,
}

/// One action of a contract, as a component describes it and as the contract's frozen file does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// `contract.action`, e.g. `guest-patch.apply`.
    pub name: String,
    pub summary: String,
    pub effect: Effect,
    pub impact: Impact,
    /// The action that takes it back, `contract.action`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inverse: Option<String>,
    /// Milliseconds after which a call is cut off unless the runbook narrows it.
    pub timeout_ms: u64,
    /// Whether an asset must be given.
    pub needs_asset: bool,
    /// JSON Schema (2020-12) of the input, without the asset.
    pub input: Value,
    /// JSON Schema (2020-12) of the output.
    pub output: Value,
}

/// A neutral contract: `guest-patch@1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    pub name: String,
    pub major: u32,
    pub summary: String,
    pub actions: Vec<Action>,
}
