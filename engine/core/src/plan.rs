//! A plan: a definition bound to inputs, targets and plugin digests; frozen at the start of a run.
//! Its digest is what approvers sign.
//!
//! Not here: looking anything up. A plan is made once and only read afterwards.

use crate::duty::HandOff;
use crate::id::{Digest, RunId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

pub use crate::directory::Route;

/// Who or what started a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Starter {
    /// Id of the person, or the name of the schedule.
    pub who: String,
    /// `cli`, `api`, `schedule`, `runbook`.
    pub via: String,
    pub reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Rises when this shape changes; older ones stay readable.
    pub format: u32,
    pub run: RunId,
    /// Blob of the `Definition`.
    pub definition: Digest,
    pub runbook: String,
    pub version: u32,
    pub starter: Starter,
    pub started_ms: i64,
    /// Selectors are already lists of asset ids here.
    pub inputs: Value,
    /// Records of all assets that the run may touch, without credentials.
    pub assets: BTreeMap<String, Value>,
    /// asset → contract → route.
    pub routes: BTreeMap<String, BTreeMap<String, Route>>,
    /// Routes of contracts that need no asset.
    pub ambient: BTreeMap<String, Route>,
    /// Most calls at the same time, by connection.
    pub limits: BTreeMap<String, u32>,
    /// Definitions of runbooks that it calls, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub calls: BTreeMap<String, Digest>,
    /// Components by plugin name, pinned.
    pub plugins: BTreeMap<String, Digest>,
    /// Steps that others do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hand_offs: Vec<HandOff>,
    /// The ended run that this one repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<RunId>,
}

impl Plan {
    /// Version of the shape above.
    pub const FORMAT: u32 = 1;

    /// Digest over the canonical JSON (maps are sorted).
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.to_json().as_bytes())
    }

    #[must_use]
    pub fn to_json(&self) -> String {
        // Serialising plain data with string keys cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The route of an action for an asset.
    #[must_use]
    pub fn route(&self, asset: Option<&str>, action: &str) -> Option<&Route> {
        let contract = action.split('.').next()?;
        match asset {
            Some(asset) => self.routes.get(asset)?.get(contract),
            None => self.ambient.get(contract),
        }
    }
}
