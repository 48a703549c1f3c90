//! What customers hear of an `each` that disturbs them.

use crate::support::build::*;
use crate::support::drive::*;
use hostler_core::command::{Command, Input, RetryItem};
use hostler_core::definition::*;
use hostler_core::event::{Event, Stage};
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

fn noticing() -> Drive {
    let spec = Each {
        on_failure: OnFailure::Continue,
        at_once: AtOnce {
            ramp: Ramp::Fixed(1),
            per: Vec::new(),
        },
        ..each_of()
    };
    let (a, b): (&[&str], &[&str]) = (&["customer=a"], &["customer=b"]);
    let world = World::of(definition(vec![each("all", spec).noticed()], Vec::new()));
    let mut world = world.with_items(items(&[a, a, b]), &[]);
    world.customers = vec![("a".to_owned(), 2), ("b".to_owned(), 1)];
    let mut drive = Drive::of(world);
    drive.enter();
    drive
}

#[test]
fn customers_hear_when_theirs_begins_and_when_all_of_theirs_is_over() {
    let mut drive = noticing();
    let (s, st, c) = (Stage::Scheduled, Stage::Started, Stage::Completed);
    assert_eq!(notices(&drive.events), [(s, "a"), (s, "b"), (st, "a")]);
    drive.ends("i0", Succeeded);
    assert_eq!(notices(&drive.events), []);
    drive.ends("i1", Failed);
    assert_eq!(notices(&drive.events), [(c, "a"), (st, "b")]);
    drive.ends("i2", Succeeded);
    assert_eq!(notices(&drive.events), [(c, "b")]);
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
