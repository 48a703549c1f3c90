//! compute@1 on the practice estate.

use crate::remote::{Nothing, forwarded};
use hostler_sdk::Meta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct SnapshotOutput {
    id: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SnapshotDeleteInput {
    /// Only this one; without it those that this run took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevertInput {
    snapshot: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiskInfoInput {
    disk: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to_gib: Option<u32>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct DiskInfoOutput {
    size_gib: f64,
    online: bool,
    snapshots: u32,
    blockers: Vec<String>,
}

const MINUTE_MS: u64 = 60_000;

forwarded! {
    Snapshot: Nothing => SnapshotOutput,
    Meta::repeatable("compute.snapshot", "Takes a snapshot.")
        .inverse("compute.snapshot-delete").timeout_ms(15 * MINUTE_MS)
}
forwarded! {
    SnapshotDelete: SnapshotDeleteInput => Nothing,
    Meta::repeatable("compute.snapshot-delete", "Deletes a snapshot.").timeout_ms(60 * MINUTE_MS)
}
forwarded! {
    Revert: RevertInput => Nothing,
    Meta::once("compute.revert", "Goes back to a snapshot.").outage().timeout_ms(60 * MINUTE_MS)
}
forwarded! {
    DiskInfo: DiskInfoInput => DiskInfoOutput,
    Meta::read("compute.disk-info", "A disk, and what stands against growing it.").timeout_ms(2 * MINUTE_MS)
}
