//! The limits of the port, checked in one place before any adapter writes.
//!
//! Not here: anything that needs to read the store.

use super::generation::NewGeneration;
use super::{
    Batch, IndexChange, READ_MAX, Resource, SEND_MAX, SPAWN_MAX, Spawn, Start, StoreError,
    StoreResult, Take, TimerChange, Upkeep,
};
use hostler_core::id::LaneId;

/// Most events of one commit, and most entries of each list that has no limit of its own: what a
/// Redis Function can write in well under five milliseconds.
pub const LIST_MAX: usize = READ_MAX;
/// Longest name of a document, index, member, timer, resource or child key, in bytes.
pub const NAME_MAX_BYTES: usize = 512;
/// Most bytes of one commit: one call must not hold up the others.
pub const BATCH_MAX_BYTES: usize = 8 * 1024 * 1024;
/// Most locks and slots that one lane may hold, and wait for.
pub const LANE_HOLDS_MAX: usize = 64;
/// Most timers that one lane may have set.
pub const LANE_TIMERS_MAX: usize = 64;
/// Most documents that one lane may watch.
pub const LANE_WATCHES_MAX: usize = 64;
/// Most unread letters of one lane; `send` refuses beyond it.
pub const INBOX_MAX: u64 = 100_000;
/// Most watchers rung inside the commit that changes a document; `tick` rings the others.
pub const WATCH_RING_MAX: usize = 100;
/// How many commits the feed remembers.
pub const FEED_KEEP: u64 = 10_000;
/// Most entries of the ledger that one call trims: more than a page, and well under a millisecond of Redis.
pub const LEDGER_TRIM_MAX: usize = 1_000;
/// Largest score of an index entry and latest instant of a timer, either side of zero: what every adapter keeps exactly.
pub const SCORE_MAX: i64 = 1 << 53;
/// Longest lease: a lost worker's lanes must come back on the same day.
pub const LEASE_MAX_MS: i64 = 3_600_000;

fn at_most(what: &str, count: usize, max: usize) -> StoreResult<()> {
    if count > max {
        return Err(StoreError::Bounds(format!(
            "{what}: {count}, at most {max} in one call; split it"
        )));
    }
    Ok(())
}

/// A name is not empty, not too long and without NUL (which separates names in keys).
pub fn name(what: &str, text: &str) -> StoreResult<()> {
    at_most(&format!("bytes of {what}"), text.len(), NAME_MAX_BYTES)?;
    if text.is_empty() || text.contains('\0') {
        return Err(StoreError::Bounds(format!(
            "{what} is empty or contains NUL"
        )));
    }
    Ok(())
}

/// A lease is positive and not longer than `LEASE_MAX_MS`.
pub fn lease(lease_ms: i64) -> StoreResult<()> {
    if !(1..=LEASE_MAX_MS).contains(&lease_ms) {
        return Err(StoreError::Bounds(format!(
            "a lease of {lease_ms} ms, allowed 1..={LEASE_MAX_MS}"
        )));
    }
    Ok(())
}

/// The count of a bounded read or renewal.
pub fn read(what: &str, count: usize) -> StoreResult<()> {
    at_most(what, count, READ_MAX)
}

/// A trimming takes at least one entry and at most `LEDGER_TRIM_MAX`.
pub fn trim(max: usize) -> StoreResult<()> {
    if max == 0 {
        return Err(StoreError::Bounds("a trimming of no entries".into()));
    }
    at_most("ledger entries to trim", max, LEDGER_TRIM_MAX)
}

/// Checks all that can be said about a batch without reading the store.
pub fn batch(lane: LaneId, batch: &Batch) -> StoreResult<()> {
    at_most("events", batch.events.len(), LIST_MAX)?;
    at_most("inbox_used", batch.inbox_used, LIST_MAX)?;
    at_most("expected documents", batch.expect.len(), LIST_MAX)?;
    at_most("documents", batch.documents.len(), LIST_MAX)?;
    at_most("spawned lanes", batch.spawn.len(), SPAWN_MAX)?;
    at_most("sent commands", batch.send.len(), SEND_MAX)?;
    at_most("timers", batch.timers.len(), LANE_TIMERS_MAX)?;
    at_most("released resources", batch.release.len(), LANE_HOLDS_MAX)?;
    at_most("blobs", batch.blobs.len(), LIST_MAX)?;
    at_most("ledger lines", batch.ledger.len(), LIST_MAX)?;
    at_most("index changes", batch.index.len(), LIST_MAX)?;
    names(batch)?;
    if let Some(Take::Now(wanted) | Take::Wait(wanted)) = &batch.take {
        resources(wanted)?;
    }
    for spawn in &batch.spawn {
        self::spawn(spawn)?;
    }
    for change in &batch.index {
        index(Some(lane), change)?;
    }
    at_most("bytes of the commit", bytes(batch), BATCH_MAX_BYTES)
}

fn names(batch: &Batch) -> StoreResult<()> {
    for expect in &batch.expect {
        name("document", &expect.document)?;
    }
    for write in &batch.documents {
        name("document", &write.key)?;
    }
    for timer in &batch.timers {
        match timer {
            TimerChange::Set { at_ms, .. } if !(-SCORE_MAX..=SCORE_MAX).contains(at_ms) => {
                return Err(StoreError::Bounds(format!(
                    "a timer at {at_ms} ms is not exact everywhere"
                )));
            }
            TimerChange::Set { name: text, .. } | TimerChange::Clear { name: text } => {
                name("timer", text)?
            }
        }
    }
    for key in &batch.release {
        name("resource", key)?;
    }
    match &batch.collect {
        Some(child) => name("child key", &child.key),
        None => Ok(()),
    }
}

fn resources(wanted: &[Resource]) -> StoreResult<()> {
    at_most("wanted resources", wanted.len(), LANE_HOLDS_MAX)?;
    for (position, resource) in wanted.iter().enumerate() {
        name("resource", &resource.key)?;
        if resource.capacity == 0 {
            return Err(StoreError::Bounds(format!(
                "{} has no capacity: set it to 1 or more",
                resource.key
            )));
        }
        if wanted[..position]
            .iter()
            .any(|earlier| earlier.key == resource.key)
        {
            return Err(StoreError::Bounds(format!(
                "{} is wanted twice in one demand",
                resource.key
            )));
        }
    }
    Ok(())
}

/// Limits of one new lane.
pub fn spawn(spawn: &Spawn) -> StoreResult<()> {
    at_most("events of a new lane", spawn.events.len(), LIST_MAX)?;
    match &spawn.key {
        Some(key) => name("child key", key),
        None => Ok(()),
    }
}

fn index(lane: Option<LaneId>, change: &IndexChange) -> StoreResult<()> {
    let (index, member) = match change {
        IndexChange::Put {
            index,
            member,
            score,
            ..
        } => {
            if !(-SCORE_MAX..=SCORE_MAX).contains(score) {
                return Err(StoreError::Bounds(format!(
                    "the score {score} of {index} is not exact everywhere"
                )));
            }
            (index, member)
        }
        IndexChange::Remove { index, member } => (index, member),
    };
    name("index", index)?;
    name("member", member)?;
    if index.starts_with(super::WATCH_PREFIX)
        && lane.map(|lane| lane.to_string()).as_ref() != Some(member)
    {
        return Err(StoreError::Bounds(
            "a lane watches documents for itself only".into(),
        ));
    }
    Ok(())
}

fn bytes(batch: &Batch) -> usize {
    let spawned: usize = batch
        .spawn
        .iter()
        .map(|s| s.summary.len() + s.events.iter().map(String::len).sum::<usize>())
        .sum();
    batch.events.iter().map(String::len).sum::<usize>()
        + batch.summary.as_ref().map_or(0, String::len)
        + batch.snapshot.as_ref().map_or(0, String::len)
        + batch
            .documents
            .iter()
            .filter_map(|d| d.body.as_ref())
            .map(String::len)
            .sum::<usize>()
        + batch.send.iter().map(|p| p.body.len()).sum::<usize>()
        + batch.blobs.iter().map(|b| b.bytes.len()).sum::<usize>()
        + batch.ledger.iter().map(|l| l.body.len()).sum::<usize>()
        + spawned
}

/// Checks all that can be said about a change of housekeeping without reading the store.
pub fn upkeep(change: &Upkeep) -> StoreResult<()> {
    at_most("expected lanes", change.lanes.len(), LIST_MAX)?;
    at_most("expected documents", change.expect.len(), LIST_MAX)?;
    at_most("documents", change.documents.len(), LIST_MAX)?;
    at_most("summaries", change.summaries.len(), LIST_MAX)?;
    at_most("runs", change.runs.len(), LIST_MAX)?;
    at_most("archived runs", change.archived.len(), LIST_MAX)?;
    at_most("index changes", change.index.len(), LIST_MAX)?;
    at_most("ledger lines", change.ledger.len(), LIST_MAX)?;
    for expect in &change.expect {
        name("document", &expect.document)?;
    }
    for write in &change.documents {
        name("document", &write.key)?;
    }
    for entry in &change.index {
        index(None, entry)?;
    }
    let documents = change
        .documents
        .iter()
        .filter_map(|write| write.body.as_ref());
    let bytes = documents.map(String::len).sum::<usize>()
        + change
            .summaries
            .iter()
            .map(|(_, text)| text.len())
            .sum::<usize>()
        + change
            .runs
            .iter()
            .map(|(_, text)| text.len())
            .sum::<usize>()
        + change
            .ledger
            .iter()
            .map(|line| line.body.len())
            .sum::<usize>();
    at_most("bytes of the change", bytes, BATCH_MAX_BYTES)
}

/// Checks all that can be said about a new generation without reading the store.
pub fn generation(new: &NewGeneration) -> StoreResult<()> {
    let instant = new.copy_taken_ms.unwrap_or_default();
    if !(-SCORE_MAX..SCORE_MAX).contains(&instant) {
        return Err(StoreError::Bounds(format!(
            "the instant {instant} ms is not exact everywhere"
        )));
    }
    let bytes = new.decision.len() + new.ledger.body.len();
    at_most("bytes of the decision", bytes, BATCH_MAX_BYTES)
}

/// Checks all that can be said about a start without reading the store.
pub fn start(start: &Start) -> StoreResult<()> {
    spawn(&start.root)?;
    at_most("blobs", start.blobs.len(), LIST_MAX)?;
    at_most("index changes", start.index.len(), LIST_MAX)?;
    at_most("ledger lines", start.ledger.len(), LIST_MAX)?;
    for change in &start.index {
        index(None, change)?;
    }
    let bytes = start.root.events.iter().map(String::len).sum::<usize>()
        + start.blobs.iter().map(|b| b.bytes.len()).sum::<usize>();
    at_most("bytes of the start", bytes, BATCH_MAX_BYTES)
}
