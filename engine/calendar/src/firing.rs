//! Who a firing is: the same schedule and instant give the same run, however many schedulers see it.
//!
//! The version of the runbook is no part of it: a version released between two schedulers would make
//! two runs of one firing.

use hostler_core::id::{RunId, derive};
use jiff::Timestamp;
use jiff::civil::DateTime;

/// The run of a firing.
#[must_use]
pub fn run(realm: &str, schedule: &str, instant: Timestamp) -> RunId {
    RunId(derive(&[
        realm.as_bytes(),
        b"firing",
        schedule.as_bytes(),
        &instant.as_millisecond().to_be_bytes(),
    ]))
}

/// The name of an event in a calendar: by the local time that the rule asks for, so that it stays
/// when a zone's rules change and the instant moves.
#[must_use]
pub fn event(realm: &str, schedule: &str, wanted: DateTime, second: bool) -> String {
    let wanted = wanted.to_string();
    let id = derive(&[
        realm.as_bytes(),
        b"event",
        schedule.as_bytes(),
        wanted.as_bytes(),
        &[u8::from(second)],
    ]);
    id.to_string()
}
