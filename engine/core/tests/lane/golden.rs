//! Old logs stay readable: what was once written folds to the state that it once meant.
//!
//! The files of `golden/` are never changed. A new kind of event gets a new session here.
//! A session that has no file yet is written down by its test, which then fails once.

use crate::sessions::sessions;
use crate::support::drive::Drive;
use hostler_core::apply::fold;
use hostler_core::event::{FORMAT, Recorded, Unreadable};
use hostler_core::lane::Lane;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Every kind of event of format 1.
const KINDS: [&str; 52] = [
    "admission_stopped",
    "always_began",
    "attempt_failed",
    "backoff_ended",
    "call_journaled",
    "children_admitted",
    "children_ended",
    "consent_decided",
    "copy_restored",
    "detached",
    "failure_handled",
    "failures_tolerated",
    "gate_passed",
    "items_reopened",
    "lane_ended",
    "lane_opened",
    "lease_end_asked",
    "lease_opened",
    "lease_released",
    "no_return_passed",
    "notice_due",
    "paused",
    "person_asked",
    "person_escalated",
    "person_reminded",
    "person_settled",
    "report_due",
    "resumed",
    "round_due",
    "run_finish_asked",
    "soak_ended",
    "spawn_planned",
    "step_failed",
    "step_gated",
    "step_pended",
    "step_reopened",
    "step_restarted",
    "step_resumed",
    "step_skipped",
    "step_started",
    "step_succeeded",
    "step_unsettled",
    "stop_requested",
    "turns_put_off",
    "undo_began",
    "undo_held",
    "undo_noted",
    "undone_one",
    "verdict_reached",
    "vote_cast",
    "wait_began",
    "wave_through",
];

/// So many states of each session are kept, evenly over its log.
const PARTS: usize = 5;

/// The lane after so many events.
#[derive(Serialize, Deserialize)]
struct Meant {
    events: usize,
    lane: Lane,
}

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "lane", "golden"]
        .iter()
        .collect()
}

fn kind(line: &str) -> String {
    let value: Value = serde_json::from_str(line).unwrap();
    value["event"].as_str().unwrap().to_owned()
}

/// A session without a file is written down once, and fails until somebody has looked at it.
#[test]
fn every_session_has_its_log() {
    let mut written = Vec::new();
    for (name, drive) in sessions() {
        if !folder().join(format!("{name}.jsonl")).exists() {
            record(name, &drive);
            written.push(name);
        }
    }
    assert!(
        written.is_empty(),
        "look at the new logs of {written:?} and keep them"
    );
}

fn record(name: &str, drive: &Drive) {
    let lines: Vec<String> = drive.log.iter().map(Recorded::to_json).collect();
    let meant = |events: usize| Meant {
        events,
        lane: fold(&drive.log[..events]).unwrap(),
    };
    let parts = (1..=PARTS).map(|part| meant(drive.log.len() * part / PARTS));
    let states = serde_json::to_string_pretty(&parts.collect::<Vec<_>>()).unwrap();
    let file = |ending: &str| folder().join(format!("{name}.{ending}"));
    std::fs::write(file("jsonl"), lines.join("\n") + "\n").unwrap();
    std::fs::write(file("json"), states + "\n").unwrap();
}

#[test]
fn every_old_log_folds_to_the_state_that_it_meant() {
    let mut seen = BTreeSet::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "jsonl") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let log: Vec<_> = text
            .lines()
            .map(|line| {
                seen.insert(kind(line));
                Recorded::read(line).unwrap_or_else(|fault| panic!("{path:?}: {fault}"))
            })
            .collect();
        let state = std::fs::read_to_string(path.with_extension("json")).unwrap();
        let meant: Vec<Meant> = serde_json::from_str(&state).unwrap();
        assert_eq!(meant.last().map(|last| last.events), Some(log.len()));
        for Meant { events, lane } in meant {
            assert_eq!(fold(&log[..events]), Some(lane), "{path:?} up to {events}");
        }
        for (line, recorded) in text.lines().zip(&log) {
            let again = Recorded::read(&recorded.to_json()).unwrap();
            assert_eq!(&again, recorded, "{line}");
        }
    }
    let missing: Vec<_> = KINDS.iter().filter(|kind| !seen.contains(**kind)).collect();
    assert!(missing.is_empty(), "no old log has {missing:?}");
}

#[test]
fn the_sessions_of_today_fold_to_what_was_decided() {
    for (name, drive) in sessions() {
        assert!(drive.lane.has_ended(), "{name} is {}", drive.phase());
        assert_eq!(fold(&drive.log), Some(drive.lane), "{name}");
    }
}

#[test]
fn a_newer_format_is_refused_by_name_whatever_it_looks_like() {
    for text in [
        r#"{"v":2,"at":1,"event":"always_began"}"#,
        r#"{"v":2,"at":1,"event":"lane_flew_away","wings":2}"#,
    ] {
        let refusal = Recorded::read(text).unwrap_err();
        assert_eq!(refusal, Unreadable::Newer(FORMAT + 1));
        assert!(refusal.to_string().contains("upgrade this worker"));
    }
}

#[test]
fn what_is_no_event_is_malformed_and_not_newer() {
    for text in [
        "",
        "{}",
        r#"{"v":1,"at":1,"event":"lane_flew_away"}"#,
        r#"{"v":1}"#,
    ] {
        let refusal = Recorded::read(text).unwrap_err();
        assert!(matches!(refusal, Unreadable::Malformed(_)), "{text}");
    }
}

#[test]
fn a_log_without_an_opening_is_no_lane() {
    let log = [Recorded::read(r#"{"v":1,"at":1,"event":"always_began"}"#).unwrap()];
    assert_eq!(fold(&log), None);
    assert_eq!(fold(&[]), None);
}
