//! Gives back what it was given: the cheapest call there is, for the benchmark.
//!
//! Never a host call here: what it measures is the engine.

use hostler_sdk::{Action, Context, Meta, Outcome, done};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Number {
    pub n: i64,
}

pub struct Noop;

impl Action for Noop {
    type Input = Number;
    type Output = Number;
    const META: Meta = Meta::read("practice.noop", "Gives back its input.").without_asset();

    fn perform(_ctx: &mut Context<'_>, input: Number) -> Outcome<Number> {
        done(input)
    }
}
