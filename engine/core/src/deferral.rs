//! Turns of servers that their customers put off: what was agreed, what was put off, what counts.
//!
//! What counts lies in one document a customer, written in the commit that puts off. Whether the lane of a server has
//! begun, and whether it was put off, lies in a document of its turn: the commit that begins its first change and the
//! one that puts it off both expect it, so one of them comes first. Not here: who may (the doors), when a turn comes
//! (the worker), and what was agreed (policies).

mod judge;

pub use judge::{Known, Meant, Scope, granted};

use crate::command::Actor;
use crate::id::RunId;
use crate::spoken::by_whom;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use thiserror::Error;

/// The class that nobody puts off.
pub const EMERGENCY: &str = "emergency";
/// Most deferrals of one class that can be agreed for a quarter.
pub const TIMES_MAX: u32 = 50;
/// Longest time by which a turn can be put off: what is put off beyond the next cycle is left out of this one.
pub const LONGEST_MAX_MS: u64 = 92 * DAY_MS;
/// A deferral is forgotten when no quarter counts it any more.
const KEPT_MS: u64 = 2 * 92 * DAY_MS;
/// Most deferrals that one document holds; the oldest are forgotten, which no agreed number can reach in time.
pub const COUNTED_MAX: usize = 1_000;
const DAY_MS: u64 = 86_400_000;

/// The document that holds what counts against a customer's deferrals.
#[must_use]
pub fn deferrals_document(customer: &str) -> String {
    format!("deferrals:{customer}")
}

/// The document of an asset's turn in what a template announces. A lane that it holds watches it.
#[must_use]
pub fn turn_document(run: RunId, template: &str, asset: &str) -> String {
    format!("turn:{run}:{template}:{asset}")
}

/// What was agreed with a customer about work of one class, as it binds at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Deferrals in the quarter, at least 1.
    pub times: u32,
    /// The customer's present quarter; the end is the first instant after it.
    pub from_ms: i64,
    pub to_ms: i64,
    /// From the slot that was announced first, in milliseconds.
    pub longest_ms: u64,
    /// It comes so long before the slot at the latest, in milliseconds.
    pub until_ms: u64,
    /// `times` is the customer's own number (its contract), for which deferrals of all classes count together.
    pub of_contract: bool,
}

/// Somebody wants turns to be put off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeferAsk {
    pub actor: Actor,
    pub customer: String,
    /// Empty: all of the customer that may still be put off.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub assets: BTreeSet<String>,
    /// Not before this instant.
    pub until_ms: i64,
    /// The customer's person on whose word somebody of the staff asks; none: the actor is the customer's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word_of: Option<String>,
}

/// A turn that was put off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutOff {
    pub until_ms: i64,
    /// The slot that was announced first: the longest time counts from it, however often it is put off.
    pub from_ms: i64,
    pub by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word_of: Option<String>,
}

impl PutOff {
    /// `ada`, or `olga (on the word of ada)`.
    #[must_use]
    pub fn who(&self) -> String {
        by_whom(&self.by, self.word_of.as_deref())
    }
}

/// One server of a deferral.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turned {
    pub index: u32,
    pub key: String,
    pub asset: String,
    /// As in [`PutOff`].
    pub from_ms: i64,
}

/// What an event says: who has put off what, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deferral {
    pub customer: String,
    /// At least one.
    pub turns: Vec<Turned>,
    pub until_ms: i64,
    pub by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word_of: Option<String>,
    /// The door: `cli`, `api`, `link`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// What it counts for.
    pub classes: Vec<String>,
}

impl Deferral {
    #[must_use]
    pub fn of(&self, turn: &Turned) -> PutOff {
        PutOff {
            until_ms: self.until_ms,
            from_ms: turn.from_ms,
            by: self.by.clone(),
            word_of: self.word_of.clone(),
        }
    }
}

/// What a document of [`turn_document`] holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Its first change has begun.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub began: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub put_off: Option<PutOff>,
}

/// A deferral that counts, however many servers it has put off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    pub at_ms: i64,
    pub run: RunId,
    pub classes: Vec<String>,
    pub servers: u32,
    pub until_ms: i64,
    pub by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word_of: Option<String>,
}

/// What a document of [`deferrals_document`] holds, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    #[serde(default)]
    pub deferrals: Vec<Counted>,
}

impl Counts {
    /// Deferrals of this class in the quarter; of all classes where the customer's contract gives the number.
    #[must_use]
    pub fn spent(&self, class: &str, agreed: &Agreed) -> u32 {
        let counts = |one: &&Counted| {
            (agreed.from_ms..agreed.to_ms).contains(&one.at_ms)
                && (agreed.of_contract || one.classes.iter().any(|of| of == class))
        };
        let spent = self.deferrals.iter().filter(counts).count();
        u32::try_from(spent).unwrap_or(u32::MAX)
    }

    /// The same with one more.
    #[must_use]
    pub fn with(mut self, run: RunId, deferral: &Deferral, at_ms: i64) -> Self {
        let counts = |one: &Counted| one.at_ms.saturating_add_unsigned(KEPT_MS) > at_ms;
        self.deferrals.retain(counts);
        self.deferrals.push(Counted {
            at_ms,
            run,
            classes: deferral.classes.clone(),
            servers: u32::try_from(deferral.turns.len()).unwrap_or(u32::MAX),
            until_ms: deferral.until_ms,
            by: deferral.by.clone(),
            word_of: deferral.word_of.clone(),
        });
        let over = self.deferrals.len().saturating_sub(COUNTED_MAX);
        self.deferrals.drain(..over);
        self
    }
}

/// Why a turn is not put off.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NotPutOff {
    #[error(
        "nothing of {customer} that can be put off is announced here now; look at the run, or call"
    )]
    NotHere { customer: String },
    #[error("an emergency waits for nobody; call whoever runs it")]
    Emergency,
    #[error(
        "nothing of the class `{class}` can be put off: it was not agreed (deferrals.yaml of the policies, `deferrals` of the customer's contract); call whoever runs it"
    )]
    NotAgreed { class: String },
    #[error(
        "{spent} of {times} deferrals of the class `{class}` are used up in this quarter; call whoever runs it, or wait for the next quarter"
    )]
    UsedUp {
        class: String,
        times: u32,
        spent: u32,
    },
    #[error(
        "{spent} of {times} deferrals of your contract are used up in this quarter, whatever the class; call whoever runs it, or wait for the next quarter"
    )]
    ContractUsedUp { times: u32, spent: u32 },
    #[error(
        "{asset} is not part of what is announced to {customer} here; name one that is, or none for all"
    )]
    Unknown { asset: String, customer: String },
    #[error(
        "{asset} has begun: it is not put off any more; ask for the run to be cancelled, or wait for its end"
    )]
    Begun { asset: String },
    #[error("the turn of {asset} is over; nothing is left to put off")]
    Over { asset: String },
    #[error(
        "nobody can say yet when {asset} would have its turn; try again when its slot is announced"
    )]
    NoSlot { asset: String },
    #[error(
        "too late for {asset}: it must come {until} before its slot at the latest; call whoever runs it"
    )]
    TooLate { asset: String, until: String },
    #[error("{asset} would not have its turn before then; give a later date")]
    NotLater { asset: String },
    #[error(
        "{asset} can be put off by {longest} from its first slot at most; give an earlier date"
    )]
    TooLong { asset: String, longest: String },
}
