//! monitor@1 on the practice estate.

use crate::remote::{Nothing, forwarded};
use hostler_sdk::Meta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SilenceInput {
    /// How long at most: `90m`.
    #[serde(rename = "for")]
    lasts: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct SilenceOutput {
    silence: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnsilenceInput {
    /// Only this one; without it those of this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    silence: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct HealthyOutput {
    healthy: bool,
    detail: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeInput {
    #[serde(default = "one")]
    vantages: u8,
}

fn one() -> u8 {
    1
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct ProbeOutput {
    up: bool,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SweepInput {
    /// Ids of assets.
    targets: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct SweepOutput {
    down: Vec<String>,
}

const MINUTE_MS: u64 = 60_000;

forwarded! {
    Silence: SilenceInput => SilenceOutput,
    Meta::repeatable("monitor.silence", "Silences the asset's alerts.").inverse("monitor.unsilence")
}
forwarded! {
    Unsilence: UnsilenceInput => Nothing,
    Meta::repeatable("monitor.unsilence", "Ends a silence.")
}
forwarded! {
    Healthy: Nothing => HealthyOutput,
    Meta::read("monitor.healthy", "Does the monitoring see the asset healthy?")
}
forwarded! {
    Probe: ProbeInput => ProbeOutput,
    Meta::read("monitor.probe", "Does the asset answer?").timeout_ms(2 * MINUTE_MS)
}
forwarded! {
    Sweep: SweepInput => SweepOutput,
    Meta::read("monitor.sweep", "Which of these do not answer?").without_asset().timeout_ms(5 * MINUTE_MS)
}
