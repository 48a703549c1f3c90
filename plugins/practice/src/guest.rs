//! guest@1 on the practice estate.

use crate::remote::{Nothing, forwarded};
use hostler_sdk::Meta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FingerprintInput {
    /// Digest of an earlier fingerprint; a difference is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    compare: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct FingerprintOutput {
    digest: String,
    listening: Vec<String>,
    kernel: String,
    failed_units: Vec<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    Stop,
    Start,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HookInput {
    hook: Which,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RebootInput {
    /// Size that a disk must have afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expect_gib: Option<u32>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct RebootOutput {
    boot_id: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct ResourcesOutput {
    root_free_percent: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memory_available_mib: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    load1: Option<f64>,
}

const MINUTE_MS: u64 = 60_000;

forwarded! {
    Fingerprint: FingerprintInput => FingerprintOutput,
    Meta::read("guest.fingerprint", "What listens and what has failed?").timeout_ms(2 * MINUTE_MS)
}
forwarded! {
    Hook: HookInput => Nothing,
    Meta::repeatable("guest.hook", "Runs the owner's stop or start hook.").outage().timeout_ms(10 * MINUTE_MS)
}
forwarded! {
    Reboot: RebootInput => RebootOutput,
    Meta::once("guest.reboot", "Reboots and waits until the host is back.").outage().timeout_ms(30 * MINUTE_MS)
}
forwarded! {
    Resources: Nothing => ResourcesOutput,
    Meta::read("guest.resources", "Disk, memory and load.").timeout_ms(2 * MINUTE_MS)
}
