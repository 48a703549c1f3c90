//! Children as events name them.
//!
//! Not here: what their parent knows of them.

use crate::id::LaneId;
use crate::result::LaneResult;
use serde::{Deserialize, Serialize};

/// A child that was admitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admitted {
    pub index: u32,
    pub key: String,
    pub lane: LaneId,
    pub iteration: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}

/// A child that ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildEnd {
    pub key: String,
    pub lane: LaneId,
    pub iteration: u32,
    pub result: LaneResult,
    /// It left something that can still be taken back.
    #[serde(default)]
    pub open_undo: bool,
}
