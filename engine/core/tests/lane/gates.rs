//! Steps that the calendar or people hold: what waits, what does not, and what is left behind.

use crate::support::build::*;
use crate::support::drive::*;
use crate::support::letters::*;
use hostler_core::command::{Command, Entry, Input};
use hostler_core::contract::Effect as Class;
use hostler_core::definition::OnFailure;
use hostler_core::effect::{Effect, timer};
use hostler_core::gate::{Closed, FREEZES, GateKind};
use hostler_core::lane::Section;
use hostler_core::result::LaneResult::*;
use std::sync::Arc;

fn watch(on: bool) -> Effect {
    let document = FREEZES.to_owned();
    Effect::Watch { document, on }
}

fn closed(until_ms: Option<i64>) -> Box<Closed> {
    Box::new(Closed {
        gate: GateKind::Freeze,
        rule: "finals".to_owned(),
        why: "finals hold".to_owned(),
        remedy: "wait".to_owned(),
        until_ms,
        document: None,
        never: false,
    })
}

fn held(until_ms: Option<i64>) -> Input {
    let call = Arc::new(spec("install", Class::Once));
    let closed = closed(until_ms);
    Input::Enter(Entry::Held { call, closed })
}

fn drive() -> Drive {
    let install = once("install").undo(vec![repeatable("revert")]);
    let steps = vec![install, read("verify").failing(OnFailure::Undo)];
    Drive::of(World::of(definition(steps, vec![repeatable("loud")])))
}

#[test]
fn a_closed_gate_holds_the_step_until_it_opens() {
    let mut drive = drive();
    let until_ms = drive.now_ms + 100;
    let name = timer::GATE.to_owned();
    drive.ok(held(Some(until_ms)));
    assert_eq!(drive.phase(), "gated");
    let asked = [
        Effect::SetTimer {
            name: name.clone(),
            at_ms: until_ms,
        },
        watch(true),
        Effect::Ledger,
    ];
    assert_eq!(drive.effects, asked);
    // Looked at again and still closed: nothing new is recorded.
    drive.after(50).ok(held(Some(until_ms)));
    assert_eq!(drive.events, []);
    drive.after(50).enter();
    assert_eq!(drive.phase(), "running");
    for over in [Effect::ClearTimer { name }, watch(false)] {
        assert!(drive.effects.contains(&over), "{over:?}");
    }
}

#[test]
fn a_gate_that_is_still_closed_at_its_end_is_looked_at_again() {
    let mut drive = drive();
    let until_ms = drive.now_ms + 100;
    drive.ok(held(Some(until_ms))).after(100);
    drive.ok(held(Some(until_ms)));
    let (name, at_ms) = (timer::GATE.to_owned(), drive.now_ms + 1_000);
    assert!(drive.effects.contains(&Effect::SetTimer { name, at_ms }));
}

#[test]
fn what_takes_back_and_cleans_up_is_never_held() {
    let mut drive = drive();
    drive.enter().done().enter().ok(Input::Answered(reject()));
    assert_eq!(drive.lane.cursor.section, Section::Undo);
    drive.ok(held(None));
    assert_eq!(drive.phase(), "running");
    drive.done();
    assert_eq!(drive.lane.cursor.section, Section::Always);
    drive.ok(held(None)).done();
    assert_eq!(drive.result(), Some(RolledBack));
}

#[test]
fn a_held_lane_can_be_stopped_and_leaves_nothing_behind() {
    let mut drive = drive();
    drive.ok(held(None));
    drive.command(Command::Pause {
        by: "ada".to_owned(),
    });
    drive.command(Command::Resume {
        by: "ada".to_owned(),
    });
    drive.cancel();
    assert!(drive.effects.contains(&watch(false)));
    drive.enter().done();
    assert_eq!(drive.result(), Some(Cancelled));
}

#[test]
fn a_gate_that_never_opens_ends_its_lane_as_held() {
    let mut drive = drive();
    let call = Arc::new(spec("install", Class::Once));
    let mut gate = closed(None);
    gate.document = Some("told".to_owned());
    drive.ok(Input::Enter(Entry::Held {
        call: Arc::clone(&call),
        closed: gate.clone(),
    }));
    assert_eq!(drive.phase(), "gated");
    let told = |on: bool| Effect::Watch {
        document: "told".to_owned(),
        on,
    };
    assert!(drive.effects.contains(&told(true)));
    gate.never = true;
    drive.ok(Input::Enter(Entry::Held { call, closed: gate }));
    assert!(drive.effects.contains(&told(false)));
    drive.enter().done();
    assert_eq!(drive.result(), Some(Held));
}
