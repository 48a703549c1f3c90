//! Items that have missed their windows, where people are asked: what each answer does, and what asks nobody.

use crate::support::build::*;
use crate::support::drive::*;
use crate::support::letters::*;
use crate::support::offers::missed;
use hostler_core::command::{Choice, Command, Entry, Input};
use hostler_core::deferral::PutOff;
use hostler_core::definition::OnFailure;
use hostler_core::effect::Effect;
use hostler_core::event::Event;
use hostler_core::lane::{Lane, PersonKind, SLOTS_MAX};
use hostler_core::refusal::Refusal;
use hostler_core::result::LaneResult::{self, *};
use hostler_core::result::StepState;

const CHOICES: [Choice; 3] = [Choice::Next, Choice::Leave, Choice::Stop];

fn world() -> World {
    let install = once("install").undo(vec![repeatable("revert")]);
    let steps = vec![read("look"), install, read("verify")];
    World::of(definition(steps, vec![repeatable("loud")]))
}

/// It has looked, and its windows have passed.
fn asked() -> Drive {
    let mut drive = Drive::of(world());
    drive.enter().done();
    miss(&mut drive);
    drive
}

/// The step under the cursor is entered when as many windows have passed as its item may miss.
pub fn miss(drive: &mut Drive) {
    let entry = drive.world.entry(&drive.lane, drive.now_ms).unwrap();
    drive.ok(missed(&Input::Enter(entry)).unwrap());
}

fn note(lane: &Lane) -> &str {
    let verdict = lane.verdict.as_ref();
    verdict
        .and_then(|known| known.note.as_deref())
        .unwrap_or("")
}

#[test]
fn who_has_missed_its_windows_is_asked_about_and_nothing_begins() {
    let drive = asked();
    assert_eq!(drive.asked(), PersonKind::Overflow);
    assert!(drive.effects.contains(&Effect::Ledger));
    assert!(drive.effects.contains(&Effect::Waiting { open: true }));
    let [Event::PersonAsked { person }] = &drive.events[..] else {
        panic!("{:?}", drive.events)
    };
    assert_eq!(person.reason.as_deref(), Some("window:night: closed"));
    assert_eq!(person.asked(), ["role:operator", "role:admin"]);
    assert_eq!(person.expires_ms, None);
}

#[test]
fn one_more_slot_lets_it_wait_again_and_a_second_miss_asks_again() {
    let mut drive = asked();
    drive.after(70).choose(Choice::Next);
    assert_eq!(drive.phase(), "at");
    let granted = drive.lane.granted.unwrap();
    assert_eq!((granted.times, granted.at_ms), (1, drive.now_ms));
    miss(&mut drive);
    assert_eq!(drive.asked(), PersonKind::Overflow);
    drive.after(70).choose(Choice::Next);
    let granted = drive.lane.granted.unwrap();
    assert_eq!((granted.times, granted.at_ms), (2, drive.now_ms));
    drive.enter().done().enter().done().enter().done();
    assert_eq!(drive.result(), Some(Succeeded));
}

#[test]
fn what_is_left_out_did_nothing_and_says_who_left_it_out() {
    let mut drive = asked();
    drive.choose(Choice::Leave).enter().done();
    assert_eq!(drive.result(), Some(Nothing));
    assert_eq!(note(&drive.lane), "left out by olga: window:night: closed");
    let result = &drive.lane.results["install"];
    assert_eq!(result.state, StepState::Skipped);
    assert!(!drive.lane.results.contains_key("verify"));
}

#[test]
fn what_failed_on_the_way_is_not_made_good_by_being_left_out() {
    let look = read("look").failing(OnFailure::Continue);
    let world = World::of(definition(vec![look, once("install")], Vec::new()));
    let mut drive = Drive::of(world);
    drive.enter().ok(Input::Answered(reject()));
    miss(&mut drive);
    drive.choose(Choice::Leave);
    assert_eq!(drive.result(), Some(Held));
}

#[test]
fn who_says_stop_holds_it_as_if_nobody_had_been_asked() {
    let ends = |choice: Option<Choice>, put_off: bool| {
        let mut lane = lane();
        if put_off {
            let mut opening = (*lane.opening).clone();
            opening.put_off = Some(PutOff {
                until_ms: BEGIN_MS,
                from_ms: BEGIN_MS,
                by: "ada".to_owned(),
                word_of: None,
            });
            lane = Lane::open(opening, BEGIN_MS);
        }
        let mut drive = Drive::from(world(), lane);
        drive.enter().done();
        match choice {
            Some(choice) => {
                miss(&mut drive);
                drive.choose(choice);
            }
            None => hold(&mut drive, put_off),
        }
        drive.enter().done();
        drive.result()
    };
    for put_off in [false, true] {
        assert_eq!(ends(Some(Choice::Stop), put_off), ends(None, put_off));
    }
    assert_eq!(ends(Some(Choice::Stop), false), Some(Held));
    assert_eq!(ends(Some(Choice::Stop), true), Some(Deferred));
}

/// As a gate holds whose runbook does not ask.
fn hold(drive: &mut Drive, put_off: bool) {
    let entry = drive.world.entry(&drive.lane, drive.now_ms).unwrap();
    let Some(Input::Enter(Entry::Missed { call, mut closed })) = missed(&Input::Enter(entry))
    else {
        panic!("a call");
    };
    if put_off {
        closed.gate = hostler_core::gate::GateKind::Deferral;
    }
    drive.ok(Input::Enter(Entry::Held { call, closed }));
}

#[test]
fn only_its_three_choices_settle_it_and_they_settle_nothing_else() {
    let expected = |refusal: Refusal| match refusal {
        Refusal::WrongKind { expected } => expected,
        other => panic!("{other:?}"),
    };
    for other in [Choice::Retry, Choice::Skip, Choice::Fail, Choice::Done] {
        let refusal = asked().refused(Input::Command(choose(other)));
        assert_eq!(expected(refusal), "next, leave or stop");
    }
    for own in CHOICES {
        let world = World::of(definition(
            vec![read("a").failing(OnFailure::Ask)],
            Vec::new(),
        ));
        let mut drive = Drive::of(world);
        drive.enter().ok(Input::Answered(reject()));
        let refusal = drive.refused(Input::Command(choose(own)));
        assert_eq!(expected(refusal), "retry, skip or fail");
    }
}

#[test]
fn an_answer_binds_the_question_that_was_seen_and_comes_from_whoever_is_asked() {
    let mut drive = asked();
    let stale = Command::Choose {
        actor: actor("olga", "operator"),
        choice: Choice::Next,
        comment: None,
        signs: Some(hostler_core::id::Digest::of(b"the first question")),
        output: serde_json::Value::Null,
    };
    let refusal = drive.refused(Input::Command(stale));
    assert!(matches!(refusal, Refusal::Changed { .. }), "{refusal:?}");
    let guest = Command::Choose {
        actor: actor("eve", "guest"),
        choice: Choice::Next,
        comment: None,
        signs: None,
        output: serde_json::Value::Null,
    };
    let refusal = drive.refused(Input::Command(guest));
    assert!(matches!(refusal, Refusal::NotAsked { .. }), "{refusal:?}");
    drive.choose(Choice::Next);
    let refusal = drive.refused(Input::Command(choose(Choice::Next)));
    assert!(
        matches!(refusal, Refusal::NobodyAsked { .. }),
        "{refusal:?}"
    );
}

#[test]
fn people_give_so_many_slots_and_no_more() {
    let mut drive = asked();
    for _ in 1..SLOTS_MAX {
        drive.choose(Choice::Next);
        miss(&mut drive);
    }
    drive.choose(Choice::Next);
    assert_eq!(drive.lane.granted.unwrap().times, SLOTS_MAX);
    miss(&mut drive);
    drive.enter().done();
    assert_eq!(drive.result(), Some(Held));
    assert!(note(&drive.lane).contains("people gave it 6 more"));
}

#[test]
fn what_has_changed_something_is_taken_back_and_asks_nobody() {
    let mut drive = Drive::of(world());
    drive.enter().done().enter().done();
    miss(&mut drive);
    assert_eq!(drive.lane.verdict.as_ref().unwrap().result, Held);
    drive.enter().done().enter().done();
    assert_eq!(drive.result(), Some(Held));
    assert_eq!(
        drive.lane.results["undo:revert"].state,
        StepState::Succeeded
    );
}

#[test]
fn a_stop_withdraws_the_question() {
    let mut drive = asked();
    drive.cancel();
    assert!(drive.effects.contains(&Effect::Waiting { open: false }));
    drive.enter().done();
    assert_eq!(drive.result(), Some::<LaneResult>(Cancelled));
}
