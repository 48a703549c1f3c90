//! Turns that customers put off: what gives way to others, what comes behind its time, and what stands against it.
//!
//! Not here: who may (the doors), and the race for the last deferral (the store's conditions).

use crate::support::build::*;
use crate::support::drive::*;
use crate::support::letters::actor;
use crate::waves::fixed;
use hostler_core::command::{Command, Input};
use hostler_core::contract::{Effect as Class, Impact};
use hostler_core::deferral::{
    Agreed, Counts, DeferAsk, Deferral, EMERGENCY, Known, NotPutOff, Turn, Turned,
};
use hostler_core::definition::*;
use hostler_core::effect::timer;
use hostler_core::event::Event;
use hostler_core::id::RunId;
use hostler_core::lane::ChildMove;
use hostler_core::mail::{Announced, AnnouncedAsset};
use hostler_core::refusal::Refusal;
use hostler_core::result::LaneResult::{self, *};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

const DAY_MS: i64 = 86_400_000;
const SLOT_MS: i64 = BEGIN_MS + 7 * DAY_MS;
/// A day that suits.
pub const LATER_MS: i64 = BEGIN_MS + 10 * DAY_MS;

fn outage() -> Step {
    let mut step = act("boot", Class::Repeatable);
    if let Verb::Do(action) = &mut step.verb {
        action.impact = Impact::Outage;
    }
    step
}

/// Two servers of a, one of b; each in the wave that is said.
pub fn put_off_at(spec: Each, waves: &[(u32, u64)]) -> Drive {
    let mut step = each("all", spec).noticed();
    if let Some(notices) = &mut step.notices {
        notices.defer_until_ms = Some(48 * 3_600_000);
        notices.remind_ms = None;
    }
    let mut definition = definition(vec![step], Vec::new());
    definition.programs[1].steps = vec![outage()];
    let (a, b): (&[&str], &[&str]) = (&["customer=a"], &["customer=b"]);
    let mut world = World::of(definition).with_items(items(&[a, a, b]), waves);
    world.customers = vec![("a".to_owned(), 2), ("b".to_owned(), 1)];
    let mut drive = Drive::of(world);
    drive.enter();
    drive
}

pub fn ask(assets: &[&str], until_ms: i64) -> DeferAsk {
    DeferAsk {
        actor: actor("ada", "none"),
        customer: "a".to_owned(),
        assets: assets.iter().map(|asset| (*asset).to_owned()).collect(),
        until_ms,
        word_of: None,
    }
}

pub fn agreed() -> Agreed {
    Agreed {
        times: 2,
        from_ms: 0,
        to_ms: i64::MAX,
        longest_ms: 14 * 86_400_000,
        until_ms: 24 * 3_600_000,
        of_contract: false,
    }
}

pub fn known() -> Known {
    let asset = |key: &str| {
        let (name, starts_ms) = (key.to_owned(), Some(SLOT_MS));
        (key.to_owned(), AnnouncedAsset { name, starts_ms })
    };
    Known {
        agreed: BTreeMap::from([("planned".to_owned(), agreed())]),
        announced: Announced {
            assets: ["i0", "i1"].map(asset).into(),
            ..Announced::default()
        },
        ..Known::default()
    }
}

pub fn put_off(assets: &[&str]) -> Input {
    with(ask(assets, LATER_MS), known())
}

pub fn with(ask: DeferAsk, known: Known) -> Input {
    let (ask, known) = (Box::new(ask), Box::new(known));
    Input::Defer { ask, known }
}

pub fn why(drive: &mut Drive, input: Input) -> NotPutOff {
    match drive.refused(input) {
        Refusal::NotPutOff(why) => why,
        other => panic!("{other:?}"),
    }
}

fn tally(drive: &Drive, result: LaneResult) -> u32 {
    let children = drive.lane.children.as_ref().unwrap();
    children.tally.0.get(&result).copied().unwrap_or_default()
}

#[test]
fn what_is_put_off_takes_nobodys_place_and_has_its_turn_behind_its_time() {
    let mut drive = put_off_at(fixed(1), &[]);
    drive.ok(put_off(&["i1"]));
    let Event::TurnsPutOff { deferral } = &drive.events[0] else {
        panic!("{:?}", drive.events)
    };
    assert_eq!((&*deferral.by, deferral.turns.len()), ("ada", 1));
    drive.ends("i0", Succeeded);
    assert_eq!(drive.live(), ["i2"], "the next one did not wait");
    drive.ends("i2", Succeeded);
    assert_eq!((drive.live().len(), drive.result()), (0, None));
    let timers = hostler_core::effect::holding::timers(&drive.lane);
    assert_eq!(timers, [(timer::ROUND, LATER_MS)]);
    drive.after(9 * DAY_MS);
    assert!(matches!(
        drive.refused(Input::Continue),
        Refusal::Unexpected { .. }
    ));
    drive.after(DAY_MS).ok(Input::Continue);
    assert_eq!(drive.live(), ["i1"]);
    drive.ends("i1", Succeeded);
    assert_eq!(drive.result(), Some(Succeeded));
}

#[test]
fn a_lane_that_ends_because_of_it_counts_nowhere_and_comes_again_as_another() {
    let mut drive = put_off_at(fixed(1), &[]);
    let first = drive.lane.children.as_ref().unwrap().live["i0"].lane;
    drive.ok(put_off(&["i0"])).ends("i0", Deferred);
    assert_eq!((drive.live(), tally(&drive, Deferred)), (vec!["i1"], 0));
    drive.ends("i1", Succeeded).ends("i2", Succeeded);
    drive.after(10 * DAY_MS).ok(Input::Continue);
    let again = drive.lane.children.as_ref().unwrap().live["i0"].lane;
    assert_ne!(again, first);
    drive.ends("i0", Succeeded);
    assert_eq!(drive.result(), Some(Succeeded));
}

#[test]
fn a_lane_that_finds_no_window_behind_its_time_ends_as_deferred() {
    let mut drive = put_off_at(fixed(3), &[]);
    drive.ok(put_off(&["i0"])).ends("i0", Deferred);
    drive.ends("i1", Succeeded).ends("i2", Succeeded);
    drive.after(10 * DAY_MS).ok(Input::Continue);
    assert_eq!(drive.live(), ["i0"]);
    drive.ends("i0", Deferred);
    assert_eq!(drive.result(), Some(Succeeded), "set aside is no failure");
}

#[test]
fn a_wave_does_not_wait_for_what_was_put_off_and_the_last_one_does() {
    let mut drive = put_off_at(fixed(3), &[(2, 0), (1, 0)]);
    drive.ok(put_off(&["i0"])).ends("i0", Deferred);
    drive.ends("i1", Succeeded);
    assert_eq!(drive.live(), ["i2"], "the second wave");
    drive.ends("i2", Succeeded);
    assert_eq!(drive.result(), None);
    drive.after(10 * DAY_MS).ok(Input::Continue);
    drive.ends("i0", Succeeded);
    assert_eq!(drive.result(), Some(Succeeded));
}

#[test]
fn a_list_that_has_stopped_does_not_wait_for_what_was_put_off() {
    let mut drive = put_off_at(fixed(2), &[]);
    drive.ok(put_off(&["i1"])).ends("i1", Deferred);
    drive.ends("i0", Failed);
    assert_eq!(drive.live(), ["i2"]);
    drive.ends("i2", Succeeded);
    assert_eq!(drive.result(), Some(Failed));
}

#[test]
fn what_goes_on_after_its_gate_still_waits_for_what_was_put_off() {
    let spec = Each {
        gate: gate(),
        ..fixed(1)
    };
    let mut drive = put_off_at(spec, &[]);
    drive.ok(put_off(&["i1"])).ends("i0", Failed);
    drive.gate();
    let yes = Command::Decide {
        actor: actor("bo", "board"),
        yes: true,
        signs: hostler_core::id::Digest::of(b"shown"),
        comment: None,
        typed: None,
        waive: Vec::new(),
    };
    drive.command(yes);
    assert_eq!(drive.live(), ["i2"]);
    drive.ends("i2", Succeeded);
    assert_eq!((drive.phase(), drive.result()), ("children", None));
}

#[test]
fn all_of_a_customer_are_put_off_at_once_and_nobody_elses() {
    let mut drive = put_off_at(fixed(3), &[]);
    drive.ok(put_off(&[]));
    let Event::TurnsPutOff { deferral } = &drive.events[0] else {
        panic!("{:?}", drive.events)
    };
    let keys: Vec<_> = deferral.turns.iter().map(|turn| &*turn.key).collect();
    assert_eq!(keys, ["i0", "i1"]);
    let of_b = DeferAsk {
        customer: "b".to_owned(),
        ..ask(&["i0"], LATER_MS)
    };
    assert!(matches!(
        why(&mut drive, with(of_b, known())),
        NotPutOff::Unknown { asset, .. } if asset == "i0"
    ));
}

#[test]
fn what_has_begun_or_is_over_is_not_put_off() {
    let mut drive = put_off_at(fixed(2), &[]);
    let live = &drive.lane.children.as_ref().unwrap().live["i0"];
    let moved = ChildMove {
        key: "i0".to_owned(),
        lane: live.lane,
        iteration: live.iteration,
        held_ms: None,
    };
    drive.command(Command::ChildMoved { moved });
    let asset = || "i0".to_owned();
    assert_eq!(
        why(&mut drive, put_off(&["i0"])),
        NotPutOff::Begun { asset: asset() }
    );
    drive.ends("i0", Succeeded);
    assert_eq!(
        why(&mut drive, put_off(&["i0"])),
        NotPutOff::Over { asset: asset() }
    );
    // Begun, and its word to the lane that announces is still on the way.
    let began = Turn {
        began: true,
        put_off: None,
    };
    let turns = BTreeMap::from([("i1".to_owned(), began)]);
    let known = Known { turns, ..known() };
    let begun = why(&mut drive, with(ask(&["i1"], LATER_MS), known.clone()));
    assert!(matches!(begun, NotPutOff::Begun { .. }), "{begun:?}");
    let all = why(&mut drive, with(ask(&[], LATER_MS), known));
    assert!(matches!(all, NotPutOff::Over { .. }), "{all:?}");
}

#[test]
fn bounds_of_the_runbook_and_of_the_policies_both_hold() {
    let mut drive = put_off_at(fixed(1), &[]);
    let last_ms = SLOT_MS + 14 * DAY_MS;
    let longest = why(&mut drive, with(ask(&["i0"], last_ms + 1), known()));
    assert!(matches!(longest, NotPutOff::TooLong { .. }), "{longest:?}");
    let earlier = why(&mut drive, with(ask(&["i0"], SLOT_MS), known()));
    assert!(matches!(earlier, NotPutOff::NotLater { .. }), "{earlier:?}");
    let mut unknown = known();
    unknown.announced.assets.clear();
    let no_slot = why(&mut drive, with(ask(&["i0"], LATER_MS), unknown));
    assert!(matches!(no_slot, NotPutOff::NoSlot { .. }), "{no_slot:?}");
    // The runbook asks for two days, the policies for one.
    drive.after(5 * DAY_MS).ok(put_off(&["i1"]));
    drive.after(1);
    let late = why(&mut drive, put_off(&["i0"]));
    let until = "2d".to_owned();
    let asset = "i0".to_owned();
    assert_eq!(late, NotPutOff::TooLate { asset, until });
}

#[test]
fn the_longest_time_counts_from_the_first_slot_however_often_it_is_put_off() {
    let mut drive = put_off_at(fixed(1), &[]);
    drive.ok(put_off(&["i1"]));
    let last_ms = SLOT_MS + 14 * DAY_MS;
    let more = why(&mut drive, with(ask(&["i1"], last_ms + 1), known()));
    assert!(matches!(more, NotPutOff::TooLong { .. }), "{more:?}");
    drive.ok(with(ask(&["i1"], last_ms), known()));
    let children = drive.lane.children.as_ref().unwrap();
    let put_off = children.set_aside(1).unwrap();
    assert_eq!((put_off.until_ms, put_off.from_ms), (last_ms, SLOT_MS));
}

#[test]
fn what_was_not_agreed_or_is_used_up_or_an_emergency_is_not_put_off() {
    let mut drive = put_off_at(fixed(1), &[]);
    let nothing = Known {
        agreed: BTreeMap::new(),
        ..known()
    };
    let class = || "planned".to_owned();
    assert_eq!(
        why(&mut drive, with(ask(&["i0"], LATER_MS), nothing)),
        NotPutOff::NotAgreed { class: class() }
    );
    let deferral = Deferral {
        customer: "a".to_owned(),
        turns: vec![Turned {
            index: 0,
            key: "i0".to_owned(),
            asset: "i0".to_owned(),
            from_ms: SLOT_MS,
        }],
        until_ms: LATER_MS,
        by: "ada".to_owned(),
        word_of: None,
        via: None,
        classes: vec![class()],
    };
    let run = RunId(Uuid::from_u128(7));
    let once = Counts::default().with(run, &deferral, BEGIN_MS);
    let counts = once.clone().with(run, &deferral, BEGIN_MS);
    let spent = Known { counts, ..known() };
    let (times, spent_times) = (2, 2);
    assert_eq!(
        why(&mut drive, with(ask(&["i0"], LATER_MS), spent)),
        NotPutOff::UsedUp {
            class: class(),
            times,
            spent: spent_times
        }
    );
    let before = Agreed {
        from_ms: BEGIN_MS + 1,
        ..agreed()
    };
    assert_eq!(
        (
            once.spent("planned", &agreed()),
            once.spent("planned", &before)
        ),
        (1, 0)
    );
    assert_eq!(once.spent("request", &agreed()), 0);
    let mut drive = put_off_at(fixed(1), &[]);
    drive.world.definition.policy.class = EMERGENCY.to_owned();
    assert_eq!(why(&mut drive, put_off(&["i0"])), NotPutOff::Emergency);
}

#[test]
fn a_letter_of_which_nothing_was_read_and_a_step_without_the_term_put_nothing_off() {
    let mut drive = put_off_at(fixed(1), &[]);
    let ask = Box::new(ask(&["i0"], LATER_MS));
    assert!(matches!(
        drive.refused(Input::Command(Command::Defer { ask })),
        Refusal::Unexpected { .. }
    ));
    let steps = &mut drive.world.definition.programs[0].steps;
    steps[0].notices.as_mut().unwrap().defer_until_ms = None;
    let here = why(&mut drive, put_off(&["i0"]));
    assert!(matches!(here, NotPutOff::NotHere { .. }), "{here:?}");
    let none: BTreeSet<u32> = drive
        .lane
        .children
        .as_ref()
        .unwrap()
        .put_off
        .keys()
        .copied()
        .collect();
    assert!(none.is_empty());
}
