//! A step: one verb, and what stands around it.

use super::{Approve, Ask, ProgramIndex, Spawn};
use crate::contract::{Effect, Impact};
use crate::expression::{Dynamic, Expression};
use crate::mail::Way;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub id: Arc<str>,
    pub name: Option<String>,
    /// The step is skipped when this is false.
    pub condition: Option<Expression>,
    pub verb: Verb,
    pub retry: Retry,
    pub on_failure: OnFailure,
    /// How the step is taken back: alternatives, the first that works counts. Empty: not at all.
    pub undo: Vec<Step>,
    pub lease: Option<StepLease>,
    /// Nothing before this step is undone once it is done.
    pub no_return: bool,
    pub notices: Option<NoticePlan>,
    /// Who owes it: platform unless said otherwise.
    pub duty: Option<String>,
    /// Decides lead time, windows and freezes of what the step disturbs; none: the runbook's class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Dynamic>,
    /// A window that must be open for what the step disturbs, beside those of the asset; none: those alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Dynamic>,
}

impl Step {
    /// A step with nothing around its verb.
    #[must_use]
    pub fn bare(id: &str, verb: Verb) -> Self {
        Self {
            id: Arc::from(id),
            name: None,
            condition: None,
            verb,
            retry: Retry::default(),
            on_failure: OnFailure::Stop,
            undo: Vec::new(),
            lease: None,
            no_return: false,
            notices: None,
            duty: None,
            class: None,
            window: None,
        }
    }

    /// Whether it is a disturbing call.
    #[must_use]
    pub fn disturbs(&self) -> bool {
        matches!(&self.verb, Verb::Do(call) if call.impact == Impact::Outage)
    }

    /// The program that runs once for each item or round.
    #[must_use]
    pub fn body(&self) -> Option<ProgramIndex> {
        match &self.verb {
            Verb::Spawn(Spawn::Each(each)) => Some(each.body),
            Verb::Spawn(Spawn::Repeat(repeat)) => Some(repeat.body),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    Do(Do),
    Approve(Approve),
    Ask(Ask),
    Notify(Notify),
    Wait(Wait),
    /// `each`, `repeat` and `call`.
    Spawn(Spawn),
    /// Ends a lease early: the id of the step that opened it, or `step.inner`.
    Release {
        lease: String,
    },
    Finish(Finish),
}

/// An action of a contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Do {
    /// `contract.action`.
    pub action: String,
    pub with: Dynamic,
    pub effect: Effect,
    pub impact: Impact,
    /// The action works on an asset: the lane's, unless `with.asset` names one.
    pub needs_asset: bool,
    /// Milliseconds until a call is cut off and the outcome is observed.
    pub timeout_ms: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// Repeats after the first attempt.
    pub times: u32,
    pub wait_ms: u64,
}

/// What a failed step means for its lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// Undo what is declared, end as failed.
    #[default]
    Stop,
    /// Undo what is declared, end as rolled back.
    Undo,
    /// Undo what is declared, end as held.
    Hold,
    /// Go on; the lane can at best be recovered.
    Continue,
    /// A person says: retry, skip or fail.
    Ask,
    /// End the round with `again`.
    Again,
}

/// What must end later, owned by the engine; outlives the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepLease {
    pub for_ms: u64,
    pub end: LeaseEnd,
    /// Actions (`contract.action`) that nobody begins on its asset while it lives.
    pub blocks: Vec<String>,
    /// Those who own it are told so long before its end; none: they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn_ms: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeaseEnd {
    /// `contract.action`; its input is the step's input and output.
    pub action: Do,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wait {
    pub until: WaitUntil,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitUntil {
    /// Milliseconds, or an expression that gives a duration string or milliseconds.
    For(Dynamic),
    /// RFC 3339, or an expression that gives one.
    Instant(Dynamic),
    /// So many milliseconds after its lane was opened; in no file, only in lanes that the engine writes itself.
    Opened(u64),
}

/// A message to staff, or a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notify {
    pub template: String,
    pub to: Vec<Recipient>,
    pub about: Option<Dynamic>,
}

/// `role:patch-lead`, `customer`, `person:ada`, or an expression that gives one of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Recipient(pub Dynamic);

/// Notices to the customers whose assets a step disturbs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoticePlan {
    pub template: String,
    /// A calendar file goes with it.
    pub invite: bool,
    /// People are reminded so long before the slot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_ms: Option<u64>,
    /// The least time between telling a customer and the first outage, where it is longer than what the class promises.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor_ms: Option<u64>,
    /// A customer of whom nobody is known to have the notice is held, whatever the class says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub holds_unproven: bool,
    /// Customers may put turns off until so long before the slot, where the policies grant it; none: they may not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defer_until_ms: Option<u64>,
    /// While it goes on, people hear so often how far it is; none: they do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_ms: Option<u64>,
    /// In which ways each contact is told, all at once; empty, and for whoever has none of them: by mail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ways: Vec<Way>,
    /// Alternate contacts of a customer are told where none of those who have its notices can be reached.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alternates: bool,
}

impl NoticePlan {
    /// The earliest start that the class promises (`earliest_ms`), or the later one of this step. None: not before
    /// somebody has been told. Where work may go on that nobody is known to have heard of, the floor counts from
    /// `since_ms`, at which it was announced already.
    #[must_use]
    pub fn stricter(
        &self,
        told_ms: Option<i64>,
        since_ms: i64,
        earliest_ms: Option<i64>,
    ) -> Option<i64> {
        if told_ms.is_none() && self.holds_unproven {
            return None;
        }
        let floor_ms = self.floor_ms.map(|floor_ms| {
            let from_ms = told_ms.unwrap_or(since_ms);
            from_ms.saturating_add_unsigned(floor_ms)
        });
        earliest_ms.map(|earliest_ms| earliest_ms.max(floor_ms.unwrap_or(earliest_ms)))
    }
}

/// Ends the lane, or the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finish {
    pub result: crate::definition::step::FinishResult,
    pub of_run: bool,
    pub note: Option<Dynamic>,
}

pub type FinishResult = String;
