//! Answers of the Functions as the port's shapes. What does not have the agreed form is corrupt,
//! never guessed at.
//!
//! Not here: sending, and pages of lists (`pages`).

use crate::form::Form;
use crate::pack::{unpacked, unpacked_blob};
use hostler_core::id::{LaneId, RunId};
use hostler_ports::store::generation::{CopyMark, Generation, Regression};
use hostler_ports::store::{
    Blob, Carried, Claim, Counts, Fence, Header, Letter, Loaded, Priority, Queue, RunRecord,
    STRIKES_BEFORE_ALONE, StoreError, StoreResult,
};
use redis::Value;
use std::str::FromStr;
use uuid::Uuid;

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

/// An id in the realm's form.
pub fn id(form: Form, value: Value, what: &str) -> StoreResult<Uuid> {
    form.read_id(&bytes(value, what)?)
        .ok_or_else(|| corrupt(what))
}

pub fn bytes(value: Value, what: &str) -> StoreResult<Vec<u8>> {
    match value {
        Value::BulkString(bytes) => Ok(bytes),
        _ => Err(corrupt(what)),
    }
}

/// A text that may be packed under this home.
pub fn packed_text(value: Value, home: Option<Uuid>, what: &str) -> StoreResult<String> {
    packed_bytes(bytes(value, what)?, home, what)
}

pub fn packed_bytes(bytes: Vec<u8>, home: Option<Uuid>, what: &str) -> StoreResult<String> {
    String::from_utf8(unpacked(bytes, home, what)?).map_err(|_| corrupt(what))
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
    pub fn id(&mut self, form: Form) -> StoreResult<Uuid> {
        let what = self.1;
        id(form, self.value()?, what)
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
pub fn header(form: Form, lane: LaneId, value: Value) -> StoreResult<Header> {
    let mut parts = Parts::of(value, "a header")?;
    let run = RunId(parts.id(form)?);
    let queue = queue(&parts.text()?)?;
    let priority = priority(parts.parsed()?)?;
    let parent = match parts.value()? {
        Value::BulkString(none) if none.is_empty() => None,
        other => optional(other, |value| id(form, value, "a parent"))?.map(LaneId),
    };
    let version = parts.parsed()?;
    let ended = matches!(parts.text()?.as_str(), "E" | "X");
    let (created_ms, updated_ms) = (parts.parsed()?, parts.parsed()?);
    let summary = packed_text(parts.value()?, Some(lane.0), "a summary")?;
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
pub fn claims(form: Form, value: Value, waited_ms: i64) -> StoreResult<Vec<Claim>> {
    let mut parts = Parts::of(value, "claims")?;
    let claims = array(parts.value()?, "claims")?;
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let now_ms = parts.parsed()?;
    let (generation, _) = generation(parts.value()?)?;
    let claim = |value| {
        let (mut claim, contents, plan) = claim(form, value)?;
        let header = claim.header.clone();
        let lane = optional(contents, |value| {
            contents_of(form, header, value, now_ms, generation)
        })?;
        let plan = optional(plan, |value| plan_of(form, value))?;
        claim.carried = lane.map(|lane| Carried {
            lane,
            waited_ms,
            plan,
        });
        Ok(claim)
    };
    claims.into_iter().map(claim).collect()
}

fn plan_of(form: Form, value: Value) -> StoreResult<Blob> {
    let mut parts = Parts::of(value, "a plan")?;
    let digest = form.read_digest(&bytes(parts.value()?, "a plan")?);
    let digest = digest.ok_or_else(|| corrupt("a plan"))?;
    let bytes = unpacked_blob(bytes(parts.value()?, "a plan")?, digest)?;
    Ok(Blob { digest, bytes })
}

/// And what lies in the store of it, and its plan. An older process may have left Functions that bring none.
fn claim(form: Form, value: Value) -> StoreResult<(Claim, Value, Value)> {
    let mut parts = Parts::of(value, "a claim")?;
    let lane = LaneId(parts.id(form)?);
    let fence = Fence(parts.text()?);
    let strikes: u32 = parts.parsed()?;
    let header = header(form, lane, parts.value()?)?;
    let claim = Claim {
        lane,
        fence,
        strikes,
        alone: strikes >= STRIKES_BEFORE_ALONE,
        header,
        carried: None,
    };
    Ok((claim, parts.value()?, parts.value().unwrap_or(Value::Nil)))
}

pub fn loaded(form: Form, lane: LaneId, value: Value) -> StoreResult<Loaded> {
    let mut parts = Parts::of(value, "a lane")?;
    let header = header(form, lane, parts.value()?)?;
    let contents = parts.value()?;
    let now_ms = parts.parsed()?;
    let (generation, _) = generation(parts.value()?)?;
    contents_of(form, header, contents, now_ms, generation)
}

fn contents_of(
    form: Form,
    header: Header,
    value: Value,
    now_ms: i64,
    generation: Generation,
) -> StoreResult<Loaded> {
    let home = Some(header.lane.0);
    let mut parts = Parts::of(value, "what lies in a lane")?;
    let snapshot = optional(parts.value()?, |value| {
        snapshot(&bytes(value, "a snapshot")?, home)
    })?;
    let events_from = parts.parsed()?;
    let events = array(parts.value()?, "events")?;
    let events = events
        .into_iter()
        .map(|event| packed_text(event, home, "an event"))
        .collect::<StoreResult<_>>()?;
    let inbox = array(parts.value()?, "an inbox")?;
    let inbox = inbox
        .into_iter()
        .map(|value| letter(form, &bytes(value, "a letter")?, home));
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

/// What is before the colon, and what is behind it.
fn split_colon(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let colon = bytes.iter().position(|byte| *byte == b':')?;
    let (before, behind) = bytes.split_at_checked(colon)?;
    Some((std::str::from_utf8(before).ok()?, behind.get(1..)?))
}

fn snapshot(bytes: &[u8], home: Option<Uuid>) -> StoreResult<(u64, String)> {
    let (version, body) = split_colon(bytes).ok_or_else(|| corrupt("a snapshot"))?;
    Ok((
        version.parse().map_err(|_| corrupt("a snapshot"))?,
        packed_bytes(body.to_vec(), home, "a snapshot")?,
    ))
}

/// Body digest, root, summary, digest of the archive or ''.
pub fn run_record(form: Form, run: RunId, value: Value) -> StoreResult<RunRecord> {
    let mut parts = Parts::of(value, "a run")?;
    let digest = |bytes: Vec<u8>| form.read_digest(&bytes).ok_or_else(|| corrupt("a run"));
    Ok(RunRecord {
        body: digest(bytes(parts.value()?, "a run")?)?,
        root: LaneId(parts.id(form)?),
        summary: packed_text(parts.value()?, Some(run.0), "a run")?,
        archive: Some(bytes(parts.value()?, "a run")?)
            .filter(|archive| !archive.is_empty())
            .map(digest)
            .transpose()?,
    })
}

/// The lanes of a `SCAN` over their headers, and where it goes on.
pub fn scanned(form: Form, value: Value) -> StoreResult<(String, Vec<LaneId>)> {
    let mut parts = Parts::of(value, "a scan")?;
    let next = parts.text()?;
    let names = array(parts.value()?, "a scan")?;
    let lane = |name| {
        let name = bytes(name, "a scan")?;
        let id = name.get(name.len().saturating_sub(form.id_length())..);
        let id = id.and_then(|id| form.read_id(id));
        id.map(LaneId).ok_or_else(|| corrupt("a lane's name"))
    };
    Ok((
        next,
        names.into_iter().map(lane).collect::<StoreResult<_>>()?,
    ))
}

/// Id, instant, colon, body.
fn letter(form: Form, bytes: &[u8], home: Option<Uuid>) -> StoreResult<Letter> {
    let bad = || corrupt("a letter");
    let (id, rest) = form.split_id(bytes).ok_or_else(bad)?;
    let (at_ms, body) = split_colon(rest).ok_or_else(bad)?;
    Ok(Letter {
        id,
        at_ms: at_ms.parse().map_err(|_| bad())?,
        body: packed_bytes(body.to_vec(), home, "a letter")?,
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
