//! The store of one machine: a folder, no server to install. Every call that changes something is
//! durable (fsync) before it answers; calls that arrive together share one fsync.
//!
//! Not here: the store's rules, which are `hostler_ports::store::verbs`. Nothing but this crate may
//! touch the folder while it is open.
#![forbid(unsafe_code)]

mod disk;
mod group;
mod keeper;
mod restore;
mod writer;

pub use disk::OpenError;
pub use keeper::Embedded;
pub use restore::{RestoreError, restore};

use hostler_ports::clock::{Clock, Ids};
use hostler_ports::store::verbs::KvStore;
use std::path::Path;
use std::sync::Arc;

/// A store in a folder.
pub type EmbeddedStore = KvStore<Embedded>;

/// How the folder is used.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// False only for tests of other things: a power cut may then lose the last moments.
    pub fsync: bool,
    /// Memory for blocks read from disk, in bytes.
    pub cache_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            fsync: true,
            cache_bytes: 64 * 1024 * 1024,
        }
    }
}

/// Opens the folder for this process alone and makes it when it is absent. Leases of the process
/// that had it before are void: their lanes are ready at once, with a strike if a host call was in
/// flight. May block for as long as it takes to read the queues back.
///
/// # Errors
/// `OpenError::InUse` while another process has it open.
pub fn open(
    folder: &Path,
    options: Options,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
) -> Result<EmbeddedStore, OpenError> {
    Embedded::open(folder, options, clock, ids).map(KvStore)
}
