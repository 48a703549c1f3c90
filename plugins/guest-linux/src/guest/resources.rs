//! How much room and load there is.

use crate::{said, scripts};
use hostler_sdk::{Action, Context, Meta, Outcome};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct ResourcesOutput {
    root_free_percent: u8,
    var_free_percent: u8,
    boot_free_percent: u8,
    memory_total_mib: u64,
    memory_available_mib: u64,
    swap_free_mib: u64,
    /// Load average of the last minute.
    load1: f64,
    cpus: u32,
    /// Seconds since the boot.
    uptime_s: u64,
}

pub struct Resources;

impl Action for Resources {
    type Input = Nothing;
    type Output = ResourcesOutput;
    const META: Meta =
        Meta::read("guest.resources", "How much room and load there is.").timeout_ms(120_000);

    fn perform(ctx: &mut Context<'_>, _input: Nothing) -> Outcome<ResourcesOutput> {
        said::finish(ctx, &scripts::RESOURCES, &json!({}))
    }
}
