//! Takes packages out of a set. No server is asked: the set is all there is.

use super::set;
use hostler_sdk::{Action, Context, Meta, Outcome, done};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FreezeInput {
    set: String,
    /// Packages to leave out, by name; without an architecture it stands for all of them.
    #[serde(default)]
    without: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct FreezeOutput {
    set: String,
    count: usize,
}

pub struct Freeze;

impl Action for Freeze {
    type Input = FreezeInput;
    type Output = FreezeOutput;
    const META: Meta = Meta::repeatable("guest-patch.freeze", "Takes packages out of a set.")
        .without_impact()
        .timeout_ms(120_000);

    fn perform(_ctx: &mut Context<'_>, input: FreezeInput) -> Outcome<FreezeOutput> {
        let items = set::parse(&input.set)?;
        let all = items.len();
        let left_out = |name: &str| {
            // `libfoo:i386` of apt, `libfoo.x86_64` of rpm.
            let bare = name.rsplit_once([':', '.']).map_or(name, |(bare, _)| bare);
            input
                .without
                .iter()
                .any(|unwanted| unwanted == name || unwanted == bare)
        };
        let kept: Vec<_> = items
            .into_iter()
            .filter(|item| !left_out(item.name))
            .collect();
        let outcome = done(FreezeOutput {
            count: kept.len(),
            set: set::text(&kept),
        })?;
        Ok(outcome.because(format!("{} of {all} packages are left", kept.len())))
    }
}
