//! What stands around a question: who is asked later, who is reminded, what a yes must say. All of it is
//! fixed, with its instants, when the question is asked.
//!
//! Not here: who may answer (`person`), and what an answer means (`decide`).

use super::Person;
use crate::definition::Silence;
use crate::expression::{Expression, Scope};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A second proof of who somebody is, beside the token or link with which they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepUp {
    /// The one-time code of an authenticator app (RFC 6238).
    Totp,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// A yes must type this back, letter for letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typed: Option<String>,
    /// What a yes must be proved by. A no needs nothing: to refuse is always cheap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_up: Option<StepUp>,
    /// What a yes may waive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub may_waive: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ladder: Option<Climb>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind: Option<Remind>,
    /// Nobody's answer ends the lane so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish: Option<Silence>,
    /// Rules of the form's fields, by field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub must: BTreeMap<String, Must>,
}

/// A rule of a form's field, with what it sees as that was when the form was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Must {
    pub rule: Expression,
    #[serde(default, skip_serializing_if = "Scope::is_empty")]
    pub sees: Scope,
}

impl Rules {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A ladder that was opened: who is asked from when on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Climb {
    pub ladder: String,
    /// In the order in which they are asked; at least one.
    pub rungs: Vec<Rung>,
    /// So many of them are asked.
    pub reached: u32,
    /// Nobody can say yes from this instant on.
    pub denies_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// Asked from this instant on; whoever was asked before still is.
    pub from_ms: i64,
    /// `role:ciso`, `person:ada`, `owner-of:chemistry`.
    pub asks: Vec<String>,
}

/// When those who are asked hear of it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Remind {
    /// In ascending order.
    pub at_ms: Vec<i64>,
    /// So many of them are over.
    pub done: u32,
    /// What the message says of the question.
    pub about: Value,
}

impl Person {
    /// Asks those on the rungs that have come due, too; false when there are none. They stand in for the
    /// first of those who were asked: other clauses keep their own share.
    pub fn climb(&mut self, at_ms: i64) -> bool {
        let Some(climb) = &mut self.rules.ladder else {
            return false;
        };
        let ahead = climb.rungs.iter().skip(climb.reached as usize);
        let due: Vec<_> = ahead.take_while(|rung| rung.from_ms <= at_ms).collect();
        let (count, asks) = (due.len(), due.iter().flat_map(|rung| &rung.asks));
        if count == 0 {
            return false;
        }
        if let Some(first) = self.clauses.first_mut() {
            for who in asks {
                if !first.any_of.contains(who) {
                    first.any_of.push(who.clone());
                }
            }
        }
        climb.reached = climb
            .reached
            .saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        let (reached, of, ladder) = (climb.reached, climb.rungs.len(), &climb.ladder);
        self.reason = Some(format!(
            "rung {reached} of {of} of the ladder {ladder} is asked"
        ));
        true
    }

    /// When more people are asked; none: nobody else will be.
    #[must_use]
    pub fn next_rung_ms(&self) -> Option<i64> {
        let climb = self.rules.ladder.as_ref()?;
        let rung = climb.rungs.get(climb.reached as usize)?;
        Some(rung.from_ms).filter(|at_ms| self.is_open_at(*at_ms))
    }

    /// When those who are asked hear of it again; none: not any more.
    #[must_use]
    pub fn next_reminder_ms(&self) -> Option<i64> {
        let remind = self.rules.remind.as_ref()?;
        let at_ms = *remind.at_ms.get(remind.done as usize)?;
        Some(at_ms).filter(|at_ms| self.is_open_at(*at_ms))
    }

    /// How many reminders are over by then; the lane's own count once it is recorded.
    #[must_use]
    pub fn reminders_due(&self, at_ms: i64) -> u32 {
        let all = self.rules.remind.iter().flat_map(|remind| &remind.at_ms);
        u32::try_from(all.filter(|due| **due <= at_ms).count()).unwrap_or(u32::MAX)
    }

    fn is_open_at(&self, at_ms: i64) -> bool {
        self.expires_ms.is_none_or(|end| at_ms < end)
    }
}
