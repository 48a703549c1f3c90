//! backup@1 on the practice estate.

use crate::remote::forwarded;
use hostler_sdk::Meta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecentInput {
    /// `24h`.
    max_age: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct RecentOutput {
    age_minutes: u64,
    ok: bool,
}

forwarded! {
    Recent: RecentInput => RecentOutput,
    Meta::read("backup.recent", "Is the newest good backup young enough?")
}
