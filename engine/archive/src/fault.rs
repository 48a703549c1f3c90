//! Why a pass of housekeeping, or one run in it, did not succeed.
//!
//! Not here: what is done about it (`keeper`).

use crate::gather::GatherError;
use hostler_core::id::Digest;
use hostler_ports::archive::{ArchiveError, ObjectError};
use hostler_ports::store::{CommitError, StoreError};
use thiserror::Error;

#[derive(Debug, Error)]
pub enum KeeperError {
    #[error(transparent)]
    Gather(#[from] GatherError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Object(#[from] ObjectError),
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error("the archive does not give back what was put there under {0}: nothing is purged")]
    Unverified(Digest),
    #[error("the entry of {0} cannot be read: {1}")]
    Entry(String, String),
}

impl From<StoreError> for KeeperError {
    fn from(fault: StoreError) -> Self {
        Self::Gather(fault.into())
    }
}

impl KeeperError {
    /// The store or the archive did not answer: the other runs would fare no better.
    pub(crate) fn is_away(&self) -> bool {
        matches!(
            self,
            Self::Archive(ArchiveError::Unavailable(_))
                | Self::Gather(GatherError::Store(
                    StoreError::Unavailable(_) | StoreError::Regressed { .. }
                ))
        )
    }
}
