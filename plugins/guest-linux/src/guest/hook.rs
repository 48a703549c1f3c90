//! Runs the stop or start hook that the owner of the service has put on the server.

use crate::{said, scripts};
use hostler_sdk::{Action, Context, Meta, Outcome};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    Stop,
    Start,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HookInput {
    hook: Which,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

pub struct Hook;

impl Action for Hook {
    type Input = HookInput;
    type Output = Nothing;
    const META: Meta = Meta::repeatable("guest.hook", "Runs the service's stop or start hook.").outage().timeout_ms(600_000);

    fn perform(ctx: &mut Context<'_>, input: HookInput) -> Outcome<Nothing> {
        said::finish(ctx, &scripts::HOOK, &json!({ "hook": input.hook }))
    }
}
