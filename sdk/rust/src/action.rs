//! One action: its types, what it says about itself, and its code.
//!
//! Not here: how it is found and entered (dispatch).

use crate::answer::{Observation, Observed, Outcome, Stop};
use crate::context::Context;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How an action may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Repeat freely.
    Read,
    /// Repeat with the same idempotency key.
    Repeatable,
    /// Never repeated blindly.
    Once,
}

/// What an action disturbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    None,
    Change,
    Outage,
}

/// What an action says about itself.
#[derive(Clone, Copy, Debug)]
pub struct Meta {
    /// `contract.action`.
    pub name: &'static str,
    pub summary: &'static str,
    pub effect: Effect,
    pub impact: Impact,
    /// The action that takes it back.
    pub inverse: Option<&'static str>,
    /// Milliseconds after which one call is cut off, unless the runbook narrows it.
    pub timeout_ms: u64,
    pub needs_asset: bool,
}

/// A read or a change that an interactive platform answers within this many milliseconds.
const TIMEOUT_MS: u64 = 60_000;

impl Meta {
    const fn new(
        name: &'static str,
        summary: &'static str,
        effect: Effect,
        impact: Impact,
    ) -> Self {
        Self {
            name,
            summary,
            effect,
            impact,
            inverse: None,
            timeout_ms: TIMEOUT_MS,
            needs_asset: true,
        }
    }

    /// An action that changes nothing.
    #[must_use]
    pub const fn read(name: &'static str, summary: &'static str) -> Self {
        Self::new(name, summary, Effect::Read, Impact::None)
    }

    /// A change that may be repeated with the same key.
    #[must_use]
    pub const fn repeatable(name: &'static str, summary: &'static str) -> Self {
        Self::new(name, summary, Effect::Repeatable, Impact::Change)
    }

    /// A change that must never be repeated blindly.
    #[must_use]
    pub const fn once(name: &'static str, summary: &'static str) -> Self {
        Self::new(name, summary, Effect::Once, Impact::Change)
    }

    /// It takes the asset out of service.
    #[must_use]
    pub const fn outage(mut self) -> Self {
        self.impact = Impact::Outage;
        self
    }

    /// It writes something down but disturbs nothing.
    #[must_use]
    pub const fn without_impact(mut self) -> Self {
        self.impact = Impact::None;
        self
    }

    #[must_use]
    pub const fn inverse(mut self, name: &'static str) -> Self {
        self.inverse = Some(name);
        self
    }

    #[must_use]
    pub const fn timeout_ms(mut self, timeout_ms: u64) -> Self {
        self.timeout_ms = timeout_ms;
        self
    }

    /// It concerns no asset.
    #[must_use]
    pub const fn without_asset(mut self) -> Self {
        self.needs_asset = false;
        self
    }
}

/// One action of a plugin. The schemas of `describe` come from the types; `#[serde(deny_unknown_fields)]`
/// on the input makes its schema closed.
pub trait Action: 'static {
    type Input: DeserializeOwned + JsonSchema;
    type Output: Serialize + JsonSchema;
    const META: Meta;

    /// Does it. May be entered again with the same idempotency key.
    fn perform(ctx: &mut Context<'_>, input: Self::Input) -> Outcome<Self::Output>;

    /// Goes on with what `perform` left pending.
    fn resume(
        _ctx: &mut Context<'_>,
        _input: Self::Input,
        _checkpoint: Value,
    ) -> Outcome<Self::Output> {
        Err(Stop::reject(format!(
            "{} never leaves work pending: it has no resume",
            Self::META.name
        )))
    }

    /// What became of an attempt whose answer was lost? Changes nothing.
    fn observe(
        _ctx: &mut Context<'_>,
        _input: Self::Input,
        _checkpoint: Option<Value>,
    ) -> Observation<Self::Output> {
        Ok(Observed::Unknown {
            why: format!(
                "{} cannot tell what became of an earlier attempt",
                Self::META.name
            ),
        })
    }

    /// Stops pending work and tells what is there.
    fn cancel(
        _ctx: &mut Context<'_>,
        _input: Self::Input,
        _checkpoint: Option<Value>,
    ) -> Outcome<Self::Output> {
        Err(Stop::reject(format!(
            "{} cannot be cancelled: observe it until it has settled",
            Self::META.name
        )))
    }

    /// The difference that it would make, for people. Changes nothing.
    fn plan(_ctx: &mut Context<'_>, _input: Self::Input) -> Result<Value, Stop> {
        Err(Stop::reject(format!(
            "{} cannot tell beforehand what it would change",
            Self::META.name
        )))
    }
}
