//! Generations: a realm goes on from something else than it last said, because a person has decided
//! so. Commits were lost and the loss is accepted, or the realm lies in a copy that was restored.
//!
//! Not here: what lanes make of it (core), who may decide it (services).

use super::LedgerLine;
use serde::{Deserialize, Serialize};

/// Document: the decision with which the present generation began; absent in the first one.
pub const DECISION: &str = "store:generation";

/// A copy of the realm from which it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyMark {
    /// When the copy was taken, by the clock of the store that was copied.
    pub taken_ms: i64,
    /// When the realm began to go on from it, by its own clock; always later than `taken_ms`, so
    /// later than every lane of the copy was spawned.
    pub at_ms: i64,
}

/// How often a person has decided what counts. What was read in an earlier generation may never
/// have happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// Zero until the first decision.
    pub number: u64,
    /// The newest restored copy: lanes that were spawned before may have gone on behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<CopyMark>,
}

/// The store answers from a past that it had already left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Regression {
    /// The newest commit that any process has seen and declared.
    pub seen: u64,
    /// What the store had then.
    pub found: u64,
}

/// What a store says of itself, also while it has gone back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreState {
    /// `memory`, `embedded`, `redis`.
    pub kind: String,
    /// Newest commit.
    pub seq: u64,
    /// Number of entries of the ledger.
    pub ledger: u64,
    pub generation: Generation,
    /// None while nothing is to be decided.
    pub regressed: Option<Regression>,
    pub now_ms: i64,
}

/// A decision of a person, written with what follows from it in one change.
#[derive(Clone, Debug)]
pub struct NewGeneration {
    /// Number of the generation that ends. Another one than the present: nothing is written.
    pub from: u64,
    /// When the copy was taken from which the realm goes on; none when lanes are to be believed.
    pub copy_taken_ms: Option<i64>,
    /// Body of the document `DECISION`.
    pub decision: String,
    pub ledger: LedgerLine,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    New(Generation),
    /// Somebody has decided before: this generation is the present one.
    Other(Generation),
}
