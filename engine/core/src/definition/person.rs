//! Steps that wait for people.

use super::must::FieldRule;
use crate::debt::Cure;
use crate::expression::{Dynamic, Expression};
use crate::result::LaneResult;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

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
    #[serde(default, skip_serializing_if = "AskRules::is_default")]
    pub rules: AskRules,
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
    #[serde(default, skip_serializing_if = "AskRules::is_default")]
    pub rules: AskRules,
    /// It is an obligation, which holds work until it is settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debt: Option<Owing>,
}

/// What an unanswered form holds, and what else settles it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Owing {
    /// Classes of work, never `emergency`.
    pub blocks: Vec<String>,
    /// `Answer` is always among them.
    pub cured_by: Vec<Cure>,
    /// A list of assets; none: the lane's asset, else all of the run's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Dynamic>,
}

/// What a question may say beyond whom it asks and what. Whatever is left out is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AskRules {
    /// Expires after so many business days, of the customer who is asked or of the realm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_business_days: Option<u16>,
    /// Name of a ladder of the policies: its rungs are asked one after the other, its end denies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ladder: Option<String>,
    /// What must be typed back with a yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typed: Option<Dynamic>,
    /// Names of texts of the policies that are displayed and signed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<String>,
    /// Those who are asked are reminded so long after the asking.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remind: Vec<After>,
    /// What a yes may waive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub may_waive: Vec<String>,
    /// A form that nobody fills in ends its lane so; stands before `on_expire`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish: Option<Silence>,
    /// Rules of a form's fields, by field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub must: BTreeMap<String, FieldRule>,
}

/// How a lane ends when nobody has answered in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    pub result: LaneResult,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl AskRules {
    // serde hands over a reference.
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A length of time from the asking on: elapsed, or in business days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum After {
    /// Elapsed milliseconds.
    Ms(u64),
    /// Of the customer who is asked, else of the realm.
    BusinessDays(u16),
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
