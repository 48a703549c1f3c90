//! Shapes of the bounded reads.

use hostler_core::id::LaneId;
use serde::{Deserialize, Serialize};

/// Where the next page begins; opaque to callers. None is the beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor(pub Option<String>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    pub entries: Vec<T>,
    /// None when this was the last page.
    pub next: Option<Cursor>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub version: u64,
    /// None after a removal.
    pub body: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexEntry {
    pub member: String,
    pub score: i64,
    pub body: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    pub number: u64,
    pub lane: Option<LaneId>,
    /// Version of the lane in whose commit it was written.
    pub version: u64,
    pub at_ms: i64,
    pub body: String,
}

/// A lane changed: read it again if you show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedEntry {
    pub seq: super::Seq,
    pub lane: LaneId,
    pub run: hostler_core::id::RunId,
    pub summary: String,
}
