//! The one atomic write: first every condition, then every write.
//!
//! Not here: partial success. After the first write nothing can refuse any more.

use super::queue::{Ringer, holds, make_ready, unlease};
use super::record::{Lane, State, Tx};
use super::{inbox, keys, ledger, locks, read, shared};
use crate::store::{
    Batch, CommitError, Committed, Fence, IndexChange, Seq, StoreError, StoreResult, Take, Then,
    TimerChange, WATCH_PREFIX, bounds,
};
use hostler_core::id::LaneId;

pub fn commit(
    tx: &mut Tx<'_>,
    id: LaneId,
    fence: &Fence,
    expected_version: u64,
    batch: &Batch,
) -> Result<Committed, CommitError> {
    bounds::batch(id, batch)?;
    check(tx, id, fence, expected_version, batch)?;
    tx.meta.seq += 1;
    write_lane(tx, id, batch)?;
    write_shared(tx, id, batch)?;
    locks::apply(tx, id, &batch.release, batch.take.as_ref(), batch.withdraw)?;
    let dirty = settle(tx, id, batch.then)?;
    if batch.shows() {
        shared::feed(tx, id)?;
    }
    let version = expected_version + batch.events.len() as u64;
    Ok(Committed {
        seq: Seq(tx.meta.seq),
        version,
        dirty,
        now_ms: tx.now_ms,
    })
}

fn check(
    tx: &mut Tx<'_>,
    id: LaneId,
    fence: &Fence,
    expected_version: u64,
    batch: &Batch,
) -> Result<(), CommitError> {
    let lane = tx
        .lane(id)?
        .filter(|lane| holds(Some(lane), fence))
        .ok_or(CommitError::Fence)?;
    if lane.version != expected_version {
        return Err(CommitError::Version {
            actual: lane.version,
        });
    }
    within_bounds(lane, batch)?;
    let letters = lane.inbox_to - lane.inbox_from;
    if batch
        .letters_known
        .is_some_and(|known| letters > known as u64)
    {
        return Err(CommitError::Unread);
    }
    for expect in &batch.expect {
        let version =
            read::document(tx.kv, &expect.document)?.map_or(0, |document| document.version);
        if version != expect.version {
            return Err(CommitError::Expect {
                document: expect.document.clone(),
            });
        }
    }
    match &batch.take {
        Some(Take::Now(wanted)) => locks::check(tx, id, wanted),
        _ => Ok(()),
    }
}

/// Limits that depend on what the lane has already.
fn within_bounds(lane: &Lane, batch: &Batch) -> StoreResult<()> {
    let bad = |what: String| Err(StoreError::Bounds(what));
    let unread = lane.inbox_to - lane.inbox_from;
    if batch.inbox_used as u64 > unread {
        return bad(format!(
            "inbox_used {} of {unread} letters",
            batch.inbox_used
        ));
    }
    let set = batch
        .timers
        .iter()
        .filter(|timer| matches!(timer, TimerChange::Set { .. }))
        .count();
    if lane.timers.len() + set > bounds::LANE_TIMERS_MAX {
        return bad(format!(
            "a lane has at most {} timers: clear some first",
            bounds::LANE_TIMERS_MAX
        ));
    }
    let wanted = match &batch.take {
        Some(Take::Now(wanted)) => wanted.len(),
        _ => 0,
    };
    if lane.holds.len() + wanted > bounds::LANE_HOLDS_MAX {
        return bad(format!(
            "a lane holds at most {} resources: release some first",
            bounds::LANE_HOLDS_MAX
        ));
    }
    let watch = |change: &&IndexChange| matches!(change, IndexChange::Put { index, .. } if index.starts_with(WATCH_PREFIX));
    if lane.watches.len() + batch.index.iter().filter(watch).count() > bounds::LANE_WATCHES_MAX {
        return bad(format!(
            "a lane watches at most {} documents: leave some first",
            bounds::LANE_WATCHES_MAX
        ));
    }
    Ok(())
}

fn write_lane(tx: &mut Tx<'_>, id: LaneId, batch: &Batch) -> StoreResult<()> {
    let now_ms = tx.now_ms;
    let lane = tx.known(id)?;
    let before = lane.version;
    lane.version += batch.events.len() as u64;
    lane.updated_ms = now_ms;
    if batch.forgive {
        lane.strikes = 0;
    }
    if let Some(in_call) = batch.in_call {
        lane.in_call = in_call;
    }
    let version = lane.version;
    shared::append_events(tx, id, before, &batch.events);
    if let Some(summary) = &batch.summary {
        tx.kv.put(keys::summary(id), summary.as_bytes().to_vec());
    }
    if let Some(snapshot) = &batch.snapshot {
        let mut value = version.to_be_bytes().to_vec();
        value.extend_from_slice(snapshot.as_bytes());
        tx.kv.put(keys::snapshot(id), value);
    }
    inbox::trim(tx, id, batch.inbox_used)?;
    for change in &batch.timers {
        inbox::change_timer(tx, id, change)?;
    }
    Ok(())
}

fn write_shared(tx: &mut Tx<'_>, id: LaneId, batch: &Batch) -> StoreResult<()> {
    let lane = tx.known(id)?;
    let (version, run, parent) = (lane.version, lane.run, lane.parent);
    for change in &batch.index {
        shared::change_index(tx, id, change)?;
    }
    for write in &batch.documents {
        shared::write_document(tx, write)?;
    }
    for spawn in &batch.spawn {
        shared::spawn_beside(tx, spawn)?;
    }
    for post in &batch.send {
        inbox::deliver(tx, post, Ringer::Inside)?;
    }
    if let (Some(child), Some(parent)) = (&batch.collect, parent) {
        shared::put_child(tx, parent, child)?;
    }
    for blob in &batch.blobs {
        shared::put_blob(tx, blob)?;
    }
    for line in &batch.ledger {
        ledger::append(tx, Some(id), version, &line.body)?;
    }
    if let Some(summary) = &batch.run_summary
        && let Some(mut record) = read::run(tx.kv, run)?
    {
        record.summary.clone_from(summary);
        tx.kv
            .put(keys::run(run), super::record::encode("run", &record)?);
    }
    Ok(())
}

/// What becomes of the lane; answers whether there is more for it.
fn settle(tx: &mut Tx<'_>, id: LaneId, then: Then) -> StoreResult<bool> {
    let lane = tx.known(id)?;
    let unread = lane.inbox_to > lane.inbox_from;
    let dirty = std::mem::take(&mut lane.dirty);
    match then {
        Then::Keep => return Ok(dirty),
        Then::Park if dirty || unread => {
            unlease(tx, id)?;
            make_ready(tx, id)?;
        }
        Then::Park => {
            unlease(tx, id)?;
            tx.known(id)?.state = State::Parked;
        }
        Then::Requeue => {
            unlease(tx, id)?;
            make_ready(tx, id)?;
        }
        Then::Shelve => {
            unlease(tx, id)?;
            tx.known(id)?.state = State::Shelved;
            locks::apply(tx, id, &[], None, true)?;
        }
        Then::End => {
            unlease(tx, id)?;
            tx.known(id)?.state = State::Ended;
            locks::drop_all(tx, id)?;
            inbox::clear_timers(tx, id)?;
            shared::stop_watching(tx, id)?;
        }
    }
    Ok(dirty || unread)
}
