//! Old logs stay readable: what was once written folds to the state that it once meant.
//!
//! The files of `golden/` are never changed. A new kind of event gets a new session here.
//! A session that has no file yet is written down by its test, which then fails once.

use crate::support::build::*;
use crate::support::drive::*;
use crate::support::letters::*;
use hostler_core::apply::fold;
use hostler_core::command::{Choice, Command, Entry, Input, RetryItem, Seen};
use hostler_core::definition::*;
use hostler_core::event::{FORMAT, Journal, Recorded, Unreadable};
use hostler_core::expression::Dynamic;
use hostler_core::lane::Lane;
use hostler_core::result::LaneResult::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Every kind of event of format 1.
const KINDS: [&str; 48] = [
    "admission_stopped",
    "always_began",
    "attempt_failed",
    "backoff_ended",
    "call_journaled",
    "children_admitted",
    "children_ended",
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

/// A server of a customer: a lost call, a lease, an undo that fails, a doubt.
fn host() -> Drive {
    let mut snapshot = repeatable("snapshot").undo(vec![read("delete")]);
    let Verb::Do(action) = read("end").verb else {
        panic!("an action");
    };
    snapshot.lease = Some(StepLease {
        for_ms: 10,
        end: LeaseEnd { action },
        blocks: Vec::new(),
    });
    let install = once("install").undo(vec![repeatable("revert"), repeatable("restore")]);
    let steps = vec![
        read("look").conditional(),
        read("fixed").no_return(),
        snapshot,
        install.retry(1),
        read("verify").failing(OnFailure::Undo),
    ];
    let mut drive = Drive::of(World::of(definition(steps, vec![read("loud")])));
    let resource = "asset:a".to_owned();
    drive.ok(Input::Enter(Entry::Skip)).enter().done();
    drive
        .ok(Input::Blocked { resource })
        .enter()
        .ok(Input::Orphaned)
        .done();
    drive.enter().ok(Input::Journaled(Journal {
        number: 1,
        attempt: 1,
        what: "POST /install".to_owned(),
        outcome: Some("201".to_owned()),
    }));
    drive
        .ok(Input::Answered(again()))
        .after(1_000)
        .ok(Input::Continue);
    drive.enter().ok(Input::Answered(pending()));
    drive
        .after(600)
        .ok(Input::Continue)
        .ok(Input::Orphaned)
        .after(2_000);
    drive.ok(Input::Observed(Seen::Unknown("no trace".to_owned())));
    drive.after(9_000).choose(Choice::Done);
    drive.enter().ok(Input::Answered(reject()));
    drive.enter().ok(Input::Answered(reject())).enter();
    drive.ok(Input::Answered(reject())).choose(Choice::Retry);
    drive.enter().done().enter().done().enter().done();
    drive
}

/// A run over items in waves, with notices and a gate.
fn patch() -> Drive {
    let spec = Each {
        gate: gate(),
        on_failure: OnFailure::Stop,
        ..each_of()
    };
    let steps = vec![each("all", spec).noticed()];
    let world = World::of(definition(steps, Vec::new()));
    let (a, b): (&[&str], &[&str]) = (&["customer=a"], &["customer=b"]);
    let mut world = world.with_items(items(&[a, b, b]), &[(1, 500), (2, 0)]);
    world.customers = vec![("a".to_owned(), 1), ("b".to_owned(), 2)];
    let mut drive = Drive::of(world);
    let by = "ada".to_owned();
    drive
        .enter()
        .ends("i0", Succeeded)
        .after(500)
        .ok(Input::Continue)
        .gate();
    drive.command(vote("ada", "board", true));
    drive.command(Command::Pause { by: by.clone() });
    drive.command(Command::Resume { by: by.clone() });
    drive.ends("i1", Failed).ends("i2", Failed).gate();
    let item = |index: u32| RetryItem {
        key: format!("i{index}"),
        index,
        result: Failed,
    };
    let items = vec![item(1)];
    drive.command(Command::RetryItems { by, items });
    drive
        .ends("i1", Succeeded)
        .gate()
        .command(vote("bob", "board", true));
    drive
}

/// People: an escalated approval, a form, a question that holds nobody, a report, a finish.
fn people() -> Drive {
    let mut later = ask("later");
    if let Verb::Ask(ask) = &mut later.verb {
        ask.later = true;
    }
    let notify = Notify {
        template: "report".to_owned(),
        to: vec![Recipient(Dynamic::Literal("role:board".into()))],
        about: None,
    };
    let lease = "snapshot".to_owned();
    let mut end = finish("end", "succeeded");
    if let Verb::Finish(finish) = &mut end.verb {
        finish.of_run = true;
    }
    let gate = approve(1, OnExpire::Escalate, OnDeny::Stop);
    let steps = vec![
        Step::bare("gate", Verb::Approve(gate)),
        ask("form"),
        later,
        Step::bare("report", Verb::Notify(notify)),
        Step::bare("release", Verb::Release { lease }),
        wait("rest"),
        end,
    ];
    let mut opening = opening(hostler_core::lane::Origin::Program(0));
    opening.parent = Some(hostler_core::lane::Parent {
        lane: opening.lane,
        step: "all".into(),
        key: "i0".to_owned(),
        index: 0,
        iteration: 0,
    });
    let lane = Lane::open(opening, BEGIN_MS);
    let mut drive = Drive::from(World::of(definition(steps, Vec::new())), lane);
    drive.enter().after(100).ok(Input::Continue);
    drive.command(vote("ada", "board", true)).enter();
    drive.command(Command::Answer {
        actor: actor("ada", "board"),
        signs: hostler_core::id::Digest::of(b"form"),
        answer: json!({ "window": "saturday" }),
    });
    drive
        .enter()
        .enter()
        .enter()
        .enter()
        .after(10)
        .ok(Input::Continue)
        .enter();
    drive
}

/// Rounds that are cancelled, and what they left open.
fn rounds() -> Drive {
    let steps = vec![repeat("r", 3, true, OnExhausted::Stop)];
    let mut drive = Drive::of(World::of(definition(steps, Vec::new())));
    drive.enter();
    let end = drive.end_of("1", Succeeded, true);
    drive.ok(Input::ChildrenEnded(vec![end]));
    drive
        .ok(Input::RoundJudged { until: false })
        .after(10)
        .ok(Input::Continue);
    drive.cancel().ends("2", Cancelled).enter();
    let key = drive.live()[0].to_owned();
    drive.ends(&key, Succeeded);
    drive
}

/// A lease that ends early.
fn lease() -> Drive {
    let mut opener = read("snapshot");
    let Verb::Do(action) = read("delete").verb else {
        panic!("an action");
    };
    opener.lease = Some(StepLease {
        for_ms: 10,
        end: LeaseEnd { action },
        blocks: Vec::new(),
    });
    let origin = hostler_core::lane::Origin::Lease {
        program: 0,
        step: "snapshot".into(),
    };
    let world = World::of(definition(vec![opener], Vec::new()));
    let mut drive = Drive::from(world, Lane::open(opening(origin), BEGIN_MS));
    let by = "ada".to_owned();
    drive
        .enter()
        .command(Command::Release { by })
        .enter()
        .done();
    drive
}

fn tolerated() -> Drive {
    let spec = Each {
        on_failure: OnFailure::Continue,
        ..each_of()
    };
    let world = World::of(definition(vec![each("all", spec)], Vec::new()));
    let mut drive = Drive::of(world.with_items(items(&[&[], &[]]), &[]));
    drive.enter().ends("i0", Failed).ends("i1", Held);
    drive
}

/// An undo that waits for a call whose worker was lost.
fn held_up() -> Drive {
    let a = repeatable("a").undo(vec![read("back")]);
    let steps = vec![a, read("b").failing(OnFailure::Undo)];
    let mut drive = Drive::of(World::of(definition(steps, Vec::new())));
    drive.enter().after(50).ok(Input::Orphaned).done();
    drive.enter().ok(Input::Answered(reject())).enter();
    drive.after(1_050).ok(Input::Continue).enter().done();
    drive
}

fn sessions() -> Vec<(&'static str, Drive)> {
    vec![
        ("host", host()),
        ("patch", patch()),
        ("people", people()),
        ("rounds", rounds()),
        ("lease", lease()),
        ("tolerated", tolerated()),
        ("held_up", held_up()),
    ]
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
