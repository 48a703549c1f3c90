//! Letters: commands from outside, from other lanes and from timers, stamped when they arrive.
//!
//! Not here: what a command means.

use super::keys;
use super::queue::{Ringer, ring};
use super::record::Tx;
use crate::store::{Post, Sent, StoreError, StoreResult, TimerChange, bounds};
use hostler_core::id::LaneId;
use uuid::Uuid;

/// Puts a letter into the inbox once per id and rings.
pub fn deliver(tx: &mut Tx<'_>, post: &Post, ringer: Ringer) -> StoreResult<Sent> {
    match tx.lane(post.lane)? {
        Some(lane) if !lane.ended() => {
            let seen = keys::seen(post.lane, post.command);
            if tx.kv.get(&seen)?.is_some() {
                return Ok(Sent::Known);
            }
            tx.kv.put(seen, Vec::new());
        }
        _ => return Ok(Sent::Gone),
    }
    append(tx, post.lane, post.command, &post.body)?;
    ring(tx, post.lane, ringer)?;
    Ok(Sent::Accepted)
}

fn append(tx: &mut Tx<'_>, id: LaneId, letter: Uuid, body: &str) -> StoreResult<()> {
    let now_ms = tx.now_ms;
    let lane = tx.known(id)?;
    let key = keys::letter(id, lane.inbox_to);
    lane.inbox_to += 1;
    let mut value = Vec::with_capacity(24 + body.len());
    value.extend_from_slice(letter.as_bytes());
    value.extend_from_slice(&now_ms.to_be_bytes());
    value.extend_from_slice(body.as_bytes());
    tx.kv.put(key, value);
    Ok(())
}

/// A command from outside. Refused when the inbox is full.
pub fn send(tx: &mut Tx<'_>, post: &Post) -> StoreResult<Sent> {
    if let Some(lane) = tx.lane(post.lane)?
        && lane.inbox_to - lane.inbox_from >= bounds::INBOX_MAX
    {
        return Err(StoreError::Full(format!(
            "the lane has {} unread commands",
            bounds::INBOX_MAX
        )));
    }
    deliver(tx, post, Ringer::Outside)
}

/// Removes the oldest letters: their answers are in the events of the same commit.
pub fn trim(tx: &mut Tx<'_>, id: LaneId, used: usize) -> StoreResult<()> {
    let lane = tx.known(id)?;
    let from = lane.inbox_from;
    lane.inbox_from += used as u64;
    for number in from..from + used as u64 {
        tx.kv.delete(&keys::letter(id, number));
    }
    Ok(())
}

/// Sets, moves or clears named timers of the lane that commits.
pub fn change_timer(tx: &mut Tx<'_>, id: LaneId, change: &TimerChange) -> StoreResult<()> {
    match change {
        TimerChange::Clear { name } => clear_timer(tx, id, name),
        TimerChange::Set { name, at_ms, body } => {
            clear_timer(tx, id, name)?;
            tx.known(id)?.timers.insert(name.clone(), *at_ms);
            tx.meta.timers += 1;
            let mut value = timer_letter(id, name, *at_ms).as_bytes().to_vec();
            value.extend_from_slice(body.as_bytes());
            tx.kv.put(keys::timer(*at_ms, id, name), value);
            Ok(())
        }
    }
}

/// The id of the letter that a timer becomes.
#[must_use]
pub fn timer_letter(lane: LaneId, name: &str, at_ms: i64) -> Uuid {
    lane.command(&format!("timer:{name}"), at_ms.cast_unsigned())
}

fn clear_timer(tx: &mut Tx<'_>, id: LaneId, name: &str) -> StoreResult<()> {
    if let Some(at_ms) = tx.known(id)?.timers.remove(name) {
        tx.meta.timers = tx.meta.timers.saturating_sub(1);
        tx.kv.delete(&keys::timer(at_ms, id, name));
    }
    Ok(())
}

pub fn clear_timers(tx: &mut Tx<'_>, id: LaneId) -> StoreResult<()> {
    let names: Vec<String> = tx.known(id)?.timers.keys().cloned().collect();
    for name in names {
        clear_timer(tx, id, &name)?;
    }
    Ok(())
}

/// A due timer becomes a letter.
pub fn fire(tx: &mut Tx<'_>, key: &[u8], value: &[u8]) -> StoreResult<()> {
    let corrupt = || StoreError::Corrupt("a timer".into());
    let id = keys::lane_at(key).ok_or_else(corrupt)?;
    let name = keys::timer_name(key).ok_or_else(corrupt)?;
    let (letter, body) = value.split_at_checked(16).ok_or_else(corrupt)?;
    let letter = Uuid::from_slice(letter).map_err(|_| corrupt())?;
    let body = std::str::from_utf8(body).map_err(|_| corrupt())?;
    tx.known(id)?.timers.remove(&name);
    tx.meta.timers = tx.meta.timers.saturating_sub(1);
    tx.kv.delete(key);
    append(tx, id, letter, body)?;
    ring(tx, id, Ringer::Inside)
}
