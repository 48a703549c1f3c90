//! Where finished runs lie when they have left the store: objects named by what they contain.
//!
//! Not here: which runs leave and when, and any technology.

#[cfg(feature = "conformance")]
pub mod conformance;
mod memory;
mod object;
mod view;

pub use memory::MemoryArchive;
pub use object::{ArchivedLane, ArchivedRun, ObjectError};
pub use view::ArchiveView;

use async_trait::async_trait;
use hostler_core::id::Digest;
use thiserror::Error;

/// Longest object in bytes, before it is compressed: it is read into memory as a whole.
pub const OBJECT_MAX_BYTES: usize = 256 * 1024 * 1024;
/// Most names of one `list`.
pub const LIST_MAX: usize = 500;

#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ArchiveError {
    /// Nothing is known of what happened: try again later.
    #[error("the archive did not answer: {0}")]
    Unavailable(String),
    /// What lies there is not what its name says. It is never used.
    #[error("the archive holds something damaged under {0}: restore it from a backup")]
    Damaged(Digest),
    #[error("an object of {0} bytes is too large for the archive")]
    TooLarge(usize),
}

/// One archive. Called a few times a minute by housekeeping, and when somebody looks at an old run.
#[async_trait]
pub trait Archive: Send + Sync + 'static {
    /// Keeps `bytes` under their digest. When it answers they are durable; doing it again is free.
    async fn put(&self, bytes: &[u8]) -> Result<Digest, ArchiveError>;

    /// What was put under this digest, compared with it; none when nothing was.
    async fn get(&self, digest: Digest) -> Result<Option<Vec<u8>>, ArchiveError>;

    /// Names in ascending order after `after`, at most `LIST_MAX`.
    async fn list(&self, after: Option<Digest>) -> Result<Vec<Digest>, ArchiveError>;
}
