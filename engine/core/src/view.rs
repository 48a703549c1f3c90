//! What lists and pages show: small records that lie beside lanes as summaries and in indexes.
//! They decide nothing and can be rebuilt from the logs.

use crate::id::{Digest, LaneId, RunId};
use crate::lane::{Clause, FellBack, PersonKind, StepUp, Vote};
use crate::result::LaneResult;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Names of the store's indexes.
pub mod rows;

pub mod index {
    /// `RunRow` by run id; score: start in milliseconds.
    pub const RUNS: &str = "runs";
    /// `WaitingRow` by lane id; score: when people were asked.
    pub const WAITING: &str = "waiting";
    /// `LeaseRow` by lane id; score: when it ends.
    pub const LEASES: &str = "leases";

    /// The same for the questions of one run that its child lanes ask: its root's is read from the root.
    #[must_use]
    pub fn waiting_in(run: crate::id::RunId) -> String {
        format!("waiting:{run}")
    }

    /// `MailRow` by mail lane id; score: when it was queued.
    #[must_use]
    pub fn notices(run: crate::id::RunId) -> String {
        format!("notices:{run}")
    }
}

/// A run in lists. `state` is `running`, `waiting` (for people), `paused`, `stopping` or a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRow {
    pub run: RunId,
    pub runbook: String,
    pub version: u32,
    pub title: String,
    pub state: String,
    pub starter: String,
    pub reason: Option<String>,
    pub started_ms: i64,
    pub ended_ms: Option<i64>,
    /// The step under the root lane's cursor.
    pub step: Option<String>,
    pub note: Option<String>,
    pub definition: Digest,
    pub plan: Digest,
    pub targets: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<RunId>,
}

/// A lane in the host matrix: the summary of its header.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LaneRow {
    pub lane: LaneId,
    /// Key beside its parent (`chem-web1`), none for the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Step of the parent that spawned it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_step: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wave: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// `main`, `undo`, `always`.
    pub section: String,
    /// Name of the phase.
    pub phase: String,
    /// State of each step that is over, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub steps: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<LaneResult>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Counts of the present `each`, if the lane has children.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub children: Option<ChildrenRow>,
    pub attempt: u32,
    #[serde(default)]
    pub paused: bool,
    /// Customers of whom nobody else was reached, and their alternate contacts who were told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fell_back: Vec<FellBack>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChildrenRow {
    pub total: u32,
    pub live: u32,
    pub ended: u32,
    pub failed: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wave: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soak_until_ms: Option<i64>,
    /// The wave is not open before then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_ms: Option<i64>,
    /// Waves behind the present one, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ahead: Vec<WaveRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// Items whose customer has put them off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub put_off: Vec<PutOffRow>,
}

/// A wave whose turn is still to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaveRow {
    pub wave: String,
    pub items: u32,
    /// None: it opens when the wave before it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soak_ms: Option<u64>,
}

/// An item that waits for a later turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutOffRow {
    pub key: String,
    pub until_ms: i64,
    /// `ada`, or `olga (on the word of ada)`.
    pub by: String,
}

/// Somebody is waited for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WaitingRow {
    pub run: RunId,
    pub lane: LaneId,
    pub runbook: String,
    pub step: String,
    /// Key of the lane beside its parent, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    pub kind: PersonKind,
    pub title: String,
    pub clauses: Vec<Clause>,
    pub quorum: u32,
    pub votes: Vec<Vote>,
    /// What a decision must name.
    pub signs: Digest,
    /// Blob of what is displayed: `{ "run", "title", "say", "show": { expression: value }, "plan": … }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<Digest>,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub form: Value,
    pub asked_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<i64>,
    #[serde(default)]
    pub escalated: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What a yes must be proved by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_up: Option<StepUp>,
}

/// A message and what became of it: the summary of a mail lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MailRow {
    pub run: RunId,
    pub lane: LaneId,
    /// Customer that it is about; none for staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    pub stage: String,
    pub template: String,
    pub to: String,
    pub message_id: String,
    /// `queued`, `accepted`, `deferred`, `refused`, `withdrawn`, `bounced`.
    pub state: String,
    pub attempts: u32,
    pub queued_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// SHA-256 of the bytes handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The address cannot be reached since something came back from it; said where messages are listed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dead: bool,
    /// To an alternate contact, because nobody else was reached.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alternate: bool,
}

/// Something that will end later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeaseRow {
    pub run: RunId,
    pub lane: LaneId,
    pub step: String,
    pub asset: Option<String>,
    pub ends_ms: i64,
    /// The runbook whose step opened it. Empty in rows from before it was said.
    #[serde(default)]
    pub runbook: String,
    /// The action that ends it (`hypervisor.snapshot-remove`). Empty in rows from before it was said.
    #[serde(default)]
    pub end: String,
    /// What it keeps off its asset.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<String>,
}

/// What a lane leaves beside its parent when it ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChildRecord {
    pub result: LaneResult,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The item that it worked on.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub item: Value,
    pub index: u32,
    /// What `collect` named.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub collect: Value,
    /// Results of a round's or call's steps (state and output), for `last` and `previous`.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub steps: Value,
}
