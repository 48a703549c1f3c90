//! The closed language in which a store refuses.

use hostler_core::id::LaneId;
use thiserror::Error;

pub type StoreResult<T> = Result<T, StoreError>;

#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StoreError {
    /// The store did not answer within the adapter's limit. It may have carried the call out.
    #[error("the store did not answer: {0}")]
    Unavailable(String),
    /// The store refuses growth; finishing work goes on.
    #[error("the store is over its memory or disk limit: {0}")]
    Full(String),
    /// What was read is not what this version writes. Never skipped over silently.
    #[error("the store holds something unreadable: {0}")]
    Corrupt(String),
    /// The store answers from a past that it had already left (a failover or an old backup).
    /// Nothing is written until a person has accepted it.
    #[error("the store has gone back from commit {seen} to {found}: accept the loss or restore it")]
    Regressed { seen: u64, found: u64 },
    /// A call outside the port's bounds: a fault of the caller.
    #[error("the call is out of bounds: {0}")]
    Bounds(String),
}

/// Why a commit wrote nothing.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CommitError {
    #[error("the lane is no longer held under this fence")]
    Fence,
    #[error("the lane is at version {actual}, not at the expected one")]
    Version { actual: u64 },
    #[error("the document {document} changed")]
    Expect { document: String },
    /// There are letters that the holder has not read.
    #[error("unread letters lie in the inbox")]
    Unread,
    /// A wanted lock or slot is not free, or an earlier ticket waits on it.
    #[error("{resource} is taken")]
    Busy {
        resource: String,
        holder: Option<LaneId>,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StartError {
    #[error("a run with this id was started with other contents")]
    Conflict,
    #[error(transparent)]
    Store(#[from] StoreError),
}
