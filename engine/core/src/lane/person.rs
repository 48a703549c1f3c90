//! Everything that waits for people is one state: approvals, questions, doubts, failures.

use super::{Rules, Running};
use crate::definition::{OnDeny, OnExpire};
use crate::id::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonKind {
    Approve,
    /// An approval between two waves.
    WaveGate,
    Ask,
    /// The plugin needs an answer.
    NeedsHuman,
    /// Nobody knows whether a `once` action happened.
    InDoubt,
    /// A step failed and the runbook says: ask.
    Failure,
    UndoFailed,
    /// A bound of `repeat` was reached and the runbook says: ask.
    Exhausted,
    /// The lane took its worker down.
    Quarantine,
    /// An item has missed as many windows as it may, and the runbook says: ask.
    Overflow,
}

impl PersonKind {
    /// Settled by yes and no.
    #[must_use]
    pub fn is_approval(self) -> bool {
        matches!(self, Self::Approve | Self::WaveGate)
    }

    /// Asks what has happened: must be answered even when the run is being stopped.
    #[must_use]
    pub fn is_doubt(self) -> bool {
        matches!(self, Self::InDoubt | Self::Quarantine | Self::UndoFailed)
    }

    /// Settled by a form.
    #[must_use]
    pub fn is_form(self) -> bool {
        matches!(self, Self::Ask | Self::NeedsHuman)
    }
}

/// `at_least` of the quorum must qualify by one of `any_of`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clause {
    /// `role:change-board`, `customer:chemistry`, `person:ada`.
    pub any_of: Vec<String>,
    pub at_least: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    pub person: String,
    /// By which qualifications, as they were when the person decided.
    pub qualifies: Vec<String>,
    pub yes: bool,
    pub comment: Option<String>,
    pub at_ms: i64,
    /// What this yes waives; counts where every yes does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waive: Vec<String>,
    /// In whose place; `qualifies` is then theirs. None: the person's own vote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
    /// The door through which it came; none for those recorded before doors were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// The person was proved to be themselves by a one-time code. What it was stands nowhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stepped_up: bool,
}

impl Vote {
    /// `ada`, or `ada for bob`.
    #[must_use]
    pub fn who(&self) -> String {
        match &self.on_behalf_of {
            Some(other) => format!("{} for {other}", self.person),
            None => self.person.clone(),
        }
    }
}

/// The one field of a form that takes yes or no; none for forms that want more.
#[must_use]
pub fn yes_or_no(form: &Value) -> Option<&str> {
    let fields = form.get("properties")?.as_object()?;
    let (name, schema) = fields.iter().next().filter(|_| fields.len() == 1)?;
    (schema.get("type")? == "boolean").then_some(name)
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Person {
    pub kind: PersonKind,
    pub title: String,
    pub clauses: Vec<Clause>,
    /// Different persons that must say yes.
    pub quorum: u32,
    /// JSON Schema of the answer, for forms.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub form: Value,
    /// What is displayed; kept as a blob.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<Digest>,
    /// What a decision must name: digest of what was shown, which names the plan.
    pub signs: Digest,
    /// Persons whose vote does not count (four eyes).
    pub excluded: Vec<String>,
    pub votes: Vec<Vote>,
    pub asked_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<i64>,
    pub on_expire: OnExpire,
    pub on_deny: OnDeny,
    pub escalated: bool,
    /// The call in question, for kinds that follow one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Box<Running>>,
    /// Why it came to this, for kinds that follow a failure; on a ladder, which rung is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Rules::is_default")]
    pub rules: Rules,
}

impl Person {
    #[must_use]
    pub fn qualifies(&self, qualifications: &[String]) -> bool {
        self.clauses.iter().any(|clause| {
            clause
                .any_of
                .iter()
                .any(|wanted| qualifications.contains(wanted))
        })
    }

    /// Everybody who is asked, by what they must qualify as.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        let asked = self.clauses.iter().flat_map(|clause| &clause.any_of);
        asked.cloned().collect()
    }

    /// A vote was cast by this person, or in their place.
    #[must_use]
    pub fn has_decided(&self, who: &str) -> bool {
        self.votes
            .iter()
            .any(|vote| vote.person == who || vote.on_behalf_of.as_deref() == Some(who))
    }

    /// What all who said yes have waived, in the order of the first one.
    #[must_use]
    pub fn waived(&self) -> Vec<String> {
        let mut yes = self.votes.iter().filter(|vote| vote.yes);
        let mut waived = yes.next().map_or_else(Vec::new, |vote| vote.waive.clone());
        for vote in yes {
            waived.retain(|waiver| vote.waive.contains(waiver));
        }
        waived
    }

    /// Enough different persons said yes, and each clause has its share.
    #[must_use]
    pub fn has_quorum(&self) -> bool {
        let yes = || self.votes.iter().filter(|vote| vote.yes);
        let share = |clause: &Clause| {
            yes()
                .filter(|vote| {
                    clause
                        .any_of
                        .iter()
                        .any(|wanted| vote.qualifies.contains(wanted))
                })
                .count()
        };
        yes().count() >= self.quorum.max(1) as usize
            && self
                .clauses
                .iter()
                .all(|clause| share(clause) >= clause.at_least as usize)
    }
}
