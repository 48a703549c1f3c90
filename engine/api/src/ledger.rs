//! Entries of the ledger wherever they lie: the newest in the store, those that have left it in the sealed
//! ledger. Nobody is shown fewer than there are.
//!
//! Not here: who may look.

use crate::Api;
use crate::problem::{Code, Problem};
use hostler_ports::sealed::SealedError;
use hostler_ports::store::LedgerEntry;

/// Entries from this number on, oldest first, without a gap; empty at the end of the ledger only.
///
/// # Errors
/// The store's; `store-unavailable` when an entry has left the store and the sealed ledger is not where
/// this engine looks or does not answer, `internal` when it is damaged.
pub async fn page(api: &Api, from: u64) -> Result<Vec<LedgerEntry>, Problem> {
    let page = whole(from, api.store.ledger(from).await?);
    if !page.is_empty() {
        return Ok(page);
    }
    if from >= api.store.counts().await?.ledger {
        return Ok(Vec::new());
    }
    // It may have been appended between the two looks.
    let page = whole(from, api.store.ledger(from).await?);
    if !page.is_empty() {
        return Ok(page);
    }
    let Some(sealed) = &api.sealed else {
        return Err(elsewhere(from, "this engine has no sealed ledger"));
    };
    sealed.entries(from).await.map_err(|fault| match fault {
        SealedError::Absent(_) => elsewhere(from, &fault.to_string()),
        SealedError::Unavailable(_) => {
            away(from, &fault.to_string()).remedy("try again; `hostler doctor` tells what is wrong")
        }
        SealedError::Damaged(_) => Problem::new(Code::Internal, fault.to_string())
            .remedy("look with `hostler ledger verify`"),
    })
}

/// What follows `from` without a gap: nothing when it is not there itself.
fn whole(from: u64, page: Vec<LedgerEntry>) -> Vec<LedgerEntry> {
    let numbered = (from..).zip(page);
    let fitting = numbered.take_while(|(number, entry)| entry.number == *number);
    fitting.map(|(_, entry)| entry).collect()
}

fn away(number: u64, why: &str) -> Problem {
    let detail =
        format!("entry {number} of the ledger is sealed and no longer in the store, and {why}");
    Problem::new(Code::StoreUnavailable, detail)
}

fn elsewhere(number: u64, why: &str) -> Problem {
    away(number, why).remedy(
        "set ledger.folder to the folder that the machine with ledger.key_file seals into, or ask that machine",
    )
}
