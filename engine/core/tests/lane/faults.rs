//! Faults that were found once, each as the shortest way to it.

use crate::support::build::*;
use crate::support::drive::*;
use crate::support::letters::*;
use hostler_core::command::{Choice, Command, Entry, Input, Seen};
use hostler_core::decide::OBSERVE_MAX;
use hostler_core::definition::*;
use hostler_core::effect::Effect;
use hostler_core::event::{Event, Journal};
use hostler_core::id::Digest;
use hostler_core::lane::{PersonKind, Phase, Why};
use hostler_core::refusal::Refusal;
use hostler_core::result::LaneResult::*;
use serde_json::{Value, json};

fn driving(steps: Vec<Step>, always: Vec<Step>) -> Drive {
    Drive::of(World::of(definition(steps, always)))
}

fn unknown() -> Input {
    Input::Observed(Seen::Unknown("no trace".to_owned()))
}

fn journaled(drive: &mut Drive) -> &mut Drive {
    let (number, attempt, what) = (1, drive.lane.attempt, "post".to_owned());
    drive.ok(Input::Journaled(Journal {
        number,
        attempt,
        what,
        outcome: None,
    }))
}

fn broken() -> Input {
    let reason = "memory".to_owned();
    Input::Broken { reason }
}

fn quarantine() -> Input {
    let reason = "aborted".to_owned();
    Input::Quarantine { reason }
}

#[test]
fn a_cancel_leaves_no_timer_behind() {
    let retry = || repeatable("a").retry(3);
    for (name, step, input) in [
        ("retry", retry(), Some(Input::Answered(again()))),
        ("resume", retry(), Some(Input::Answered(pending()))),
        ("wait", wait("w"), None),
        ("expire", approval("p"), None),
    ] {
        let mut drive = driving(vec![step], Vec::new());
        drive.enter();
        if let Some(input) = input {
            drive.ok(input);
        }
        drive.cancel();
        let name = name.to_owned();
        assert!(
            drive.effects.contains(&Effect::ClearTimer { name }),
            "{:?}",
            drive.effects
        );
    }
}

#[test]
fn a_pending_call_that_is_looked_up_gives_no_slot_back_twice() {
    let mut drive = driving(vec![once("a")], Vec::new());
    drive.enter().ok(Input::Answered(pending()));
    let key = "slot:c".to_owned();
    assert!(
        drive
            .effects
            .contains(&Effect::ReleaseSlot { key: key.clone() })
    );
    drive.cancel().ok(Input::Observed(Seen::NotDone));
    assert!(!drive.effects.contains(&Effect::ReleaseSlot { key }));
}

/// Begun anew, the work that goes on at the target would be done twice.
#[test]
fn a_resumed_call_that_wants_a_retry_is_resumed_again() {
    let mut drive = driving(vec![once("a").retry(3)], Vec::new());
    drive.enter().ok(Input::Answered(pending()));
    drive.after(600).ok(Input::Continue);
    drive.ok(Input::Answered(again()));
    assert_eq!(drive.phase(), "pending");
    assert_eq!(drive.lane.attempt, 1);
}

#[test]
fn not_done_counts_only_when_the_lost_call_can_no_longer_land() {
    let mut drive = driving(vec![once("a")], Vec::new());
    let not_done = Input::Observed(Seen::NotDone);
    drive.enter().ok(Input::Orphaned).ok(not_done);
    assert_eq!(drive.phase(), "checking");
    let early = drive.after(1_099).refused(Input::Observed(Seen::NotDone));
    assert!(matches!(early, Refusal::Unexpected { .. }));
    assert!(matches!(
        drive.refused(unknown()),
        Refusal::Unexpected { .. }
    ));
    drive.after(1).ok(Input::Observed(Seen::NotDone));
    assert_eq!(drive.phase(), "backoff");
}

#[test]
fn done_counts_as_soon_as_it_is_seen() {
    let mut drive = driving(vec![once("a")], Vec::new());
    drive
        .enter()
        .ok(Input::Orphaned)
        .ok(Input::Observed(Seen::Done(json!({}))));
    assert_eq!(drive.result(), Some(Succeeded));
}

#[test]
fn work_that_goes_on_behind_its_worker_is_followed_but_not_believed_to_be_undone_early() {
    let mut drive = driving(vec![once("a")], Vec::new());
    let going = Input::Observed(Seen::Going { ask_after_ms: 10 });
    drive.enter().ok(Input::Orphaned).ok(going).after(1_000);
    drive.ok(Input::Observed(Seen::NotDone));
    assert_eq!(drive.phase(), "checking");
    drive.after(100).ok(Input::Observed(Seen::NotDone));
    assert_eq!(drive.phase(), "backoff");
}

#[test]
fn people_decide_when_a_repeatable_call_stays_unknown() {
    let a = repeatable("a").undo(vec![read("back")]);
    let mut drive = driving(vec![a], Vec::new());
    for _ in 0..2 {
        drive.enter().ok(cut()).after(100).ok(unknown());
        drive.after(1_000);
        if drive.phase() == "backoff" {
            drive.ok(Input::Continue);
        }
    }
    assert_eq!(drive.asked(), PersonKind::InDoubt);
}

#[test]
fn a_cancel_between_two_attempts_asks_what_the_first_one_did() {
    let a = repeatable("a").undo(vec![read("back")]);
    let mut drive = driving(vec![a], Vec::new());
    drive.enter().ok(cut()).after(100).ok(unknown());
    assert_eq!(drive.phase(), "backoff");
    drive.cancel();
    assert_eq!(drive.asked(), PersonKind::InDoubt);
    let again = drive.refused(Input::Command(choose(Choice::Retry)));
    assert_eq!(
        again,
        Refusal::Stopping,
        "nothing is called for a stopping lane"
    );
    drive.choose(Choice::Fail).enter().done();
    assert_eq!(drive.result(), Some(Cancelled));
}

#[test]
fn what_a_second_attempt_says_of_itself_settles_no_first_one() {
    for answer in [reject(), again(), needs_human()] {
        let a = repeatable("a").undo(vec![read("back")]);
        let mut drive = driving(vec![a], Vec::new());
        drive.enter().ok(cut()).after(100).ok(unknown());
        drive.after(1_000).ok(Input::Continue).enter();
        drive.ok(Input::Answered(answer));
        if drive.phase() == "backoff" || drive.asked() == PersonKind::NeedsHuman {
            drive.cancel();
        }
        assert_eq!(drive.asked(), PersonKind::InDoubt);
    }
}

#[test]
fn a_step_whose_first_call_is_unknown_is_not_skipped() {
    let mut drive = driving(vec![repeatable("a").conditional()], Vec::new());
    drive
        .enter()
        .ok(cut())
        .after(100)
        .ok(unknown())
        .after(1_000)
        .ok(Input::Continue);
    drive.ok(Input::Enter(Entry::Skip));
    assert_eq!(drive.asked(), PersonKind::InDoubt);
}

#[test]
fn a_guest_that_breaks_in_the_middle_of_its_calls_leaves_a_doubt() {
    for step in [repeatable("a"), once("a")] {
        let mut drive = driving(vec![step.undo(vec![read("back")])], Vec::new());
        journaled(drive.enter()).ok(broken());
        assert_eq!(drive.phase(), "checking");
    }
    let mut drive = driving(vec![once("a")], Vec::new());
    drive.enter().ok(broken());
    assert_eq!(
        drive.result(),
        Some(Failed),
        "no call was noted, none was made"
    );
}

#[test]
fn a_lost_call_of_a_stopping_lane_is_not_made_again() {
    let mut drive = driving(vec![repeatable("a")], Vec::new());
    drive.enter().cancel().ok(Input::Orphaned);
    assert_eq!(drive.phase(), "checking");
    let mut drive = driving(vec![read("a")], Vec::new());
    drive.enter().cancel().ok(Input::Orphaned);
    assert_eq!(drive.result(), Some(Cancelled));
}

#[test]
fn a_question_of_the_plugin_does_not_hold_a_stopping_lane() {
    let mut drive = driving(vec![once("a")], Vec::new());
    drive.enter().cancel().ok(Input::Answered(needs_human()));
    assert_eq!(drive.result(), Some(Cancelled));
}

#[test]
fn work_that_goes_on_at_the_target_is_told_to_stop_even_while_it_is_looked_up() {
    let mut drive = driving(vec![once("a")], Vec::new());
    drive
        .enter()
        .ok(Input::Answered(pending()))
        .after(1_200)
        .ok(Input::Continue);
    let Phase::Checking(checking) = &drive.lane.phase else {
        panic!("the whole time of the call was over");
    };
    assert_eq!(checking.why, Why::Timeout);
    drive
        .ok(Input::Observed(Seen::Going { ask_after_ms: 10 }))
        .cancel();
    let Phase::Checking(checking) = &drive.lane.phase else {
        panic!("still looked up");
    };
    assert_eq!((checking.why, checking.asked), (Why::Cancel, 0));
    assert!(drive.effects.contains(&Effect::CancelCall));
}

#[test]
fn work_that_never_ends_is_asked_about_at_last() {
    let mut drive = driving(vec![once("a")], Vec::new());
    drive.enter().ok(cut()).after(100);
    for _ in 0..OBSERVE_MAX {
        drive.ok(Input::Observed(Seen::Going { ask_after_ms: 10 }));
        drive.after(1_000);
    }
    drive.ok(Input::Observed(Seen::Going { ask_after_ms: 10 }));
    assert_eq!(drive.asked(), PersonKind::InDoubt);
}

#[test]
fn a_doubt_is_not_skipped() {
    let mut drive = driving(vec![once("a")], Vec::new());
    drive.enter().ok(cut()).after(100).ok(unknown());
    let refusal = drive.refused(Input::Command(choose(Choice::Skip)));
    let expected = "done, retry or fail";
    assert_eq!(refusal, Refusal::WrongKind { expected });
}

#[test]
fn one_click_settles_one_question() {
    let step = once("a").failing(OnFailure::Ask);
    let mut drive = driving(vec![step], Vec::new());
    drive
        .enter()
        .ok(cut())
        .after(100)
        .ok(unknown())
        .choose(Choice::Fail);
    assert_eq!(
        drive.result(),
        Some(Failed),
        "who said fail is not asked again"
    );
}

#[test]
fn a_choice_made_on_an_older_page_is_refused() {
    let step = read("a").failing(OnFailure::Ask);
    let mut drive = driving(vec![step], Vec::new());
    drive.enter().ok(Input::Answered(reject()));
    let old = Command::Choose {
        actor: actor("olga", "operator"),
        choice: Choice::Skip,
        comment: None,
        signs: Some(Digest::of(b"another question")),
        output: Value::Null,
    };
    assert!(matches!(
        drive.refused(Input::Command(old)),
        Refusal::Changed { .. }
    ));
}

#[test]
fn a_quarantine_never_loses_children_or_a_question() {
    let mut drive = driving(vec![call("a")], Vec::new());
    drive.enter();
    assert!(matches!(
        drive.refused(quarantine()),
        Refusal::Unexpected { .. }
    ));
    let mut drive = driving(vec![approval("a")], Vec::new());
    drive.enter();
    assert!(matches!(
        drive.refused(quarantine()),
        Refusal::Unexpected { .. }
    ));
}

#[test]
fn a_quarantined_pending_call_keeps_its_key() {
    let mut drive = driving(vec![once("a")], Vec::new());
    drive.enter();
    let key = |drive: &Drive| match &drive.lane.phase {
        Phase::Running(running) => running.key,
        other => panic!("not running but {}", other.name()),
    };
    let first = key(&drive);
    drive
        .ok(Input::Answered(pending()))
        .ok(quarantine())
        .choose(Choice::Retry);
    assert_eq!(key(&drive), first);
}

#[test]
fn a_stopped_lane_does_not_begin_anew_out_of_quarantine() {
    let mut drive = driving(vec![wait("a"), read("b")], Vec::new());
    drive
        .enter()
        .ok(quarantine())
        .cancel()
        .choose(Choice::Retry);
    assert_eq!(drive.result(), Some(Cancelled));
}

#[test]
fn a_pause_holds_every_phase_and_a_resume_frees_it() {
    let by = "ada".to_owned();
    let entered = |step: Step| {
        let mut drive = driving(vec![step, read("next")], Vec::new());
        drive.enter();
        drive
    };
    let mut gated = driving(vec![read("a")], Vec::new());
    let resource = "slot:c".to_owned();
    gated.ok(Input::Blocked { resource });
    let mut backoff = entered(read("a"));
    backoff.ok(Input::Answered(again()));
    let mut pended = entered(read("a"));
    pended.ok(Input::Answered(pending()));
    let mut checked = entered(once("a"));
    checked.ok(cut());
    for mut drive in [
        driving(vec![read("a")], Vec::new()),
        gated,
        entered(read("a")),
        backoff,
        pended,
        checked,
        entered(wait("a")),
        entered(approval("a")),
        entered(call("a")),
    ] {
        let phase = drive.phase();
        drive.command(Command::Pause { by: by.clone() });
        let twice = drive.refused(Input::Command(Command::Pause { by: by.clone() }));
        assert_eq!(twice, Refusal::PausedAlready, "{phase}");
        if let Some(entry) = drive.world.entry(&drive.lane, drive.now_ms) {
            let refused = drive.refused(Input::Enter(entry));
            assert!(matches!(refused, Refusal::Unexpected { .. }), "{phase}");
        }
        drive.command(Command::Resume { by: by.clone() });
        assert_eq!(drive.phase(), phase);
        let twice = drive.refused(Input::Command(Command::Resume { by: by.clone() }));
        assert_eq!(twice, Refusal::NotPaused, "{phase}");
        drive.command(Command::Pause { by: by.clone() }).cancel();
        assert!(
            !drive.lane.paused,
            "a cancelled lane is not held by a pause: {phase}"
        );
        let events = &drive.events;
        assert!(matches!(events[0], Event::StopRequested { .. }), "{phase}");
    }
}
