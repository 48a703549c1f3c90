//! Pages of the Functions' lists as the port's shapes: children, entries of indexes, feed, ledger.
//!
//! Not here: single records (`decode`).

use crate::decode::{Parts, array, bytes, corrupt, packed_bytes, packed_text};
use crate::form::{Form, id_in};
use hostler_core::id::{LaneId, RunId};
use hostler_ports::store::position::entry_text;
use hostler_ports::store::{
    Child, Cursor, FeedEntry, IndexEntry, LedgerEntry, Page, READ_MAX, Seq, StoreResult,
};
use redis::Value;
use uuid::Uuid;

/// Lane, then `0`, or `1` and the record.
pub fn child(form: Form, key: String, value: Value) -> StoreResult<Child> {
    let what = "a child";
    let bytes = bytes(value, what)?;
    let (lane, rest) = form.split_id(&bytes).ok_or_else(|| corrupt(what))?;
    let record = match rest {
        b"0" => None,
        [b'1', record @ ..] => Some(packed_bytes(record.to_vec(), None, what)?),
        _ => return Err(corrupt(what)),
    };
    Ok(Child {
        lane: LaneId(lane),
        key,
        record,
    })
}

/// Two lists of one length, or nothing at all.
fn pairs(value: Value, what: &'static str) -> StoreResult<Vec<(Vec<u8>, Value)>> {
    let mut parts = array(value, what)?.into_iter();
    let (Some(names), Some(values)) = (parts.next(), parts.next()) else {
        return Ok(Vec::new());
    };
    let names = array(names, what)?
        .into_iter()
        .map(|name| bytes(name, what));
    names
        .zip(array(values, what)?)
        .map(|(name, value)| Ok((name?, value)))
        .collect()
}

pub fn children(form: Form, from: u64, value: Value) -> StoreResult<Page<Child>> {
    let mut found = pairs(value, "children")?;
    let more = found.len() > READ_MAX;
    found.truncate(READ_MAX);
    let entries = found.into_iter().map(|(key, value)| {
        child(
            form,
            String::from_utf8(key).map_err(|_| corrupt("a child"))?,
            value,
        )
    });
    let next = more.then(|| Cursor(Some((from + READ_MAX as u64).to_string())));
    Ok(Page {
        entries: entries.collect::<StoreResult<_>>()?,
        next,
    })
}

pub fn entries(form: Form, value: Value) -> StoreResult<Page<IndexEntry>> {
    let mut found = pairs(value, "an index")?;
    let more = found.len() > READ_MAX;
    found.truncate(READ_MAX);
    let entries = found
        .into_iter()
        .map(|(place, body)| entry(form, &place, body));
    let entries: Vec<_> = entries.collect::<StoreResult<_>>()?;
    let last = entries.last().filter(|_| more);
    let next = last.map(|entry| Cursor(Some(entry_text(entry.score, &entry.member))));
    Ok(Page { entries, next })
}

/// The body has its score before it.
fn entry(form: Form, place: &[u8], body: Value) -> StoreResult<IndexEntry> {
    let what = "an index entry";
    let (score, member) = form.read_place(place).ok_or_else(|| corrupt(what))?;
    let mut body = bytes(body, what)?;
    if body.len() < form.score_length() {
        return Err(corrupt(what));
    }
    let body = body.split_off(form.score_length());
    Ok(IndexEntry {
        score,
        body: packed_bytes(body, id_in(&member), what)?,
        member,
    })
}

/// Entries of the feed. A full page ends with a whole commit, so that asking after its last seq
/// leaves nothing out.
pub fn feed(form: Form, value: Value) -> StoreResult<Vec<FeedEntry>> {
    let mut entries = Vec::new();
    for value in array(value, "the feed")? {
        let mut parts = Parts::of(value, "a feed entry")?;
        let seq: u64 = parts.parsed()?;
        let (lane, run) = (LaneId(parts.id(form)?), RunId(parts.id(form)?));
        entries.push(FeedEntry {
            seq: Seq(seq),
            lane,
            run,
            summary: packed_text(parts.value()?, Some(lane.0), "a feed entry")?,
        });
    }
    if entries.len() == READ_MAX
        && let Some(last) = entries.last().map(|entry| entry.seq)
    {
        entries.retain(|entry| entry.seq < last);
    }
    Ok(entries)
}

/// A line of the ledger. Long: number, lane, version, instant and body, parted by blanks. Short: number,
/// version and instant, parted by blanks, `+` and the lane or `-`, body.
pub fn ledger_entry(form: Form, value: Value) -> StoreResult<LedgerEntry> {
    let line = bytes(value, "a ledger entry")?;
    let read = match form {
        Form::Long => long_line(&line),
        Form::Short => short_line(&line),
    };
    read.ok_or_else(|| corrupt("a ledger entry"))?
}

fn long_line(line: &[u8]) -> Option<StoreResult<LedgerEntry>> {
    let mut parts = line.splitn(5, |byte| *byte == b' ');
    let mut next = || parts.next();
    let (number, lane, version, at_ms, body) = (next()?, next()?, next()?, next()?, next()?);
    let lane = match lane {
        [] => None,
        lane => Some(Form::Long.read_id(lane)?),
    };
    line_of([number, version, at_ms], lane, body)
}

fn short_line(line: &[u8]) -> Option<StoreResult<LedgerEntry>> {
    let mut parts = line.splitn(3, |byte| *byte == b' ');
    let (number, version, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let end = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    let (at_ms, rest) = rest.split_at_checked(end)?;
    let (lane, body) = match rest.split_first()? {
        (b'-', body) => (None, body),
        (b'+', rest) => {
            let (lane, body) = Form::Short.split_id(rest)?;
            (Some(lane), body)
        }
        _ => return None,
    };
    line_of([number, version, at_ms], lane, body)
}

fn line_of(
    numbers: [&[u8]; 3],
    lane: Option<Uuid>,
    body: &[u8],
) -> Option<StoreResult<LedgerEntry>> {
    let [number, version, at_ms] = numbers.map(|digits| std::str::from_utf8(digits).ok());
    let (number, version) = (number?.parse().ok()?, version?.parse().ok()?);
    let at_ms = at_ms?.parse().ok()?;
    let body = packed_bytes(body.to_vec(), lane, "a ledger entry");
    Some(body.map(|body| LedgerEntry {
        number,
        lane: lane.map(LaneId),
        version,
        at_ms,
        body,
    }))
}
