//! One finished run as text: a line of JSON for each part, in an order that the run alone decides,
//! so that the same run is always the same object.
//!
//! Not here: reading it out of a store.

use crate::store::{Child, Header, IndexEntry, RunRecord};
use hostler_core::id::{Digest, LaneId, RunId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// Written into the first line; another one is refused.
const FORMAT: u32 = 1;
/// Entries of one line: lines stay short enough for tools that read them.
const CHUNK: usize = 500;

#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the archived run cannot be read: {0}")]
pub struct ObjectError(pub String);

/// A run with all that lay beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct ArchivedRun {
    pub run: RunId,
    /// As it was in the store; its `archive` is none here.
    pub record: RunRecord,
    pub lanes: BTreeMap<LaneId, ArchivedLane>,
    /// Indexes of this run alone, by name, in ascending order.
    pub indexes: BTreeMap<String, Vec<IndexEntry>>,
    /// What its texts name by digest, as far as it lay in the store.
    pub blobs: BTreeMap<Digest, Vec<u8>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ArchivedLane {
    pub header: Header,
    /// All of them, oldest first.
    pub events: Vec<String>,
    pub snapshot: Option<(u64, String)>,
    /// Oldest first.
    pub children: Vec<Child>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "line")]
enum Line {
    Run {
        format: u32,
        run: RunId,
        record: RunRecord,
    },
    Lane {
        header: Box<Header>,
        snapshot: Option<(u64, String)>,
    },
    /// Of the lane before.
    Events {
        events: Vec<String>,
    },
    /// Of the lane before.
    Children {
        children: Vec<Child>,
    },
    Index {
        index: String,
        entries: Vec<IndexEntry>,
    },
    Text {
        digest: Digest,
        text: String,
    },
    Bytes {
        digest: Digest,
        bytes: Vec<u8>,
    },
    /// The last one: how many came before. Without it the object was cut off.
    End {
        lines: usize,
    },
}

fn unreadable(why: impl ToString) -> ObjectError {
    ObjectError(why.to_string())
}

impl ArchivedRun {
    /// # Errors
    /// When a part cannot be written as JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ObjectError> {
        let mut lines = Lines::default();
        lines.add(&Line::Run {
            format: FORMAT,
            run: self.run,
            record: self.record.clone(),
        })?;
        for lane in self.lanes.values() {
            lines.lane(lane)?;
        }
        for (index, entries) in &self.indexes {
            for entries in entries.chunks(CHUNK) {
                let (index, entries) = (index.clone(), entries.to_vec());
                lines.add(&Line::Index { index, entries })?;
            }
        }
        for (digest, bytes) in &self.blobs {
            let digest = *digest;
            lines.add(&match String::from_utf8(bytes.clone()) {
                Ok(text) => Line::Text { digest, text },
                Err(_) => Line::Bytes {
                    digest,
                    bytes: bytes.clone(),
                },
            })?;
        }
        let count = lines.count;
        lines.add(&Line::End { lines: count })?;
        Ok(lines.bytes)
    }

    /// # Errors
    /// For anything that `to_bytes` does not write.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ObjectError> {
        let text = std::str::from_utf8(bytes).map_err(unreadable)?;
        let mut lines = text.lines();
        let mut reading = Self::begun(lines.next().ok_or_else(|| unreadable("it is empty"))?)?;
        let mut lane = None;
        for (number, line) in lines.enumerate() {
            match serde_json::from_str(line).map_err(unreadable)? {
                Line::End { lines } if lines == number + 1 => return Ok(reading),
                Line::End { .. } => return Err(unreadable("lines are missing")),
                line => reading.take(line, &mut lane)?,
            }
        }
        Err(unreadable("it was cut off"))
    }

    fn begun(first: &str) -> Result<Self, ObjectError> {
        match serde_json::from_str(first).map_err(unreadable)? {
            Line::Run {
                format: FORMAT,
                run,
                record,
            } => Ok(Self {
                run,
                record,
                lanes: BTreeMap::new(),
                indexes: BTreeMap::new(),
                blobs: BTreeMap::new(),
            }),
            _ => Err(unreadable("it has another format")),
        }
    }

    fn take(&mut self, line: Line, lane: &mut Option<LaneId>) -> Result<(), ObjectError> {
        let stray = || unreadable("a line without its lane");
        match line {
            Line::Lane { header, snapshot } => {
                *lane = Some(header.lane);
                let (events, children) = (Vec::new(), Vec::new());
                let header = *header;
                let new = ArchivedLane {
                    header,
                    events,
                    snapshot,
                    children,
                };
                self.lanes.insert(new.header.lane, new);
            }
            Line::Events { events } => self.of(*lane).ok_or_else(stray)?.events.extend(events),
            Line::Children { children } => {
                self.of(*lane).ok_or_else(stray)?.children.extend(children);
            }
            Line::Index { index, entries } => {
                self.indexes.entry(index).or_default().extend(entries);
            }
            Line::Text { digest, text } => {
                self.blobs.insert(digest, text.into_bytes());
            }
            Line::Bytes { digest, bytes } => {
                self.blobs.insert(digest, bytes);
            }
            Line::Run { .. } | Line::End { .. } => return Err(unreadable("a line out of place")),
        }
        Ok(())
    }

    fn of(&mut self, lane: Option<LaneId>) -> Option<&mut ArchivedLane> {
        self.lanes.get_mut(&lane?)
    }
}

#[derive(Default)]
struct Lines {
    bytes: Vec<u8>,
    count: usize,
}

impl Lines {
    fn add(&mut self, line: &Line) -> Result<(), ObjectError> {
        serde_json::to_writer(&mut self.bytes, line).map_err(unreadable)?;
        self.bytes.push(b'\n');
        self.count += 1;
        Ok(())
    }

    fn lane(&mut self, lane: &ArchivedLane) -> Result<(), ObjectError> {
        self.add(&Line::Lane {
            header: Box::new(lane.header.clone()),
            snapshot: lane.snapshot.clone(),
        })?;
        for events in lane.events.chunks(CHUNK) {
            let events = events.to_vec();
            self.add(&Line::Events { events })?;
        }
        for children in lane.children.chunks(CHUNK) {
            let children = children.to_vec();
            self.add(&Line::Children { children })?;
        }
        Ok(())
    }
}
