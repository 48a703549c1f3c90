//! The circumstances of one call.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One endpoint that this call may reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The name to use in host calls; `target` is the asset's own connection.
    pub handle: String,
    pub connection: String,
    pub address: Option<String>,
    /// What the asset is called there.
    pub reference: Option<String>,
}

/// What an action knows about the call that it serves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    pub action: String,
    /// The asset's record as JSON text: most actions read a field or two.
    pub asset: String,
    pub grants: Vec<Grant>,
    pub run: String,
    pub lane: String,
    pub step: String,
    /// 1 for the first.
    pub attempt: u32,
    /// The same on every attempt of the step.
    pub idempotency_key: String,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub now_ms: i64,
    pub deadline_ms: i64,
    pub dry_run: bool,
    /// Chance that repeats with the step.
    pub seed: u64,
}

impl Call {
    /// The asset's record in a shape of the plugin's own.
    ///
    /// # Errors
    /// When the record does not have that shape; the text names the field.
    pub fn asset<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.asset)
    }

    /// One top-level text of the asset's record.
    #[must_use]
    pub fn asset_text(&self, field: &str) -> Option<String> {
        let record: Value = serde_json::from_str(&self.asset).ok()?;
        record.get(field)?.as_str().map(str::to_owned)
    }

    #[must_use]
    pub fn grant(&self, handle: &str) -> Option<&Grant> {
        self.grants.iter().find(|grant| grant.handle == handle)
    }

    /// Milliseconds left until the call is cut off, by the time at which it began.
    #[must_use]
    pub fn budget_ms(&self) -> u64 {
        u64::try_from(self.deadline_ms.saturating_sub(self.now_ms)).unwrap_or(0)
    }
}
