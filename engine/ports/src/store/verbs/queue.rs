//! Ready, leased, parked: who may be claimed, and what a ring does.
//!
//! The rule that no wake-up is lost: a ring of a leased lane marks it dirty, and a dirty lane that
//! parks is ready. Every change of `Lane::state` between these states is in this file.

use super::keys;
use super::record::{Lane, State, Tx};
use crate::store::{
    CARRIED_MAX, Carried, Claim, ClaimAsk, Fence, Priority, READ_MAX, STRIKES_BEFORE_ALONE,
    StoreResult, bounds, verbs::read,
};
use hostler_core::id::LaneId;
use uuid::Uuid;

/// Lanes that must be handed out alone are stepped over when others are handed out with them; this
/// many are looked at beyond those asked for.
const ALONE_SKIP_MAX: usize = 64;

/// Who rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ringer {
    /// A command from outside: it also takes a lane off the shelf.
    Outside,
    /// A timer, a document, a resource, another lane.
    Inside,
}

/// Puts a lane into its ready queue, behind the others of its priority.
pub fn make_ready(tx: &mut Tx<'_>, id: LaneId) -> StoreResult<()> {
    tx.meta.ready_number += 1;
    tx.meta.ready += 1;
    tx.woke = true;
    let number = tx.meta.ready_number;
    let lane = tx.known(id)?;
    lane.state = State::Ready;
    lane.dirty = false;
    let key = keys::ready(lane.queue, lane.priority, number);
    tx.kv.put(key, id.0.as_bytes().to_vec());
    Ok(())
}

/// Tells a lane that something is there for it. Cheap, and as often as one likes.
pub fn ring(tx: &mut Tx<'_>, id: LaneId, ringer: Ringer) -> StoreResult<()> {
    let Some(lane) = tx.lane(id)? else {
        return Ok(());
    };
    match (lane.state, ringer) {
        (State::Leased, _) | (State::Shelved, Ringer::Inside) => lane.dirty = true,
        (State::Parked, _) => make_ready(tx, id)?,
        (State::Shelved, Ringer::Outside) => {
            lane.strikes = lane.strikes.min(STRIKES_BEFORE_ALONE);
            make_ready(tx, id)?;
        }
        (State::Ready | State::Ended | State::Purged, _) => {}
    }
    Ok(())
}

/// Takes the lease away: fence, expiry and the call mark go. The caller sets the next state.
pub fn unlease(tx: &mut Tx<'_>, id: LaneId) -> StoreResult<()> {
    let lane = tx.known(id)?;
    let key = keys::lease(lane.expires_ms, id);
    lane.fence = None;
    lane.in_call = false;
    lane.expires_ms = 0;
    tx.meta.leased = tx.meta.leased.saturating_sub(1);
    tx.kv.delete(&key);
    Ok(())
}

/// Hands out ready lanes. `nonce` is fresh for every call.
pub fn claim(tx: &mut Tx<'_>, ask: &ClaimAsk, nonce: Uuid) -> StoreResult<Vec<Claim>> {
    bounds::lease(ask.lease_ms)?;
    let max = ask.max.min(READ_MAX);
    if max == 0 {
        return Ok(Vec::new());
    }
    let least = ask.at_least.unwrap_or(Priority::Housekeeping);
    let span = keys::all_ready(ask.queue, least);
    let mut claims = Vec::new();
    for (key, value) in tx.kv.range(&span, max + ALONE_SKIP_MAX)? {
        let id = read::lane_id(&value)?;
        let alone = tx.known(id)?.strikes >= STRIKES_BEFORE_ALONE;
        if alone && !claims.is_empty() {
            continue;
        }
        claims.push(hand_out(tx, id, &key, ask.lease_ms, nonce)?);
        if alone || claims.len() == max {
            break;
        }
    }
    Ok(claims)
}

fn hand_out(
    tx: &mut Tx<'_>,
    id: LaneId,
    key: &[u8],
    lease_ms: i64,
    nonce: Uuid,
) -> StoreResult<Claim> {
    tx.kv.delete(key);
    tx.meta.epoch += 1;
    tx.meta.ready = tx.meta.ready.saturating_sub(1);
    tx.meta.leased += 1;
    let fence = format!("{}:{}", tx.meta.epoch, nonce.simple());
    let expires_ms = tx.now_ms + lease_ms;
    tx.kv.put(keys::lease(expires_ms, id), Vec::new());
    let carried = carried(tx, id)?;
    let summary = read::summary(tx.kv, id)?;
    let lane = tx.known(id)?;
    lane.state = State::Leased;
    lane.dirty = false;
    lane.in_call = false;
    lane.fence = Some(fence.clone());
    lane.expires_ms = expires_ms;
    Ok(Claim {
        lane: id,
        fence: Fence(fence),
        strikes: lane.strikes,
        alone: lane.strikes >= STRIKES_BEFORE_ALONE,
        header: lane.header(id, summary),
        carried,
    })
}

/// A lane that is short, as a load would give it.
fn carried(tx: &mut Tx<'_>, id: LaneId) -> StoreResult<Option<Carried>> {
    let lane = tx.known(id)?;
    let most = CARRIED_MAX as u64;
    if lane.version > most || lane.inbox_to - lane.inbox_from > most {
        return Ok(None);
    }
    let loaded = read::load(tx.kv, id, 0, tx.now_ms)?;
    // Whoever asks this store has its blobs at hand.
    Ok(loaded.map(|lane| Carried {
        lane,
        waited_ms: 0,
        plan: None,
    }))
}

/// Extends leases; answers the lanes whose fence no longer holds.
pub fn renew(tx: &mut Tx<'_>, held: &[(LaneId, Fence)], lease_ms: i64) -> StoreResult<Vec<LaneId>> {
    bounds::lease(lease_ms)?;
    bounds::read("leases to renew", held.len())?;
    let mut lost = Vec::new();
    for (id, fence) in held {
        if !holds(tx.lane(*id)?.as_deref(), fence) {
            lost.push(*id);
            continue;
        }
        let expires_ms = tx.now_ms + lease_ms;
        let lane = tx.known(*id)?;
        let old = std::mem::replace(&mut lane.expires_ms, expires_ms);
        tx.kv.delete(&keys::lease(old, *id));
        tx.kv.put(keys::lease(expires_ms, *id), Vec::new());
    }
    Ok(lost)
}

/// Takes the call mark off lanes that are held under these fences.
pub fn calm(tx: &mut Tx<'_>, held: &[(LaneId, Fence)]) -> StoreResult<()> {
    bounds::read("lanes to calm", held.len())?;
    for (id, fence) in held {
        if holds(tx.lane(*id)?.as_deref(), fence) {
            tx.known(*id)?.in_call = false;
        }
    }
    Ok(())
}

/// Whether the lane is held under exactly this fence.
#[must_use]
pub fn holds(lane: Option<&Lane>, fence: &Fence) -> bool {
    lane.is_some_and(|lane| lane.fence.as_deref() == Some(&fence.0))
}

/// A lease has ended without its worker: the lane is ready again, with a strike if a host call was
/// in flight.
pub fn reclaim(tx: &mut Tx<'_>, id: LaneId) -> StoreResult<()> {
    let lane = tx.known(id)?;
    if lane.in_call {
        lane.strikes += 1;
    }
    unlease(tx, id)?;
    make_ready(tx, id)
}

/// Voids every lease, `max` at a time: the process that held them is gone for certain. True when
/// more are left.
pub fn void_leases(tx: &mut Tx<'_>, max: usize) -> StoreResult<bool> {
    let found = tx.kv.range(&keys::all_leases(), max)?;
    for (key, _) in &found {
        let id = read::key_lane(key)?;
        reclaim(tx, id)?;
    }
    Ok(found.len() == max)
}
