//! A call whose worker was lost, and what may not follow while it can still reach its target.

use crate::support::build::*;
use crate::support::drive::*;
use crate::support::letters::*;
use hostler_core::command::Input;
use hostler_core::definition::*;
use hostler_core::lane::Phase;
use hostler_core::refusal::Refusal;
use hostler_core::result::LaneResult::*;

fn driving(steps: Vec<Step>) -> Drive {
    Drive::of(World::of(definition(steps, Vec::new())))
}

/// The call of a lost worker reaches its target whenever it likes, also behind its own undo.
#[test]
fn nothing_is_taken_back_while_a_lost_call_may_still_land() {
    let a = repeatable("a").undo(vec![read("back")]);
    let mut drive = driving(vec![a, read("b").failing(OnFailure::Undo)]);
    drive.enter().after(50).ok(Input::Orphaned).done();
    drive.enter().ok(Input::Answered(reject())).enter();
    assert_eq!(drive.phase(), "backoff");
    let early = drive.after(1_049).refused(Input::Continue);
    assert!(matches!(early, Refusal::Unexpected { .. }), "{early}");
    drive.after(1).ok(Input::Continue).enter();
    assert_eq!(drive.phase(), "running");
    drive.done();
    assert_eq!(drive.result(), Some(RolledBack));
}

#[test]
fn a_read_that_was_lost_holds_no_undo_up() {
    let a = repeatable("a").undo(vec![read("back")]);
    let mut drive = driving(vec![a, read("b").failing(OnFailure::Undo)]);
    drive.enter().done();
    drive.enter().after(50).ok(Input::Orphaned);
    drive.ok(Input::Answered(reject())).enter();
    assert_eq!(drive.phase(), "running");
}

#[test]
fn an_unknown_repetition_is_looked_up_only_when_the_lost_call_can_no_longer_land() {
    let mut drive = driving(vec![repeatable("a")]);
    drive.enter().after(50).ok(Input::Orphaned);
    let reason = "cut".to_owned();
    drive.ok(Input::Unsettled { reason });
    assert!(
        matches!(&drive.lane.phase, Phase::Checking(checking) if checking.ask_ms == BEGIN_MS + 1_100),
        "{:?}",
        drive.lane.phase
    );
}
