//! Who owes a step: what the responsibilities say of it, and what of that an approval covers.
//!
//! Not here: the rows that decide (estate), and handing a step over (worker).

use serde::{Deserialize, Serialize};

/// A step, as the responsibilities look at it.
#[derive(Clone, Copy, Debug)]
pub struct Work<'a> {
    /// `guest.fs-grow`.
    pub action: &'a str,
    /// None: it is the realm's own.
    pub asset: Option<&'a str>,
    /// What the step says of itself: `customer`.
    pub duty: Option<&'a str>,
    pub class: &'a str,
    /// When somebody else would be asked to do it.
    pub from_ms: i64,
}

/// A step that is not the platform's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    /// `customer`, `network`, `security`, `finance`; `refuse`: nobody does it.
    pub by: String,
    /// As the policies tell it.
    pub reason: String,
    /// Who is asked to do it: `customer:chemistry`, `role:network`. Empty: nobody.
    pub asks: Vec<String>,
    /// The end of the time that they have; none: nobody knows a calendar that far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<i64>,
}

impl Owed {
    /// Nobody does it, whoever asks.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.by == REFUSE
    }
}

/// See [`Owed::by`].
pub const REFUSE: &str = "refuse";

/// Steps of a run that are handed to somebody else, as they were planned. Part of the plan, so it is shown and signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOff {
    pub action: String,
    /// See [`Owed::by`].
    pub by: String,
    pub reason: String,
    /// How many of the run's assets; 0: it is the realm's own.
    pub assets: u32,
}
