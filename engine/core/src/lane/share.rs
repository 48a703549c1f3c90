//! What a customer has been told about its share of an `each`, and what of that may no longer be so.
//!
//! Not here: what the difference is, which is read from what was announced (see `mail`).

use crate::directory::PersonId;
use crate::id::LaneId;
use serde::{Deserialize, Serialize};

/// Changes of one announcement that come this soon after each other are told in one message.
pub const CHANGE_SETTLES_MS: i64 = 10 * 60_000;

/// Most messages on how it goes that one customer gets of one `each`: two days, one every hour.
pub const PROGRESS_MAX: u32 = 48;

/// Where a customer stands in the messages on how announced work goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rolling {
    /// Of the newest of them, from 1; 0: none was sent yet.
    #[serde(default, skip_serializing_if = "is_first")]
    pub number: u32,
    /// The next one is due then; none: no other comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_ms: Option<i64>,
}

/// When announced work happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    pub starts_ms: i64,
    /// The first instant after it, as far as it is known.
    pub ends_ms: i64,
}

impl Slot {
    #[must_use]
    pub fn covers(&self, at_ms: i64) -> bool {
        self.starts_ms <= at_ms && at_ms < self.ends_ms
    }
}

/// What a customer has been told about its share of an `each` with notices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerShare {
    pub left: u32,
    /// Something of theirs has begun to change.
    pub started: bool,
    pub told_end: bool,
    /// Items that ended well: without one, nothing was completed.
    #[serde(default)]
    pub done: u32,
    /// The slot that was announced; none: nobody could say when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<Slot>,
    /// Of the announcement, from 0; rises with each change that is told.
    #[serde(default, skip_serializing_if = "is_first")]
    pub revision: u32,
    /// Since when something may differ from what was announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_ms: Option<i64>,
    /// A reminder of the slot is due then; none: none is wanted, or it is on its way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_ms: Option<i64>,
    /// How far the messages on how it goes are; none: none are wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolling: Option<Rolling>,
    /// Nobody there was reached, and alternate contacts were told: nobody else is after them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fell_back: bool,
}

/// None of those who have a customer's notices was reached: who was told instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FellBack {
    pub customer: String,
    /// Ids of alternate contacts; empty: none of them can be reached either.
    pub to: Vec<PersonId>,
    pub at_ms: i64,
}

// serde hands over a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
pub(crate) fn is_first(revision: &u32) -> bool {
    *revision == 0
}

impl CustomerShare {
    /// What was announced is compared with what is so now.
    #[must_use]
    pub fn is_compared(&self, at_ms: i64) -> bool {
        let settled = |since: i64| since.saturating_add(CHANGE_SETTLES_MS) <= at_ms;
        !self.told_end && self.left > 0 && self.stale_ms.is_some_and(settled)
    }

    /// The people who have the announcement are reminded of it: not while it may be wrong, and not once it began.
    #[must_use]
    pub fn is_reminded(&self, at_ms: i64) -> bool {
        let ahead = self.slot.is_some_and(|slot| slot.starts_ms > at_ms);
        self.may_remind() && ahead && self.remind_ms.is_some_and(|due_ms| due_ms <= at_ms)
    }

    /// Alternate contacts may still be told of it: once, and as long as something is ahead.
    #[must_use]
    pub fn may_fall_back(&self) -> bool {
        !self.fell_back && !self.told_end && self.left > 0
    }

    /// When the share is looked at next.
    #[must_use]
    pub fn next_ms(&self) -> Option<i64> {
        if self.told_end || self.left == 0 {
            return None;
        }
        let of_slot_ms = match self.stale_ms {
            Some(since_ms) => Some(since_ms.saturating_add(CHANGE_SETTLES_MS)),
            None => self.remind_ms.filter(|_| self.may_remind()),
        };
        of_slot_ms.into_iter().chain(self.progress_ms()).min()
    }

    /// The people who have the announcement hear now how it goes.
    #[must_use]
    pub fn hears_progress(&self, at_ms: i64) -> bool {
        self.progress_ms().is_some_and(|due_ms| due_ms <= at_ms)
    }

    fn progress_ms(&self) -> Option<i64> {
        let goes_on = !self.told_end && self.left > 0;
        self.rolling.filter(|_| goes_on)?.next_ms
    }

    fn may_remind(&self) -> bool {
        !self.told_end && !self.started && self.left > 0 && self.stale_ms.is_none()
    }
}

/// What a child tells about announced work: a gate holds it, or it has begun to change something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildMove {
    pub key: String,
    pub lane: LaneId,
    pub iteration: u32,
    /// It is held until then; none: it has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_ms: Option<i64>,
}
