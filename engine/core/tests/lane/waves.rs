//! `each`: ramps, groups, when to stop, gates, pauses.

use crate::support::build::*;
use crate::support::drive::*;
use crate::support::letters::*;
use hostler_core::command::{Command, Input};
use hostler_core::decide::{ADMIT_MAX, LIVE_MAX};
use hostler_core::definition::*;
use hostler_core::lane::PersonKind;
use hostler_core::refusal::Refusal;
use hostler_core::result::LaneResult::*;

pub const PLAIN: &[&[&str]] = &[&[], &[], &[], &[], &[], &[], &[], &[]];

pub fn driving(spec: Each, groups: &[&[&str]], waves: &[(u32, u64)]) -> Drive {
    let world = World::of(definition(vec![each("all", spec)], Vec::new()));
    let mut drive = Drive::of(world.with_items(items(groups), waves));
    drive.enter();
    drive
}

pub fn fixed(number: u32) -> Each {
    Each {
        at_once: AtOnce {
            ramp: Ramp::Fixed(number),
            per: Vec::new(),
        },
        ..each_of()
    }
}

pub fn stopping_at(stop_at: StopAt) -> Each {
    Each {
        stop_at: Some(stop_at),
        ..fixed(8)
    }
}

pub fn stopped(drive: &Drive) -> Option<&str> {
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
