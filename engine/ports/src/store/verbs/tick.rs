//! What time brings: due timers become letters, expired leases go back, bells ring on.
//!
//! Not here: the clock. The store's time is handed in.

use super::record::Tx;
use super::{inbox, keys, queue, read, shared};
use crate::store::{READ_MAX, STALL_GAP_MS, StoreError, StoreResult, Ticked, bounds};

/// `restarted` says that the server is another process than at the last tick.
pub fn tick(tx: &mut Tx<'_>, max: usize, lease_ms: i64, restarted: bool) -> StoreResult<Ticked> {
    bounds::lease(lease_ms)?;
    let max = max.clamp(1, READ_MAX);
    let now_ms = tx.now_ms;
    let stalled = tx
        .meta
        .last_tick_ms
        .is_some_and(|last| now_ms - last > STALL_GAP_MS);
    tx.meta.last_tick_ms = Some(now_ms);
    if stalled || restarted {
        tx.meta.hold_until_ms = now_ms + lease_ms;
    }
    let held_until_ms = Some(tx.meta.hold_until_ms).filter(|until| *until > now_ms);
    let timers_fired = fire_timers(tx, max)?;
    let leases_expired = if held_until_ms.is_some() {
        0
    } else {
        expire_leases(tx, max)?
    };
    let bells_left = ring_bells(tx, max)?;
    let more = timers_fired == max || leases_expired == max || bells_left;
    Ok(Ticked {
        now_ms,
        timers_fired,
        leases_expired,
        held_until_ms,
        more,
    })
}

fn fire_timers(tx: &mut Tx<'_>, max: usize) -> StoreResult<usize> {
    let due = tx.kv.range(&keys::timers(tx.now_ms), max)?;
    for (key, value) in &due {
        inbox::fire(tx, key, value)?;
    }
    Ok(due.len())
}

fn expire_leases(tx: &mut Tx<'_>, max: usize) -> StoreResult<usize> {
    let expired = tx.kv.range(&keys::leases(tx.now_ms), max)?;
    for (key, _) in &expired {
        queue::reclaim(tx, read::key_lane(key)?)?;
    }
    Ok(expired.len())
}

/// Goes on ringing the watchers of documents that have more of them than one commit rings.
fn ring_bells(tx: &mut Tx<'_>, max: usize) -> StoreResult<bool> {
    let mut left = max;
    for (bell, last) in tx.kv.range(&keys::bells(), max)? {
        if left == 0 {
            return Ok(true);
        }
        let document =
            std::str::from_utf8(&bell[1..]).map_err(|_| StoreError::Corrupt("a bell".into()))?;
        let rung = shared::ring_watchers(tx, document, Some(&last), left)?;
        left -= rung.count;
        match rung.next {
            Some(last) => tx.kv.put(bell, last),
            None => tx.kv.delete(&bell),
        }
    }
    Ok(left == 0)
}
