//! What customers hear of an `each` that disturbs them.

use crate::support::build::*;
use crate::support::drive::*;
use hostler_core::command::{Command, Comparison, Input, RetryItem};
use hostler_core::definition::*;
use hostler_core::effect::Effect;
use hostler_core::effect::timer::SHARES;
use hostler_core::event::{Event, Stage};
use hostler_core::lane::{
    CHANGE_SETTLES_MS, ChildMove, CustomerShare, PROGRESS_MAX, Rolling, Slot,
};
use hostler_core::refusal::Refusal;
use hostler_core::result::LaneResult::*;

fn notices(events: &[Event]) -> Vec<(Stage, &str)> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::NoticeDue {
                stage, customer, ..
            } => Some((*stage, customer.as_str())),
            _ => None,
        })
        .collect()
}

pub fn noticing() -> Drive {
    told(Around::noticed)
}

/// The same, with a word every half hour on how it goes, and no reminder.
fn rolling() -> Drive {
    told(|step| step.rolling(EVERY_MS.unsigned_abs()))
}

pub fn told(around: impl Fn(Step) -> Step) -> Drive {
    let spec = Each {
        on_failure: OnFailure::Continue,
        at_once: AtOnce {
            ramp: Ramp::Fixed(1),
            per: Vec::new(),
        },
        ..each_of()
    };
    let (a, b): (&[&str], &[&str]) = (&["customer=a"], &["customer=b"]);
    let world = World::of(definition(vec![around(each("all", spec))], Vec::new()));
    let mut world = world.with_items(items(&[a, a, b]), &[]);
    world.customers = vec![("a".to_owned(), 2), ("b".to_owned(), 1)];
    for customer in ["a", "b"] {
        world.slots.insert(customer.to_owned(), SLOT);
    }
    let mut drive = Drive::of(world);
    drive.enter();
    drive
}

/// In an hour, for two hours.
pub const SLOT: Slot = Slot {
    starts_ms: BEGIN_MS + HOUR_MS,
    ends_ms: BEGIN_MS + 3 * HOUR_MS,
};
const HOUR_MS: i64 = 3_600_000;
const EVERY_MS: i64 = HOUR_MS / 2;

/// What a live child tells: it is held until then, or has begun.
fn moves(drive: &mut Drive, key: &str, held_ms: Option<i64>) {
    let live = &drive.lane.children.as_ref().unwrap().live[key];
    let (key, lane, iteration) = (key.to_owned(), live.lane, live.iteration);
    let moved = ChildMove {
        key,
        lane,
        iteration,
        held_ms,
    };
    drive.command(Command::ChildMoved { moved });
}

fn ring(drive: &mut Drive) {
    let name = SHARES.to_owned();
    drive.command(Command::Timer { name });
}

fn compared(drive: &mut Drive, slot: Slot, differs: bool) {
    let (customer, slot) = ("a".to_owned(), Some(slot));
    drive.ok(Input::Compared(vec![Comparison {
        customer,
        slot,
        differs,
    }]));
}

pub fn share(drive: &Drive, customer: &str) -> CustomerShare {
    drive.lane.children.as_ref().unwrap().customers[customer]
}

#[test]
fn customers_hear_when_theirs_begins_and_when_all_of_theirs_is_over() {
    let mut drive = noticing();
    let (s, st, c) = (Stage::Scheduled, Stage::Started, Stage::Completed);
    assert_eq!(notices(&drive.events), [(s, "a"), (s, "b")]);
    moves(&mut drive, "i0", None);
    assert_eq!(notices(&drive.events), [(st, "a")]);
    drive.ends("i0", Succeeded);
    assert_eq!(notices(&drive.events), []);
    moves(&mut drive, "i1", None);
    assert_eq!(notices(&drive.events), [], "they know");
    drive.ends("i1", Failed);
    assert_eq!(notices(&drive.events), [(c, "a")]);
    moves(&mut drive, "i2", None);
    assert_eq!(notices(&drive.events), [(st, "b")]);
    drive.ends("i2", Succeeded);
    assert_eq!(notices(&drive.events), [(c, "b")]);
}

#[test]
fn nobody_hears_started_while_theirs_is_held() {
    let mut drive = noticing();
    moves(&mut drive, "i0", Some(SLOT.starts_ms));
    assert_eq!(notices(&drive.events), []);
    assert_eq!(share(&drive, "a").stale_ms, None, "as it was announced");
}

#[test]
fn work_that_is_held_beyond_its_slot_is_told_as_changed_once_it_has_settled() {
    let mut drive = noticing();
    let later = Slot {
        starts_ms: SLOT.starts_ms + 24 * HOUR_MS,
        ends_ms: SLOT.ends_ms + 24 * HOUR_MS,
    };
    moves(&mut drive, "i0", Some(later.starts_ms));
    let rings_ms = drive.now_ms + CHANGE_SETTLES_MS;
    let (name, at_ms) = (SHARES.to_owned(), rings_ms);
    assert!(drive.effects.contains(&Effect::SetTimer { name, at_ms }));
    compared(&mut drive, later, true);
    assert_eq!(notices(&drive.events), [], "it has not settled");
    drive.after(CHANGE_SETTLES_MS);
    compared(&mut drive, later, true);
    let [
        Event::NoticeDue {
            stage: Stage::Changed,
            customer,
            revision: 1,
            slot: Some(slot),
            ..
        },
        ..,
    ] = &drive.events[..]
    else {
        panic!("{:?}", drive.events)
    };
    assert_eq!((customer.as_str(), *slot), ("a", later));
    compared(&mut drive, later, true);
    assert_eq!(notices(&drive.events), [], "nobody hears it twice");
    moves(&mut drive, "i0", Some(later.starts_ms + 1));
    assert_eq!(share(&drive, "a").stale_ms, None, "it was announced so");
}

#[test]
fn what_turns_out_to_be_as_announced_is_not_told() {
    let mut drive = noticing();
    moves(&mut drive, "i0", Some(SLOT.ends_ms));
    drive.after(CHANGE_SETTLES_MS);
    compared(&mut drive, SLOT, false);
    assert_eq!(notices(&drive.events), []);
    assert_eq!(
        (share(&drive, "a").stale_ms, share(&drive, "a").revision),
        (None, 0)
    );
}

#[test]
fn a_server_that_is_left_out_before_anything_began_makes_the_announcement_doubtful() {
    let mut drive = noticing();
    drive.ends("i0", Held);
    assert_eq!(share(&drive, "a").stale_ms, Some(drive.now_ms));
    let mut drive = noticing();
    moves(&mut drive, "i0", None);
    drive.ends("i0", Failed);
    assert_eq!(share(&drive, "a").stale_ms, None, "the end will tell");
}

#[test]
fn people_are_reminded_once_before_the_slot_and_not_of_what_has_begun() {
    let remind_ms = SLOT.starts_ms - 20 * 60_000;
    let mut drive = noticing();
    drive.now_ms = remind_ms;
    ring(&mut drive);
    let told = notices(&drive.events);
    assert_eq!(told, [(Stage::Reminder, "a"), (Stage::Reminder, "b")]);
    assert_eq!(
        drive.refused(Input::Command(Command::Timer {
            name: SHARES.to_owned()
        })),
        Refusal::StaleTimer {
            name: SHARES.to_owned()
        }
    );
    let mut drive = noticing();
    moves(&mut drive, "i0", None);
    drive.now_ms = remind_ms;
    ring(&mut drive);
    assert_eq!(notices(&drive.events), [(Stage::Reminder, "b")]);
    let mut drive = noticing();
    drive.now_ms = SLOT.starts_ms;
    drive.refused(Input::Command(Command::Timer {
        name: SHARES.to_owned(),
    }));
}

#[test]
fn a_new_slot_has_a_reminder_of_its_own() {
    let mut drive = noticing();
    let later = Slot {
        starts_ms: SLOT.starts_ms + 24 * HOUR_MS,
        ends_ms: SLOT.ends_ms + 24 * HOUR_MS,
    };
    moves(&mut drive, "i0", Some(later.starts_ms));
    drive.now_ms = SLOT.starts_ms - 20 * 60_000;
    compared(&mut drive, later, true);
    let rings_ms = later.starts_ms - 20 * 60_000;
    assert_eq!(share(&drive, "a").remind_ms, Some(rings_ms));
    drive.now_ms = rings_ms;
    ring(&mut drive);
    assert_eq!(notices(&drive.events), [(Stage::Reminder, "a")]);
}

#[test]
fn nobody_hears_completed_where_nothing_was_done() {
    let mut drive = noticing();
    drive.ends("i0", Failed).ends("i1", RolledBack);
    assert!(notices(&drive.events).contains(&(Stage::Cancelled, "a")));
    let mut drive = noticing();
    drive.cancel().ends("i0", Cancelled);
    let told = notices(&drive.events);
    assert_eq!(told, [(Stage::Cancelled, "a"), (Stage::Cancelled, "b")]);
}

#[test]
fn completed_waits_for_an_item_that_is_run_again() {
    let mut drive = noticing();
    drive.ends("i0", Failed);
    let (by, key, index, result) = ("olga".to_owned(), "i0".to_owned(), 0, Failed);
    let items = vec![RetryItem { key, index, result }];
    drive.ok(Input::Command(Command::RetryItems { by, items }));
    drive.ends("i1", Succeeded);
    assert_eq!(
        notices(&drive.events),
        [],
        "i0 of the same customer is not over"
    );
    drive.ends("i0", Succeeded);
    assert!(notices(&drive.events).contains(&(Stage::Completed, "a")));
}

fn next_ms(drive: &Drive, customer: &str) -> Option<i64> {
    share(drive, customer).rolling.unwrap().next_ms
}

#[test]
fn people_hear_every_so_long_how_it_goes_until_all_of_theirs_is_over() {
    let mut drive = rolling();
    let first_ms = SLOT.starts_ms + EVERY_MS;
    assert_eq!(
        next_ms(&drive, "a"),
        Some(first_ms),
        "not before it goes on"
    );
    moves(&mut drive, "i0", None);
    let due_ms = drive.now_ms + EVERY_MS;
    assert_eq!(next_ms(&drive, "a"), Some(due_ms), "they heard it begin");
    drive.now_ms = due_ms;
    ring(&mut drive);
    let p = Stage::Progress;
    assert_eq!(notices(&drive.events), [(p, "a")]);
    let name = SHARES.to_owned();
    drive.refused(Input::Command(Command::Timer { name }));
    // Nobody looked for a day: one message, and the next one so long behind it.
    drive.now_ms += 24 * HOUR_MS;
    ring(&mut drive);
    assert_eq!(notices(&drive.events), [(p, "a"), (p, "b")]);
    let number = share(&drive, "a").rolling.unwrap().number;
    assert_eq!(number, 2);
    assert_eq!(next_ms(&drive, "a"), Some(drive.now_ms + EVERY_MS));
    drive.ends("i0", Succeeded).ends("i1", Succeeded);
    drive.now_ms += EVERY_MS;
    ring(&mut drive);
    assert_eq!(notices(&drive.events), [(p, "b")], "theirs is over");
    drive.ends("i2", Succeeded);
    drive.now_ms += EVERY_MS;
    let name = SHARES.to_owned();
    drive.refused(Input::Command(Command::Timer { name }));
}

#[test]
fn a_new_slot_that_has_not_begun_moves_the_first_word_on_how_it_goes() {
    let mut drive = rolling();
    let later = Slot {
        starts_ms: SLOT.starts_ms + 24 * HOUR_MS,
        ends_ms: SLOT.ends_ms + 24 * HOUR_MS,
    };
    moves(&mut drive, "i0", Some(later.starts_ms));
    drive.after(CHANGE_SETTLES_MS);
    compared(&mut drive, later, true);
    assert_eq!(next_ms(&drive, "a"), Some(later.starts_ms + EVERY_MS));
    assert_eq!(next_ms(&drive, "b"), Some(SLOT.starts_ms + EVERY_MS));
}

#[test]
fn nobody_hears_more_often_how_it_goes_than_the_limit() {
    let mut drive = rolling();
    moves(&mut drive, "i0", None);
    let mut heard = 0;
    while let Some(due_ms) = next_ms(&drive, "a") {
        drive.now_ms = due_ms;
        ring(&mut drive);
        let told = notices(&drive.events).into_iter();
        heard += told.filter(|told| *told == (Stage::Progress, "a")).count();
        assert!(heard <= PROGRESS_MAX as usize);
    }
    assert_eq!(heard, PROGRESS_MAX as usize);
    let last = Rolling {
        number: PROGRESS_MAX,
        next_ms: None,
    };
    assert_eq!(share(&drive, "a").rolling, Some(last));
}

#[test]
fn work_without_the_term_is_not_told_while_it_goes_on() {
    let mut drive = noticing();
    moves(&mut drive, "i0", None);
    assert_eq!(share(&drive, "a").rolling, None);
}
