//! guest-patch@1 on the practice estate.

use crate::remote::{Nothing, forwarded};
use hostler_sdk::{Action, Context, Meta, Outcome, done};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScanInput {
    #[serde(default = "yes")]
    security_only: bool,
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
    /// `name=from>to`, sorted, joined by one blank.
    set: String,
    count: u32,
    packages: Vec<Package>,
    held: Vec<String>,
    reboot: bool,
    security: u32,
    past_deadline: u32,
    cve: Vec<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetInput {
    set: String,
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

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct AutoUpdateOutput {
    off: bool,
    what: Vec<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FreezeInput {
    set: String,
    /// Packages to leave out.
    #[serde(default)]
    without: Vec<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct FreezeOutput {
    set: String,
    count: usize,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reboot {
    IfNeeded,
    Always,
    Never,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyInput {
    set: String,
    reboot: Reboot,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Changed {
    name: String,
    from: String,
    to: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct ApplyOutput {
    changed: Vec<Changed>,
    rebooted: bool,
    reboot_needed: bool,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UndoInput {
    /// The set that was applied; without it the last one applied by this lane.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    set: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct UndoOutput {
    changed: Vec<Changed>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Missing {
    name: String,
    want: String,
    have: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct VerifyOutput {
    ok: bool,
    missing: Vec<Missing>,
}

const MINUTE_MS: u64 = 60_000;

forwarded! {
    Scan: ScanInput => ScanOutput,
    Meta::read("guest-patch.scan", "Which updates are waiting?").timeout_ms(5 * MINUTE_MS)
}
forwarded! {
    Preflight: SetInput => PreflightOutput,
    Meta::read("guest-patch.preflight", "Can the set be applied now?").timeout_ms(5 * MINUTE_MS)
}
forwarded! {
    AutoUpdateOff: Nothing => AutoUpdateOutput,
    Meta::read("guest-patch.auto-update-off", "Is nothing else updating the host?").timeout_ms(2 * MINUTE_MS)
}
forwarded! {
    Apply: ApplyInput => ApplyOutput,
    Meta::repeatable("guest-patch.apply", "Applies exactly the frozen set.")
        .outage().inverse("guest-patch.undo").timeout_ms(90 * MINUTE_MS)
}
forwarded! {
    Undo: UndoInput => UndoOutput,
    Meta::once("guest-patch.undo", "Puts the earlier versions back.").outage().timeout_ms(90 * MINUTE_MS)
}
forwarded! {
    Verify: SetInput => VerifyOutput,
    Meta::read("guest-patch.verify", "Is every package of the set there?").timeout_ms(5 * MINUTE_MS)
}

/// Leaves packages out of a set. The set is self-contained, so no server is asked.
pub struct Freeze;

impl Action for Freeze {
    type Input = FreezeInput;
    type Output = FreezeOutput;
    const META: Meta =
        Meta::repeatable("guest-patch.freeze", "Fixes the set that will be applied.")
            .without_impact()
            .timeout_ms(2 * MINUTE_MS);

    fn perform(_ctx: &mut Context<'_>, input: FreezeInput) -> Outcome<FreezeOutput> {
        let without: BTreeSet<&str> = input.without.iter().map(String::as_str).collect();
        let name = |item: &&str| item.split_once('=').map_or("", |(name, _)| name).to_owned();
        let kept: BTreeSet<&str> = input
            .set
            .split(' ')
            .filter(|item| !item.is_empty() && !without.contains(name(item).as_str()))
            .collect();
        let set: Vec<&str> = kept.iter().copied().collect();
        done(FreezeOutput {
            count: set.len(),
            set: set.join(" "),
        })
    }
}
