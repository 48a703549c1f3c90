//! What an administrator says about the server. Every wait is explicit: the client's own defaults
//! (half a second for an answer) would turn every hiccup into an unknown outcome.
//!
//! Not here: reading files or the environment.

use crate::functions::Functions;

/// Where the primary is.
#[derive(Clone, Debug)]
pub enum Endpoint {
    /// `redis://[user:password@]host:port/` or `unix:///path`.
    Server(String),
    /// The Sentinels of a primary. User and password of the primary stand in `template`, an address
    /// whose host and port are replaced by what the Sentinels say.
    Sentinel {
        sentinels: Vec<String>,
        name: String,
        template: String,
    },
}

/// What "durable" means for `Store::confirm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The server's answer is enough: `appendfsync always`, or an accepted window of loss.
    Answer,
    /// This many replicas have it (`WAIT`, the returned number checked).
    Replicas(u32),
    /// It is in the server's synced log (`WAITAOF`, Redis 7.2 or newer).
    LocalLog,
}

#[derive(Clone, Debug)]
pub struct Options {
    pub endpoint: Endpoint,
    /// Letters, digits, `-` and `_`; part of every key.
    pub realm: String,
    pub durability: Durability,
    /// Starts on a server that may lose about a second of accepted work in a power cut, or that
    /// keeps no log at all. Said in so many words by the administrator.
    pub allow_loss: bool,
    /// How long a verb goes on trying before it answers `Unavailable`. Longer than a failover and
    /// than a stall of 30 s.
    pub patience_ms: u64,
    /// How long one attempt waits for its answer before its outcome counts as unknown.
    pub answer_ms: u64,
    pub connect_ms: u64,
    /// How long `confirm` waits before it answers `Unknown`.
    pub confirm_ms: u64,
    pub functions: Functions,
}

impl Options {
    #[must_use]
    pub fn new(endpoint: Endpoint, realm: &str) -> Self {
        Self {
            endpoint,
            realm: realm.into(),
            durability: Durability::Answer,
            allow_loss: false,
            patience_ms: 60_000,
            answer_ms: 10_000,
            connect_ms: 3_000,
            confirm_ms: 2_000,
            functions: Functions::default(),
        }
    }
}
