//! Who may decide, what counts, and what an expiry never does.

use crate::support::build::*;
use crate::support::drive::*;
use crate::support::letters::*;
use hostler_core::command::{Choice, Command, Input};
use hostler_core::definition::*;
use hostler_core::event::Event;
use hostler_core::id::Digest;
use hostler_core::lane::PersonKind;
use hostler_core::refusal::Refusal;
use hostler_core::result::LaneResult;
use serde_json::json;

fn gate_of(approve: Approve) -> Drive {
    let steps = vec![Step::bare("gate", Verb::Approve(approve)), read("behind")];
    let mut drive = Drive::of(World::of(definition(steps, Vec::new())));
    drive.enter();
    drive
}

fn two_of_board() -> Drive {
    gate_of(approve(2, OnExpire::Deny, OnDeny::Stop))
}

fn yes(person: &str) -> Input {
    Input::Command(vote(person, "board", true))
}

fn timer() -> Input {
    let name = "expire".to_owned();
    Input::Command(Command::Timer { name })
}

#[test]
fn a_second_approval_by_the_same_person_does_not_count() {
    let mut drive = two_of_board();
    drive.ok(yes("ada"));
    let person = "ada".to_owned();
    assert_eq!(
        drive.refused(yes("ada")),
        Refusal::DecidedAlready { person }
    );
    assert_eq!(drive.phase(), "person");
    drive.ok(yes("bob"));
    assert_eq!(drive.phase(), "at");
}

#[test]
fn the_starter_does_not_approve_the_own_run() {
    let mut drive = two_of_board();
    let person = "starter".to_owned();
    assert_eq!(drive.refused(yes("starter")), Refusal::FourEyes { person });
}

#[test]
fn a_wrong_role_is_told_who_is_asked() {
    let mut drive = two_of_board();
    let refusal = drive.refused(Input::Command(vote("eve", "guest", true)));
    let (person, wanted) = ("eve".to_owned(), "role:board".to_owned());
    assert_eq!(refusal, Refusal::NotAsked { person, wanted });
}

#[test]
fn a_vote_for_what_was_shown_before_does_not_count() {
    let mut drive = two_of_board();
    let old = Command::Decide {
        actor: actor("ada", "board"),
        yes: true,
        signs: Digest::of(b"the plan of yesterday"),
        comment: None,
        typed: None,
        waive: Vec::new(),
    };
    let present = Digest::of(b"shown");
    assert_eq!(
        drive.refused(Input::Command(old)),
        Refusal::Changed { present }
    );
}

#[test]
fn a_vote_in_time_counts_although_it_is_drained_later() {
    let mut drive = gate_of(approve(1, OnExpire::Deny, OnDeny::Stop));
    // The letter bears the stamp of its acceptance, one millisecond before the expiry at 100.
    drive.after(99).ok(yes("ada"));
    let refusal = drive.after(500).refused(timer());
    assert_eq!(
        refusal,
        Refusal::StaleTimer {
            name: "expire".to_owned()
        }
    );
    assert_eq!(drive.phase(), "at");
}

#[test]
fn a_vote_stamped_at_the_expiry_does_not_count_although_the_timer_is_late() {
    let mut drive = gate_of(approve(1, OnExpire::Deny, OnDeny::Stop));
    assert_eq!(drive.after(100).refused(yes("ada")), Refusal::Expired);
    drive.ok(timer());
    assert_eq!(drive.result(), Some(LaneResult::Expired));
}

#[test]
fn each_clause_has_its_own_share_of_the_quorum() {
    let two_rooms = Approve {
        who: who(&[("role:board", 1), ("role:customer", 1)]),
        ..approve(2, OnExpire::Deny, OnDeny::Stop)
    };
    let mut drive = gate_of(two_rooms);
    drive.ok(yes("ada")).ok(yes("bob"));
    assert_eq!(
        drive.phase(),
        "person",
        "two of one room are not one of each"
    );
    drive.command(vote("cora", "customer", true));
    assert_eq!(drive.phase(), "at");
}

#[test]
fn one_person_with_two_roles_is_still_one_person() {
    let two_rooms = Approve {
        who: who(&[("role:board", 1), ("role:customer", 1)]),
        ..approve(2, OnExpire::Deny, OnDeny::Stop)
    };
    let mut drive = gate_of(two_rooms);
    let mut both = actor("ada", "board");
    both.qualifies.push("role:customer".to_owned());
    drive.command(vote_of(both, true));
    assert_eq!(drive.phase(), "person");
    drive.ok(yes("bob"));
    assert_eq!(drive.phase(), "at");
}

#[test]
fn one_no_is_enough_and_the_reason_is_kept() {
    let mut drive = two_of_board();
    drive.ok(yes("ada"));
    drive.command(Command::Decide {
        actor: actor("bob", "board"),
        yes: false,
        signs: Digest::of(b"shown"),
        comment: Some("not before the audit".to_owned()),
        typed: None,
        waive: Vec::new(),
    });
    assert_eq!(drive.result(), Some(LaneResult::Denied));
    let reason = drive.lane.results["gate"].reason.clone();
    assert_eq!(
        reason.as_deref(),
        Some("denied by bob: not before the audit")
    );
}

#[test]
fn what_was_denied_does_not_go_on_whatever_the_step_says_about_failures() {
    for on_failure in [OnFailure::Continue, OnFailure::Ask, OnFailure::Hold] {
        let gate = approval("gate").failing(on_failure);
        let mut drive = Drive::of(World::of(definition(vec![gate, read("b")], Vec::new())));
        drive.enter().command(vote("ada", "board", false));
        assert_eq!(drive.result(), Some(LaneResult::Denied), "{on_failure:?}");
    }
}

#[test]
fn a_denial_that_is_to_be_passed_over_leaves_a_trace() {
    let mut drive = gate_of(approve(1, OnExpire::Deny, OnDeny::Continue));
    drive.command(vote("ada", "board", false)).enter().done();
    assert_eq!(drive.result(), Some(LaneResult::Recovered));
}

#[test]
fn an_expiry_never_grants() {
    for (on_expire, phase, result) in [
        (OnExpire::Deny, "ended", Some(LaneResult::Expired)),
        (OnExpire::Again, "ended", Some(LaneResult::Again)),
        (OnExpire::Escalate, "person", None),
    ] {
        let mut drive = gate_of(approve(1, on_expire, OnDeny::Stop));
        let events = drive.after(100).take(timer()).unwrap();
        let granted = |event: &Event| matches!(event, Event::StepSucceeded { .. });
        assert!(!events.iter().any(granted), "{on_expire:?}");
        assert_eq!((drive.phase(), drive.result()), (phase, result));
    }
}

#[test]
fn an_escalated_question_stays_open_for_the_same_people() {
    let mut drive = gate_of(approve(1, OnExpire::Escalate, OnDeny::Stop));
    drive.after(100).ok(timer());
    assert_eq!(drive.asked(), PersonKind::Approve);
    let refusal = drive.after(1_000_000).refused(timer());
    assert_eq!(
        refusal,
        Refusal::StaleTimer {
            name: "expire".to_owned()
        }
    );
    let wrong = drive.refused(Input::Command(vote("eve", "guest", true)));
    assert!(matches!(wrong, Refusal::NotAsked { .. }));
    drive.ok(yes("ada"));
    assert_eq!(drive.phase(), "at");
}

#[test]
fn an_approval_is_not_answered_by_a_choice_or_a_form() {
    let mut drive = two_of_board();
    let signs = Digest::of(b"shown");
    let form = Command::Answer {
        actor: actor("ada", "board"),
        signs,
        answer: json!({}),
    };
    let choice = Command::Choose {
        actor: actor("ada", "board"),
        choice: Choice::Skip,
        comment: None,
        signs: Some(signs),
        output: json!(null),
    };
    for command in [form, choice] {
        let expected = "yes or no";
        assert_eq!(
            drive.refused(Input::Command(command)),
            Refusal::WrongKind { expected }
        );
    }
}

#[test]
fn nobody_decides_where_nothing_is_asked() {
    let mut drive = Drive::of(World::of(definition(vec![read("a")], Vec::new())));
    assert_eq!(
        drive.refused(yes("ada")),
        Refusal::NobodyAsked { phase: "at" }
    );
    drive.enter();
    assert_eq!(
        drive.refused(yes("ada")),
        Refusal::NobodyAsked { phase: "running" }
    );
}
