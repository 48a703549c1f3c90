//! The keys of the ordered map. One letter says what lies there; numbers are big-endian so that
//! byte order is their order; a name that something follows ends with NUL (names contain none).
//!
//! Changing a layout is a new format: raise `FORMAT`.

use super::kv::Span;
use crate::store::position::biased;
use crate::store::{Priority, Queue};
use hostler_core::id::{Digest, LaneId, RunId};
use uuid::Uuid;

/// Written into the meta record; another one is refused at opening.
pub const FORMAT: u32 = 1;

pub const META: &[u8] = b"M";

/// What an adapter keeps in memory as a whole: queues, leases, timers, bells, the feed and the meta
/// record. Their number follows live work, and their heads are read at every claim and tick.
#[must_use]
pub fn is_hot(key: &[u8]) -> bool {
    key.first().is_some_and(|first| HOT.contains(first))
}

/// First letters of the hot keys.
pub const HOT: &[u8] = b"Mretbf";

fn of_lane(letter: u8, lane: LaneId, rest: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(17 + rest.len());
    key.push(letter);
    key.extend_from_slice(lane.0.as_bytes());
    key.extend_from_slice(rest);
    key
}

fn of_name(letter: u8, name: &str, rest: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(2 + name.len() + rest.len());
    key.push(letter);
    key.extend_from_slice(name.as_bytes());
    key.push(0);
    key.extend_from_slice(rest);
    key
}

pub fn lane(lane: LaneId) -> Vec<u8> {
    of_lane(b'l', lane, &[])
}
pub fn all_lanes() -> Span {
    Span::prefix(vec![b'l'])
}
pub fn summary(lane: LaneId) -> Vec<u8> {
    of_lane(b's', lane, &[])
}
/// The event that made `version`.
pub fn event(lane: LaneId, version: u64) -> Vec<u8> {
    of_lane(b'g', lane, &version.to_be_bytes())
}
pub fn events(lane: LaneId) -> Span {
    Span::prefix(of_lane(b'g', lane, &[]))
}
pub fn snapshot(lane: LaneId) -> Vec<u8> {
    of_lane(b'n', lane, &[])
}
pub fn letter(lane: LaneId, number: u64) -> Vec<u8> {
    of_lane(b'i', lane, &number.to_be_bytes())
}
pub fn letters(lane: LaneId) -> Span {
    Span::prefix(of_lane(b'i', lane, &[]))
}
pub fn seen(lane: LaneId, command: Uuid) -> Vec<u8> {
    of_lane(b'k', lane, command.as_bytes())
}
pub fn all_seen(lane: LaneId) -> Span {
    Span::prefix(of_lane(b'k', lane, &[]))
}
pub fn child(parent: LaneId, number: u64) -> Vec<u8> {
    of_lane(b'c', parent, &number.to_be_bytes())
}
pub fn children(parent: LaneId) -> Span {
    Span::prefix(of_lane(b'c', parent, &[]))
}
pub fn child_number(parent: LaneId, key: &str) -> Vec<u8> {
    of_lane(b'C', parent, key.as_bytes())
}
pub fn child_numbers(parent: LaneId) -> Span {
    Span::prefix(of_lane(b'C', parent, &[]))
}

fn queue_letter(queue: Queue) -> u8 {
    match queue {
        Queue::Run => 0,
        Queue::Mail => 1,
    }
}

pub fn ready(queue: Queue, priority: Priority, number: u64) -> Vec<u8> {
    let mut key = vec![b'r', queue_letter(queue), priority as u8];
    key.extend_from_slice(&number.to_be_bytes());
    key
}
/// The ready lanes of a queue down to `least`, most urgent first.
pub fn all_ready(queue: Queue, least: Priority) -> Span {
    let queue = queue_letter(queue);
    Span {
        from: vec![b'r', queue, 0],
        to: vec![b'r', queue, least as u8 + 1],
        reverse: false,
    }
}
pub fn lease(expires_ms: i64, lane: LaneId) -> Vec<u8> {
    let mut key = vec![b'e'];
    key.extend_from_slice(&biased(expires_ms).to_be_bytes());
    key.extend_from_slice(lane.0.as_bytes());
    key
}
/// Leases that end at or before `until_ms`.
pub fn leases(until_ms: i64) -> Span {
    Span {
        from: vec![b'e'],
        to: at_end(b'e', until_ms),
        reverse: false,
    }
}
pub fn all_leases() -> Span {
    Span::prefix(vec![b'e'])
}
pub fn timer(at_ms: i64, lane: LaneId, name: &str) -> Vec<u8> {
    let mut key = vec![b't'];
    key.extend_from_slice(&biased(at_ms).to_be_bytes());
    key.extend_from_slice(lane.0.as_bytes());
    key.extend_from_slice(name.as_bytes());
    key
}
/// Timers that are due at or before `until_ms`.
pub fn timers(until_ms: i64) -> Span {
    Span {
        from: vec![b't'],
        to: at_end(b't', until_ms),
        reverse: false,
    }
}

fn at_end(letter: u8, until_ms: i64) -> Vec<u8> {
    let mut to = vec![letter];
    to.extend_from_slice(&biased(until_ms.saturating_add(1)).to_be_bytes());
    to
}

/// The lane of a lease or timer key.
pub fn lane_at(key: &[u8]) -> Option<LaneId> {
    Uuid::from_slice(key.get(9..25)?).ok().map(LaneId)
}
/// The name of a timer key.
pub fn timer_name(key: &[u8]) -> Option<String> {
    String::from_utf8(key.get(25..)?.to_vec()).ok()
}
pub fn bell(document: &str) -> Vec<u8> {
    let mut key = vec![b'b'];
    key.extend_from_slice(document.as_bytes());
    key
}
pub fn bells() -> Span {
    Span::prefix(vec![b'b'])
}
pub fn document(name: &str) -> Vec<u8> {
    of_name(b'd', name, &[])
}
pub fn entry(index: &str, score: i64, member: &str) -> Vec<u8> {
    let mut rest = biased(score).to_be_bytes().to_vec();
    rest.extend_from_slice(member.as_bytes());
    of_name(b'x', index, &rest)
}
pub fn entries(index: &str) -> Span {
    Span::prefix(of_name(b'x', index, &[]))
}
pub fn member(index: &str, member: &str) -> Vec<u8> {
    of_name(b'X', index, member.as_bytes())
}
pub fn resource(name: &str) -> Vec<u8> {
    of_name(b'u', name, &[])
}
pub fn waiter(resource: &str, priority: Priority, ticket: u64) -> Vec<u8> {
    let mut rest = vec![priority as u8];
    rest.extend_from_slice(&ticket.to_be_bytes());
    of_name(b'q', resource, &rest)
}
pub fn waiters(resource: &str) -> Span {
    Span::prefix(of_name(b'q', resource, &[]))
}
pub fn ledger(number: u64) -> Vec<u8> {
    let mut key = vec![b'o'];
    key.extend_from_slice(&number.to_be_bytes());
    key
}
pub fn all_ledger() -> Span {
    Span::prefix(vec![b'o'])
}
pub fn run(run: RunId) -> Vec<u8> {
    let mut key = vec![b'R'];
    key.extend_from_slice(run.0.as_bytes());
    key
}
pub fn blob(digest: &Digest) -> Vec<u8> {
    let mut key = vec![b'B'];
    key.extend_from_slice(&digest.0);
    key
}
pub fn feed(seq: u64, number: u32) -> Vec<u8> {
    let mut key = vec![b'f'];
    key.extend_from_slice(&seq.to_be_bytes());
    key.extend_from_slice(&number.to_be_bytes());
    key
}
pub fn all_feed() -> Span {
    Span::prefix(vec![b'f'])
}
/// Seq and number of a feed key.
pub fn feed_place(key: &[u8]) -> Option<(u64, u32)> {
    let seq = u64::from_be_bytes(key.get(1..9)?.try_into().ok()?);
    let number = u32::from_be_bytes(key.get(9..13)?.try_into().ok()?);
    Some((seq, number))
}
