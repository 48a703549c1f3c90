//! The shape of a file of schedules, as written.
//!
//! Not here: defaults and meaning. A new field belongs here, into `build.rs`, and into
//! `examples/schedules.yaml`.

use super::choice::{OneOrMany, WordOr};
use crate::at::{At, Entries};
use crate::file::RawCalendar;
use serde::Deserialize;
use serde_json::{Map, Value};

/// One file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    pub calendars: Entries<RawCalendar>,
    pub windows: Entries<RawWindow>,
    pub schedules: Vec<RawSchedule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawWindow {
    pub when: At<String>,
    pub at: At<String>,
    pub lasts: Option<At<String>>,
    pub until: Option<At<String>>,
    pub zone: At<String>,
    pub calendar: Option<At<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSchedule {
    pub id: Option<At<String>>,
    pub runbook: At<String>,
    pub version: Option<u32>,
    #[serde(default)]
    pub inputs: Map<String, Value>,
    pub when: Option<At<String>>,
    pub every: Option<At<String>>,
    pub at: Option<OneOrMany>,
    pub zone: Option<At<String>>,
    pub calendar: Option<At<String>>,
    pub missed: Option<At<WordOr<RawMissed>>>,
    pub while_running: Option<At<String>>,
    pub dst: Option<RawDst>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawMissed {
    pub late: Option<At<String>>,
    pub then: Option<At<String>>,
    pub at_most: Option<At<u32>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawDst {
    pub gap: Option<At<String>>,
    pub fold: Option<At<String>>,
}
