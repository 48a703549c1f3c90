//! What housekeeping writes: nothing of a lane's log, no decision, no queue.

use super::{DocumentWrite, Expect, IndexChange, LedgerLine};
use hostler_core::id::{Digest, LaneId, RunId};
use serde::{Deserialize, Serialize};

/// One atomic change that no lane makes. It never touches a log, an inbox, a lease or a queue.
#[derive(Clone, Debug, Default)]
pub struct Upkeep {
    /// Refused unless each of these lanes is at this version: what is written was read from it.
    pub lanes: Vec<(LaneId, u64)>,
    /// Refused unless each document still has this version (0: absent).
    pub expect: Vec<Expect>,
    pub documents: Vec<DocumentWrite>,
    /// New summaries of lanes that exist.
    pub summaries: Vec<(LaneId, String)>,
    /// New summaries of runs that exist.
    pub runs: Vec<(RunId, String)>,
    /// The run lies in the archive under this digest, verified: from now on it is read there and
    /// may be purged. Refused for a run whose root lives, and for another digest than before.
    pub archived: Vec<(RunId, Digest)>,
    /// No watches: those belong to lanes.
    pub index: Vec<IndexChange>,
    /// Entries without a lane.
    pub ledger: Vec<LedgerLine>,
}

/// What the store keeps of a run for good; the tombstone of an archived one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Digest of what was asked: tells late duplicates of a start.
    pub body: Digest,
    pub root: hostler_core::id::LaneId,
    /// JSON for lists.
    pub summary: String,
    /// Where the archive has it; none while it is read in the store.
    pub archive: Option<Digest>,
}

/// Name of the index that lists the lanes of a run that no parent lists and that are not its root:
/// leases, questions that hold nobody, messages. The store itself writes it when it spawns one.
#[must_use]
pub fn stray_lanes(run: RunId) -> String {
    format!("{STRAY_PREFIX}{run}")
}

/// Beginning of the names of those indexes.
pub const STRAY_PREFIX: &str = "strays:";
