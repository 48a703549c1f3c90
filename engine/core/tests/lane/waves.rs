//! `each`: ramps, groups, when to stop, gates, items run again, notices to customers.

use crate::support::build::*;
use crate::support::drive::*;
use crate::support::letters::*;
use hostler_core::command::{Command, Input, RetryItem};
use hostler_core::decide::{ADMIT_MAX, LIVE_MAX};
use hostler_core::definition::*;
use hostler_core::event::Event;
use hostler_core::lane::PersonKind;
use hostler_core::refusal::Refusal;
use hostler_core::result::LaneResult::{self, *};

const PLAIN: &[&[&str]] = &[&[], &[], &[], &[], &[], &[], &[], &[]];

fn driving(spec: Each, groups: &[&[&str]], waves: &[(u32, u64)]) -> Drive {
    let world = World::of(definition(vec![each("all", spec)], Vec::new()));
    let mut drive = Drive::of(world.with_items(items(groups), waves));
    drive.enter();
    drive
}

fn fixed(number: u32) -> Each {
    Each {
        at_once: AtOnce {
            ramp: Ramp::Fixed(number),
            per: Vec::new(),
        },
        ..each_of()
    }
}

fn stopping_at(stop_at: StopAt) -> Each {
    Each {
        stop_at: Some(stop_at),
        ..fixed(8)
    }
}

fn retry(drive: &mut Drive, index: u32, result: LaneResult) -> Result<Vec<Event>, Refusal> {
    let (by, key) = ("olga".to_owned(), format!("i{index}"));
    let items = vec![RetryItem { key, index, result }];
    drive.take(Input::Command(Command::RetryItems { by, items }))
}

fn stopped(drive: &Drive) -> Option<&str> {
    drive.lane.children.as_ref()?.stopped.as_deref()
}

#[test]
fn a_ramp_grows_with_every_success_and_begins_anew_after_a_failure() {
    let spec = Each {
        at_once: AtOnce {
            ramp: Ramp::Stages(vec![1, 2, 4]),
            per: Vec::new(),
        },
        stop_at: Some(StopAt::default()),
        ..each_of()
    };
    let mut drive = driving(spec, PLAIN, &[]);
    assert_eq!(drive.live(), ["i0"]);
    drive.ends("i0", Succeeded);
    assert_eq!(drive.live(), ["i1", "i2"]);
    drive.ends("i1", Succeeded);
    assert_eq!(drive.live(), ["i2", "i3"]);
    drive.ends("i2", Succeeded);
    assert_eq!(drive.live(), ["i3", "i4", "i5", "i6"]);
    drive.ends("i3", Failed).ends("i4", Succeeded);
    assert_eq!(drive.live(), ["i5", "i6"], "two may live again, and two do");
}

#[test]
fn what_was_held_or_cancelled_does_not_let_the_ramp_grow() {
    for result in [Held, Deferred, Cancelled, Nothing] {
        let spec = Each {
            at_once: AtOnce {
                ramp: Ramp::Stages(vec![1, 3]),
                per: Vec::new(),
            },
            ..each_of()
        };
        let mut drive = driving(spec, PLAIN, &[]);
        drive.ends("i0", result);
        assert_eq!(drive.live(), ["i1"], "{result} proves nothing");
    }
}

#[test]
fn a_percentage_is_of_the_wave_and_at_least_one() {
    for (percent, wave, live) in [(50, 8, 4), (10, 8, 1), (100, 3, 3)] {
        let spec = Each {
            at_once: AtOnce {
                ramp: Ramp::Percent(percent),
                per: Vec::new(),
            },
            ..each_of()
        };
        let drive = driving(spec, PLAIN, &[(wave, 0), (8 - wave, 0)]);
        assert_eq!(drive.live().len(), live, "{percent} % of {wave}");
    }
}

#[test]
fn a_full_group_lets_others_pass_and_is_not_forgotten() {
    let per = vec![PerGroup {
        attribute: "redundancy_group".to_owned(),
        limit: 1,
    }];
    let spec = Each {
        at_once: AtOnce {
            ramp: Ramp::Fixed(3),
            per,
        },
        ..each_of()
    };
    let (a, b): (&[&str], &[&str]) = (&["redundancy_group=a"], &["redundancy_group=b"]);
    let mut drive = driving(spec, &[a, a, b, a, &[]], &[]);
    assert_eq!(drive.live(), ["i0", "i2", "i4"]);
    drive.ends("i0", Succeeded);
    assert_eq!(drive.live(), ["i1", "i2", "i4"]);
    drive.ends("i2", Succeeded).ends("i4", Succeeded);
    assert_eq!(drive.live(), ["i1"]);
    drive.ends("i1", Succeeded).ends("i3", Succeeded);
    assert_eq!(drive.result(), Some(Succeeded));
}

#[test]
fn no_more_live_than_one_commit_can_reach_and_the_rest_follow() {
    let many = vec![&[] as &[&str]; LIVE_MAX as usize + 1];
    let mut drive = driving(fixed(10_000), &many, &[]);
    assert_eq!(drive.live().len(), ADMIT_MAX);
    assert_eq!(drive.ok(Input::Continue).live().len(), LIVE_MAX as usize);
    let last = format!("i{LIVE_MAX}");
    assert!(!drive.live().contains(&last.as_str()));
    drive.ends("i0", Succeeded);
    assert!(drive.live().contains(&last.as_str()));
}

#[test]
fn each_bound_stops_at_its_own_count() {
    let (a, b): (&[&str], &[&str]) = (&["customer=a"], &["customer=b"]);
    let groups = [a, a, b, b, a, b, a, b];
    let per = vec![PerGroup {
        attribute: "customer".to_owned(),
        limit: 2,
    }];
    let count = StopAt {
        count: Some(2),
        ..StopAt::default()
    };
    let percent = StopAt {
        percent: Some(50),
        after: 4,
        ..StopAt::default()
    };
    let consecutive = StopAt {
        consecutive: Some(2),
        ..StopAt::default()
    };
    let group = StopAt {
        per,
        ..StopAt::default()
    };
    let wave = StopAt {
        waves: vec![("w0".to_owned(), 1)],
        ..StopAt::default()
    };
    let (s, f, h) = (Succeeded, Failed, Held);
    for (name, stop_at, ends, at) in [
        ("count", &count, vec![f, s, f], 3),
        ("percent", &percent, vec![f, f, s, f], 4),
        ("percent", &percent, vec![s, s, s, f, f, s, f], 99),
        ("consecutive", &consecutive, vec![f, s, f, f], 4),
        (
            "a held one between does not break a row",
            &consecutive,
            vec![f, h, f],
            3,
        ),
        ("group", &group, vec![f, s, f, s, f], 5),
        ("wave", &wave, vec![s, f], 2),
    ] {
        let mut drive = driving(stopping_at(stop_at.clone()), &groups, &[(8, 0)]);
        for (number, result) in ends.into_iter().enumerate() {
            assert_eq!(stopped(&drive), None, "{name} before {number}");
            drive.ends(&format!("i{number}"), result);
            assert_eq!(
                stopped(&drive).is_some(),
                number + 1 == at,
                "{name} after {number}"
            );
        }
    }
}

#[test]
fn a_stop_admits_no_more_and_waits_for_those_who_live() {
    let mut drive = driving(fixed(2), PLAIN, &[]);
    drive.ends("i0", Failed);
    assert_eq!(drive.live(), ["i1"]);
    drive.ends("i1", Succeeded);
    assert_eq!(drive.result(), Some(Failed));
    assert_eq!(drive.lane.results["all"].output["ended"], 2);
}

#[test]
fn failures_within_the_bounds_make_it_recovered() {
    let spec = Each {
        on_failure: OnFailure::Continue,
        ..fixed(8)
    };
    let mut drive = driving(spec, &PLAIN[..2], &[]);
    drive.ends("i0", Failed).ends("i1", Succeeded);
    assert_eq!(drive.result(), Some(Recovered));
}

/// Of eight items all are in the last of four waves: those without any end nothing and count for nothing.
#[test]
fn awx_15589_an_empty_slice_is_not_a_failure() {
    let strict = StopAt {
        count: Some(1),
        percent: Some(1),
        consecutive: Some(1),
        waves: (0..4).map(|wave| (format!("w{wave}"), 1)).collect(),
        ..StopAt::default()
    };
    let waves = [(0, 0), (0, 0), (0, 0), (8, 0)];
    let mut drive = driving(stopping_at(strict.clone()), PLAIN, &waves);
    assert_eq!((stopped(&drive), drive.live().len()), (None, 8));
    for number in 0..8 {
        drive.ends(&format!("i{number}"), Succeeded);
    }
    assert_eq!(drive.result(), Some(Succeeded));
    let none = driving(stopping_at(strict), &[], &[(0, 0), (0, 0)]);
    assert_eq!(none.result(), Some(Succeeded), "nor is a step over nothing");
}

#[test]
fn a_wave_soaks_then_asks_then_the_next_begins() {
    let spec = Each {
        gate: gate(),
        ..fixed(8)
    };
    let mut drive = driving(spec, &PLAIN[..3], &[(1, 500), (0, 500), (2, 0)]);
    drive.ends("i0", Succeeded);
    let gate = drive.world.gate(&drive.lane, drive.now_ms);
    let early = drive.refused(Input::EnterGate(gate));
    assert!(
        matches!(early, Refusal::Unexpected { .. }),
        "not before the soak is over"
    );
    drive.after(500).ok(Input::Continue).gate();
    assert_eq!(drive.asked(), PersonKind::WaveGate);
    drive.after(1).command(vote("ada", "board", true));
    assert_eq!(
        drive.live(),
        ["i1", "i2"],
        "nobody is asked about an empty wave"
    );
    drive.ends("i1", Succeeded).ends("i2", Succeeded).gate();
    drive.command(vote("ada", "board", true));
    assert_eq!(drive.result(), Some(Succeeded));
}

#[test]
fn a_gate_after_a_stopped_wave_lets_the_rest_of_it_go() {
    let spec = Each {
        gate: gate(),
        ..fixed(1)
    };
    let mut drive = driving(spec, &PLAIN[..3], &[(2, 500), (1, 0)]);
    drive.ends("i0", Failed).gate();
    assert_eq!(drive.live(), [] as [&str; 0]);
    drive.command(vote("ada", "board", true));
    assert_eq!(drive.live(), ["i1"]);
    drive
        .ends("i1", Succeeded)
        .after(500)
        .ok(Input::Continue)
        .gate();
    drive
        .command(vote("ada", "board", true))
        .ends("i2", Succeeded)
        .gate();
    drive.command(vote("ada", "board", true));
    assert_eq!(drive.result(), Some(Recovered));
}

#[test]
fn a_denied_gate_ends_the_step_and_says_so() {
    let spec = Each {
        gate: gate(),
        ..fixed(1)
    };
    let mut drive = driving(spec, &PLAIN[..2], &[(1, 0), (1, 0)]);
    drive
        .ends("i0", Succeeded)
        .gate()
        .command(vote("ada", "board", false));
    assert_eq!(drive.result(), Some(Denied));
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

#[test]
fn a_pause_admits_nobody_and_a_resume_goes_on() {
    let by = "ada".to_owned();
    let mut drive = driving(fixed(1), &PLAIN[..2], &[(1, 500), (1, 0)]);
    drive.command(Command::Pause { by: by.clone() });
    drive.ends("i0", Succeeded);
    drive.command(Command::Resume { by: by.clone() });
    drive.command(Command::Pause { by: by.clone() });
    assert!(matches!(
        drive.after(500).refused(Input::Continue),
        Refusal::Unexpected { .. }
    ));
    assert_eq!(drive.live(), [] as [&str; 0]);
    drive.command(Command::Resume { by });
    assert_eq!(drive.live(), ["i1"]);
}
