//! A plan: a definition bound to inputs, targets and plugin digests; frozen at the start of a run.
//! Its digest is what approvers sign.
//!
//! Not here: looking anything up. A plan is made once and only read afterwards.

use crate::directory::{AssetId, Chosen, Directory};
use crate::duration;
use crate::duty::HandOff;
use crate::id::{Digest, RunId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

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

impl Starter {
    /// How a schedule starts runs (`via`).
    pub const SCHEDULE: &'static str = "schedule";

    /// Whether the person on whose behalf it is started answers for each of these assets, as `owner-of` means it.
    /// Never for no assets at all, and never for a schedule, whatever its name is.
    pub fn owns<'a>(
        &self,
        directory: &dyn Directory,
        assets: impl IntoIterator<Item = &'a AssetId>,
    ) -> bool {
        let mut assets = assets.into_iter().peekable();
        self.via != Self::SCHEDULE
            && assets.peek().is_some()
            && assets.all(|asset| directory.holds(&self.who, &format!("owner-of:{asset}")))
    }
}

/// When a window opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowRule {
    /// `daily`, `sunday`, `second tuesday`, …
    pub when: String,
    /// Local time in `zone`.
    pub at: String,
    pub lasts_ms: u64,
    /// IANA zone.
    pub zone: String,
}

impl WindowRule {
    /// What the present estate says about a window. None: it has no such window.
    #[must_use]
    pub fn of(directory: &dyn Directory, window: &str) -> Option<Self> {
        // The record has these fields beside its id; one that lacks them is no rule.
        serde_json::from_value(directory.window(window)?).ok()
    }
}

impl fmt::Display for WindowRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lasts = duration::write_ms(self.lasts_ms);
        let Self { when, at, zone, .. } = self;
        write!(f, "{when} at {at} for {lasts} ({zone})")
    }
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
    /// The windows of its assets and inputs by name, each once, with the rule by which it opens. Empty in plans
    /// from before they were kept.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub windows: BTreeMap<String, WindowRule>,
    /// Digests of the connections that its routes name ([`crate::directory::Connection::digest`]). Empty in older plans.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub connections: BTreeMap<String, Digest>,
    /// Digest of the policies under which it was made; none: there were none, or the plan is older.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<Digest>,
    /// Amounts that the policies said when it was made, in cents, as far as its runbooks compare with them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub spend: BTreeMap<String, u64>,
    /// What inputs were chosen from lists, by input.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub chosen: BTreeMap<String, Chosen>,
    /// The starter answered for each of the assets when it was made ([`Starter::owns`]). False in older plans.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub requester_owns: bool,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_from_before_windows_were_kept_reads_back_with_its_digest() {
        let zeros = "0".repeat(64);
        let run = uuid::Uuid::nil();
        let text = format!(
            r#"{{"format":1,"run":"{run}","definition":"{zeros}","runbook":"touch","version":1,"starter":{{"who":"olga","via":"cli","reason":null}},"started_ms":5,"inputs":{{}},"assets":{{}},"routes":{{}},"ambient":{{}},"limits":{{}},"plugins":{{}}}}"#
        );
        let plan: Plan = serde_json::from_str(&text).unwrap();
        assert_eq!(plan.to_json(), text);
        assert!(plan.windows.is_empty() && plan.connections.is_empty() && plan.policies.is_none());
        assert!(!plan.requester_owns);
    }
}
