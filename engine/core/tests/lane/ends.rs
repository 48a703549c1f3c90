//! Undo, `always` and the verdict: faults that were found once, each as the shortest way to it.

use crate::support::build::*;
use crate::support::drive::*;
use crate::support::leases::*;
use crate::support::letters::*;
use hostler_core::command::{Choice, Command, Entry, Input};
use hostler_core::definition::*;
use hostler_core::effect::Effect;
use hostler_core::lane::{Lane, Origin, PersonKind, Phase, UndoEntry};
use hostler_core::refusal::Refusal;
use hostler_core::result::{LaneResult::*, Verdict};

fn driving(steps: Vec<Step>, always: Vec<Step>) -> Drive {
    Drive::of(World::of(definition(steps, always)))
}

/// A cancelled lane whose undo is running.
fn undoing(undo: Step) -> Drive {
    let a = repeatable("a").undo(vec![undo]);
    let mut drive = driving(vec![a, read("b")], Vec::new());
    drive.enter().done().cancel().enter();
    drive
}

#[test]
fn an_undo_of_a_cancelled_lane_may_pend_and_is_not_cancelled_itself() {
    let mut drive = undoing(repeatable("back"));
    drive.ok(Input::Answered(pending()));
    assert_eq!(drive.phase(), "pending");
    assert!(!drive.effects.contains(&Effect::CancelCall));
    drive.after(600).ok(Input::Continue).done();
    assert_eq!(drive.result(), Some(Cancelled));
}

#[test]
fn an_undo_of_a_cancelled_lane_is_repeated_like_any_call() {
    let mut drive = undoing(repeatable("back").retry(2));
    drive.ok(Input::Answered(again()));
    assert_eq!(drive.phase(), "backoff");
}

#[test]
fn children_of_an_undo_of_a_cancelled_lane_are_awaited() {
    let mut drive = undoing(call("back"));
    assert_eq!(drive.live(), ["call"]);
    drive.ends("call", Succeeded);
    assert_eq!(drive.result(), Some(Cancelled));
}

#[test]
fn a_lane_that_takes_back_is_not_cancelled() {
    let mut opening = opening(Origin::Undo {
        program: 0,
        of: lane().id(),
    });
    opening.undo = vec![UndoEntry {
        step: 0,
        child: None,
    }];
    let a = read("a").undo(vec![read("back")]);
    let world = World::of(definition(vec![a], Vec::new()));
    let mut drive = Drive::from(world, Lane::open(opening, BEGIN_MS));
    assert_eq!(drive.refused(Input::Command(cancel())), Refusal::Stopping);
    drive.enter().done();
    assert_eq!(drive.result(), Some(Succeeded));
}

/// Nobody judges such a round: waiting for `until` would be for ever.
#[test]
fn a_round_that_was_held_or_cancelled_is_the_last_one() {
    for result in [Held, Deferred, Cancelled] {
        let mut drive = driving(vec![repeat("r", 3, true, OnExhausted::Stop)], Vec::new());
        drive.enter().ends("1", result);
        assert_eq!(drive.result(), Some(result));
    }
}

#[test]
fn rounds_that_fail_at_last_hand_over_what_the_good_ones_left_open() {
    for on_exhausted in [OnExhausted::Stop, OnExhausted::Ask] {
        let mut drive = driving(vec![repeat("r", 1, true, on_exhausted)], Vec::new());
        drive.enter();
        let end = drive.end_of("1", Succeeded, true);
        let child = end.lane;
        drive.ok(Input::ChildrenEnded(vec![end]));
        drive.ok(Input::RoundJudged { until: false });
        if on_exhausted == OnExhausted::Ask {
            drive.choose(Choice::Fail);
        }
        assert_eq!(drive.lane.undoing_child(), Some(child), "{on_exhausted:?}");
    }
}

#[test]
fn an_undo_of_a_child_whose_record_is_gone_is_asked_about() {
    let mut drive = driving(vec![call("a"), read("b")], Vec::new());
    drive.enter();
    let end = drive.end_of("call", Succeeded, true);
    drive.ok(Input::ChildrenEnded(vec![end])).cancel();
    drive.ok(Input::Enter(Entry::Fault("the record is gone".to_owned())));
    assert_eq!(drive.asked(), PersonKind::UndoFailed);
    drive.choose(Choice::Fail);
    assert_eq!(drive.result(), Some(Failed));
}

#[test]
fn the_question_about_an_undo_says_why_the_undo_failed() {
    let a = once("a").undo(vec![read("back"), read("revert")]);
    let mut drive = driving(vec![a.failing(OnFailure::Undo)], Vec::new());
    drive.enter().ok(Input::Answered(reject()));
    drive.enter().ok(Input::Answered(reject()));
    drive.enter().ok(Input::Answered(reject()));
    let Phase::Person(person) = &drive.lane.phase else {
        panic!("nobody is asked: {}", drive.phase());
    };
    assert_eq!(person.kind, PersonKind::UndoFailed);
    assert_eq!(
        person.reason.as_deref(),
        Some("back: it does not fit; revert: it does not fit")
    );
}

#[test]
fn a_lane_that_ends_well_says_what_it_left_open() {
    let a = read("a").undo(vec![read("back")]);
    let mut drive = driving(vec![a, read("b")], Vec::new());
    drive.enter().done().enter().done();
    let entry = UndoEntry {
        step: 0,
        child: None,
    };
    assert_eq!(drive.lane.undo_left(), [entry]);
}

#[test]
fn a_finish_does_not_launder_a_handled_failure() {
    for result in ["succeeded", "nothing"] {
        let a = read("a").failing(OnFailure::Continue);
        let mut drive = driving(vec![a, finish("end", result)], Vec::new());
        drive.enter().ok(Input::Answered(reject())).enter();
        assert_eq!(drive.result(), Some(Recovered), "{result}");
    }
}

#[test]
fn a_finish_at_the_end_does_not_better_the_verdict() {
    let always = vec![finish("end", "succeeded")];
    let mut drive = driving(vec![read("a")], always);
    drive.enter().ok(Input::Answered(reject())).enter();
    assert_eq!(drive.result(), Some(Failed));
}

#[test]
fn a_failure_in_always_is_seen_in_the_end() {
    let mut drive = driving(vec![read("a")], vec![read("clean")]);
    drive.enter().done().enter().ok(Input::Answered(reject()));
    assert_eq!(drive.result(), Some(Recovered));
}

#[test]
fn a_lease_of_an_undo_has_a_lane_that_can_run() {
    let definition = definition(vec![read("a").undo(vec![leasing("back")])], Vec::new());
    let origin = Origin::Lease {
        program: 0,
        step: "back".into(),
    };
    let lane = Lane::open(opening(origin), BEGIN_MS);
    assert_eq!(lane.program(&definition).unwrap().steps.len(), 2);
}

#[test]
fn a_lease_that_is_released_before_its_lanes_first_turn_ends_early_and_once() {
    let mut drive = Drive::of_lease(leasing("snapshot"));
    let release = Input::Command(Command::Release {
        by: "run 1".to_owned(),
        reason: None,
    });
    drive.ok(release.clone());
    // What ends it stands next, and is not skipped by another release.
    let refused = drive.refused(release);
    assert!(matches!(refused, Refusal::Unexpected { .. }), "{refused}");
    drive.enter().done();
    assert_eq!(drive.result(), Some(Succeeded));
}

#[test]
fn what_could_not_be_taken_back_keeps_its_first_cause() {
    let a = read("a").undo(vec![read("back")]).failing(OnFailure::Undo);
    let mut drive = driving(vec![a, read("b").failing(OnFailure::Undo)], Vec::new());
    drive.enter().done().enter().ok(Input::Answered(reject()));
    drive
        .enter()
        .ok(Input::Answered(reject()))
        .choose(Choice::Skip);
    let verdict = drive.lane.verdict.clone();
    let (note, step) = (
        Some("it does not fit; something could not be taken back".to_owned()),
        Some("b".to_owned()),
    );
    let result = Failed;
    assert_eq!(verdict, Some(Verdict { result, note, step }));
}
