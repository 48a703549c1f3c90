//! What a restored store is told before anybody works on it: its leases are void, a new generation
//! has begun, and every lane in it may have gone on behind the copy.
//!
//! Not here: reading the file, and putting the folder into its place.

use super::Manifest;
use crate::store::generation::{Begun, Generation, NewGeneration};
use crate::store::verbs::{Tx, begin_generation, release_leases};
use crate::store::{LedgerLine, StoreError, StoreResult};
use serde_json::json;

/// Leases given back in one transaction.
pub const AT_ONCE: usize = 500;

/// Who restores it, and why.
#[derive(Clone, Debug)]
pub struct Restoring {
    /// As the command line knows it: no engine runs that could ask for a token.
    pub by: String,
    pub reason: String,
}

/// One bounded step before the decision; true when more of them are needed.
///
/// # Errors
/// When a record cannot be read.
pub fn prepare(tx: &mut Tx<'_>) -> StoreResult<bool> {
    tx.meta.last_tick_ms = None;
    tx.meta.hold_until_ms = 0;
    release_leases(tx, AT_ONCE)
}

/// The last step: what has happened is in the store itself.
///
/// # Errors
/// When the store is not the one that the manifest speaks of.
pub fn declare(tx: &mut Tx<'_>, manifest: &Manifest, why: &Restoring) -> StoreResult<Generation> {
    let (found, told) = (tx.meta.seq, manifest.seq);
    if found != told {
        let what = format!("the copy ends at commit {found}, its manifest says {told}");
        return Err(StoreError::Corrupt(what));
    }
    let from = tx.meta.generation.number;
    let decision = json!({
        "entry": "restored",
        "generation": from + 1,
        "by": why.by,
        "reason": why.reason,
        "copy": manifest,
        "at_ms": tx.now_ms,
    })
    .to_string();
    let new = NewGeneration {
        from,
        copy_taken_ms: Some(manifest.taken_ms),
        ledger: LedgerLine {
            body: decision.clone(),
        },
        decision,
    };
    match begin_generation(tx, &new)? {
        Begun::New(generation) => Ok(generation),
        Begun::Other(_) => Err(StoreError::Corrupt("the generation moved".into())),
    }
}
