//! How long calls took that change or disturb something: what windows are fitted by.
//!
//! Not here: measuring (worker), and what is assumed without a history (policies).

use crate::Api;
use crate::authorize::{Action, Resource, Subject, authorize};
use crate::problem::Problem;
use hostler_core::fit::{Histories, History, history_document};
use hostler_ports::store::histories::{self, Kept};
use serde::{Deserialize, Serialize};

/// One action on one kind of asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DurationRow {
    pub action: String,
    /// Plugin and kind of asset: `guest-linux/virtual`.
    pub kind: String,
    pub runs: u32,
    pub p50_ms: u64,
    pub p95_ms: u64,
    pub max_ms: u64,
    #[serde(flatten)]
    pub history: History,
}

impl From<Kept> for DurationRow {
    fn from(kept: Kept) -> Self {
        let Kept {
            action,
            kind,
            history,
        } = kept;
        let quantile_ms = |percent| history.quantile_ms(percent).unwrap_or_default();
        Self {
            action,
            kind,
            runs: history.runs(),
            p50_ms: quantile_ms(50),
            p95_ms: quantile_ms(95),
            max_ms: history.longest_ms().unwrap_or_default(),
            history,
        }
    }
}

/// What was measured, by action and kind.
///
/// # Errors
/// `forbidden`, the store's.
pub async fn list(api: &Api, subject: &Subject) -> Result<Vec<DurationRow>, Problem> {
    authorize(subject, Action::ReadDurations, Resource::Realm).check(subject)?;
    let kept = histories::all(&*api.store).await?;
    Ok(kept.into_iter().map(DurationRow::from).collect())
}

/// The same as a forecast takes it.
#[must_use]
pub fn by_document(rows: Vec<DurationRow>) -> Histories {
    let named = |row: DurationRow| (history_document(&row.action, &row.kind), row.history);
    rows.into_iter().map(named).collect()
}
