//! A new generation: the number rises, the decision is written down, a copy leaves its mark.
//!
//! Not here: what lanes make of it.

use super::record::{Lane, Tx};
use super::{keys, ledger, read, shared};
use crate::store::generation::{Begun, CopyMark, DECISION, Generation, NewGeneration, StoreState};
use crate::store::verbs::kv::Kv;
use crate::store::{DocumentWrite, StoreResult, bounds};

pub fn begin(tx: &mut Tx<'_>, new: &NewGeneration) -> StoreResult<Begun> {
    bounds::generation(new)?;
    if tx.meta.generation.number != new.from {
        return Ok(Begun::Other(tx.meta.generation));
    }
    tx.meta.seq += 1;
    tx.meta.generation.number += 1;
    if let Some(taken_ms) = new.copy_taken_ms {
        let at_ms = tx.now_ms.max(taken_ms.saturating_add(1));
        tx.meta.generation.copy = Some(CopyMark { taken_ms, at_ms });
    }
    let write = DocumentWrite {
        key: DECISION.to_owned(),
        body: Some(new.decision.clone()),
    };
    shared::write_document(tx, &write)?;
    ledger::append(tx, None, 0, &new.ledger.body)?;
    Ok(Begun::New(tx.meta.generation))
}

/// Whoever held leases holds them in another life of the realm. Nobody was lost: no strikes. At most
/// `max` at a time; true when more are left.
pub fn release_leases(tx: &mut Tx<'_>, max: usize) -> StoreResult<bool> {
    let found = tx.kv.range(&keys::all_leases(), max)?;
    for (key, _) in &found {
        let id = read::key_lane(key)?;
        let lane: &mut Lane = tx.known(id)?;
        lane.in_call = false;
        super::queue::reclaim(tx, id)?;
    }
    Ok(found.len() == max)
}

pub fn present(kv: &dyn Kv) -> StoreResult<Generation> {
    Ok(read::meta(kv)?.generation)
}

pub fn state(kv: &dyn Kv, kind: &str, now_ms: i64) -> StoreResult<StoreState> {
    let meta = read::meta(kv)?;
    Ok(StoreState {
        kind: kind.to_owned(),
        seq: meta.seq,
        ledger: meta.ledger,
        generation: meta.generation,
        regressed: None,
        now_ms,
    })
}
