//! `each`: waves that open at an instant.
//!
//! Not here: which instant that is (the worker resolves it).

use crate::support::build::*;
use crate::support::drive::*;
use crate::waves::{PLAIN, fixed};
use hostler_core::command::Input;
use hostler_core::definition::*;
use hostler_core::effect::timer;
use hostler_core::refusal::Refusal;
use hostler_core::result::LaneResult::*;
use hostler_core::view::ChildrenRow;
use hostler_core::view::rows::lane_row;

const OPENS_MS: i64 = BEGIN_MS + 5_000;

/// Two items in a wave, two in one that opens later.
fn driving(spec: Each) -> Drive {
    let world = World::of(definition(vec![each("all", spec)], Vec::new()));
    let mut world = world.with_items(items(&PLAIN[..4]), &[(2, 0), (2, 0)]);
    world.waves[1].opens_ms = Some(OPENS_MS);
    let mut drive = Drive::of(world);
    drive.enter();
    drive
}

fn row(drive: &Drive) -> ChildrenRow {
    lane_row(&drive.lane, &drive.world.definition)
        .children
        .unwrap()
}

fn timers(drive: &Drive) -> Vec<(&'static str, i64)> {
    hostler_core::effect::holding::timers(&drive.lane)
}

#[test]
fn a_wave_is_not_admitted_before_it_opens() {
    let mut drive = driving(fixed(8));
    assert_eq!(drive.live(), ["i0", "i1"]);
    let ahead = row(&drive).ahead;
    let [rest] = &ahead[..] else {
        panic!("{ahead:?}")
    };
    assert_eq!(
        (rest.items, rest.opens_ms, rest.soak_ms),
        (2, Some(OPENS_MS), None)
    );
    drive.ends("i0", Succeeded).ends("i1", Succeeded);
    assert_eq!((drive.live().len(), drive.result()), (0, None));
    let row = row(&drive);
    assert_eq!((row.ahead.len(), row.opens_ms), (0, Some(OPENS_MS)));
    assert_eq!(timers(&drive), [(timer::ROUND, OPENS_MS)]);
    assert!(matches!(
        drive.refused(Input::Continue),
        Refusal::Unexpected { .. }
    ));
    drive.after(5_000).ok(Input::Continue);
    assert_eq!(drive.live(), ["i2", "i3"]);
    assert_eq!(timers(&drive), []);
    drive.ends("i2", Succeeded).ends("i3", Succeeded);
    assert_eq!(drive.result(), Some(Succeeded));
}

#[test]
fn a_wave_whose_opening_is_over_is_not_waited_for() {
    let mut drive = driving(fixed(8));
    drive
        .after(6_000)
        .ends("i0", Succeeded)
        .ends("i1", Succeeded);
    assert_eq!(drive.live(), ["i2", "i3"]);
    assert_eq!(timers(&drive), []);
}

#[test]
fn a_stopped_list_does_not_wait_for_its_next_wave() {
    let mut drive = driving(fixed(8));
    drive.ends("i0", Succeeded).ends("i1", Failed);
    assert_eq!(drive.result(), Some(Failed));
    let mut cancelled = driving(fixed(8));
    cancelled
        .ends("i0", Succeeded)
        .ends("i1", Succeeded)
        .cancel();
    assert_eq!(cancelled.result(), Some(Cancelled));
}
