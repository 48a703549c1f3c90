//! Steps that wait for people.

use crate::expression::{Dynamic, Expression};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// People decide.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Approve {
    pub who: Who,
    /// Different persons that must say yes.
    pub quorum: u32,
    pub title: Option<Dynamic>,
    /// What approvers see: `plan`, `inputs`, `steps.x`, `run`. Its digest is signed.
    pub show: Vec<Expression>,
    pub say: Option<String>,
    /// Only under this condition (a gate's own `if`).
    pub condition: Option<Expression>,
    pub expires_ms: Option<u64>,
    pub on_expire: OnExpire,
    pub on_deny: OnDeny,
}

/// A form for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ask {
    pub who: Who,
    pub title: Option<Dynamic>,
    /// JSON Schema of the answer (an object).
    pub form: Value,
    pub show: Vec<Expression>,
    pub expires_ms: Option<u64>,
    pub on_expire: OnExpire,
    /// Does not hold the lane.
    pub later: bool,
    /// Joins an open one with the same key.
    pub key: Option<Dynamic>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Who {
    pub clauses: Vec<WhoClause>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WhoClause {
    /// `role:change-board`, `customer`, `person:ada`, `owner-of:inputs.asset`, or an expression.
    pub who: Dynamic,
    /// How many of the quorum must come from here.
    pub at_least: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnExpire {
    /// Counts as a refusal.
    #[default]
    Deny,
    /// Stays open, marked as escalated; never grants.
    Escalate,
    /// The round begins again.
    Again,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDeny {
    /// Undo what is declared, end as denied.
    #[default]
    Stop,
    /// The round begins again.
    Again,
    /// The step counts as skipped.
    Continue,
}
