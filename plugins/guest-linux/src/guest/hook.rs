//! Runs the stop or start hook that the owner of the service has put on the server.

use crate::{said, scripts};
use hostler_sdk::{Action, Call, Context, Meta, Outcome};
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

/// What the estate's record says of its hooks.
#[derive(Default, Deserialize)]
struct Record {
    #[serde(default)]
    hooks: Hooks,
}

#[derive(Default, Deserialize)]
struct Hooks {
    stop: Option<String>,
    start: Option<String>,
}

pub struct Hook;

impl Action for Hook {
    type Input = HookInput;
    type Output = Nothing;
    const META: Meta = Meta::repeatable("guest.hook", "Runs the service's stop or start hook.")
        .outage()
        .timeout_ms(600_000);

    fn perform(ctx: &mut Context<'_>, input: HookInput) -> Outcome<Nothing> {
        let path = path(ctx.call, &input.hook);
        said::finish(
            ctx,
            &scripts::HOOK,
            &json!({ "hook": input.hook, "path": path }),
        )
    }
}

/// The hook of the asset's record (`hooks: { stop: /etc/hostler/stop }`), else the usual place.
fn path(call: &Call, which: &Which) -> String {
    let hooks = call.asset::<Record>().unwrap_or_default().hooks;
    let (named, usual) = match which {
        Which::Stop => (hooks.stop, "/etc/hostler/stop"),
        Which::Start => (hooks.start, "/etc/hostler/start"),
    };
    named.unwrap_or_else(|| usual.to_owned())
}
