//! A lane that goes on from a copy of the store: what it did behind the copy is in no log.

use crate::support::build::*;
use crate::support::drive::*;
use crate::support::letters::*;
use crate::support::offers::restored;
use hostler_core::command::{Choice, Command, Input, Seen};
use hostler_core::definition::{OnFailure, Step};
use hostler_core::event::Event;
use hostler_core::lane::{PersonKind, Phase};
use hostler_core::refusal::Refusal;
use serde_json::Value;

fn drive(steps: Vec<Step>) -> Drive {
    Drive::of(World::of(definition(steps, Vec::new())))
}

/// The copy is restored one moment after it was taken.
fn copied(drive: &mut Drive) -> &mut Drive {
    let input = restored(drive.now_ms);
    drive.now_ms += 1;
    drive.ok(input)
}

fn is_asked(drive: &Drive) -> bool {
    matches!(&drive.lane.phase, Phase::Person(person) if person.kind == PersonKind::InDoubt)
}

fn is_running(drive: &Drive) -> bool {
    matches!(drive.lane.phase, Phase::Running(_))
}

#[test]
fn a_lane_that_was_parked_before_its_once_step_asks_before_it_begins() {
    let mut drive = drive(vec![wait("rest"), once("reboot")]);
    drive.enter();
    copied(&mut drive).after(10).ok(Input::Continue).enter();
    assert!(is_asked(&drive), "{}", drive.phase());
    drive.choose(Choice::Retry);
    assert!(
        matches!(drive.lane.phase, Phase::At),
        "it takes its locks as usual"
    );
    drive.enter();
    assert!(is_running(&drive));
}

#[test]
fn what_is_said_to_have_happened_is_not_done_again_and_the_next_call_is_asked_about() {
    let mut drive = drive(vec![once("a"), repeatable("b"), once("c")]);
    copied(&mut drive).enter().choose(Choice::Done).enter();
    assert!(is_asked(&drive), "b may have happened as well");
    drive.choose(Choice::Retry).enter().done().enter();
    assert!(
        is_running(&drive),
        "what did not happen has nothing behind it"
    );
}

#[test]
fn reads_and_waits_go_on_without_people() {
    let mut drive = drive(vec![read("look"), wait("rest"), read("again")]);
    copied(&mut drive).enter().done().enter();
    drive.after(10).ok(Input::Continue).enter().done();
    assert!(drive.lane.has_ended());
}

#[test]
fn a_call_in_flight_is_observed_whatever_its_class() {
    for step in [repeatable("a"), once("a")] {
        let mut drive = drive(vec![step]);
        copied(drive.enter());
        assert!(matches!(drive.lane.phase, Phase::Checking(_)));
        drive.after(1_200).ok(Input::Observed(Seen::NotDone));
        drive.after(1_000).ok(Input::Continue).enter();
        assert!(
            is_asked(&drive),
            "not done now is not the same as never done"
        );
    }
}

#[test]
fn pending_work_is_observed_and_not_resumed_from_an_old_place() {
    let mut drive = drive(vec![once("a")]);
    drive.enter().ok(Input::Answered(pending()));
    copied(&mut drive).after(600).ok(Input::Continue);
    assert!(matches!(drive.lane.phase, Phase::Checking(_)));
}

#[test]
fn an_answer_to_a_question_from_before_the_copy_begins_no_call() {
    let mut drive = drive(vec![once("a")]);
    drive.enter().ok(cut()).after(1_200);
    drive.ok(Input::Observed(Seen::Unknown("no trace".to_owned())));
    assert!(is_asked(&drive));
    copied(&mut drive);
    let Phase::Person(person) = &drive.lane.phase else {
        panic!("asked before");
    };
    let (actor, signs) = (actor("olga", "operator"), Some(person.signs));
    drive.command(Command::Choose {
        actor,
        choice: Choice::Retry,
        comment: None,
        signs,
        output: Value::Null,
    });
    assert!(is_asked(&drive), "asked anew");
    drive.choose(Choice::Retry).enter();
    assert!(is_running(&drive));
}

#[test]
fn what_takes_back_is_asked_about_as_well() {
    let a = once("a").undo(vec![repeatable("back")]);
    let mut drive = drive(vec![a.failing(OnFailure::Undo)]);
    copied(&mut drive).enter().choose(Choice::Fail).enter();
    assert!(is_asked(&drive), "{}", drive.phase());
    drive.choose(Choice::Retry).enter();
    assert!(is_running(&drive));
}

#[test]
fn a_copy_is_heard_of_once_and_not_by_younger_lanes() {
    let mut drive = drive(vec![once("a")]);
    let input = restored(drive.now_ms);
    copied(&mut drive);
    assert!(matches!(drive.refused(input), Refusal::Unexpected { .. }));
    drive.now_ms += 9;
    let later = restored(drive.now_ms);
    assert_eq!(
        drive.ok(later).events.len(),
        1,
        "an older copy does not hide a newer one"
    );
    let born = Input::Restored {
        taken_ms: BEGIN_MS - 2,
        restored_ms: BEGIN_MS,
    };
    let mut young = self::drive(vec![once("a")]);
    assert!(matches!(young.refused(born), Refusal::Unexpected { .. }));
}

#[test]
fn a_lane_that_a_doubtful_one_opens_is_doubtful_itself() {
    let mut parent = drive(vec![once("a")]);
    copied(&mut parent);
    let mut opening = opening(hostler_core::lane::Origin::Program(0));
    opening.restored = parent.lane.restored;
    let world = World::of(definition(vec![once("a")], Vec::new()));
    let lane = hostler_core::lane::Lane::open(opening, parent.now_ms + 5);
    let mut child = Drive::from(world, lane);
    child.now_ms = parent.now_ms + 5;
    assert!(child.lane.may_have_gone_on());
    let decided = child.world.decide(
        &child.lane,
        Input::Enter(child.world.entry(&child.lane, child.now_ms).unwrap()),
        child.now_ms,
    );
    let asked = |event: &Event| matches!(event, Event::PersonAsked { .. });
    assert!(
        decided
            .unwrap()
            .events
            .iter()
            .any(|recorded| asked(&recorded.event))
    );
}
