//! Customers who agree or object: what is taken, what changes nothing, and what stands against it.
//!
//! Not here: what it holds (gates of workers), and the race with what begins (the store's conditions).

use crate::deferrals::put_off_at;
use crate::support::build::*;
use crate::support::drive::*;
use crate::support::letters::actor;
use crate::waves::fixed;
use hostler_core::command::{Command, Input};
use hostler_core::consent::{
    Consent, ConsentAsk, ConsentKind, Known, NotConsented, REASON_MAX_BYTES, Required, Said,
};
use hostler_core::contract::{Effect, Impact};
use hostler_core::definition::{OnExhausted, Program, Spawn, Verb};
use hostler_core::event::{Event, Recorded};
use hostler_core::lane::ChildMove;
use hostler_core::refusal::Refusal;
use hostler_core::result::LaneResult::*;
use std::collections::BTreeSet;

fn ask(agrees: bool) -> ConsentAsk {
    ConsentAsk {
        actor: actor("ada", "none"),
        customer: "a".to_owned(),
        agrees,
        word_of: None,
        reason: None,
    }
}

fn known() -> Known {
    Known {
        required: Some(Required {
            kind: ConsentKind::Explicit,
            from: "the contract of a".to_owned(),
        }),
        classes: BTreeSet::from(["planned".to_owned()]),
        servers: 2,
        people: ["ada", "ann"].map(str::to_owned).into(),
        ..Known::default()
    }
}

fn with(ask: ConsentAsk, known: Known) -> Input {
    let (ask, known) = (Box::new(ask), Box::new(known));
    Input::Consent { ask, known }
}

pub fn says(agrees: bool) -> Input {
    with(ask(agrees), known())
}

fn why(drive: &mut Drive, input: Input) -> NotConsented {
    match drive.refused(input) {
        Refusal::NotConsented(why) => why,
        other => panic!("{other:?}"),
    }
}

fn decided(drive: &Drive) -> Option<Consent> {
    drive.events.iter().find_map(|event| match event {
        Event::ConsentDecided { consent } => Some((**consent).clone()),
        _ => None,
    })
}

/// The first lane of a run, before two servers of a and one of b.
pub fn before_all() -> Drive {
    put_off_at(fixed(1), &[])
}

fn begins(drive: &mut Drive, key: &str) {
    let live = &drive.lane.children.as_ref().unwrap().live[key];
    let moved = ChildMove {
        key: key.to_owned(),
        lane: live.lane,
        iteration: live.iteration,
        held_ms: None,
    };
    drive.command(Command::ChildMoved { moved });
}

#[test]
fn a_yes_and_a_no_are_kept_with_who_said_it_at_which_door_and_on_whose_word() {
    let mut drive = before_all();
    drive.ok(says(true));
    let yes = decided(&drive).unwrap();
    assert_eq!((yes.agrees, &*yes.by, &*yes.who()), (true, "ada", "ada"));
    let mut no = ask(false);
    (no.actor, no.word_of) = (actor("olga", "operator"), Some("ann".to_owned()));
    no.actor.via = Some("cli".to_owned());
    no.reason = Some("the term ends".to_owned());
    drive.ok(with(no, known()));
    let no = decided(&drive).unwrap();
    assert_eq!(
        (no.agrees, &*no.who()),
        (false, "olga (on the word of ann)")
    );
    assert_eq!(
        (no.via.as_deref(), no.reason.as_deref()),
        (Some("cli"), Some("the term ends"))
    );
    assert_eq!(drive.live(), ["i0"], "nothing else changes");
}

#[test]
fn the_same_said_again_changes_nothing_and_another_answer_does() {
    let mut drive = before_all();
    let consent = Consent {
        customer: "a".to_owned(),
        agrees: true,
        by: "ann".to_owned(),
        word_of: None,
        via: None,
        reason: None,
    };
    let said = Known {
        said: Some(Said { consent, at_ms: 5 }),
        ..known()
    };
    drive.ok(with(ask(true), said.clone()));
    assert_eq!((drive.events.len(), decided(&drive)), (0, None));
    drive.ok(with(ask(false), said));
    assert!(!decided(&drive).unwrap().agrees);
}

#[test]
fn who_does_not_speak_for_the_customer_says_nothing_for_it_nor_does_staff_without_a_word() {
    let mut drive = before_all();
    let not_theirs = |person: &str| NotConsented::NotTheirs {
        person: person.to_owned(),
        customer: "a".to_owned(),
    };
    for (person, word_of) in [("bob", None), ("olga", None), ("olga", Some("bob"))] {
        let ask = ConsentAsk {
            actor: actor(person, "operator"),
            word_of: word_of.map(str::to_owned),
            ..ask(true)
        };
        let expected = not_theirs(word_of.unwrap_or(person));
        assert_eq!(why(&mut drive, with(ask, known())), expected);
    }
}

#[test]
fn what_is_not_asked_or_not_here_or_too_long_is_refused_by_name() {
    let mut drive = before_all();
    let told = Known {
        required: None,
        ..known()
    };
    let not_asked = NotConsented::NotAsked {
        customer: "a".to_owned(),
        classes: "planned".to_owned(),
    };
    assert_eq!(why(&mut drive, with(ask(true), told.clone())), not_asked);
    // What another runbook does is known when it is called.
    let more = Known { more: true, ..told };
    drive.ok(with(ask(true), more));
    let elsewhere = Known {
        servers: 0,
        ..known()
    };
    let not_here = NotConsented::NotHere {
        customer: "a".to_owned(),
    };
    assert_eq!(why(&mut drive, with(ask(true), elsewhere)), not_here);
    let long = ConsentAsk {
        reason: Some("x".repeat(REASON_MAX_BYTES + 1)),
        ..ask(false)
    };
    assert_eq!(why(&mut drive, with(long, known())), NotConsented::TooLong);
}

#[test]
fn it_is_too_late_when_no_server_of_the_customer_is_left_to_begin() {
    let too_late = NotConsented::TooLate {
        customer: "a".to_owned(),
    };
    let mut drive = before_all();
    begins(&mut drive, "i0");
    drive.ok(says(false));
    drive.ends("i0", Succeeded);
    begins(&mut drive, "i1");
    assert_eq!(why(&mut drive, says(false)), too_late);
    drive.ends("i1", Succeeded);
    assert_eq!(drive.live(), ["i2"]);
    assert_eq!(why(&mut drive, says(true)), too_late);
    drive.ends("i2", Succeeded);
    assert_eq!(drive.refused(says(false)), Refusal::Ended);
}

#[test]
fn a_turn_that_has_changed_something_still_hears_of_an_outage_that_it_opens_itself() {
    let mut drive = before_all();
    let programs = &mut drive.world.definition.programs;
    let steps = programs[1].steps.clone();
    let mut opens = repeat("fit", 1, false, OnExhausted::Stop);
    if let Verb::Spawn(Spawn::Repeat(repeat)) = &mut opens.verb {
        repeat.body = 2;
    }
    programs[1].steps = vec![repeatable("label"), opens];
    programs.push(Program {
        steps,
        ..Program::default()
    });
    drive.ends("i0", Succeeded);
    begins(&mut drive, "i1");
    drive.ok(says(true));
    assert!(decided(&drive).unwrap().agrees);
    drive.ends("i1", Succeeded);
    let late = why(&mut drive, says(false));
    assert!(matches!(late, NotConsented::TooLate { .. }), "{late:?}");
}

#[test]
fn a_lane_that_works_itself_takes_an_objection_until_its_own_outage() {
    let mut boot = act("boot", Effect::Repeatable);
    if let Verb::Do(action) = &mut boot.verb {
        action.impact = Impact::Outage;
    }
    let steps = vec![read("look"), boot, read("look_again")];
    let mut drive = Drive::of(World::of(definition(steps, Vec::new())));
    drive.ok(says(true));
    drive.enter().done().ok(says(false));
    drive.enter();
    let late = why(&mut drive, says(true));
    assert!(matches!(late, NotConsented::TooLate { .. }), "{late:?}");
    drive.done();
    let late = why(&mut drive, says(true));
    assert!(matches!(late, NotConsented::TooLate { .. }), "{late:?}");
}

#[test]
fn a_letter_of_which_nothing_was_read_and_a_run_that_stops_take_no_consent() {
    let mut drive = before_all();
    let letter = Command::Consent {
        ask: Box::new(ask(true)),
    };
    assert!(matches!(
        drive.refused(Input::Command(letter)),
        Refusal::Unexpected { .. }
    ));
    drive.command(Command::Cancel {
        by: "olga".to_owned(),
        reason: None,
    });
    assert_eq!(drive.refused(says(true)), Refusal::Stopping);
}

#[test]
fn an_event_of_an_earlier_door_reads_without_what_it_did_not_say() {
    let text = r#"{"v":1,"at":5,"event":"consent_decided","consent":{"customer":"a","agrees":true,"by":"ada"}}"#;
    let mut drive = before_all();
    drive.ok(says(true));
    let event = Recorded::new(drive.events[0].clone(), 5).to_json();
    let written: serde_json::Value = serde_json::from_str(&event).unwrap();
    let kept: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(written, kept, "nothing is written that was not said");
    let read = Recorded::read(text).unwrap();
    assert_eq!((read.at_ms, read.event), (5, drive.events[0].clone()));
}
