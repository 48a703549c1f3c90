//! Calling what a plugin can do, wherever it runs.

use async_trait::async_trait;
use hostler_core::answer::Answer;
use hostler_core::id::{Digest, LaneId, RunId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use thiserror::Error;
use uuid::Uuid;

/// What a component says about itself: its contracts and actions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    pub name: String,
    pub version: String,
    pub actions: Vec<hostler_core::contract::Action>,
}

/// One endpoint that a call may reach, already resolved from the estate. Credentials stay with the
/// host: the guest sees only `name` and `address`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// Name under which the plugin asks for it: `target` for the asset's own connection.
    pub handle: String,
    /// Name of the connection in the estate; the host finds address and credentials by it.
    pub connection: String,
    /// Address of the asset on that connection, where the connection stands for many hosts.
    pub address: Option<String>,
    /// What the asset is called there (`ref` of the estate), if it says so.
    pub reference: Option<String>,
    /// Pinned SSH host key of that address: an OpenSSH public key line or `SHA256:…`.
    #[serde(default)]
    pub host_key: Option<String>,
}

/// One call of one action.
#[derive(Clone)]
pub struct Call {
    pub plugin: Digest,
    /// `contract.action`, e.g. `guest-patch.apply`.
    pub action: String,
    pub input: Value,
    /// The asset's record, without credentials; null for an action without one.
    pub asset: Value,
    pub grants: Vec<Grant>,
    pub run: RunId,
    pub lane: LaneId,
    pub step: String,
    pub attempt: u32,
    /// The same on every retry of the step.
    pub idempotency_key: Uuid,
    pub now_ms: i64,
    /// The guest and its host calls are cut off at this many milliseconds from the start.
    pub timeout_ms: u64,
    pub dry_run: bool,
    /// Earlier mutating calls of this step, oldest first.
    pub journal: Vec<JournalEntry>,
    pub watch: Arc<dyn CallWatch>,
}

/// One mutating host call: written before it, and again after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    pub number: u32,
    pub attempt: u32,
    /// `http POST /api/v2/silences`, `exec apply.sh`.
    pub what: String,
    /// None while it is only an intent.
    pub outcome: Option<String>,
}

/// What the engine listens to while a call runs.
#[async_trait]
pub trait CallWatch: Send + Sync + 'static {
    /// Makes a journal entry durable. An error means that the lane is no longer ours: the host must
    /// not make the call.
    async fn journal(&self, entry: JournalEntry) -> Result<(), LeaseLost>;
    /// May a host call begin now? False when the lease is too old.
    fn may_begin(&self) -> bool;
    /// Resolves when the call must be cut off: the lease is lost or the run was cancelled.
    async fn cut(&self);
    /// A line for people, redacted by the host.
    fn log(&self, level: &str, line: &str);
    fn progress(&self, percent: u8, note: &str);
}

#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the lane is no longer held by this worker")]
pub struct LeaseLost;

/// Which export to enter.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// Read-only: a difference for people.
    Plan,
    Perform,
    Resume {
        checkpoint: Value,
    },
    /// What became of an earlier attempt?
    Observe {
        checkpoint: Option<Value>,
    },
    Cancel {
        checkpoint: Option<Value>,
    },
}

/// What `observe` can say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "observed")]
pub enum Observed {
    Done {
        output: Value,
    },
    NotDone,
    /// Still going on: ask again after this many milliseconds.
    Going {
        ask_after_ms: u64,
    },
    Unknown {
        why: String,
    },
}

/// What a call came back with.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    Answer(Answer),
    Observed(Observed),
    /// A difference for people, from `plan`.
    Plan(Value),
}

/// Why a call gave no answer of the plugin's own.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum HostError {
    /// The guest went over a limit of its sandbox. `limit` is its name: `time`, `memory`, `stack`,
    /// `output`, `log`, `trap`, `table`, `resources`.
    #[error("the plugin was stopped at its {limit} limit: {detail}")]
    Limit { limit: &'static str, detail: String },
    /// The component is not the pinned one, or cannot be loaded.
    #[error("plugin {digest} cannot be used: {detail}")]
    Unusable { digest: String, detail: String },
    /// The call was cut off from outside (lease lost, cancel).
    #[error("the call was cut off")]
    Cut,
    /// A fault of the host itself.
    #[error("the plugin host failed: {0}")]
    Internal(String),
}

/// Runs plugins. Calls are independent of each other; thousands may be in flight.
#[async_trait]
pub trait PluginHost: Send + Sync + 'static {
    /// Components that may be called, by digest.
    fn plugins(&self) -> BTreeMap<Digest, Arc<Description>>;
    async fn call(&self, entry: Entry, call: Call) -> Result<Reply, HostError>;
}
