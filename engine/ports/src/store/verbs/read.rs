//! The bounded reads, and how values lie in the map.
//!
//! Not here: writing. Every function takes a map that may be an older snapshot.

use super::keys;
use super::kv::Kv;
use super::ledger::LedgerRecord;
use super::locks::Holders;
use super::record::{Lane, Meta, Run, State, decode, number, text};
use crate::store::position::{entry_text, parse_count, parse_entry, unbiased};
use crate::store::{
    Child, Counts, Cursor, Document, FeedEntry, Header, IndexEntry, LedgerEntry, Letter, Loaded,
    Page, READ_MAX, ResourceView, Seq, StoreError, StoreResult, bounds,
};
use hostler_core::id::{Digest, LaneId, RunId};
use uuid::Uuid;

fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt(what.into())
}

pub fn lane_id(bytes: &[u8]) -> StoreResult<LaneId> {
    Uuid::from_slice(bytes)
        .map(LaneId)
        .map_err(|_| corrupt("a lane id"))
}
pub fn key_lane(key: &[u8]) -> StoreResult<LaneId> {
    keys::lane_at(key).ok_or_else(|| corrupt("a lease"))
}
/// Priority and ticket at the end of a waiter's key.
pub fn waiter_place(key: &[u8]) -> StoreResult<(u8, u64)> {
    let start = key
        .len()
        .checked_sub(9)
        .ok_or_else(|| corrupt("a waiter"))?;
    Ok((key[start], number("ticket", &key[start + 1..])?))
}
/// Score and member at the end of an entry's key.
fn entry_place(key: &[u8]) -> StoreResult<(i64, String)> {
    let end = key
        .iter()
        .position(|byte| *byte == 0)
        .ok_or_else(|| corrupt("an index entry"))?;
    let score = unbiased(number("score", &key[end + 1..])?);
    Ok((score, text("member", key[end + 9..].to_vec())?))
}
pub fn entry_member(key: &[u8]) -> StoreResult<String> {
    entry_place(key).map(|(_, member)| member)
}

pub fn lane(kv: &dyn Kv, id: LaneId) -> StoreResult<Option<Lane>> {
    kv.get(&keys::lane(id))?
        .map(|bytes| decode("lane", &bytes))
        .transpose()
}
pub fn meta(kv: &dyn Kv) -> StoreResult<Meta> {
    kv.get(keys::META)?
        .map_or(Ok(Meta::default()), |bytes| decode("meta", &bytes))
}
pub fn summary<K: Kv + ?Sized>(kv: &K, id: LaneId) -> StoreResult<String> {
    text("summary", kv.get(&keys::summary(id))?.unwrap_or_default())
}
pub fn header(kv: &dyn Kv, id: LaneId) -> StoreResult<Option<Header>> {
    let Some(lane) = lane(kv, id)? else {
        return Ok(None);
    };
    Ok(Some(lane.header(id, summary(kv, id)?)))
}
pub fn headers(kv: &dyn Kv, lanes: &[LaneId]) -> StoreResult<Vec<Option<Header>>> {
    bounds::read("headers", lanes.len())?;
    lanes.iter().map(|id| header(kv, *id)).collect()
}

/// Events after `from`, oldest first.
pub fn log(kv: &dyn Kv, id: LaneId, from: u64) -> StoreResult<Vec<String>> {
    let mut span = keys::events(id);
    span.from = keys::event(id, from.saturating_add(1));
    let found = kv.range(&span, READ_MAX)?;
    found
        .into_iter()
        .map(|(_, event)| text("event", event))
        .collect()
}

/// Lanes in the order of their ids; the cursor is the last one read.
pub fn lanes(kv: &dyn Kv, after: &Cursor) -> StoreResult<Page<Header>> {
    let mut span = keys::all_lanes();
    if let Some(last) = &after.0 {
        let bad = |_| StoreError::Bounds("a cursor that this store did not give out".into());
        span = span.after(&keys::lane(last.parse().map_err(bad)?));
    }
    let found = kv.range(&span, READ_MAX)?;
    let mut entries = Vec::with_capacity(found.len());
    for (key, bytes) in &found {
        let id = lane_id(&key[1..])?;
        let lane: Lane = decode("lane", bytes)?;
        entries.push(lane.header(id, summary(kv, id)?));
    }
    let last = entries.last().map(|header| header.lane.to_string());
    let next = last.filter(|_| found.len() == READ_MAX);
    Ok(Page {
        entries,
        next: next.map(|last| Cursor(Some(last))),
    })
}

/// A lane with its newest useful snapshot and at most `READ_MAX` events and letters.
pub fn load(kv: &dyn Kv, id: LaneId, from: u64, now_ms: i64) -> StoreResult<Option<Loaded>> {
    let Some(lane) = lane(kv, id)?.filter(|lane| lane.state != State::Purged) else {
        return Ok(None);
    };
    let snapshot = snapshot(kv, id)?.filter(|(at, _)| *at > from && *at <= lane.version);
    let events_from = snapshot
        .as_ref()
        .map_or(from, |(at, _)| *at)
        .min(lane.version);
    let last = lane.version.min(events_from + READ_MAX as u64);
    let mut events = Vec::new();
    for version in events_from + 1..=last {
        let bytes = kv.get(&keys::event(id, version))?;
        events.push(text(
            "event",
            bytes.ok_or_else(|| corrupt("an event is missing"))?,
        )?);
    }
    let mut inbox = Vec::new();
    if !lane.ended() {
        for letter_number in lane.inbox_from..lane.inbox_to.min(lane.inbox_from + READ_MAX as u64) {
            let bytes = kv.get(&keys::letter(id, letter_number))?;
            inbox.push(letter(
                &bytes.ok_or_else(|| corrupt("a letter is missing"))?,
            )?);
        }
    }
    let header = lane.header(id, summary(kv, id)?);
    Ok(Some(Loaded {
        header,
        snapshot,
        events,
        events_from,
        inbox,
        now_ms,
        generation: super::generation::present(kv)?,
    }))
}

fn snapshot(kv: &dyn Kv, id: LaneId) -> StoreResult<Option<(u64, String)>> {
    let Some(bytes) = kv.get(&keys::snapshot(id))? else {
        return Ok(None);
    };
    Ok(Some((
        number("snapshot", &bytes)?,
        text("snapshot", bytes[8..].to_vec())?,
    )))
}

fn letter(bytes: &[u8]) -> StoreResult<Letter> {
    let (id, rest) = bytes
        .split_at_checked(16)
        .ok_or_else(|| corrupt("a letter"))?;
    let at_ms = number("letter", rest)?.cast_signed();
    let id = Uuid::from_slice(id).map_err(|_| corrupt("a letter"))?;
    Ok(Letter {
        id,
        at_ms,
        body: text("letter", rest[8..].to_vec())?,
    })
}

pub fn document<K: Kv + ?Sized>(kv: &K, key: &str) -> StoreResult<Option<Document>> {
    let Some(bytes) = kv.get(&keys::document(key))? else {
        return Ok(None);
    };
    let version = number("document", &bytes)?;
    let body = match bytes.get(8) {
        Some(1) => Some(text("document", bytes[9..].to_vec())?),
        _ => None,
    };
    Ok(Some(Document { version, body }))
}
pub fn document_bytes(document: &Document) -> Vec<u8> {
    let mut bytes = document.version.to_be_bytes().to_vec();
    bytes.push(u8::from(document.body.is_some()));
    bytes.extend_from_slice(document.body.as_deref().unwrap_or_default().as_bytes());
    bytes
}
pub fn documents(kv: &dyn Kv, names: &[String]) -> StoreResult<Vec<Option<Document>>> {
    bounds::read("documents", names.len())?;
    names.iter().map(|name| document(kv, name)).collect()
}

pub fn children(kv: &dyn Kv, parent: LaneId, after: &Cursor) -> StoreResult<Page<Child>> {
    let mut span = keys::children(parent);
    span.from = keys::child(parent, parse_count(after)?);
    let found = kv.range(&span, READ_MAX + 1)?;
    let next = match found.get(READ_MAX) {
        Some((key, _)) => Some(Cursor(Some(number("child", &key[17..])?.to_string()))),
        None => None,
    };
    let entries = found
        .iter()
        .take(READ_MAX)
        .map(|(_, bytes)| decode("child", bytes));
    Ok(Page {
        entries: entries.collect::<StoreResult<_>>()?,
        next,
    })
}

pub fn child_records(
    kv: &dyn Kv,
    parent: LaneId,
    names: &[String],
) -> StoreResult<Vec<Option<Child>>> {
    bounds::read("children", names.len())?;
    let record = |name: &String| {
        let Some(place) = kv.get(&keys::child_number(parent, name))? else {
            return Ok(None);
        };
        let bytes = kv.get(&keys::child(parent, number("child number", &place)?))?;
        bytes.map(|bytes| decode("child", &bytes)).transpose()
    };
    names.iter().map(record).collect()
}

pub fn query(
    kv: &dyn Kv,
    index: &str,
    newest_first: bool,
    after: &Cursor,
) -> StoreResult<Page<IndexEntry>> {
    bounds::name("index", index)?;
    let mut span = keys::entries(index).reversed(newest_first);
    if let Some(place) = &after.0 {
        let (score, member) = parse_entry(place)?;
        span = span.after(&keys::entry(index, score, member));
    }
    let found = kv.range(&span, READ_MAX + 1)?;
    let more = found.len() > READ_MAX;
    let mut entries = Vec::with_capacity(found.len().min(READ_MAX));
    for (key, body) in found.into_iter().take(READ_MAX) {
        let (score, member) = entry_place(&key)?;
        entries.push(IndexEntry {
            member,
            score,
            body: text("index entry", body)?,
        });
    }
    let next = entries
        .last()
        .filter(|_| more)
        .map(|last| Cursor(Some(entry_text(last.score, &last.member))));
    Ok(Page { entries, next })
}

pub fn run(kv: &dyn Kv, id: RunId) -> StoreResult<Option<Run>> {
    kv.get(&keys::run(id))?
        .map(|bytes| decode("run", &bytes))
        .transpose()
}
pub fn blob(kv: &dyn Kv, digest: Digest) -> StoreResult<Option<Vec<u8>>> {
    kv.get(&keys::blob(&digest))
}

pub fn ledger(kv: &dyn Kv, from: u64) -> StoreResult<Vec<LedgerEntry>> {
    let mut span = keys::all_ledger();
    // Not from the beginning: whatever was removed there costs a folder on disk time to pass over.
    span.from = keys::ledger(from.max(meta(kv)?.ledger_first));
    let found = kv.range(&span, READ_MAX)?;
    let entry = |(key, bytes): &(Vec<u8>, Vec<u8>)| {
        let record: LedgerRecord = decode("ledger entry", bytes)?;
        Ok(record.entry(number("ledger entry", &key[1..])?))
    };
    found.iter().map(entry).collect()
}

pub fn feed(kv: &dyn Kv, after: Seq) -> StoreResult<Vec<FeedEntry>> {
    let mut span = keys::all_feed();
    span.from = keys::feed(after.0.saturating_add(1), 0);
    let mut entries = Vec::new();
    for (key, value) in whole_commits(kv.range(&span, READ_MAX)?) {
        let (seq, _) = keys::feed_place(&key).ok_or_else(|| corrupt("a feed entry"))?;
        let lane = lane_id(&value)?;
        if let Some(header) = header(kv, lane)? {
            entries.push(FeedEntry {
                seq: Seq(seq),
                lane,
                run: header.run,
                summary: header.summary,
            });
        }
    }
    Ok(entries)
}

/// A full page ends with a whole commit, so that asking after its last seq leaves nothing out. One
/// commit never fills a page (`SPAWN_MAX`).
fn whole_commits(mut found: Vec<(Vec<u8>, Vec<u8>)>) -> Vec<(Vec<u8>, Vec<u8>)> {
    if found.len() == READ_MAX
        && let Some(last) = found.last().and_then(|(key, _)| keys::feed_place(key))
    {
        found.retain(|(key, _)| keys::feed_place(key).is_some_and(|(seq, _)| seq < last.0));
    }
    found
}

pub fn resource(kv: &dyn Kv, key: &str) -> StoreResult<ResourceView> {
    bounds::name("resource", key)?;
    let holders: Holders = match kv.get(&keys::resource(key))? {
        Some(bytes) => decode("resource", &bytes)?,
        None => Holders::default(),
    };
    let waiting = kv.range(&keys::waiters(key), READ_MAX)?;
    let waiters = waiting
        .iter()
        .map(|(_, value)| lane_id(value))
        .collect::<StoreResult<_>>()?;
    Ok(ResourceView {
        capacity: holders.capacity,
        holders: holders.lanes,
        waiters,
    })
}

pub fn counts(kv: &dyn Kv) -> StoreResult<Counts> {
    let meta = meta(kv)?;
    Ok(Counts {
        ready: meta.ready,
        leased: meta.leased,
        timers: meta.timers,
        ledger: meta.ledger,
        seq: meta.seq,
    })
}
