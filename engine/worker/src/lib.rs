//! The loop that moves lanes: claim, load, decide, commit, perform, report.
//!
//! A `Driver` holds no truth: everything it knows can be lost at any instant. Not here: what is
//! legal (core), how anything is stored, called or sent (adapters behind ports).
#![forbid(unsafe_code)]

mod background;
mod batch;
mod cache;
mod call;
mod consent;
mod deferral;
mod drive;
mod gates;
mod gather;
mod held;
mod leases;
mod measure;
mod notices;
mod observe;
mod outbox;
mod record;
mod reindex;
mod resolve;
mod returns;
mod scope;
mod spawn;
mod trouble;
mod turn;

pub use outbox::{Links, Outbox, OutboxParts};
pub use reindex::{Reindex, Reindexed};
pub use returns::{Returns, come_back};
pub use trouble::Trouble;

use cache::Cache;
use gates::Gates;
use held::Held;
use hostler_core::directory::Directory;
use hostler_core::expression::Evaluate;
use hostler_ports::clock::Clock;
use hostler_ports::plugin::PluginHost;
use hostler_ports::store::Store;
use std::sync::Arc;

/// Bounds of one worker.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name for people who look at leases.
    pub worker: String,
    /// How long a claimed lane is held unless renewed.
    pub lease_ms: i64,
    /// How often leases are renewed; a third of the lease.
    pub renew_ms: u64,
    /// No host call begins on a lease that was confirmed longer ago than this.
    pub lease_age_max_ms: i64,
    /// How long after its deadline a lost call may still land at the target.
    pub settle_ms: i64,
    /// Where customers and staff write when something is unclear; stands in every message.
    pub contact: String,
    /// Longest sleep between two looks at timers and leases.
    pub tick_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            worker: "worker".to_owned(),
            lease_ms: 30_000,
            renew_ms: 10_000,
            lease_age_max_ms: 20_000,
            settle_ms: 5_000,
            contact: "your platform team".to_owned(),
            tick_ms: 200,
        }
    }
}

/// What a driver works with.
pub struct Parts {
    pub store: Arc<dyn Store>,
    pub host: Arc<dyn PluginHost>,
    pub directory: Arc<dyn Directory>,
    pub evaluate: Arc<dyn Evaluate>,
    pub clock: Arc<dyn Clock>,
    pub settings: Settings,
}

/// Moves lanes of runs.
pub struct Driver {
    parts: Parts,
    held: Held,
    cache: Cache,
    gates: Gates,
}

impl Driver {
    #[must_use]
    pub fn new(parts: Parts) -> Arc<Self> {
        Arc::new(Self {
            parts,
            held: Held::default(),
            cache: Cache::default(),
            gates: Gates::default(),
        })
    }

    /// The store has gone back in time: what was read of lanes before may never have happened.
    /// To be called by whoever hears `StoreError::Regressed`.
    pub fn forget_lanes(&self) {
        self.cache.forget_lanes();
    }
}
