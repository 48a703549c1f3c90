//! What is sealed leaves the store, once it was read back from the folder and is what the store has.
//!
//! Nothing is remembered for it: the store tells what it still has, the checkpoint what may go. So a crash
//! behind a checkpoint is mended by the next pass. Not here: who reads what has left.

use super::{SealError, Sealer, ShelfError};
use hostler_ledger::tile::WIDTH;
use hostler_ports::sealed::{SealedError, SealedLedger};
use hostler_ports::store::bounds::LEDGER_TRIM_MAX;
use std::sync::atomic::Ordering;

/// Newest sealed entries that stay in the store: those that are paged through while they are sealed (two
/// pages), and those of which another sealer, a little behind, still wants the last one to compare.
pub const KEEP_SEALED: u64 = 1_000;
/// Pages that one pass takes out: twice the entries that it seals, so that an old store grows smaller too.
const PAGES_A_PASS: usize = 20;

impl Sealer {
    /// `sealed` entries lie below the checkpoint. Whole bundles leave: an entry that goes alone would have
    /// its bundle read back again for every one of them.
    pub(super) async fn trim(&self, sealed: u64) -> Result<(), SealError> {
        let until = sealed.saturating_sub(KEEP_SEALED) / WIDTH * WIDTH;
        for _ in 0..PAGES_A_PASS {
            let from = self.trimmed.load(Ordering::Relaxed);
            if from >= until {
                break;
            }
            let below = self.read_back(from, until).await?;
            // More may lie below: a failover can bring back what was trimmed.
            if self.source.trim(below, LEDGER_TRIM_MAX).await? {
                self.trimmed.store(below, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// Compares a page of the store with the folder; below the number that it gives, both have the same.
    async fn read_back(&self, from: u64, until: u64) -> Result<u64, SealError> {
        let page = self.source.ledger(from).await?;
        let mut below = None;
        let mut sealed = Vec::new().into_iter();
        for line in page.into_iter().take_while(|line| line.number < until) {
            let number = line.number;
            if below.is_some_and(|below| below != number) {
                let number = below.unwrap_or(number);
                return Err(SealError::Gap { number });
            }
            let entry = match sealed.next() {
                Some(entry) => Some(entry),
                None => {
                    let page = self.reader.entries(number).await.map_err(unread)?;
                    sealed = page.into_iter();
                    sealed.next()
                }
            };
            if entry != Some(line) {
                return Err(SealError::Rewritten { number });
            }
            below = Some(number + 1);
        }
        // Nothing of it is there any more: it has left before.
        Ok(below.unwrap_or(until))
    }
}

fn unread(fault: SealedError) -> SealError {
    match fault {
        SealedError::Unavailable(why) => SealError::Shelf(ShelfError(why)),
        SealedError::Absent(_) | SealedError::Damaged(_) => SealError::Damaged {
            why: fault.to_string(),
        },
    }
}
