//! The records that lie in the ordered map, and the transaction that caches them.
//!
//! Not here: any rule. A verb changes records through `Tx`; `Tx::flush` writes what changed.

use super::keys;
use super::kv::KvMut;
use crate::store::generation::Generation;
use crate::store::{Header, Priority, Queue, StoreError, StoreResult};
use hostler_core::id::{Digest, LaneId, RunId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Counters of the realm.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    pub format: u32,
    /// Commits so far.
    pub seq: u64,
    /// Claims so far: the first half of a fence.
    pub epoch: u64,
    /// Order of becoming ready.
    pub ready_number: u64,
    pub ticket: u64,
    pub ledger: u64,
    /// First entry of the ledger that was not trimmed.
    #[serde(default)]
    pub ledger_first: u64,
    pub ready: u64,
    pub leased: u64,
    pub timers: u64,
    pub last_tick_ms: Option<i64>,
    /// No lease is reclaimed before this instant.
    pub hold_until_ms: i64,
    #[serde(default)]
    pub generation: Generation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    Ready,
    Leased,
    Parked,
    Shelved,
    Ended,
    /// Ended, and its log is gone: only this record is left.
    Purged,
}

/// Place of a lane in wait lists: the same on all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    pub number: u64,
    pub priority: Priority,
    pub resources: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lane {
    pub run: RunId,
    pub queue: Queue,
    pub priority: Priority,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parent: Option<LaneId>,
    pub version: u64,
    pub state: State,
    /// Rung while it was leased.
    pub dirty: bool,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fence: Option<String>,
    pub expires_ms: i64,
    pub in_call: bool,
    pub strikes: u32,
    pub created_ms: i64,
    pub updated_ms: i64,
    /// First unread letter, and the number that the next one gets.
    pub inbox_from: u64,
    pub inbox_to: u64,
    pub children: u64,
    /// Its place in the feed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fed: Option<(u64, u32)>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub holds: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ticket: Option<Ticket>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub watches: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub timers: BTreeMap<String, i64>,
}

impl Lane {
    #[must_use]
    pub fn ended(&self) -> bool {
        matches!(self.state, State::Ended | State::Purged)
    }

    #[must_use]
    pub fn header(&self, lane: LaneId, summary: String) -> Header {
        Header {
            lane,
            run: self.run,
            queue: self.queue,
            priority: self.priority,
            parent: self.parent,
            version: self.version,
            ended: self.ended(),
            summary,
            created_ms: self.created_ms,
            updated_ms: self.updated_ms,
        }
    }
}

/// What a run leaves behind for good.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    pub body: Digest,
    pub root: LaneId,
    pub summary: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub archive: Option<Digest>,
}

pub fn decode<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> StoreResult<T> {
    serde_json::from_slice(bytes).map_err(|error| StoreError::Corrupt(format!("{what}: {error}")))
}

pub fn encode<T: Serialize>(what: &str, value: &T) -> StoreResult<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| StoreError::Corrupt(format!("{what}: {error}")))
}

pub fn text(what: &str, bytes: Vec<u8>) -> StoreResult<String> {
    String::from_utf8(bytes).map_err(|_| StoreError::Corrupt(format!("{what}: not UTF-8")))
}

/// Eight bytes in big-endian order at the front of a value.
pub fn number(what: &str, bytes: &[u8]) -> StoreResult<u64> {
    let first = bytes
        .get(..8)
        .and_then(|eight| eight.try_into().ok())
        .map(u64::from_be_bytes);
    first.ok_or_else(|| StoreError::Corrupt(format!("{what}: too short")))
}

/// One call of a verb: the map, the store's time, and the records touched so far.
pub struct Tx<'a> {
    pub kv: &'a mut dyn KvMut,
    pub now_ms: i64,
    pub meta: Meta,
    lanes: BTreeMap<LaneId, Lane>,
    before: Meta,
    /// A lane became ready: whoever waits for one may try.
    pub woke: bool,
    /// Entries that this call has put into the feed.
    pub fed: u32,
}

impl<'a> Tx<'a> {
    pub fn begin(kv: &'a mut dyn KvMut, now_ms: i64) -> StoreResult<Self> {
        let meta = match kv.get(keys::META)? {
            Some(bytes) => decode::<Meta>("meta", &bytes)?,
            None => Meta {
                format: keys::FORMAT,
                ..Meta::default()
            },
        };
        if meta.format != keys::FORMAT {
            return Err(StoreError::Corrupt(format!(
                "format {}, this version reads {}: use the version that wrote it",
                meta.format,
                keys::FORMAT
            )));
        }
        let before = meta.clone();
        Ok(Self {
            kv,
            now_ms,
            meta,
            lanes: BTreeMap::new(),
            before,
            woke: false,
            fed: 0,
        })
    }

    pub fn lane(&mut self, id: LaneId) -> StoreResult<Option<&mut Lane>> {
        if !self.lanes.contains_key(&id) {
            let Some(bytes) = self.kv.get(&keys::lane(id))? else {
                return Ok(None);
            };
            self.lanes.insert(id, decode("lane", &bytes)?);
        }
        Ok(self.lanes.get_mut(&id))
    }

    /// A lane that the caller knows to exist.
    pub fn known(&mut self, id: LaneId) -> StoreResult<&mut Lane> {
        self.lane(id)?
            .ok_or_else(|| StoreError::Corrupt(format!("lane {id} is named but absent")))
    }

    pub fn insert(&mut self, id: LaneId, lane: Lane) {
        self.lanes.insert(id, lane);
    }

    /// Forgets a lane for good.
    pub fn forget(&mut self, id: LaneId) {
        self.lanes.remove(&id);
        self.kv.delete(&keys::lane(id));
    }

    /// Writes the changed records. A verb that fails is never flushed.
    pub fn flush(mut self) -> StoreResult<bool> {
        for (id, lane) in std::mem::take(&mut self.lanes) {
            self.kv.put(keys::lane(id), encode("lane", &lane)?);
        }
        if self.meta != self.before {
            let bytes = encode("meta", &self.meta)?;
            self.kv.put(keys::META.to_vec(), bytes);
        }
        Ok(self.woke)
    }
}
