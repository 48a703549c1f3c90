//! Further slots that people give to an item that has missed as many windows as its runbook lets it wait for.
//!
//! Not here: which window comes next (the gates of workers), and what else people may choose (`decide`).

use serde::{Deserialize, Serialize};

/// Most further slots that people give one item: half a year of monthly windows. Then it is held.
pub const SLOTS_MAX: u32 = 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// How many were given so far, at least 1.
    pub times: u32,
    /// When the newest one was: the first window that opens behind that instant is the slot.
    pub at_ms: i64,
}

impl Granted {
    #[must_use]
    pub fn one_more(known: Option<Self>, at_ms: i64) -> Self {
        let times = known.map_or(0, |known| known.times).saturating_add(1);
        Self { times, at_ms }
    }
}
