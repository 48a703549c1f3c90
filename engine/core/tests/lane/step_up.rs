//! A yes that must be proved by a code: nobody's counts without, whoever they vote for; a no needs none.
//!
//! Not here: what proves it. The actor says whether the door has.

use crate::support::build::*;
use crate::support::drive::*;
use crate::support::letters::*;
use hostler_core::command::{Actor, AskEntry, Entry, Input, StandIn};
use hostler_core::definition::*;
use hostler_core::event::Event;
use hostler_core::lane::{Person, PersonKind, Phase, StepUp, Vote};
use hostler_core::refusal::Refusal;
use hostler_core::result::LaneResult;

/// Two of the board are asked; a yes of each needs a code.
fn asking(change: impl Fn(&mut AskEntry)) -> Drive {
    let gate = approve(2, OnExpire::Deny, OnDeny::Stop);
    let steps = vec![Step::bare("gate", Verb::Approve(gate)), read("behind")];
    let mut drive = Drive::of(World::of(definition(steps, Vec::new())));
    let entry = drive.world.entry(&drive.lane, drive.now_ms);
    let Some(Entry::Person(mut ask)) = entry else {
        panic!("people are asked here")
    };
    ask.rules.step_up = Some(StepUp::Totp);
    change(&mut ask);
    drive.ok(Input::Enter(Entry::Person(ask)));
    drive
}

fn says(person: &str, role: &str, yes: bool, stepped_up: bool) -> Input {
    let actor = Actor {
        stepped_up,
        ..actor(person, role)
    };
    Input::Command(vote_of(actor, yes))
}

fn unproved(person: &str) -> Refusal {
    let person = person.to_owned();
    Refusal::NotSteppedUp { person }
}

fn votes(drive: &Drive) -> Vec<Vote> {
    let vote = |event: &Event| match event {
        Event::VoteCast { vote } => Some(vote.clone()),
        _ => None,
    };
    drive.events.iter().filter_map(vote).collect()
}

#[test]
fn a_yes_that_is_not_proved_is_refused_by_name_and_a_no_is_taken() {
    let mut drive = asking(|_| {});
    let refusal = drive.refused(says("ada", "board", true, false));
    assert_eq!(refusal, unproved("ada"));
    assert!(refusal.to_string().contains("--code"), "{refusal}");
    drive.ok(says("ada", "board", true, true));
    assert_eq!(
        drive.refused(says("bob", "board", true, false)),
        unproved("bob")
    );
    assert_eq!(drive.phase(), "person", "one voice of two");
    drive.ok(says("bob", "board", true, true));
    assert_eq!(drive.phase(), "at");
    assert!(votes(&drive).iter().all(|vote| vote.stepped_up));
    let mut drive = asking(|_| {});
    drive.ok(says("ada", "board", false, false));
    assert_eq!(drive.result(), Some(LaneResult::Denied));
    assert!(!votes(&drive)[0].stepped_up);
}

#[test]
fn the_gate_behind_a_wave_wants_the_same() {
    let mut drive = asking(|ask| ask.kind = PersonKind::WaveGate);
    assert_eq!(
        drive.refused(says("ada", "board", true, false)),
        unproved("ada")
    );
    drive.ok(says("ada", "board", true, true));
    assert_eq!(votes(&drive).len(), 1);
}

#[test]
fn a_delegate_is_proved_to_be_themselves_and_nobody_proves_it_for_them() {
    let named = StandIn {
        person: "bob".to_owned(),
        qualifies: actor("bob", "board").qualifies,
    };
    let in_place = |stepped_up| {
        let actor = Actor {
            stepped_up,
            stands_in: vec![named.clone()],
            ..actor("eve", "guest")
        };
        Input::Command(vote_of(actor, true))
    };
    let mut drive = asking(|_| {});
    assert_eq!(drive.refused(in_place(false)), unproved("eve"));
    drive.ok(in_place(true));
    let vote = votes(&drive).remove(0);
    assert_eq!(
        (vote.who(), vote.stepped_up),
        ("eve for bob".to_owned(), true)
    );
}

#[test]
fn a_code_lets_nobody_in_who_is_not_asked() {
    let mut drive = asking(|_| {});
    let stranger = drive.refused(says("eve", "guest", true, true));
    assert!(matches!(stranger, Refusal::NotAsked { .. }), "{stranger}");
    let starter = drive.refused(says("starter", "board", true, true));
    assert!(matches!(starter, Refusal::FourEyes { .. }), "{starter}");
    drive.ok(says("ada", "board", true, true));
    let twice = drive.refused(says("ada", "board", true, true));
    assert!(matches!(twice, Refusal::DecidedAlready { .. }), "{twice}");
}

#[test]
fn a_question_and_a_vote_of_before_are_read_and_written_as_they_were() {
    let drive = asking(|ask| ask.rules.step_up = None);
    let Phase::Person(person) = &drive.lane.phase else {
        panic!("nobody is asked")
    };
    let text = serde_json::to_string(person).unwrap();
    assert!(!text.contains("step"), "{text}");
    let read: Person = serde_json::from_str(&text).unwrap();
    assert_eq!((read.rules.step_up, &read), (None, &**person));
    let old = r#"{"person":"ada","qualifies":[],"yes":true,"comment":null,"at_ms":7}"#;
    let vote: Vote = serde_json::from_str(old).unwrap();
    assert!(!vote.stepped_up);
    assert_eq!(serde_json::to_string(&vote).unwrap(), old);
    let actor: Actor = serde_json::from_str(r#"{"person":"ada","qualifies":[]}"#).unwrap();
    assert!(
        !actor.stepped_up,
        "what waits in an inbox was proved by nothing"
    );
}
