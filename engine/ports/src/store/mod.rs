//! The durable store: lanes with their logs, the ready queue, leases, timers, inboxes, locks,
//! documents, indexes and the ledger.
//!
//! A store compares, appends and moves ids. It knows no step kinds: events, commands, summaries and
//! documents are opaque bytes to it.
//!
//! Not here: retries, decisions, any reading of an event.

mod batch;
pub mod bounds;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod copy;
mod error;
pub mod generation;
pub mod histories;
pub mod memory;
pub mod position;
mod reads;
pub mod upkeep;
pub mod verbs;

pub use batch::{
    Batch, Blob, Child, DocumentWrite, Expect, IndexChange, LedgerLine, Own, Post, Resource, Spawn,
    Take, Then, TimerChange,
};
pub use copy::View;
pub use error::{CommitError, StartError, StoreError, StoreResult};
pub use reads::{Cursor, Document, FeedEntry, IndexEntry, LedgerEntry, Page};
pub use upkeep::{RunRecord, Upkeep};

use async_trait::async_trait;
use generation::{Begun, Generation, NewGeneration, StoreState};
use hostler_core::id::{Digest, LaneId, RunId};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Most entries that one bounded read returns, and most inbox commands that one load returns.
pub const READ_MAX: usize = 500;
/// Most lanes that one commit may spawn: a larger call would hold Redis for milliseconds.
pub const SPAWN_MAX: usize = 200;
/// Most events, and most letters, of a lane that its claim brings with it.
pub const CARRIED_MAX: usize = 8;
/// Most commands that one commit may send.
pub const SEND_MAX: usize = 200;
/// A gap between two ticks longer than this means that the store stalled: nothing is reclaimed for
/// one lease (all leases would look expired at once).
pub const STALL_GAP_MS: i64 = 5_000;
/// A lane that took its worker down this often is handed out only alone.
pub const STRIKES_BEFORE_ALONE: u32 = 2;
/// An index with this prefix and a document's key lists the lanes that watch the document: each
/// change of it rings them. A lane enters and leaves only itself; ending it takes it out.
pub const WATCH_PREFIX: &str = "w:";

/// Which of the store's queues a lane belongs to. A queue has its own ready set; leases, fences,
/// timers and inboxes are the same for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Queue {
    /// Lanes of runs.
    Run,
    /// Messages to people: the outbox.
    Mail,
}

/// Who goes first. A smaller value overtakes; inside one value the order is first in, first out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    Emergency = 0,
    Operator = 1,
    Scheduled = 2,
    Housekeeping = 3,
}

/// The right to write a lane: new at every claim, compared for equality only. The random part makes
/// two claims with the same epoch on two sides of a failover differ.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fence(pub String);

/// Position in the realm's order of commits. A store that returns a smaller one than before has
/// been rewound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Seq(pub u64);

/// What a worker asks for.
#[derive(Clone, Debug)]
pub struct ClaimAsk {
    pub queue: Queue,
    /// Name of the worker process, for people who look at leases.
    pub worker: String,
    /// Most lanes to hand out: the number of free permits.
    pub max: usize,
    /// Only lanes of this priority or a more urgent one (reserved emergency slots).
    pub at_least: Option<Priority>,
    /// How long a claimed lane is held unless renewed.
    pub lease_ms: i64,
    /// How long the call may wait for a lane to become ready, 0 for not at all. A ring ends the wait.
    pub wait_ms: u64,
    /// Ends the wait early, with no lane; none: only a ring and the time do. A look at what is ready is always
    /// finished, because its lanes would wait for their leases otherwise.
    pub until: Option<CancellationToken>,
}

impl ClaimAsk {
    /// Comes when the wait is to end early; never where nobody can say so.
    pub async fn given_up(&self) {
        match &self.until {
            Some(until) => until.cancelled().await,
            None => std::future::pending().await,
        }
    }
}

/// One lane handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub lane: LaneId,
    pub fence: Fence,
    /// How often the lane's lease was lost with a host call in flight.
    pub strikes: u32,
    /// True when the lane has reached `STRIKES_BEFORE_ALONE`: the worker performs nothing else
    /// beside it. Handed out only as the single answer of a claim.
    pub alone: bool,
    pub header: Header,
    /// What lies in the store of a lane that is short, so that it need not be loaded; none for others.
    pub carried: Option<Carried>,
}

/// A short lane as its claim brings it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// What `load` from version 0 told at that moment.
    pub lane: Loaded,
    /// How long the call of `claim` had waited when the store was asked, in milliseconds, at most that.
    pub waited_ms: i64,
    /// The blob that the run's start named, if the store brings it.
    pub plan: Option<Blob>,
}

/// The small record of a lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub lane: LaneId,
    pub run: RunId,
    pub queue: Queue,
    pub priority: Priority,
    pub parent: Option<LaneId>,
    /// Number of events in the log. Written last; events beyond it are not part of the log.
    pub version: u64,
    pub ended: bool,
    /// JSON for lists and the host matrix; the lane's state decides nothing by it.
    pub summary: String,
    /// When the lane was spawned, by the store's clock.
    pub created_ms: i64,
    /// Last commit, by the store's clock.
    pub updated_ms: i64,
}

/// A command that waited in the inbox, stamped by the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    pub id: Uuid,
    /// When it was accepted, by the store's clock. Expiry is judged by this, not by when it is read.
    pub at_ms: i64,
    pub body: String,
}

/// A lane as it lies in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    pub header: Header,
    /// The newest snapshot at or below the header's version, if it is newer than the asked version.
    pub snapshot: Option<(u64, String)>,
    /// Events after the snapshot (or after the asked version), oldest first, at most `READ_MAX`;
    /// load again from the last one for more.
    pub events: Vec<String>,
    /// Version of the lane before `events[0]`.
    pub events_from: u64,
    /// Oldest first, at most `READ_MAX`.
    pub inbox: Vec<Letter>,
    pub now_ms: i64,
    /// The present one: what was read in another may never have happened.
    pub generation: Generation,
}

/// What a commit tells back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    pub seq: Seq,
    /// New version of the lane.
    pub version: u64,
    /// The lane was rung since it was claimed or last told so: the inbox has more.
    pub dirty: bool,
    pub now_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Started {
    New(Seq),
    /// The same run with the same body was accepted before.
    Same,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    Accepted,
    /// A command with this id was accepted before.
    Known,
    /// There is no such lane, or it has ended.
    Gone,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ticked {
    pub now_ms: i64,
    pub timers_fired: usize,
    pub leases_expired: usize,
    /// The store stalled since the last tick; nothing is reclaimed until this instant.
    pub held_until_ms: Option<i64>,
    /// More was due than `max`: tick again.
    pub more: bool,
}

/// To which degree a commit is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmed {
    Durable,
    /// The store could not say so in time: no effect may start on it; load the lane again.
    Unknown,
}

/// What a run begins with: its first lane, and all that is written with it.
#[derive(Clone, Debug)]
pub struct Start {
    pub run: RunId,
    /// Digest of what was asked: the same id with another body is a conflict.
    pub body: Digest,
    pub root: Spawn,
    pub blobs: Vec<Blob>,
    /// The one of the blobs that whoever claims the root wants next: a store that others ask from afar may bring it
    /// with the claim.
    pub plan: Option<Digest>,
    pub index: Vec<IndexChange>,
    pub ledger: Vec<LedgerLine>,
    /// JSON kept after the run is archived.
    pub run_summary: String,
}

/// One realm's durable state. All verbs are atomic: all of a call happens or none of it.
///
/// Called from async code; an implementation must not block the thread. Every verb is called many
/// times a second except `purge` and `trim_ledger`. A lost connection is the adapter's to mend: verbs wait for it up
/// to the adapter's limit and then answer `StoreError::Unavailable`.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Hands out ready lanes with new fences and leases, most urgent first. Clears their dirty mark.
    /// A lane with `STRIKES_BEFORE_ALONE` strikes comes alone or not at all.
    async fn claim(&self, ask: &ClaimAsk) -> StoreResult<Vec<Claim>>;

    /// Reads a lane. Needs no fence; gives nothing away that a commit would not check again.
    async fn load(&self, lane: LaneId, from_version: u64) -> StoreResult<Option<Loaded>>;

    /// The one atomic write. Refused whole when the fence, the version, an expected document or a
    /// wanted resource does not hold.
    async fn commit(
        &self,
        lane: LaneId,
        fence: &Fence,
        expected_version: u64,
        batch: Batch,
    ) -> Result<Committed, CommitError>;

    /// Accepts a run once per id.
    async fn start(&self, start: Start) -> Result<Started, StartError>;

    /// Puts a command into a lane's inbox and rings the lane.
    async fn send(&self, lane: LaneId, command_id: Uuid, body: String) -> StoreResult<Sent>;

    /// Extends leases; returns the lanes whose fence no longer holds. It says nothing about host calls:
    /// a renewal that is overtaken by a commit must not hide the call that the commit begins.
    async fn renew(&self, held: &[(LaneId, Fence)], lease_ms: i64) -> StoreResult<Vec<LaneId>>;

    /// No host call is in flight in these lanes any more, though no commit could say so: losing them
    /// is no strike. Lanes under another fence are left alone.
    async fn calm(&self, held: &[(LaneId, Fence)]) -> StoreResult<()>;

    /// Moves due timers into inboxes and expired leases back to ready, at most `max` of each.
    async fn tick(&self, max: usize, lease_ms: i64) -> StoreResult<Ticked>;

    /// Waits (bounded) until everything up to `seq` is durable to the configured degree.
    async fn confirm(&self, seq: Seq) -> StoreResult<Confirmed>;

    /// Writes what housekeeping has found; see `Upkeep` for what refuses it.
    async fn upkeep(&self, change: Upkeep) -> Result<Seq, CommitError>;

    /// What the store says of itself; answered also while it has gone back.
    async fn state(&self) -> StoreResult<StoreState>;

    /// Writes down a person's decision and what follows from it: the generation rises, every process
    /// on the realm hears of it, and a regression is settled. Written also while the store has gone
    /// back; that is what it is for.
    async fn begin_generation(&self, new: NewGeneration) -> StoreResult<Begun>;

    /// Everything that is durable now, for a copy; none where the server has a tool of its own for
    /// that. Reading a view may block.
    async fn view(&self) -> StoreResult<Option<View>>;

    /// Removes the oldest entries of the ledger as far as their numbers are below `below`, at most `max`
    /// (`LEDGER_TRIM_MAX`) a call; true when none of those is left. The others keep their numbers, and
    /// `counts` goes on counting all that were ever appended. Whoever calls it has them elsewhere.
    async fn trim_ledger(&self, below: u64, max: usize) -> StoreResult<bool>;

    /// Removes what lies beside an ended lane in bounded steps (at most `max` deletions a call, and
    /// as many calls as it takes); true when nothing is left but the tombstone. Refused unless the
    /// lane's run is archived under this very digest.
    async fn purge(&self, lane: LaneId, archive: Digest, max: usize) -> StoreResult<bool>;

    /// Removes blobs and documents that no other run names, at most `READ_MAX` of each. Refused unless the
    /// run is archived under this very digest.
    async fn drop_own(&self, run: RunId, archive: Digest, own: &Own) -> StoreResult<()>;

    // Reads. Bounded by `READ_MAX` each; never part of a decision without an `Expect`.
    /// The log itself after `from` events, also where a snapshot would do; empty at its end. A lane
    /// that is written meanwhile may show events beyond the version that its header has told.
    async fn log(&self, lane: LaneId, from: u64) -> StoreResult<Vec<String>>;
    async fn now_ms(&self) -> StoreResult<i64>;
    async fn blob(&self, digest: Digest) -> StoreResult<Option<Vec<u8>>>;
    async fn headers(&self, lanes: &[LaneId]) -> StoreResult<Vec<Option<Header>>>;
    async fn documents(&self, keys: &[String]) -> StoreResult<Vec<Option<Document>>>;
    /// Records of some children, by their keys beside the parent; at most `READ_MAX`.
    async fn child_records(&self, lane: LaneId, keys: &[String])
    -> StoreResult<Vec<Option<Child>>>;
    /// Children of a lane by key, oldest first.
    async fn children(&self, lane: LaneId, after: Cursor) -> StoreResult<Page<Child>>;
    /// Entries of an index by descending (score, member) when `newest_first`, else ascending.
    async fn query(
        &self,
        index: &str,
        newest_first: bool,
        after: Cursor,
    ) -> StoreResult<Page<IndexEntry>>;
    /// All lanes, a few hundred a page and in no order. A page may be empty without being the last;
    /// a lane that exists during the whole reading is in it at least once.
    async fn lanes(&self, after: Cursor) -> StoreResult<Page<Header>>;
    async fn run_record(&self, run: RunId) -> StoreResult<Option<RunRecord>>;
    async fn run_summary(&self, run: RunId) -> StoreResult<Option<String>>;
    /// Entries from this number on, oldest first. Where those were trimmed, it begins with the first one
    /// that is kept: a reader sees by its number what is not here.
    async fn ledger(&self, from: u64) -> StoreResult<Vec<LedgerEntry>>;
    /// Lanes whose row in lists or whose state has changed since `after`, for live views; see
    /// `Batch::shows`. Bounded memory: old entries fall out; a caller that
    /// is too far behind gets the oldest kept entry and reads the lists again.
    async fn feed(&self, after: Seq, wait_ms: u64) -> StoreResult<Vec<FeedEntry>>;
    /// Holders and waiters of a lock or slot.
    async fn resource(&self, key: &str) -> StoreResult<ResourceView>;
    /// How many lanes are ready, leased, shelved; timers set. For health and tests.
    async fn counts(&self) -> StoreResult<Counts>;
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceView {
    pub capacity: u32,
    pub holders: Vec<(LaneId, i64)>,
    pub waiters: Vec<LaneId>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub ready: u64,
    pub leased: u64,
    pub timers: u64,
    /// Entries that were ever appended, trimmed or not: the number of the next one.
    pub ledger: u64,
    pub seq: u64,
}
