//! What a commit writes beside its own lane: documents, indexes, children, blobs, feed.
//!
//! Not here: the commit's conditions.

use super::keys;
use super::kv::Span;
use super::queue::{Ringer, make_ready, ring};
use super::read;
use super::record::{Lane, State, Tx, encode, number};
use crate::store::{
    Blob, Child, Document, DocumentWrite, IndexChange, Spawn, StoreResult, WATCH_PREFIX, bounds,
    upkeep::stray_lanes,
};
use hostler_core::id::LaneId;
use std::collections::BTreeMap;

/// The commit's conditions over documents were checked; this writes and rings.
pub fn write_document(tx: &mut Tx<'_>, write: &DocumentWrite) -> StoreResult<()> {
    let old = read::document(tx.kv, &write.key)?.map_or(0, |document| document.version);
    let document = Document {
        version: old + 1,
        body: write.body.clone(),
    };
    tx.kv
        .put(keys::document(&write.key), read::document_bytes(&document));
    let bell = keys::bell(&write.key);
    let rung = ring_watchers(tx, &write.key, None, bounds::WATCH_RING_MAX)?;
    match rung.next {
        Some(last) => tx.kv.put(bell, last),
        None => tx.kv.delete(&bell),
    }
    Ok(())
}

pub struct Rung {
    pub count: usize,
    /// Where to go on; none when all were rung.
    pub next: Option<Vec<u8>>,
}

/// Rings at most `max` watchers of a document after the one that was rung last.
pub fn ring_watchers(
    tx: &mut Tx<'_>,
    document: &str,
    after: Option<&[u8]>,
    max: usize,
) -> StoreResult<Rung> {
    let mut span = keys::entries(&format!("{WATCH_PREFIX}{document}"));
    if let Some(last) = after {
        span = span.after(last);
    }
    let found = tx.kv.range(&span, max)?;
    for (key, _) in &found {
        let lane = read::entry_member(key)?;
        if let Ok(lane) = lane.parse() {
            ring(tx, lane, Ringer::Inside)?;
        }
    }
    let full = found.len() == max;
    Ok(Rung {
        count: found.len(),
        next: found
            .into_iter()
            .next_back()
            .filter(|_| full)
            .map(|(key, _)| key),
    })
}

pub fn change_index(tx: &mut Tx<'_>, id: LaneId, change: &IndexChange) -> StoreResult<()> {
    match change {
        IndexChange::Put {
            index,
            member,
            score,
            body,
        } => {
            put_entry(tx, index, member, *score, body)?;
            if index.starts_with(WATCH_PREFIX) {
                let watches = &mut tx.known(id)?.watches;
                if !watches.contains(index) {
                    watches.push(index.clone());
                }
            }
        }
        IndexChange::Remove { index, member } => {
            remove_entry(tx, index, member)?;
            if index.starts_with(WATCH_PREFIX) {
                tx.known(id)?.watches.retain(|watched| watched != index);
            }
        }
    }
    Ok(())
}

fn put_entry(
    tx: &mut Tx<'_>,
    index: &str,
    member: &str,
    score: i64,
    body: &str,
) -> StoreResult<()> {
    remove_entry(tx, index, member)?;
    tx.kv
        .put(keys::member(index, member), score.to_be_bytes().to_vec());
    tx.kv
        .put(keys::entry(index, score, member), body.as_bytes().to_vec());
    Ok(())
}

/// A change of an index that is no watch: no lane takes part in it.
pub fn keep_entry(tx: &mut Tx<'_>, change: &IndexChange) -> StoreResult<()> {
    match change {
        IndexChange::Put {
            index,
            member,
            score,
            body,
        } => put_entry(tx, index, member, *score, body),
        IndexChange::Remove { index, member } => remove_entry(tx, index, member),
    }
}

/// A lane that nobody lists is listed under its run: the archive finds it there.
pub fn spawn_beside(tx: &mut Tx<'_>, spawn: &Spawn) -> StoreResult<()> {
    if self::spawn(tx, spawn)? && (spawn.parent.is_none() || spawn.key.is_none()) {
        let index = stray_lanes(spawn.run);
        put_entry(tx, &index, &spawn.lane.to_string(), tx.now_ms, "")?;
    }
    Ok(())
}

fn remove_entry(tx: &mut Tx<'_>, index: &str, member: &str) -> StoreResult<()> {
    let key = keys::member(index, member);
    if let Some(bytes) = tx.kv.get(&key)? {
        let score = number("index score", &bytes)?.cast_signed();
        tx.kv.delete(&keys::entry(index, score, member));
        tx.kv.delete(&key);
    }
    Ok(())
}

pub fn stop_watching(tx: &mut Tx<'_>, id: LaneId) -> StoreResult<()> {
    for index in std::mem::take(&mut tx.known(id)?.watches) {
        remove_entry(tx, &index, &id.to_string())?;
    }
    Ok(())
}

/// Makes a lane unless it exists. False when it existed.
pub fn spawn(tx: &mut Tx<'_>, spawn: &Spawn) -> StoreResult<bool> {
    if tx.lane(spawn.lane)?.is_some() {
        return Ok(false);
    }
    let lane = new_lane(tx.now_ms, spawn);
    tx.insert(spawn.lane, lane);
    append_events(tx, spawn.lane, 0, &spawn.events);
    tx.kv
        .put(keys::summary(spawn.lane), spawn.summary.as_bytes().to_vec());
    if let (Some(parent), Some(key)) = (spawn.parent, &spawn.key) {
        put_child(
            tx,
            parent,
            &Child {
                lane: spawn.lane,
                key: key.clone(),
                record: None,
            },
        )?;
    }
    make_ready(tx, spawn.lane)?;
    feed(tx, spawn.lane)?;
    Ok(true)
}

fn new_lane(now_ms: i64, spawn: &Spawn) -> Lane {
    Lane {
        run: spawn.run,
        queue: spawn.queue,
        priority: spawn.priority,
        parent: spawn.parent,
        version: spawn.events.len() as u64,
        state: State::Parked,
        dirty: false,
        fence: None,
        expires_ms: 0,
        in_call: false,
        strikes: 0,
        created_ms: now_ms,
        updated_ms: now_ms,
        inbox_from: 0,
        inbox_to: 0,
        children: 0,
        fed: None,
        holds: Vec::new(),
        ticket: None,
        watches: Vec::new(),
        timers: BTreeMap::new(),
    }
}

pub fn append_events(tx: &mut Tx<'_>, id: LaneId, version: u64, events: &[String]) {
    for (position, event) in events.iter().enumerate() {
        let key = keys::event(id, version + position as u64 + 1);
        tx.kv.put(key, event.as_bytes().to_vec());
    }
}

/// Puts or replaces the record of a child beside its parent. A key keeps its place.
pub fn put_child(tx: &mut Tx<'_>, parent: LaneId, child: &Child) -> StoreResult<()> {
    let place = keys::child_number(parent, &child.key);
    let position = match tx.kv.get(&place)? {
        Some(bytes) => number("child number", &bytes)?,
        None => {
            let Some(lane) = tx.lane(parent)? else {
                return Ok(());
            };
            let next = lane.children;
            lane.children += 1;
            tx.kv.put(place, next.to_be_bytes().to_vec());
            next
        }
    };
    tx.kv
        .put(keys::child(parent, position), encode("child", child)?);
    Ok(())
}

pub fn put_blob(tx: &mut Tx<'_>, blob: &Blob) -> StoreResult<()> {
    let key = keys::blob(&blob.digest);
    if tx.kv.get(&key)?.is_none() {
        tx.kv.put(key, blob.bytes.clone());
    }
    Ok(())
}

/// The lane changed in this commit: its entry moves to the end of the feed, and as many as came in
/// fall out at the old end.
pub fn feed(tx: &mut Tx<'_>, id: LaneId) -> StoreResult<()> {
    let place = (tx.meta.seq, tx.fed);
    tx.fed += 1;
    if let Some((seq, number)) = tx.known(id)?.fed.replace(place) {
        tx.kv.delete(&keys::feed(seq, number));
    }
    tx.kv
        .put(keys::feed(place.0, place.1), id.0.as_bytes().to_vec());
    let old = tx.meta.seq.saturating_sub(bounds::FEED_KEEP);
    let span = Span {
        from: vec![b'f'],
        to: keys::feed(old, 0),
        reverse: false,
    };
    for (key, value) in tx.kv.range(&span, 2)? {
        tx.kv.delete(&key);
        if let Some(lane) = tx.lane(read::lane_id(&value)?)? {
            lane.fed = None;
        }
    }
    Ok(())
}
