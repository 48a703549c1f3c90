//! The store of more than one machine: Redis 7.0 or newer. Every change is one call of a Redis
//! Function (`functions/*.lua`), so it happens whole or not at all; time is the server's. Only long blobs
//! go ahead of the call that names them.
//!
//! Not here: the rules of the store, which are in the Functions and in
//! `hostler_ports::store::conformance`. No script but those is ever sent; no text from outside
//! becomes part of one.
#![forbid(unsafe_code)]

mod answer;
mod blobs;
mod commit_args;
mod connect;
mod decode;
mod durable;
mod form;
mod functions;
mod generation;
mod groups;
mod ledger;
mod link;
mod options;
mod pack;
mod pages;
mod past;
mod realm;
mod resource;
mod shape;
mod startup;
mod store;
mod tokens;
mod trouble;
mod wake;

pub use functions::{Functions, TEST_CLOCK_KEY};
pub use options::{Durability, Endpoint, Options};
pub use realm::RedisStore;
pub use startup::{Severity, StartupFinding, check};

use hostler_ports::clock::Ids;
use hostler_ports::store::StoreError;
use std::sync::Arc;
use thiserror::Error;

/// Why the store did not open.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The address cannot be read; the text says what to write.
    #[error("{0}")]
    Address(String),
    /// The server is not fit: each finding names its remedy.
    #[error("Redis is not fit to hold runs: {}", startup::listed(.0))]
    Unfit(Vec<StartupFinding>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Connects, checks the server and loads the Functions. `ids` are the source of chance: fences,
/// the marks of calls, jitter.
///
/// # Errors
/// `OpenError::Unfit` when a finding of `Severity::Refuse` stands that the options do not allow.
pub async fn open(options: Options, ids: Arc<dyn Ids>) -> Result<RedisStore, OpenError> {
    let findings = check(&options).await?;
    let refused: Vec<_> = findings
        .into_iter()
        .filter(|f| f.severity == Severity::Refuse)
        .collect();
    if !refused.is_empty() {
        return Err(OpenError::Unfit(refused));
    }
    RedisStore::connect(options, ids).await
}
