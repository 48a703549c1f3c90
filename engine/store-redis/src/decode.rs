//! Answers of the Functions as the port's shapes. What does not have the agreed form is corrupt,
//! never guessed at.
//!
//! Not here: sending.

use hostler_core::id::{LaneId, RunId};
use hostler_ports::store::generation::{CopyMark, Generation, Regression};
use hostler_ports::store::position::parse_entry;
use hostler_ports::store::{
    Carried, Child, Claim, Counts, Cursor, FeedEntry, Fence, Header, IndexEntry, LedgerEntry,
    Letter, Loaded, Page, Priority, Queue, READ_MAX, RunRecord, STRIKES_BEFORE_ALONE, Seq,
    StoreError, StoreResult,
};
use redis::Value;
use std::str::FromStr;

pub fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt(format!("Redis answered {what} in another form"))
}

pub fn array(value: Value, what: &str) -> StoreResult<Vec<Value>> {
    match value {
        Value::Array(values) | Value::Set(values) => Ok(values),
        _ => Err(corrupt(what)),
    }
}

pub fn text(value: Value, what: &str) -> StoreResult<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).map_err(|_| corrupt(what)),
        Value::SimpleString(text) => Ok(text),
        Value::Int(number) => Ok(number.to_string()),
        Value::Double(number) => Ok(format!("{number}")),
        _ => Err(corrupt(what)),
    }
}

pub fn parsed<T: FromStr>(value: Value, what: &str) -> StoreResult<T> {
    text(value, what)?.parse().map_err(|_| corrupt(what))
}

/// None for nil.
pub fn optional<T>(
    value: Value,
    read: impl FnOnce(Value) -> StoreResult<T>,
) -> StoreResult<Option<T>> {
    match value {
        Value::Nil => Ok(None),
        value => read(value).map(Some),
    }
}

/// Takes the parts of an answer one after the other.
pub struct Parts(std::vec::IntoIter<Value>, &'static str);

impl Parts {
    pub fn of(value: Value, what: &'static str) -> StoreResult<Self> {
        Ok(Self(array(value, what)?.into_iter(), what))
    }
    pub fn value(&mut self) -> StoreResult<Value> {
        self.0.next().ok_or_else(|| corrupt(self.1))
    }
    pub fn text(&mut self) -> StoreResult<String> {
        let what = self.1;
        text(self.value()?, what)
    }
    pub fn parsed<T: FromStr>(&mut self) -> StoreResult<T> {
        let what = self.1;
        parsed(self.value()?, what)
    }
}

fn queue(letter: &str) -> StoreResult<Queue> {
    match letter {
        "r" => Ok(Queue::Run),
        "m" => Ok(Queue::Mail),
        _ => Err(corrupt("a queue")),
    }
}

fn priority(number: u8) -> StoreResult<Priority> {
    match number {
        0 => Ok(Priority::Emergency),
        1 => Ok(Priority::Operator),
        2 => Ok(Priority::Scheduled),
        3 => Ok(Priority::Housekeeping),
        _ => Err(corrupt("a priority")),
    }
}

/// As `header_of` in the Functions: run, queue, priority, parent, version, state, created, updated,
/// summary.
pub fn header(lane: LaneId, value: Value) -> StoreResult<Header> {
    let mut parts = Parts::of(value, "a header")?;
    let run = parts.parsed()?;
    let queue = queue(&parts.text()?)?;
    let priority = priority(parts.parsed()?)?;
    let parent = parts.text()?;
    let parent = if parent.is_empty() {
        None
    } else {
        Some(parent.parse().map_err(|_| corrupt("a parent"))?)
    };
    let version = parts.parsed()?;
    let ended = matches!(parts.text()?.as_str(), "E" | "X");
    let (created_ms, updated_ms) = (parts.parsed()?, parts.parsed()?);
    let summary = parts.text()?;
    Ok(Header {
        lane,
        run,
        queue,
        priority,
        parent,
        version,
        ended,
        summary,
        created_ms,
        updated_ms,
    })
}

/// `waited_ms`: how long their call had waited when this was asked.
pub fn claims(value: Value, waited_ms: i64) -> StoreResult<Vec<Claim>> {
    let mut parts = Parts::of(value, "claims")?;
    let claims = array(parts.value()?, "claims")?;
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let now_ms = parts.parsed()?;
    let (generation, _) = generation(parts.value()?)?;
    let claim = |value| {
        let (mut claim, contents) = claim(value)?;
        let header = claim.header.clone();
        let lane = optional(contents, |value| {
            contents_of(header, value, now_ms, generation)
        })?;
        claim.carried = lane.map(|lane| Carried { lane, waited_ms });
        Ok(claim)
    };
    claims.into_iter().map(claim).collect()
}

/// And what lies in the store of it.
fn claim(value: Value) -> StoreResult<(Claim, Value)> {
    let mut parts = Parts::of(value, "a claim")?;
    let lane = parts.parsed()?;
    let fence = Fence(parts.text()?);
    let strikes: u32 = parts.parsed()?;
    let header = header(lane, parts.value()?)?;
    let claim = Claim {
        lane,
        fence,
        strikes,
        alone: strikes >= STRIKES_BEFORE_ALONE,
        header,
        carried: None,
    };
    Ok((claim, parts.value()?))
}

pub fn loaded(lane: LaneId, value: Value) -> StoreResult<Loaded> {
    let mut parts = Parts::of(value, "a lane")?;
    let header = header(lane, parts.value()?)?;
    let contents = parts.value()?;
    let now_ms = parts.parsed()?;
    let (generation, _) = generation(parts.value()?)?;
    contents_of(header, contents, now_ms, generation)
}

fn contents_of(
    header: Header,
    value: Value,
    now_ms: i64,
    generation: Generation,
) -> StoreResult<Loaded> {
    let mut parts = Parts::of(value, "what lies in a lane")?;
    let snapshot = optional(parts.value()?, |value| {
        snapshot(&text(value, "a snapshot")?)
    })?;
    let events_from = parts.parsed()?;
    let events = array(parts.value()?, "events")?;
    let events = events
        .into_iter()
        .map(|event| text(event, "an event"))
        .collect::<StoreResult<_>>()?;
    let inbox = array(parts.value()?, "an inbox")?;
    let inbox = inbox
        .into_iter()
        .map(|value| letter(&text(value, "a letter")?));
    let inbox = inbox.collect::<StoreResult<_>>()?;
    Ok(Loaded {
        header,
        snapshot,
        events,
        events_from,
        inbox,
        now_ms,
        generation,
    })
}

/// As `generation_of` in the Functions, with the declared regression if there is one.
pub fn generation(value: Value) -> StoreResult<(Generation, Option<Regression>)> {
    let mut parts = Parts::of(value, "a generation")?;
    let number = parts.parsed()?;
    let (taken, at) = (parts.text()?, parts.text()?);
    let instant = |text: &str| text.parse().map_err(|_| corrupt("a generation"));
    let copy = match (taken.as_str(), at.as_str()) {
        ("", "") => None,
        (taken, at) => Some(CopyMark {
            taken_ms: instant(taken)?,
            at_ms: instant(at)?,
        }),
    };
    let regressed = regression(&parts.text()?)?;
    Ok((Generation { number, copy }, regressed))
}

/// `seen found`, or nothing.
pub fn regression(text: &str) -> StoreResult<Option<Regression>> {
    let Some((seen, found)) = text.split_once(' ') else {
        return Ok(None);
    };
    let number = |text: &str| text.parse().map_err(|_| corrupt("a regression"));
    let (seen, found) = (number(seen)?, number(found)?);
    Ok(Some(Regression { seen, found }))
}

fn snapshot(text: &str) -> StoreResult<(u64, String)> {
    let (version, body) = text.split_once(':').ok_or_else(|| corrupt("a snapshot"))?;
    Ok((
        version.parse().map_err(|_| corrupt("a snapshot"))?,
        body.to_owned(),
    ))
}

/// Body digest, root, summary, digest of the archive; nothing without the first.
pub fn run_record(value: Value) -> StoreResult<Option<RunRecord>> {
    let mut parts = Parts::of(value, "a run")?;
    let Some(body) = optional(parts.value()?, |value| parsed(value, "a run"))? else {
        return Ok(None);
    };
    Ok(Some(RunRecord {
        body,
        root: parts.parsed()?,
        summary: parts.text()?,
        archive: optional(parts.value()?, |value| parsed(value, "a run"))?,
    }))
}

/// The lanes of a `SCAN` over their headers, and where it goes on.
pub fn scanned(value: Value) -> StoreResult<(String, Vec<LaneId>)> {
    let mut parts = Parts::of(value, "a scan")?;
    let next = parts.text()?;
    let names = array(parts.value()?, "a scan")?;
    let lane = |name| {
        let name = text(name, "a scan")?;
        let lane = name.get(name.len().saturating_sub(36)..);
        lane.and_then(|lane| lane.parse().ok())
            .ok_or_else(|| corrupt("a lane's name"))
    };
    Ok((
        next,
        names.into_iter().map(lane).collect::<StoreResult<_>>()?,
    ))
}

/// Id (36 letters), instant, colon, body.
fn letter(text: &str) -> StoreResult<Letter> {
    let bad = || corrupt("a letter");
    let (id, rest) = text.split_at_checked(36).ok_or_else(bad)?;
    let (at_ms, body) = rest.split_once(':').ok_or_else(bad)?;
    Ok(Letter {
        id: id.parse().map_err(|_| bad())?,
        at_ms: at_ms.parse().map_err(|_| bad())?,
        body: body.to_owned(),
    })
}

/// Lane (36 letters), then `0`, or `1` and the record.
pub fn child(key: String, text: &str) -> StoreResult<Child> {
    let bad = || corrupt("a child");
    let (lane, rest) = text.split_at_checked(36).ok_or_else(bad)?;
    let record = match rest.split_at_checked(1) {
        Some(("0", "")) => None,
        Some(("1", record)) => Some(record.to_owned()),
        _ => return Err(bad()),
    };
    Ok(Child {
        lane: lane.parse().map_err(|_| bad())?,
        key,
        record,
    })
}

/// Two lists of one length, or nothing at all.
fn pairs(value: Value, what: &'static str) -> StoreResult<Vec<(String, Value)>> {
    let mut parts = array(value, what)?.into_iter();
    let (Some(names), Some(values)) = (parts.next(), parts.next()) else {
        return Ok(Vec::new());
    };
    let names = array(names, what)?.into_iter().map(|name| text(name, what));
    names
        .zip(array(values, what)?)
        .map(|(name, value)| Ok((name?, value)))
        .collect()
}

pub fn children(from: u64, value: Value) -> StoreResult<Page<Child>> {
    let mut found = pairs(value, "children")?;
    let more = found.len() > READ_MAX;
    found.truncate(READ_MAX);
    let entries = found
        .into_iter()
        .map(|(key, value)| child(key, &text(value, "a child")?));
    let next = more.then(|| Cursor(Some((from + READ_MAX as u64).to_string())));
    Ok(Page {
        entries: entries.collect::<StoreResult<_>>()?,
        next,
    })
}

pub fn entries(value: Value) -> StoreResult<Page<IndexEntry>> {
    let mut found = pairs(value, "an index")?;
    let more = found.len() > READ_MAX;
    found.truncate(READ_MAX);
    let next = found
        .last()
        .filter(|_| more)
        .map(|(place, _)| Cursor(Some(place.clone())));
    let mut entries = Vec::with_capacity(found.len());
    for (place, body) in found {
        let (score, member) = parse_entry(&place).map_err(|_| corrupt("an index entry"))?;
        let body = text(body, "an index entry")?;
        let body = body
            .get(16..)
            .ok_or_else(|| corrupt("an index entry"))?
            .to_owned();
        entries.push(IndexEntry {
            member: member.to_owned(),
            score,
            body,
        });
    }
    Ok(Page { entries, next })
}

/// Entries of the feed. A full page ends with a whole commit, so that asking after its last seq
/// leaves nothing out.
pub fn feed(value: Value) -> StoreResult<Vec<FeedEntry>> {
    let mut entries = Vec::new();
    for value in array(value, "the feed")? {
        let mut parts = Parts::of(value, "a feed entry")?;
        let (seq, lane): (u64, LaneId) = (parts.parsed()?, parts.parsed()?);
        let run: RunId = parts.parsed()?;
        entries.push(FeedEntry {
            seq: Seq(seq),
            lane,
            run,
            summary: parts.text()?,
        });
    }
    if entries.len() == READ_MAX
        && let Some(last) = entries.last().map(|entry| entry.seq)
    {
        entries.retain(|entry| entry.seq < last);
    }
    Ok(entries)
}

/// A line of the ledger: number, lane, version, instant and body, parted by blanks.
pub fn ledger_entry(value: Value) -> StoreResult<LedgerEntry> {
    let fault = || corrupt("a ledger entry");
    let line = text(value, "a ledger entry")?;
    let mut parts = line.splitn(5, ' ');
    let mut next = || parts.next().ok_or_else(fault);
    let (number, lane, version, at_ms, body) = (next()?, next()?, next()?, next()?, next()?);
    let parsed = || lane.parse().map_err(|_| fault());
    Ok(LedgerEntry {
        number: number.parse().map_err(|_| fault())?,
        lane: (!lane.is_empty()).then(parsed).transpose()?,
        version: version.parse().map_err(|_| fault())?,
        at_ms: at_ms.parse().map_err(|_| fault())?,
        body: body.to_owned(),
    })
}

/// Counts and the server's time.
pub fn counts(value: Value) -> StoreResult<(Counts, i64)> {
    let mut parts = Parts::of(value, "counts")?;
    let counts = Counts {
        ready: parts.parsed()?,
        leased: parts.parsed()?,
        timers: parts.parsed()?,
        ledger: parts.parsed()?,
        seq: parts.parsed()?,
    };
    Ok((counts, parts.parsed()?))
}
