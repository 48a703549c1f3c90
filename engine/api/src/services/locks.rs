//! Who holds an asset or a connection, and who waits for it.

use crate::Api;
use crate::authorize::{Action, Resource, Subject, authorize};
use crate::problem::Problem;
use hostler_core::id::LaneId;
use serde::{Deserialize, Serialize};

/// Most names that one list looks up.
const LOOK_UPS_MAX: usize = 2_000;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockRow {
    /// `asset:web1`, `slot:vcenter1`.
    pub key: String,
    pub capacity: u32,
    /// Lane and since when, in milliseconds.
    pub holders: Vec<(LaneId, i64)>,
    /// In their order.
    pub waiters: Vec<LaneId>,
}

/// # Errors
/// `forbidden`, the store's.
pub async fn show(api: &Api, subject: &Subject, key: &str) -> Result<LockRow, Problem> {
    authorize(subject, Action::ReadLocks, Resource::Realm).check(subject)?;
    read(api, key.to_owned()).await
}

/// What is held or waited for: of all assets and connections of the estate.
///
/// # Errors
/// `forbidden`, the store's.
pub async fn list(api: &Api, subject: &Subject) -> Result<Vec<LockRow>, Problem> {
    authorize(subject, Action::ReadLocks, Resource::Realm).check(subject)?;
    let connections = api.directory.connections();
    let slots = connections
        .iter()
        .map(|connection| format!("slot:{}", connection.name));
    let assets = api.directory.select("id=*").unwrap_or_default();
    let locks = assets.iter().map(|asset| format!("asset:{asset}"));
    let mut rows = Vec::new();
    for key in slots.chain(locks).take(LOOK_UPS_MAX) {
        let row = read(api, key).await?;
        if !row.holders.is_empty() || !row.waiters.is_empty() {
            rows.push(row);
        }
    }
    Ok(rows)
}

async fn read(api: &Api, key: String) -> Result<LockRow, Problem> {
    let view = api.store.resource(&key).await?;
    Ok(LockRow {
        key,
        capacity: view.capacity,
        holders: view.holders,
        waiters: view.waiters,
    })
}
