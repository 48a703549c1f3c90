//! A new folder that begins with the entries of an older one. After a loss, or when a copy of the store was
//! put back, the older one counts entries that the store has no more, and the store has none of the first ones.
//!
//! Not here: which entries both have. The sealer compares the last one with the store when it goes on.

use super::{SealError, SealedReader, Sealer, Shelf, Source};
use async_trait::async_trait;
use hostler_ledger::key::SigningKey;
use hostler_ports::sealed::{SealedError, SealedLedger};
use hostler_ports::store::{
    Confirmed, Counts, LedgerEntry, READ_MAX, Seq, StoreError, StoreResult,
};
use std::sync::Arc;

/// An older folder, read as if it were a store that ends at a number.
struct Older {
    folder: SealedReader,
    below: u64,
}

#[async_trait]
impl Source for Older {
    async fn counts(&self) -> StoreResult<Counts> {
        Ok(Counts {
            ledger: self.below,
            ..Counts::default()
        })
    }

    /// What was sealed was confirmed.
    async fn confirm(&self, _: Seq) -> StoreResult<Confirmed> {
        Ok(Confirmed::Durable)
    }

    async fn ledger(&self, from: u64) -> StoreResult<Vec<LedgerEntry>> {
        let entries = self.folder.entries(from).await;
        let mut entries = entries.map_err(|fault| match fault {
            SealedError::Unavailable(why) => StoreError::Unavailable(why),
            fault => StoreError::Corrupt(fault.to_string()),
        })?;
        entries.truncate(READ_MAX);
        Ok(entries)
    }

    /// Nothing leaves the older folder.
    async fn trim(&self, _: u64, _: usize) -> StoreResult<bool> {
        Ok(true)
    }
}

/// Seals into `new` what `old` has below a number; how many entries lie there then. Called again, it goes
/// on where it stopped.
///
/// # Errors
/// When `old` has fewer entries or is damaged, and when `new` holds something else.
pub async fn carry(
    old: SealedReader,
    below: u64,
    new: Arc<dyn Shelf>,
    key: SigningKey,
) -> Result<u64, SealError> {
    let realm = key.verifier().name().to_owned();
    let source = Older { folder: old, below };
    let sealer = Sealer::new(Arc::new(source), new, key, &realm)?;
    loop {
        let done = sealer.pass().await?;
        if !done.more {
            return Ok(done.size);
        }
    }
}
