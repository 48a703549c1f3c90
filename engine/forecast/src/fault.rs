//! Why there is no forecast at all: the question itself is wrong.
//!
//! Not here: what stands in the way of a cycle; that is an answer.

use thiserror::Error;

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ForecastFault {
    #[error("`{0}` is no month; write `2026-12`")]
    Month(String),
    #[error("the anchor `{rule}` has no day in {month} or after it; change the rule")]
    NoAnchor { rule: String, month: String },
    #[error("{0} assets, at most {1} in one forecast; narrow the selector")]
    TooManyAssets(usize, usize),
    #[error("{0} waves, at most {1}; join some")]
    TooManyWaves(usize, usize),
    #[error("the asset {0} stands twice in the list; remove one")]
    AssetTwice(String),
    #[error("the asset {asset} names the {kind} `{name}`, which is not there; add it")]
    Unknown {
        asset: String,
        kind: &'static str,
        name: String,
    },
    #[error(
        "the runbook {0} has no step `each` over servers that it disturbs; nothing is forecast"
    )]
    NoWaves(String),
    #[error("the soak of the wave `{0}` is an expression; say its length with the inputs")]
    Soak(String),
    #[error("{0}")]
    Selector(#[from] hostler_core::directory::SelectorFault),
    #[error("there is no wave `{0}`; known: {1}")]
    NoWave(String, String),
    #[error("{0}")]
    Text(String),
    #[error("the calendar feed: {0}")]
    Feed(#[from] hostler_calendar::feed::FeedFault),
    #[error("the forecast cannot be written: {0}")]
    Json(String),
}
