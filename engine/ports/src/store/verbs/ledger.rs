//! The ledger's entries: how they lie in the map, are appended, and leave when they are sealed.
//!
//! Not here: sealing, and whether an entry that leaves lies anywhere else.

use super::keys;
use super::record::{Tx, encode, number};
use crate::store::{LedgerEntry, StoreResult, bounds};
use hostler_core::id::LaneId;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub struct LedgerRecord {
    pub lane: Option<LaneId>,
    pub version: u64,
    pub at_ms: i64,
    pub body: String,
}

impl LedgerRecord {
    #[must_use]
    pub fn entry(self, number: u64) -> LedgerEntry {
        LedgerEntry {
            number,
            lane: self.lane,
            version: self.version,
            at_ms: self.at_ms,
            body: self.body,
        }
    }
}

pub fn append(tx: &mut Tx<'_>, id: Option<LaneId>, version: u64, body: &str) -> StoreResult<()> {
    let record = LedgerRecord {
        lane: id,
        version,
        at_ms: tx.now_ms,
        body: body.to_owned(),
    };
    let key = keys::ledger(tx.meta.ledger);
    tx.meta.ledger += 1;
    tx.kv.put(key, encode("ledger entry", &record)?);
    Ok(())
}

/// Removes the oldest entries below a number, at most `max`; true when none of them is left.
pub fn trim(tx: &mut Tx<'_>, below: u64, max: usize) -> StoreResult<bool> {
    bounds::trim(max)?;
    let below = below.min(tx.meta.ledger);
    if below <= tx.meta.ledger_first {
        return Ok(true);
    }
    let mut span = keys::all_ledger();
    span.from = keys::ledger(tx.meta.ledger_first);
    span.to = keys::ledger(below);
    let found = tx.kv.range(&span, max)?;
    for (key, _) in &found {
        tx.kv.delete(key);
    }
    tx.meta.ledger_first = match found.last() {
        Some((key, _)) if found.len() == max => number("ledger entry", &key[1..])? + 1,
        _ => below,
    };
    Ok(tx.meta.ledger_first == below)
}
