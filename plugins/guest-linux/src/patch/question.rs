//! The questions of guest-patch@1: they change no package.

use super::{QUESTION_TIMEOUT_MS, SetInput};
use crate::{said, scripts};
use hostler_sdk::{Action, Context, Meta, Outcome};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScanInput {
    /// Only security updates, with what they need.
    #[serde(default = "yes")]
    security_only: bool,
    /// Only what cures one of these, if the package sources say so.
    #[serde(default)]
    cve: Vec<String>,
    /// Days after which a waiting update counts as past its deadline.
    #[serde(default = "deadline_days")]
    deadline_days: u32,
}

fn yes() -> bool {
    true
}

fn deadline_days() -> u32 {
    30
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Package {
    name: String,
    from: String,
    to: String,
    security: bool,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct ScanOutput {
    set: String,
    count: u32,
    packages: Vec<Package>,
    held: Vec<String>,
    reboot: bool,
    security: u32,
    past_deadline: u32,
    cve: Vec<String>,
}

pub struct Scan;

impl Action for Scan {
    type Input = ScanInput;
    type Output = ScanOutput;
    const META: Meta =
        Meta::read("guest-patch.scan", "What the server needs.").timeout_ms(QUESTION_TIMEOUT_MS);

    fn perform(ctx: &mut Context<'_>, input: ScanInput) -> Outcome<ScanOutput> {
        let arguments = json!({ "security_only": input.security_only, "cve": input.cve, "deadline_days": input.deadline_days });
        said::finish(ctx, &scripts::SCAN, &arguments)
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct FreeMib {
    root: u64,
    var: u64,
    boot: u64,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct PreflightOutput {
    ok: bool,
    free_mib: FreeMib,
    lock: bool,
    broken: bool,
    held: Vec<String>,
}

pub struct Preflight;

impl Action for Preflight {
    type Input = SetInput;
    type Output = PreflightOutput;
    const META: Meta = Meta::read(
        "guest-patch.preflight",
        "Whether the set can be applied now.",
    )
    .timeout_ms(QUESTION_TIMEOUT_MS);

    fn perform(ctx: &mut Context<'_>, input: SetInput) -> Outcome<PreflightOutput> {
        said::finish(ctx, &scripts::PREFLIGHT, &json!({ "set": input.set }))
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct AutoUpdateOutput {
    off: bool,
    what: Vec<String>,
}

pub struct AutoUpdateOff;

impl Action for AutoUpdateOff {
    type Input = Nothing;
    type Output = AutoUpdateOutput;
    const META: Meta = Meta::read(
        "guest-patch.auto-update-off",
        "Whether the server changes its packages by itself.",
    )
    .timeout_ms(120_000);

    fn perform(ctx: &mut Context<'_>, _input: Nothing) -> Outcome<AutoUpdateOutput> {
        said::finish(ctx, &scripts::AUTO_UPDATE, &json!({}))
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Missing {
    name: String,
    want: String,
    /// Empty when it is not installed.
    have: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct VerifyOutput {
    ok: bool,
    missing: Vec<Missing>,
}

pub struct Verify;

impl Action for Verify {
    type Input = SetInput;
    type Output = VerifyOutput;
    const META: Meta = Meta::read(
        "guest-patch.verify",
        "Is every package of the set at its version?",
    )
    .timeout_ms(QUESTION_TIMEOUT_MS);

    fn perform(ctx: &mut Context<'_>, input: SetInput) -> Outcome<VerifyOutput> {
        said::finish(ctx, &scripts::VERIFY, &json!({ "set": input.set }))
    }
}
