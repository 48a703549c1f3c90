//! Every state of small programs, exhaustively.

use crate::support::build::*;
use crate::support::drive::World;
use crate::support::offers::{Bounds, COPIES, NARROW, RETRIES, SLOTS, WIDE};
use crate::support::walk::walk;
use hostler_core::definition::*;

fn through(steps: Vec<Step>, always: Vec<Step>, bounds: Bounds) {
    let walked = walk(&World::of(definition(steps, always)), bounds);
    eprintln!(
        "{} states, {} edges, {} ends",
        walked.states, walked.edges, walked.ends
    );
    assert!(walked.ends > 0 && walked.edges >= walked.states - 1);
}

fn over_items(
    step: Step,
    always: Vec<Step>,
    groups: &[&[&str]],
    waves: &[(u32, u64)],
    bounds: Bounds,
) {
    let world = World::of(definition(vec![step], always)).with_items(items(groups), waves);
    let walked = walk(&world, bounds);
    eprintln!(
        "{} states, {} edges, {} ends",
        walked.states, walked.edges, walked.ends
    );
    assert!(walked.ends > 0);
}

#[test]
fn one_call_of_each_class_survives_everything() {
    for step in [read("a"), repeatable("a"), once("a")] {
        through(vec![step.retry(1).conditional()], Vec::new(), WIDE);
    }
}

#[test]
fn a_call_with_an_undo_is_taken_back_only_from_knowledge() {
    for step in [repeatable("a"), once("a")] {
        let step = step.undo(vec![repeatable("back")]);
        through(vec![step, read("b")], Vec::new(), NARROW);
    }
}

#[test]
fn undo_of_two_steps_goes_backwards() {
    let a = once("a").undo(vec![wait("back_a")]);
    let b = read("b").undo(vec![read("back_b"), wait("other_b")]);
    through(vec![a, b.failing(OnFailure::Undo)], Vec::new(), NARROW);
}

#[test]
fn undo_stops_at_the_last_no_return() {
    let a = read("a").undo(vec![read("back_a")]);
    let b = read("b").no_return();
    let c = read("c").undo(vec![read("back_c")]);
    through(vec![a, b, c], Vec::new(), NARROW);
}

#[test]
fn every_way_of_failing_ends() {
    for on_failure in [
        OnFailure::Stop,
        OnFailure::Undo,
        OnFailure::Hold,
        OnFailure::Continue,
        OnFailure::Ask,
        OnFailure::Again,
    ] {
        let a = repeatable("a").undo(vec![read("back")]).failing(on_failure);
        through(
            vec![a, finish("end", "succeeded")],
            vec![wait("clean")],
            NARROW,
        );
    }
}

#[test]
fn what_always_runs_runs_once_whatever_happened() {
    through(vec![read("a")], vec![once("clean"), wait("rest")], NARROW);
    through(
        vec![approval("a")],
        vec![finish("end", "succeeded"), read("b")],
        WIDE,
    );
}

#[test]
fn approvals_and_questions_always_end() {
    for on_expire in [OnExpire::Deny, OnExpire::Escalate, OnExpire::Again] {
        for on_deny in [OnDeny::Stop, OnDeny::Again, OnDeny::Continue] {
            let gate = Step::bare("gate", Verb::Approve(approve(2, on_expire, on_deny)));
            let steps = vec![read("a").undo(vec![approval("may")]), gate, ask("form")];
            through(steps, Vec::new(), NARROW);
        }
    }
}

#[test]
fn waits_and_finishes_always_end() {
    for result in ["succeeded", "failed", "held", "again", "nothing"] {
        let a = wait("a").undo(vec![read("back")]);
        through(vec![a, finish("end", result)], vec![wait("c")], NARROW);
    }
}

#[test]
fn items_in_waves_with_a_gate_always_end() {
    let spec = Each {
        gate: gate(),
        stop_at: Some(StopAt {
            count: Some(2),
            ..StopAt::default()
        }),
        ..each_of()
    };
    let step = each("all", spec);
    let always = || vec![wait("c")];
    over_items(
        step.clone(),
        always(),
        &[&[], &[]],
        &[(1, 20), (0, 0), (1, 0)],
        WIDE,
    );
    over_items(
        step,
        always(),
        &[&[], &[], &[]],
        &[(1, 20), (2, 0)],
        RETRIES,
    );
}

#[test]
fn items_whose_failures_are_asked_about_always_end() {
    let spec = Each {
        on_failure: OnFailure::Ask,
        ..each_of()
    };
    let step = each("all", spec)
        .undo(vec![read("back")])
        .failing(OnFailure::Ask);
    over_items(step.clone(), Vec::new(), &[&["g=1"], &["g=1"]], &[], WIDE);
    over_items(
        step,
        Vec::new(),
        &[&["g=1"], &["g=1"], &["g=2"]],
        &[],
        RETRIES,
    );
}

#[test]
fn rounds_always_end_and_hand_over_what_is_open() {
    for until in [true, false] {
        through(
            vec![repeat("r", 2, until, OnExhausted::Stop)],
            vec![wait("c")],
            WIDE,
        );
        through(
            vec![repeat("r", 2, until, OnExhausted::Ask)],
            Vec::new(),
            RETRIES,
        );
    }
}

#[test]
fn calls_always_end_and_are_taken_back() {
    through(vec![call("x"), read("b")], Vec::new(), WIDE);
}

#[test]
fn fan_out_inside_undo_and_always_always_ends() {
    let a = read("a").undo(vec![call("back")]);
    through(vec![a, read("b")], vec![call("clean")], NARROW);
}

#[test]
fn no_call_begins_that_may_have_been_made_behind_a_copy() {
    for step in [read("a"), repeatable("a"), once("a")] {
        through(vec![step], vec![once("clean")], COPIES);
    }
    let a = once("a").undo(vec![repeatable("back")]);
    through(vec![a], Vec::new(), COPIES);
    through(vec![approval("may"), once("b")], Vec::new(), COPIES);
    over_items(each("all", each_of()), Vec::new(), &[&[], &[]], &[], COPIES);
}

#[test]
fn items_whose_windows_pass_always_end_whatever_people_say() {
    for step in [read("a"), repeatable("a"), once("a")] {
        through(vec![step.retry(1)], vec![wait("c")], SLOTS);
    }
    let once_more = Bounds { slots: 1, ..SLOTS };
    let look = read("look").failing(OnFailure::Continue);
    through(vec![look, read("boot")], Vec::new(), once_more);
    let install = repeatable("install").undo(vec![wait("revert")]);
    through(vec![install, read("verify")], Vec::new(), once_more);
}
