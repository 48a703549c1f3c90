//! A run is accepted once per id, and leaves in bounded steps.
//!
//! Not here: how a run's id is derived.

use super::keys;
use super::kv::Span;
use super::record::{Run, State, Tx, encode};
use super::{ledger, read, shared};
use crate::store::upkeep::stray_lanes;
use crate::store::{
    IndexChange, Own, Seq, Start, StartError, Started, StoreError, StoreResult, bounds,
};
use hostler_core::id::{Digest, LaneId, RunId};

pub fn start(tx: &mut Tx<'_>, start: &Start) -> Result<Started, StartError> {
    bounds::start(start)?;
    if let Some(known) = read::run(tx.kv, start.run)? {
        return if known.body == start.body {
            Ok(Started::Same)
        } else {
            Err(StartError::Conflict)
        };
    }
    tx.meta.seq += 1;
    let root = start.root.lane;
    shared::spawn(tx, &start.root)?;
    for blob in &start.blobs {
        shared::put_blob(tx, blob)?;
    }
    for change in &start.index {
        shared::change_index(tx, root, change)?;
    }
    for line in &start.ledger {
        ledger::append(tx, Some(root), start.root.events.len() as u64, &line.body)?;
    }
    let run = Run {
        body: start.body,
        root,
        summary: start.run_summary.clone(),
        archive: None,
    };
    tx.kv.put(keys::run(start.run), encode("run", &run)?);
    Ok(Started::New(Seq(tx.meta.seq)))
}

/// Deletes at most `max` entries of an ended lane; true when only its tombstone is left. The run's
/// record outlives it: it answers late duplicates of the start.
pub fn purge(tx: &mut Tx<'_>, id: LaneId, archive: Digest, max: usize) -> StoreResult<bool> {
    let Some(lane) = tx.lane(id)?.filter(|lane| lane.state != State::Purged) else {
        return Ok(true);
    };
    let (ended, run) = (lane.ended(), lane.run);
    let record = read::run(tx.kv, run)?;
    if !ended || record.as_ref().and_then(|record| record.archive) != Some(archive) {
        return Err(not_purgeable());
    }
    if let Some((seq, number)) = tx.known(id)?.fed.take() {
        tx.kv.delete(&keys::feed(seq, number));
    }
    let mut left = max.max(1);
    for span in spans(id) {
        left -= delete_some(tx, &span, left)?;
        if left == 0 {
            return Ok(false);
        }
    }
    tx.kv.delete(&keys::snapshot(id));
    if record.is_some_and(|record| record.root == id) {
        tx.known(id)?.state = State::Purged;
    } else {
        let (index, member) = (stray_lanes(run), id.to_string());
        shared::keep_entry(tx, &IndexChange::Remove { index, member })?;
        tx.kv.delete(&keys::summary(id));
        tx.forget(id);
    }
    Ok(true)
}

/// Deletes what belongs to an archived run alone, as far as it is there.
pub fn drop_own(tx: &mut Tx<'_>, run: RunId, archive: Digest, own: &Own) -> StoreResult<()> {
    bounds::read("blobs to remove", own.blobs.len())?;
    bounds::read("documents to remove", own.documents.len())?;
    if read::run(tx.kv, run)?.and_then(|record| record.archive) != Some(archive) {
        return Err(not_purgeable());
    }
    for blob in &own.blobs {
        tx.kv.delete(&keys::blob(blob));
    }
    for document in &own.documents {
        tx.kv.delete(&keys::document(document));
    }
    Ok(())
}

/// The one text for it in every adapter.
#[must_use]
pub fn not_purgeable() -> StoreError {
    StoreError::Bounds(
        "the lane lives, or its run is not archived under this digest: archive first".into(),
    )
}

fn spans(id: LaneId) -> [Span; 5] {
    [
        keys::events(id),
        keys::letters(id),
        keys::all_seen(id),
        keys::children(id),
        keys::child_numbers(id),
    ]
}

fn delete_some(tx: &mut Tx<'_>, span: &Span, max: usize) -> StoreResult<usize> {
    let found = tx.kv.range(span, max)?;
    for (key, _) in &found {
        tx.kv.delete(key);
    }
    Ok(found.len())
}
