//! What one commit writes. Everything in it happens, or nothing.

use super::{Priority, Queue};
use hostler_core::id::{Digest, LaneId, RunId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One atomic change of a lane and of everything that follows from it.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Appended to the lane's log, oldest first. May be empty (a commit that only drains or parks).
    pub events: Vec<String>,
    /// New small record for lists; none leaves the old one.
    pub summary: Option<String>,
    /// State of the lane after `events`, written when the log since the last one has grown long.
    pub snapshot: Option<String>,
    /// Number of inbox letters that these events answer, oldest first.
    pub inbox_used: usize,
    /// The commit is refused while more letters lie in the inbox than these: what it begins must not
    /// begin over a word that nobody has read. None: whatever lies there.
    pub letters_known: Option<usize>,
    /// The commit is refused unless each document still has this version (0: absent).
    pub expect: Vec<Expect>,
    pub documents: Vec<DocumentWrite>,
    /// At most `SPAWN_MAX`. A lane that exists already is left as it is.
    pub spawn: Vec<Spawn>,
    /// Commands for other lanes, at most `SEND_MAX`; to an ended lane they are dropped.
    pub send: Vec<Post>,
    pub timers: Vec<TimerChange>,
    pub take: Option<Take>,
    /// Resources given back. Those that the lane does not hold are ignored.
    pub release: Vec<String>,
    /// Withdraws the lane's waiting ticket, if it has one.
    pub withdraw: bool,
    /// What this lane leaves beside its parent.
    pub collect: Option<Child>,
    /// Content-addressed: writing one that exists is free.
    pub blobs: Vec<Blob>,
    pub ledger: Vec<LedgerLine>,
    pub index: Vec<IndexChange>,
    /// New summary of the run; only a root lane sends it.
    pub run_summary: Option<String>,
    /// Whether a host call is in flight for the lane from this commit on; none leaves it as it is.
    /// A lease that is lost with a call in flight earns a strike. A claim begins without one.
    pub in_call: Option<bool>,
    /// A step has succeeded: the lane's strikes are forgotten.
    pub forgive: bool,
    pub then: Then,
}

impl Batch {
    /// Lists show something else after it: the feed names the lane.
    #[must_use]
    pub fn shows(&self) -> bool {
        self.summary.is_some() || self.then != Then::Keep
    }
}

/// What becomes of the lane after a commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// The worker goes on with it.
    #[default]
    Keep,
    /// It waits for a ring; if it is dirty it is ready at once.
    Park,
    /// Ready again behind the others of its priority.
    Requeue,
    /// It has ended: holds, waits and timers go, the fence goes, commands are refused from now on.
    End,
    /// Held back from the queue until `Store::send` brings a command (quarantine). Timers, watched
    /// documents and commands of other lanes wait with it; its ticket is withdrawn.
    Shelve,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expect {
    pub document: String,
    pub version: u64,
}

/// Replaces a document; its version rises by one; lanes that watch it are rung.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentWrite {
    pub key: String,
    /// None removes it (its version goes on rising).
    pub body: Option<String>,
}

/// A new lane: its header and first events. It is ready at once unless `parked`.
#[derive(Clone, Debug)]
pub struct Spawn {
    pub lane: LaneId,
    pub run: RunId,
    pub parent: Option<LaneId>,
    /// Key beside the parent; none for a lane whose parent does not list it.
    pub key: Option<String>,
    pub queue: Queue,
    pub priority: Priority,
    pub events: Vec<String>,
    pub summary: String,
}

#[derive(Clone, Debug)]
pub struct Post {
    pub lane: LaneId,
    /// The same id is accepted once.
    pub command: Uuid,
    pub body: String,
}

/// Timers are named per lane; setting a name again moves it.
#[derive(Clone, Debug)]
pub enum TimerChange {
    /// At this instant `body` is put into the lane's inbox.
    Set {
        name: String,
        at_ms: i64,
        body: String,
    },
    Clear {
        name: String,
    },
}

/// One lock (capacity 1) or slot (capacity n).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    pub key: String,
    pub capacity: u32,
}

/// An all-or-nothing demand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Take {
    /// Part of the commit's conditions: refused with `CommitError::Busy` unless all are free and no
    /// smaller ticket than the lane's own waits on any of them. Resources that the lane holds
    /// already count as free for it.
    Now(Vec<Resource>),
    /// Queues one ticket for all of them (keeps an older one). The head is rung when it may try.
    Wait(Vec<Resource>),
}

/// The record of a child beside its parent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Child {
    pub lane: LaneId,
    pub key: String,
    /// JSON of result, collected values (at most 1 KiB) and open undos; none while the child lives.
    pub record: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    pub digest: Digest,
    pub bytes: Vec<u8>,
}

/// What belongs to one run alone, and leaves with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    pub blobs: Vec<Digest>,
    /// By name.
    pub documents: Vec<String>,
}

/// One entry of the ledger; the store gives it the next number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerLine {
    pub body: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IndexChange {
    Put {
        index: String,
        member: String,
        score: i64,
        body: String,
    },
    Remove {
        index: String,
        member: String,
    },
}

impl IndexChange {
    /// From now on `lane` is rung when the document changes. Commit it together with an `Expect` of
    /// the version that was read, or a change in between goes unnoticed.
    #[must_use]
    pub fn watch(document: &str, lane: LaneId) -> Self {
        Self::Put {
            index: format!("{}{document}", super::WATCH_PREFIX),
            member: lane.to_string(),
            score: 0,
            body: String::new(),
        }
    }

    #[must_use]
    pub fn unwatch(document: &str, lane: LaneId) -> Self {
        Self::Remove {
            index: format!("{}{document}", super::WATCH_PREFIX),
            member: lane.to_string(),
        }
    }
}
