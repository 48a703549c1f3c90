//! Where entries of the ledger lie that have left the store: in the sealed ledger.
//!
//! Not here: how they are sealed and proved, and any key.

use crate::store::{LedgerEntry, READ_MAX};
use async_trait::async_trait;
use std::sync::{Mutex, PoisonError};
use thiserror::Error;

/// Why an entry that was sealed cannot be told.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SealedError {
    /// This place does not have it: another one may.
    #[error("it does not lie in {0}")]
    Absent(String),
    /// Nothing is known of it: try again later.
    #[error("{0}")]
    Unavailable(String),
    /// What lies there is not what was sealed. It is never used.
    #[error("the sealed ledger is damaged ({0}): restore its folder from a backup")]
    Damaged(String),
}

/// The sealed ledger as it is read back. Called when somebody looks at old entries, and by whoever takes
/// entries out of the store.
#[async_trait]
pub trait SealedLedger: Send + Sync + 'static {
    /// Entries from this number on without a gap, oldest first: at least one, at most `READ_MAX`. Each is
    /// the one that the store had.
    async fn entries(&self, from: u64) -> Result<Vec<LedgerEntry>, SealedError>;
}

/// The twin in memory. For tests only.
#[derive(Debug, Default)]
pub struct MemorySealed(Mutex<Vec<LedgerEntry>>);

impl MemorySealed {
    /// Seals entries behind those that are sealed already.
    pub fn seal(&self, entries: impl IntoIterator<Item = LedgerEntry>) {
        let mut sealed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sealed.extend(entries);
    }
}

#[async_trait]
impl SealedLedger for MemorySealed {
    async fn entries(&self, from: u64) -> Result<Vec<LedgerEntry>, SealedError> {
        let sealed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = sealed.iter().skip_while(|entry| entry.number < from);
        let found: Vec<LedgerEntry> = found.take(READ_MAX).cloned().collect();
        match found.first() {
            Some(first) if first.number == from => Ok(found),
            _ => Err(SealedError::Absent("this memory".to_owned())),
        }
    }
}
