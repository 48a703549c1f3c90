//! What a lane knows of its children: counts and the live ones, never the ended ones.

use super::CustomerShare;
use crate::deferral::PutOff;
use crate::id::{Digest, LaneId};
use crate::result::LaneResult;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// One entry of the list that an `each` goes over. The list is a blob; a lane keeps its digest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub key: String,
    pub value: Value,
    /// `attribute=value` for every attribute that limits, stops or notices look at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}

impl Item {
    #[must_use]
    pub fn group(&self, attribute: &str) -> Option<&str> {
        group_of(&self.groups, attribute)
    }
}

/// `value` of the entry `attribute=value`.
#[must_use]
pub fn group_of<'a>(groups: &'a [String], attribute: &str) -> Option<&'a str> {
    groups
        .iter()
        .find_map(|group| group.strip_prefix(attribute)?.strip_prefix('='))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChildrenKind {
    Each,
    Rounds,
    Call,
    /// One lane that takes back what an ended child left open.
    Undo,
}

/// Items of a wave are contiguous in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaveRange {
    pub name: String,
    pub from: u32,
    pub to: u32,
    pub soak_ms: u64,
    /// Its first item is not admitted before then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_ms: Option<i64>,
    /// Windows that pass without its items count from when it is the next.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub counts_windows: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    pub lane: LaneId,
    pub index: u32,
    pub iteration: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// It has begun to change something of what was announced.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub began: bool,
    /// A gate holds it until then, as it said last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_ms: Option<i64>,
}

/// An item that was put off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    pub key: String,
    pub put_off: PutOff,
    /// Its time has come and it was admitted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub back: bool,
}

/// How many ended how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tally(pub BTreeMap<LaneResult, u32>);

impl Tally {
    pub fn add(&mut self, result: LaneResult) {
        *self.0.entry(result).or_default() += 1;
    }

    pub fn remove(&mut self, result: LaneResult) {
        if let Some(count) = self.0.get_mut(&result) {
            *count = count.saturating_sub(1);
        }
    }

    #[must_use]
    pub fn total(&self) -> u32 {
        self.0.values().sum()
    }

    #[must_use]
    pub fn failures(&self) -> u32 {
        self.count(LaneResult::is_failure)
    }

    #[must_use]
    pub fn count(&self, which: impl Fn(LaneResult) -> bool) -> u32 {
        self.0
            .iter()
            .filter(|(result, _)| which(**result))
            .map(|(_, count)| count)
            .sum()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Children {
    pub kind: ChildrenKind,
    /// Blob of `Vec<Item>`; for a call the blob of its `Plan`; none for rounds and undo.
    pub items: Option<Digest>,
    pub total: u32,
    pub waves: Vec<WaveRange>,
    /// Index into `waves`.
    pub wave: u16,
    /// Index of the next item never looked at.
    pub next: u32,
    /// Items passed over because their group was full, in order.
    pub passed: Vec<u32>,
    /// Failed items to be admitted anew, even while admission is stopped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub again: Vec<u32>,
    /// Items whose customer has put them off, by index. While they wait for their time they take nobody's place: they
    /// are admitted behind it, also where their wave is long through.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub put_off: BTreeMap<u32, SetAside>,
    /// By key.
    pub live: BTreeMap<String, Live>,
    pub tally: Tally,
    pub wave_tally: Tally,
    pub failed_in_row: u32,
    pub good_in_row: u32,
    /// Iteration of items that were opened anew, by index.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub iterations: BTreeMap<u32, u32>,
    /// Failures per `attribute=value`, for attributes that `stop_at` names.
    pub failed_per: BTreeMap<String, u32>,
    /// No more are admitted: why.
    pub stopped: Option<String>,
    /// The wave is through and soaks until then.
    pub soak_until_ms: Option<i64>,
    /// The wave is through and its gate has not been looked at.
    pub gate_due: bool,
    /// Rounds: number of the newest, from 1.
    pub round: u32,
    /// Rounds: when the next one begins. Waves: when the present one opens, while it is waited for.
    pub next_round_ms: Option<i64>,
    pub began_ms: i64,
    /// When the present wave was the next, if windows that pass without it count; none: with the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wave_began_ms: Option<i64>,
    /// Rounds and calls: ended children with something left to take back.
    pub open_undo: Vec<LaneId>,
    /// How the newest round or call ended.
    pub last: Option<LaneResult>,
    /// Customers of the items: how many of theirs have not ended; 0 is told "completed".
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub customers: BTreeMap<String, CustomerShare>,
    /// When the shares are looked at next: a reminder or a word on how it goes is due, or a change has settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shares_ms: Option<i64>,
}

impl Children {
    #[must_use]
    pub fn new(kind: ChildrenKind, began_ms: i64) -> Self {
        Self {
            kind,
            items: None,
            total: 0,
            waves: Vec::new(),
            wave: 0,
            next: 0,
            passed: Vec::new(),
            again: Vec::new(),
            put_off: BTreeMap::new(),
            live: BTreeMap::new(),
            tally: Tally::default(),
            wave_tally: Tally::default(),
            failed_in_row: 0,
            good_in_row: 0,
            iterations: BTreeMap::new(),
            failed_per: BTreeMap::new(),
            stopped: None,
            soak_until_ms: None,
            gate_due: false,
            round: 0,
            next_round_ms: None,
            began_ms,
            wave_began_ms: None,
            open_undo: Vec::new(),
            last: None,
            customers: BTreeMap::new(),
            shares_ms: None,
        }
    }

    #[must_use]
    pub fn present_wave(&self) -> Option<&WaveRange> {
        self.waves.get(usize::from(self.wave))
    }

    /// When the present wave opens, if none of it was looked at yet and that is still ahead.
    #[must_use]
    pub fn opens_ms(&self, at_ms: i64) -> Option<i64> {
        let wave = self.present_wave()?;
        let untouched = self.next <= wave.from && wave.from < wave.to;
        wave.opens_ms
            .filter(|opens_ms| untouched && *opens_ms > at_ms)
    }

    /// The item waits for the time until which it was put off, or its lane is about to end for that.
    #[must_use]
    pub fn set_aside(&self, index: u32) -> Option<&PutOff> {
        let item = self.put_off.get(&index).filter(|item| !item.back);
        item.map(|item| &item.put_off)
    }

    /// It is not admitted yet.
    #[must_use]
    pub fn is_put_off(&self, index: u32, at_ms: i64) -> bool {
        let put_off = self.set_aside(index);
        put_off.is_some_and(|put_off| put_off.until_ms > at_ms)
    }

    /// Items that were put off and have no lane, in their order.
    fn waiting(&self) -> impl Iterator<Item = (u32, &PutOff)> {
        let waits =
            |(_, item): &(&u32, &SetAside)| !item.back && !self.live.contains_key(&item.key);
        let waiting = self.put_off.iter().filter(waits);
        waiting.map(|(index, item)| (*index, &item.put_off))
    }

    /// Items that were passed over because they were put off, and whose time has come.
    pub fn put_off_due(&self, at_ms: i64) -> impl Iterator<Item = u32> {
        let due = self.waiting().filter(move |(index, put_off)| {
            put_off.until_ms <= at_ms && *index < self.next && !self.passed.contains(index)
        });
        due.map(|(index, _)| index)
    }

    /// When the next of them comes that still has to wait.
    #[must_use]
    pub fn put_off_until_ms(&self, at_ms: i64) -> Option<i64> {
        let ahead = self.waiting().map(|(_, put_off)| put_off.until_ms);
        ahead.filter(|until_ms| *until_ms > at_ms).min()
    }

    /// No wave comes behind the present one, and items that were put off are still to come.
    #[must_use]
    pub fn waits_for_put_off(&self) -> bool {
        let is_last = usize::from(self.wave) + 1 >= self.waves.len();
        is_last && self.waiting().next().is_some()
    }

    /// All items of the present wave were admitted and have ended.
    #[must_use]
    pub fn wave_is_through(&self) -> bool {
        let end = self.present_wave().map_or(self.total, |wave| wave.to);
        self.live.is_empty() && self.passed.is_empty() && self.again.is_empty() && self.next >= end
    }
}
