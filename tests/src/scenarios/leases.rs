//! What a live lease keeps off its server, against the runbook that grows disks: it waits for the lease of another run,
//! begins nothing before that, and goes on when it has ended; and whoever owns the lease is told before its end.
//!
//! Not here: what lies ahead of a lane, and what a release leaves out (core's tests).

use super::ledger::{assert_none, began_ms, entries, held_by, lines};
use super::{good_of, stage};
use hostler_core::id::{LaneId, RunId};
use hostler_core::lease::{Leases, LiveLease, leases_document};
use hostler_ports::store::DocumentWrite;
use hostler_rehearsal::doors::{Door, behind};
use hostler_rehearsal::leasing::{
    Behind, Steer, Steered, behind_a_lease, behind_a_steered_lease, leased_before_each_commit,
};
use hostler_rehearsal::{Outcome, Scenario, Stage, play};
use hostler_runbook::SourceFile;
use std::collections::BTreeMap;

const HOUR_MS: i64 = 3_600_000;
const SERVER: &str = "phys-test1";
const GROW: &str = "compute.disk-grow";
const DELETE: &str = "compute.snapshot-delete";
/// The practice estate's clock begins here.
const BEGIN_MS: i64 = 1_767_225_600_000;

const HEAD: &str = r#"runbook: lease-probe
version: 1
title: A snapshot for some days
owner: platform-storage
needs: [compute@1]
inputs:
  asset: { type: asset, label: Server }
policy: { class: request, start: [operator], four_eyes: true }
steps:
"#;
const SNAPSHOT: &str = "{ id: snapshot, name: The state before, do: compute.snapshot, lease: { for: 72h, end: compute.snapshot-delete, warn: 24h, blocks: [compute.disk-grow] } }";
const LARGER: &str =
    "{ id: larger, do: compute.disk-grow, with: { disk: d, expect_gib: 1, to_gib: 2 } }";

/// An `each` over the server, with one step.
fn turn(id: &str, step: &str) -> String {
    let each = r#"each: { over: "${{ [inputs.asset] }}", as: asset, on_failure: continue }"#;
    format!("  - id: {id}\n    {each}\n    steps:\n      - {step}\n")
}

fn probe(steps: &[String]) -> Stage {
    probe_of("platform-storage", steps)
}

/// The same runbook, of another owner.
fn probe_of(owner: &str, steps: &[String]) -> Stage {
    let head = HEAD.replace("platform-storage", owner);
    let source = SourceFile {
        name: "workflows/lease-probe/v1.yaml".to_owned(),
        text: format!("{head}{}", steps.concat()),
        templates: BTreeMap::new(),
    };
    stage::with_runbook(stage::practice(), source)
}

fn probing(expect: &str) -> Scenario {
    let text = format!(
        "scenario: probe\nrunbook: lease-probe\nstarter: olga\ninputs: {{ asset: {SERVER} }}\nexpect: {expect}\n"
    );
    Scenario::read(&text).unwrap()
}

/// A disk grows while the server is off.
fn offline() -> Scenario {
    let file = stage::root().join("workflows/resize-disk/scenarios/offline.yaml");
    Scenario::read(&std::fs::read_to_string(file).unwrap()).unwrap()
}

async fn held(steps: &[String], second: &Scenario, crash: Option<u64>, hours: u32) -> Behind {
    let runs = (&probing("{ result: succeeded }"), second);
    let behind = behind_a_lease(&probe(steps), runs, SERVER, crash, hours).await;
    behind.unwrap_or_else(|trouble| panic!("{trouble}"))
}

/// Held until the lease's end was over, then grown; nothing was called meanwhile.
fn assert_waited(behind: &Behind) -> (i64, i64) {
    let outcome = &behind.outcome;
    assert_eq!(outcome.ended.state, "succeeded", "{:?}", outcome.ended);
    assert_eq!(behind.calls.held, behind.calls.later, "called while held");
    let (deleted, grown) = (began_ms(outcome, DELETE), began_ms(outcome, GROW));
    assert_eq!(
        (deleted.len(), grown.len()),
        (1, 1),
        "{deleted:?} {grown:?}"
    );
    assert!(deleted[0] <= grown[0], "{deleted:?} {grown:?}");
    assert!(behind.left.leases.is_empty(), "{:?}", behind.left);
    (deleted[0], grown[0])
}

/// When somebody was told that the lease ends soon, and who.
fn warned(outcome: &Outcome) -> Vec<(i64, String)> {
    let warned = outcome
        .messages
        .iter()
        .filter(|it| it.subject.starts_with("Ends soon: "));
    let to: Vec<_> = warned.map(|it| it.to_address.clone()).collect();
    let accepted = lines(outcome).filter_map(|line| {
        let is_report = line["mail"]["stage"] == "report";
        let accepted = is_report && line["entry"]["mail"] == "mail_accepted";
        accepted.then(|| line["entry"]["at_ms"].as_i64())?
    });
    accepted.zip(to).collect()
}

#[tokio::test]
async fn a_disk_is_not_grown_while_the_snapshot_of_another_run_lives_and_is_when_its_lease_has_ended()
 {
    let behind = held(&[turn("turn", SNAPSHOT)], &good_of("resize-disk"), None, 20).await;
    let lease = behind.opened.leases.first().unwrap();
    let held = entries(&behind.outcome, "step_held");
    let closed = &held.first().unwrap()["closed"];
    assert_eq!(closed["gate"], "lease");
    assert_eq!(closed["rule"], "lease-probe.snapshot");
    assert_eq!(closed["until_ms"].as_i64(), Some(lease.ends_ms));
    let said = |name: &str| closed[name].as_str().unwrap().to_owned();
    let (why, remedy) = (said("why"), said("remedy"));
    let parts = [
        lease.run.to_string(),
        format!("keeps {GROW} off {SERVER} until 2026-"),
    ];
    for part in parts {
        assert!(why.contains(&part), "{part}: {why}");
    }
    assert!(remedy.contains("release"), "{remedy}");
    let (deleted_ms, grown_ms) = assert_waited(&behind);
    println!(
        "due at {}, deleted at {deleted_ms}, grown at {grown_ms}",
        lease.ends_ms
    );
    assert!(deleted_ms >= lease.ends_ms && grown_ms - lease.ends_ms < HOUR_MS);
    // Nobody has the role of the runbook's owner here: who started it is told, once, a day before.
    let warned = warned(&behind.outcome);
    let [(at_ms, to)] = &warned[..] else {
        panic!("{warned:?}")
    };
    assert!(to.starts_with("olga@"), "{to}");
    let early = lease.ends_ms - at_ms;
    assert!(
        (23 * HOUR_MS..=24 * HOUR_MS).contains(&early),
        "{early} ms before"
    );
    let mut messages = behind.outcome.messages.iter();
    let text = messages.find(|it| it.subject.starts_with("Ends soon: "));
    let text = &text.unwrap().text;
    for part in [
        "The state before",
        SERVER,
        DELETE,
        &lease.run.to_string(),
        GROW,
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[tokio::test]
async fn a_disk_is_grown_as_soon_as_the_lease_is_released_and_nobody_is_told_that_it_ends() {
    let steps = [
        turn("turn", SNAPSHOT),
        "  - { id: nap, wait: { for: 30h } }\n".to_owned(),
        turn("free", "{ id: over, release: turn.snapshot }"),
    ];
    let behind = held(&steps, &good_of("resize-disk"), None, 20).await;
    let (_, grown_ms) = assert_waited(&behind);
    let opened_ms = behind.opened.leases[0].since_ms;
    let waited_ms = grown_ms - opened_ms;
    println!("grown {waited_ms} ms after the snapshot");
    assert!(
        (30 * HOUR_MS..32 * HOUR_MS).contains(&waited_ms),
        "{waited_ms}"
    );
    let warned = warned(&behind.outcome);
    assert!(warned.is_empty(), "{warned:?}");
}

fn olga(longer: Option<&str>) -> Steer {
    let longer = longer.map(str::to_owned);
    Steer {
        by: "olga".to_owned(),
        longer,
    }
}

async fn steered(hours: u32, steers: &[Steer]) -> Steered {
    let (first, second) = (probing("{ result: succeeded }"), good_of("resize-disk"));
    let stage = probe(&[turn("turn", SNAPSHOT)]);
    let steered = behind_a_steered_lease(&stage, (&first, &second), SERVER, hours, steers).await;
    steered.unwrap_or_else(|trouble| panic!("{trouble}"))
}

#[tokio::test]
async fn a_lease_that_a_person_releases_ends_and_what_it_held_goes_on() {
    let Steered {
        behind,
        listed,
        said,
    } = steered(20, &[olga(None)]).await;
    assert!(said[0].is_ok(), "{said:?}");
    let row = &listed[0][0];
    let of = (&*row.runbook, &*row.step, &*row.end, row.asset.as_deref());
    assert_eq!(of, ("lease-probe", "snapshot", DELETE, Some(SERVER)));
    assert_eq!(row.blocks, [GROW]);
    assert!(listed[1].is_empty(), "{listed:?}");
    let (deleted_ms, _) = assert_waited(&behind);
    let lease = &behind.opened.leases[0];
    assert_eq!(row.ends_ms, lease.ends_ms);
    let early_ms = lease.ends_ms - deleted_ms;
    assert!(early_ms > 50 * HOUR_MS, "{early_ms} ms before its end");
    let released = entries(&behind.outcome, "lease_released");
    assert_eq!(
        (&released[0]["by"], &released[0]["reason"]),
        (&"olga".into(), &"it is tried out".into())
    );
    assert!(warned(&behind.outcome).is_empty());
}

#[tokio::test]
async fn a_lease_lives_longer_when_a_person_says_so_and_never_longer_than_it_was_given() {
    // 20 hours of its 72 have passed when somebody speaks.
    let said = [olga(Some("15h")), olga(Some("30h")), olga(Some("2h"))];
    let Steered {
        behind,
        listed,
        said,
    } = steered(20, &said).await;
    let told: Vec<_> = said
        .iter()
        .map(|one| one.as_ref().err().map(|problem| problem.detail.clone()))
        .collect();
    let [None, Some(refused), None] = &told[..] else {
        panic!("{told:?}")
    };
    assert!(
        refused.starts_with("a lease of 3d lives no longer than that from now on: extend it by "),
        "{refused}"
    );
    let ends: Vec<_> = listed.iter().map(|rows| rows[0].ends_ms).collect();
    let by = |hours: i64| ends[0] + hours * HOUR_MS;
    assert_eq!(ends, [ends[0], by(15), by(15), by(17)]);
    let (deleted_ms, grown_ms) = assert_waited(&behind);
    assert!(
        deleted_ms >= by(17) && grown_ms - by(17) < HOUR_MS,
        "{deleted_ms} {grown_ms} {ends:?}"
    );
    // Who owns it is told once, a day before the end as it is then.
    let warned = warned(&behind.outcome);
    let [(at_ms, _)] = &warned[..] else {
        panic!("{warned:?}")
    };
    let early_ms = by(17) - at_ms;
    assert!(
        (23 * HOUR_MS..=24 * HOUR_MS).contains(&early_ms),
        "{early_ms} ms before"
    );
    assert_eq!(entries(&behind.outcome, "lease_extended").len(), 2);
}

#[tokio::test]
async fn who_may_not_steer_a_run_does_not_steer_its_leases() {
    let carla = Steer {
        by: "carla".to_owned(),
        longer: None,
    };
    let Steered { listed, said, .. } = steered(1, &[carla]).await;
    let refused = said[0].as_ref().unwrap_err();
    assert_eq!(refused.code, hostler_api::Code::Forbidden, "{refused}");
    assert_eq!(listed[1].len(), 1);
}

#[tokio::test]
async fn a_server_that_would_be_switched_off_for_its_disk_is_not_before_the_lease_has_ended() {
    let behind = held(&[turn("turn", SNAPSHOT)], &offline(), None, 48).await;
    let (deleted_ms, _) = assert_waited(&behind);
    for action in ["monitor.silence", "compute.power"] {
        let began = began_ms(&behind.outcome, action);
        assert!(
            !began.is_empty() && began.iter().all(|at_ms| *at_ms >= deleted_ms),
            "{action}"
        );
    }
}

#[tokio::test]
async fn whatever_commit_of_its_lane_is_lost_a_lease_that_is_open_keeps_off_what_it_lists() {
    let steps = [turn("turn", SNAPSHOT)];
    let second = good_of("resize-disk");
    let commits = held(&steps, &second, None, 1).await.commits;
    assert!(commits > 4, "{commits}");
    for number in 1..=commits {
        let behind = held(&steps, &second, Some(number), 1).await;
        let (deleted_ms, _) = assert_waited(&behind);
        let opened = &behind.opened.leases;
        assert_eq!(opened.len(), 1, "commit {number}");
        assert!(deleted_ms >= opened[0].ends_ms, "commit {number}");
    }
}

/// Somebody's lease on a server, for longer than these tests last.
fn lease(asset: &str, action: &str) -> (String, Leases) {
    let nil = |text: &str| text.repeat(32);
    let run: RunId = nil("1").parse().unwrap();
    let lane: LaneId = nil("2").parse().unwrap();
    let lease = LiveLease {
        lane,
        run,
        runbook: "monthly-patch".to_owned(),
        step: "snapshot".to_owned(),
        blocks: vec![action.to_owned()],
        since_ms: BEGIN_MS,
        ends_ms: BEGIN_MS + 1_000 * 24 * HOUR_MS,
    };
    (
        asset.to_owned(),
        Leases {
            leases: vec![lease],
        },
    )
}

#[tokio::test]
async fn a_lease_that_begins_between_look_and_commit_holds_what_it_lists() {
    let leases = BTreeMap::from([lease(SERVER, GROW)]);
    let (stage, scenario) = (stage::practice(), good_of("resize-disk"));
    let raced = leased_before_each_commit(&stage, &scenario, &leases).await;
    let raced = raced.unwrap_or_else(|trouble| panic!("{trouble}"));
    assert_none(&raced, GROW);
}

#[tokio::test]
async fn a_lease_keeps_nothing_off_another_server_and_nothing_that_it_does_not_list() {
    let leases = [lease("chem-web1", GROW), lease(SERVER, "compute.swap")];
    let left = leases.map(|(asset, leases)| DocumentWrite {
        key: leases_document(&asset),
        body: serde_json::to_string(&leases).ok(),
    });
    let scenario = good_of("resize-disk");
    let outcome = behind(&stage::practice(), &left, &scenario, Door::Cli, GROW).await;
    let outcome = outcome.unwrap_or_else(|trouble| panic!("{trouble}"));
    assert_eq!(outcome.ended.state, "succeeded", "{:?}", outcome.ended);
    let held = held_by(&outcome);
    assert!(held.iter().all(|(gate, _)| gate != "lease"), "{held:?}");
}

#[tokio::test]
async fn a_run_is_held_by_its_own_lease_and_goes_on_when_that_has_ended() {
    let stage = probe_of(
        "storage-owner",
        &[turn("turn", SNAPSHOT), turn("grow", LARGER)],
    );
    let expect = format!(
        r#"{{ result: succeeded, calls: {{ {GROW}: 1, {DELETE}: 1 }}, notices: {{ report: 1 }}, ledger: [lease_opened, '"gate":"lease"', {DELETE}, {GROW}] }}"#
    );
    let outcome = play(&stage, &probing(&expect)).await.unwrap();
    assert_eq!(outcome.complaints, [] as [&str; 0], "{:?}", outcome.ended);
    // Somebody has the role of the runbook's owner: they are told, and who started it is not.
    let warned = warned(&outcome);
    assert!(
        matches!(&warned[..], [(_, to)] if to.starts_with("arno@")),
        "{warned:?}"
    );
}

/// The end of a lease needs the server's lock: who waited for it with the lock in hand would wait for ever.
#[tokio::test]
async fn who_has_the_servers_lock_already_ends_as_held_and_the_lease_ends_behind_it() {
    let snapshot = format!("  - {SNAPSHOT}\n");
    let nap = "  - { id: nap, wait: { for: 1h } }\n".to_owned();
    let stage = probe(&[snapshot, turn("grow", LARGER), nap]);
    let expect = format!(
        r#"{{ result: succeeded, items: {{ grow: {{ {SERVER}: held }} }}, calls: {{ {GROW}: 0 }} }}"#
    );
    let outcome = play(&stage, &probing(&expect)).await.unwrap();
    assert_eq!(outcome.complaints, [] as [&str; 0], "{:?}", outcome.ended);
    let held = entries(&outcome, "step_held");
    let closed = &held.first().unwrap()["closed"];
    assert_eq!(
        (&closed["gate"], &closed["never"]),
        (&"lease".into(), &true.into())
    );
}
