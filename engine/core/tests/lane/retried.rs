//! Items of `each` that are run again.

use crate::support::build::*;
use crate::support::drive::*;
use crate::waves::{PLAIN, driving, fixed, stopped, stopping_at};
use hostler_core::command::{Command, Input, RetryItem};
use hostler_core::definition::*;
use hostler_core::event::Event;
use hostler_core::lane::PersonKind;
use hostler_core::refusal::Refusal;
use hostler_core::result::LaneResult::{self, *};

fn retry(drive: &mut Drive, index: u32, result: LaneResult) -> Result<Vec<Event>, Refusal> {
    let (by, key) = ("olga".to_owned(), format!("i{index}"));
    let items = vec![RetryItem { key, index, result }];
    drive.take(Input::Command(Command::RetryItems { by, items }))
}

#[test]
fn a_retried_item_alone_passes_a_stop_and_the_gate_still_stands() {
    let spec = Each {
        gate: gate(),
        ..fixed(2)
    };
    let mut drive = driving(spec, PLAIN, &[(4, 0), (4, 0)]);
    drive.ends("i0", Failed).ends("i1", Failed).gate();
    retry(&mut drive, 0, Failed).unwrap();
    assert_eq!(drive.live(), ["i0"], "the others wait for the gate");
    drive.ends("i0", Succeeded);
    assert!(drive.lane.children.as_ref().unwrap().gate_due);
    assert!(stopped(&drive).is_some());
    drive.gate();
    assert_eq!(drive.asked(), PersonKind::WaveGate);
}

#[test]
fn when_every_failed_item_went_well_at_last_the_others_go_on() {
    let mut drive = driving(fixed(2), &PLAIN[..3], &[]);
    drive.ends("i0", Failed);
    retry(&mut drive, 0, Failed).unwrap();
    assert_eq!(drive.live(), ["i0", "i1"]);
    drive.ends("i0", Succeeded);
    drive.ends("i1", Succeeded);
    assert_eq!(drive.live(), ["i2"]);
    drive.ends("i2", Succeeded);
    assert_eq!(drive.result(), Some(Succeeded));
}

#[test]
fn the_question_about_failed_items_can_be_answered_by_running_them_again() {
    let spec = Each {
        on_failure: OnFailure::Ask,
        ..fixed(2)
    };
    let mut drive = driving(spec, &PLAIN[..2], &[]);
    drive.ends("i0", Failed).ends("i1", Succeeded);
    assert_eq!(drive.asked(), PersonKind::Failure);
    retry(&mut drive, 0, Failed).unwrap();
    drive.ends("i0", Succeeded);
    assert_eq!(drive.result(), Some(Succeeded));
}

#[test]
fn an_item_is_run_again_only_if_it_was_there_ended_and_did_not_go_well() {
    let mut drive = driving(fixed(2), PLAIN, &[]);
    drive.ends("i0", Failed);
    let by = "olga".to_owned();
    let one = |key: &str, index, result| RetryItem {
        key: key.to_owned(),
        index,
        result,
    };
    for (why, items) in [
        ("it lives", vec![one("i1", 1, Failed)]),
        ("never admitted", vec![one("i5", 5, Failed)]),
        ("another key", vec![one("i9", 0, Failed)]),
        ("went well", vec![one("i0", 0, Succeeded)]),
        ("none ended so", vec![one("i0", 0, Denied)]),
        ("nothing named", Vec::new()),
    ] {
        let by = by.clone();
        let refusal = drive.refused(Input::Command(Command::RetryItems { by, items }));
        assert_eq!(refusal, Refusal::NothingToRetry, "{why}");
    }
    let items = vec![one("i0", 0, Failed), one("i0", 0, Failed)];
    drive.command(Command::RetryItems { by, items });
    assert_eq!(drive.live(), ["i0", "i1"]);
}

#[test]
fn a_retried_item_is_a_new_lane_and_its_old_end_is_stale() {
    let mut drive = driving(fixed(2), PLAIN, &[]);
    let old = drive.end_of("i0", Failed, false);
    drive.ends("i0", Failed);
    retry(&mut drive, 0, Failed).unwrap();
    assert_ne!(drive.end_of("i0", Failed, false).lane, old.lane);
    let key = "i0".to_owned();
    let refusal = drive.refused(Input::ChildrenEnded(vec![old]));
    assert_eq!(refusal, Refusal::StaleChild { key });
}

#[test]
fn a_retried_failure_counts_once_against_its_group() {
    let per = vec![PerGroup {
        attribute: "customer".to_owned(),
        limit: 2,
    }];
    let spec = stopping_at(StopAt {
        per,
        ..StopAt::default()
    });
    let a: &[&str] = &["customer=a"];
    let mut drive = driving(spec, &[a, a, a], &[]);
    drive.ends("i0", Failed);
    retry(&mut drive, 0, Failed).unwrap();
    drive.ends("i0", Failed);
    assert_eq!(stopped(&drive), None, "one item has failed, twice");
    drive.ends("i1", Failed);
    assert!(stopped(&drive).is_some());
}
