//! Who votes in whose place, and that two of them are one voice.

use crate::support::build::*;
use crate::support::drive::*;
use crate::support::letters::*;
use hostler_core::command::{Actor, Command, Input, StandIn};
use hostler_core::definition::*;
use hostler_core::event::Event;
use hostler_core::lane::Vote;
use hostler_core::refusal::Refusal;

/// Two of the board must say yes; `starter` has started.
fn two_of_board() -> Drive {
    let gate = approve(2, OnExpire::Deny, OnDeny::Stop);
    let steps = vec![Step::bare("gate", Verb::Approve(gate)), read("behind")];
    let mut drive = Drive::of(World::of(definition(steps, Vec::new())));
    drive.enter();
    drive
}

/// Says yes, in the place of these people of the board if need be.
fn yes(person: &str, role: &str, stands_in_for: &[&str]) -> Input {
    let named = |other: &&str| StandIn {
        person: (*other).to_owned(),
        qualifies: actor(other, "board").qualifies,
    };
    let actor = Actor {
        via: Some("link".to_owned()),
        stands_in: stands_in_for.iter().map(named).collect(),
        ..actor(person, role)
    };
    Input::Command(vote_of(actor, true))
}

fn votes(drive: &Drive) -> Vec<Vote> {
    let vote = |event: &Event| match event {
        Event::VoteCast { vote } => Some(vote.clone()),
        _ => None,
    };
    drive.events.iter().filter_map(vote).collect()
}

fn decided(person: &str) -> Refusal {
    let person = person.to_owned();
    Refusal::DecidedAlready { person }
}

#[test]
fn a_delegate_votes_in_the_place_of_whoever_named_them_and_the_vote_says_so() {
    let mut drive = two_of_board();
    drive.ok(yes("ada", "guest", &["bob"]));
    let vote = votes(&drive).remove(0);
    assert_eq!(vote.who(), "ada for bob");
    assert_eq!(vote.via.as_deref(), Some("link"));
    assert!(vote.qualifies.contains(&"person:bob".to_owned()));
    assert_eq!(drive.phase(), "person", "one voice of two");
    drive.ok(yes("carl", "board", &[]));
    assert_eq!(drive.phase(), "at");
}

#[test]
fn whoever_is_asked_votes_for_themselves_even_when_they_stand_in_for_somebody() {
    let mut drive = two_of_board();
    drive.ok(yes("ada", "board", &["bob"]));
    assert_eq!(votes(&drive)[0].who(), "ada");
    drive.ok(yes("bob", "board", &[]));
    assert_eq!(drive.phase(), "at", "two people of the board");
}

#[test]
fn a_delegate_and_who_named_them_are_one_voice_whoever_comes_first() {
    let mut drive = two_of_board();
    drive.ok(yes("ada", "guest", &["bob"]));
    assert_eq!(drive.refused(yes("bob", "board", &[])), decided("bob"));
    assert_eq!(drive.refused(yes("ada", "guest", &["bob"])), decided("bob"));
    assert_eq!(drive.refused(yes("ada", "board", &[])), decided("ada"));
    assert_eq!(drive.refused(yes("eve", "guest", &["bob"])), decided("bob"));
    let mut drive = two_of_board();
    drive.ok(yes("bob", "board", &[]));
    assert_eq!(drive.refused(yes("ada", "guest", &["bob"])), decided("bob"));
    assert_eq!(votes(&drive).len(), 1);
}

#[test]
fn one_person_votes_once_for_however_many_they_stand_in() {
    let mut drive = two_of_board();
    drive.ok(yes("ada", "guest", &["bob", "carl"]));
    assert_eq!(votes(&drive)[0].who(), "ada for bob");
    let again = drive.refused(yes("ada", "guest", &["bob", "carl"]));
    assert_eq!(again, decided("ada"));
    // Bob has decided himself: what is left is carl's.
    let mut drive = two_of_board();
    drive.ok(yes("bob", "board", &[]));
    drive.ok(yes("ada", "guest", &["bob", "carl"]));
    assert_eq!(votes(&drive).pop().unwrap().who(), "ada for carl");
}

#[test]
fn the_starter_decides_neither_through_a_delegate_nor_as_one() {
    let mut drive = two_of_board();
    let person = "starter".to_owned();
    let four_eyes = Refusal::FourEyes { person };
    assert_eq!(drive.refused(yes("ada", "guest", &["starter"])), four_eyes);
    assert_eq!(drive.refused(yes("starter", "guest", &["bob"])), four_eyes);
    assert!(votes(&drive).is_empty());
}

#[test]
fn a_delegate_of_somebody_who_is_not_asked_is_not_asked() {
    let mut drive = two_of_board();
    let Input::Command(Command::Decide { mut actor, .. }) = yes("ada", "guest", &["bob"]) else {
        panic!("a vote")
    };
    actor.stands_in[0].qualifies = vec!["person:bob".to_owned()];
    let refusal = drive.refused(Input::Command(vote_of(actor, true)));
    assert!(matches!(refusal, Refusal::NotAsked { person, .. } if person == "ada"));
}
