//! The store's semantics over an ordered map of bytes, written once for every adapter that keeps
//! one: the twin in memory and the embedded store. (The Redis adapter has them a second time, in
//! its Functions; the conformance suite holds the two together.)
//!
//! Not here: threads, files, waiting, the clock.

mod commit;
mod generation;
mod inbox;
mod keeper;
pub mod keys;
pub mod kv;
mod ledger;
mod locks;
mod queue;
pub mod read;
mod record;
mod shared;
mod start;
mod tick;
mod upkeep;

pub use generation::{begin as begin_generation, release_leases};
pub use inbox::timer_letter;
pub use keeper::{Keeper, KvStore, Signals};
pub use queue::void_leases;
pub use record::Tx;
pub use start::not_purgeable;
pub use upkeep::not_archivable;
