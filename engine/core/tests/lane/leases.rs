//! Leases: who is told before the end, what a release leaves out, and what lies ahead of a lane that one may hold.
//!
//! Not here: what a lease keeps off (core's own tests), and the early end of one that tells nobody (`ends`).

use crate::support::build::*;
use crate::support::drive::*;
use crate::support::leases::*;
use hostler_core::command::{Command, Input};
use hostler_core::definition::*;
use hostler_core::effect::Effect;
use hostler_core::expression::Dynamic;
use hostler_core::lane::Phase;
use hostler_core::lease::{ahead, ended_by, ends_ms};
use hostler_core::mail::LEASE_ENDS;
use hostler_core::result::LaneResult::*;

/// The lane of a lease of 10 ms that tells its owner 4 ms before its end.
fn warned() -> Drive {
    let mut opener = leasing("snapshot");
    if let Some(lease) = &mut opener.lease {
        lease.warn_ms = Some(4);
    }
    Drive::of_lease(opener)
}

/// Messages that the last decision asks for.
fn told(drive: &Drive) -> Vec<String> {
    let told = drive.effects.iter().filter_map(|effect| match effect {
        Effect::Report { template, .. } => Some(template.clone()),
        _ => None,
    });
    told.collect()
}

fn release() -> Input {
    Input::Command(Command::Release {
        by: "run 1".to_owned(),
        reason: None,
    })
}

fn extend(by_ms: u64) -> Input {
    Input::Command(Command::Extend {
        by: "olga".to_owned(),
        reason: "not yet".to_owned(),
        by_ms,
    })
}

#[test]
fn a_lease_that_ends_soon_says_so_once_and_ends_at_its_own_instant() {
    let drive = warned();
    let program = drive.lane.program(&drive.world.definition).unwrap();
    let instants = program.steps.iter().filter_map(|step| match &step.verb {
        Verb::Wait(Wait {
            until: WaitUntil::Opened(after_ms),
        }) => Some(*after_ms),
        _ => None,
    });
    assert_eq!(instants.collect::<Vec<_>>(), [6, 10]);
    let to = program.steps.iter().find_map(|step| match &step.verb {
        Verb::Notify(notify) => Some(notify.to.clone()),
        _ => None,
    });
    let owner = Dynamic::Literal("role:tests".into());
    assert_eq!(to, Some(vec![Recipient(owner)]));

    let mut drive = warned();
    drive.enter().after(10).ok(Input::Continue);
    assert_eq!(told(&drive), [] as [&str; 0]);
    drive.enter();
    assert_eq!(told(&drive), [LEASE_ENDS]);
    drive.enter().after(10).ok(Input::Continue);
    assert_eq!(told(&drive), [] as [&str; 0]);
    drive.enter();
    assert_eq!(drive.phase(), "running");
    drive.done();
    assert_eq!(drive.result(), Some(Succeeded));
}

#[test]
fn who_releases_a_lease_before_its_warning_leaves_nobody_told() {
    // Before its first turn, while it waits, and when its time to tell has just come.
    let begun = |turns: u32| {
        let mut drive = warned();
        if turns > 0 {
            drive.enter();
        }
        if turns > 1 {
            drive.after(10).ok(Input::Continue);
        }
        drive
    };
    for turns in 0..3 {
        let mut drive = begun(turns);
        drive.ok(release());
        assert_eq!(told(&drive), [] as [&str; 0], "{turns}");
        // What ends it stands next, and is not skipped by another release.
        drive.refused(release());
        drive.enter();
        assert_eq!((drive.phase(), told(&drive)), ("running", Vec::new()));
        drive.done();
        assert_eq!(drive.result(), Some(Succeeded), "{turns}");
    }
}

#[test]
fn a_lease_that_is_released_behind_its_warning_ends_at_once() {
    let mut drive = warned();
    drive.enter().after(10).ok(Input::Continue).enter();
    assert_eq!(told(&drive), [LEASE_ENDS]);
    drive.enter().ok(release()).enter();
    assert_eq!(drive.phase(), "running");
    drive.done();
    assert_eq!(drive.result(), Some(Succeeded));
}

#[test]
fn a_lease_lives_longer_only_while_it_lives_and_for_no_longer_than_it_was_given() {
    let mut drive = warned();
    // Its first wait has not begun.
    drive.refused(extend(1));
    drive.enter();
    drive.refused(extend(0));
    drive.refused(extend(1));
    let Phase::Waiting { until_ms } = drive.lane.phase else {
        panic!("{:?}", drive.lane.phase)
    };
    drive.after(3).refused(extend(4));
    drive.ok(extend(3));
    assert_eq!(
        drive.lane.phase,
        Phase::Waiting {
            until_ms: until_ms + 3
        }
    );
    let moved = |effect: &Effect| match effect {
        Effect::SetTimer { name, at_ms, .. } => Some((name.clone(), *at_ms)),
        _ => None,
    };
    let timers: Vec<_> = drive.effects.iter().filter_map(moved).collect();
    assert_eq!(timers, [("wait".to_owned(), until_ms + 3)]);
    assert!(drive.effects.contains(&Effect::MoveLease));
    let (_, lease) = ended_by(&drive.lane, &drive.world.definition).unwrap();
    assert_eq!(ends_ms(&drive.lane, lease), drive.lane.opened_ms + 13);
    drive.ok(release()).enter();
    assert_eq!(drive.phase(), "running");
    drive.refused(extend(1));
}

/// A step on the lane's asset, or on another one.
fn on(mut step: Step, asset: Option<&str>) -> Step {
    if let Verb::Do(action) = &mut step.verb {
        action.needs_asset = true;
        let named = |asset: &str| ("asset".to_owned(), Dynamic::Literal(asset.into()));
        action.with = Dynamic::Map(asset.map(named).into_iter().collect());
    }
    step
}

#[test]
fn ahead_of_a_lane_are_the_changes_of_its_own_asset_and_of_rounds_and_parts_within() {
    let parts = each("parts", each_of());
    let servers = each(
        "servers",
        Each {
            binds: "asset".to_owned(),
            body: 2,
            ..each_of()
        },
    );
    let steps = vec![
        on(repeatable("gone"), None),
        on(repeatable("silence"), None),
        on(read("look"), None),
        on(repeatable("other"), Some("web2")),
        on(repeatable("grow"), None).conditional(),
        parts,
        servers,
    ];
    let mut definition = definition(steps, Vec::new());
    let body = |step: Step| Program {
        steps: vec![step],
        ..Program::default()
    };
    definition.programs.truncate(1);
    definition
        .programs
        .extend([body(on(once("part"), None)), body(on(once("server"), None))]);
    let found = ahead(&definition, 0, 1);
    let found = found
        .iter()
        .map(|next| (&*next.action.action, next.condition.is_some()));
    let expected = [("practice.grow", true), ("practice.part", false)];
    assert_eq!(found.collect::<Vec<_>>(), expected);
    // Nothing is ahead of the last step, nor of a lane that is through.
    assert!(ahead(&definition, 0, 6).is_empty() && ahead(&definition, 0, 7).is_empty());
    // Behind a step that names another asset only what names that one.
    assert!(ahead(&definition, 0, 3).is_empty());
}
