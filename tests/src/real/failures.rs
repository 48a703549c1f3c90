//! Servers on which patching does not go well, each in a way of its own, and the state that each ends in.
//!
//! Every server has a run of its own, all at the same time: what stops a wave must not hide another case.

use std::path::PathBuf;
use std::time::Duration;

use hostler_tests::lab::until;
use serde_json::Value;

use super::LIMIT;
use super::cycle::Cycle;
use super::engine::Engine;
use super::files::top;
use super::fleet::{DEBIAN, Fleet, Member, PLAIN, SECURE, SLOW};
use super::proof;

const MEMBERS: [Member; 7] = [
    Member {
        asset: "kept-back1",
        packages: &[SECURE, SLOW],
        ..DEBIAN
    },
    Member {
        asset: "locked1",
        ..DEBIAN
    },
    Member {
        asset: "broken1",
        packages: &[BROKEN],
        ..DEBIAN
    },
    Member {
        asset: "full1",
        ..DEBIAN
    },
    Member {
        asset: "dead1",
        packages: &[SLOW],
        ..DEBIAN
    },
    Member {
        asset: "power-cut1",
        packages: &[SECURE, SLOW],
        ..DEBIAN
    },
    Member {
        asset: "impostor1",
        more: IMPOSTOR,
        ..DEBIAN
    },
];
/// The fingerprint of no server.
const IMPOSTOR: &str = ", host_key: \"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"";
/// The plugin looks for a lock again after a minute.
const LOCKED_LIMIT: Duration = Duration::from_secs(200);
/// The postinst of its new version fails.
const BROKEN: &str = "hostler-lab-broken";
/// Another package manager at work for a minute.
const LOCK: &str = "apt-get -qq update; setsid apt-get -q -y -o DPkg::Pre-Invoke::='touch /run/other-holds; sleep 60' \
    install hostler-lab-plain=1.1 >/run/other.log 2>&1 </dev/null &";
/// Leaves 60 MiB: enough for the packages, too little for a server that shall live on.
const FILL: &str = "free=$(df -m / | awk 'NR == 2 { print $4 }'); \
    dd if=/dev/zero of=/var/fill bs=1M count=$((free - 60)) 2>/dev/null";

/// The released runbook with waits of seconds in place of minutes: what it does is the same.
fn hasty(fleet: &Fleet) -> PathBuf {
    let folder = top().join("workflows/monthly-patch");
    let mut text = std::fs::read_to_string(folder.join("v2.yaml")).unwrap();
    for (slow, quick) in [
        ("timeout: 90m", "timeout: 45s"),
        ("wait: 10m", "wait: 2s"),
        ("wait: 5m", "wait: 2s"),
    ] {
        assert!(text.contains(slow), "the runbook says no longer `{slow}`");
        text = text.replace(slow, quick);
    }
    fleet.write("workflows/monthly-patch/v2.yaml", &text);
    for entry in std::fs::read_dir(folder.join("notices")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        fleet.write(
            &format!("workflows/monthly-patch/notices/{name}"),
            &std::fs::read_to_string(&path).unwrap(),
        );
    }
    fleet.folder.join("workflows")
}

fn prepare(fleet: &Fleet) {
    fleet.on("kept-back1", &format!("apt-mark hold {SECURE}"));
    fleet.on("full1", FILL);
    for asset in ["dead1", "power-cut1"] {
        fleet.on(asset, "touch /run/hostler-lab-hold");
    }
}

fn at_work(fleet: &Fleet, asset: &str) {
    let script = "test -e /run/hostler-lab-holding";
    assert!(
        until(LIMIT, || fleet.holds(asset, script)).is_some(),
        "{asset} is not being patched"
    );
}

fn version(fleet: &Fleet, asset: &str, package: &str) -> String {
    fleet.on(
        asset,
        &format!("dpkg-query -W -f '${{db:Status-Abbrev}}${{Version}}' {package}"),
    )
}

fn step<'e>(evidence: &'e Value, of_step: &str, asset: &str, step: &str) -> &'e Value {
    let lanes = evidence["lanes"].as_array().unwrap();
    let found = lanes
        .iter()
        .find(|lane| lane["row"]["of_step"] == of_step && lane["row"]["key"] == asset);
    &found.unwrap_or_else(|| panic!("no {of_step} of {asset}: {lanes:#?}"))["steps"][step]
}

#[test]
fn seven_servers_fail_in_seven_ways_and_each_ends_in_a_state_of_its_own() {
    let mut fleet = Fleet::start(&MEMBERS);
    prepare(&fleet);
    let engine = Engine::embedded(&fleet, &hasty(&fleet));
    let cycles = MEMBERS.map(|member| Cycle::start(&engine.says, &format!("id={}", member.asset)));
    let [kept_back, locked, broken, full, dead, power_cut, impostor] = &cycles;
    // Nobody is asked about a cycle that could look at no server.
    [kept_back, locked, broken, full, dead, power_cut]
        .into_iter()
        .for_each(Cycle::triage);
    fleet.on("locked1", LOCK);
    let busy = until(LIMIT, || fleet.holds("locked1", "test -e /run/other-holds"));
    assert!(
        busy.is_some(),
        "nobody holds the lock: {}",
        fleet.on("locked1", "cat /run/other.log")
    );
    [locked, dead, power_cut, broken, full, kept_back]
        .into_iter()
        .for_each(Cycle::approve);

    at_work(&fleet, "dead1");
    fleet.hosts.remove("dead1").unwrap().power_off().unwrap();
    at_work(&fleet, "power-cut1");
    // The shell that asks dies of it: what it says does not matter.
    let _ = fleet.host("power-cut1").exec("reboot");

    a_held_package_is_reported_and_stays(&fleet, kept_back);
    a_full_disk_is_held_before_anything_changes(&fleet, full);
    a_wrong_host_key_is_refused(&fleet, impostor);
    a_broken_package_is_taken_back_by_itself(&fleet, broken);
    a_power_cut_is_repaired(&fleet, power_cut);
    a_server_that_dies_is_never_reported_as_patched(dead);
    a_held_lock_is_waited_for(&fleet, locked);
    engine.stop();
}

fn a_held_package_is_reported_and_stays(fleet: &Fleet, cycle: &Cycle<'_>) {
    assert_eq!(cycle.end(), "succeeded");
    assert_eq!(version(fleet, "kept-back1", SECURE), "hi 1.0");
    assert_eq!(version(fleet, "kept-back1", SLOW), "ii 1.1");
    let evidence = cycle.evidence();
    let scan = step(&evidence, "scan", "kept-back1", "look");
    assert_eq!(
        scan["output"]["held"],
        serde_json::json!([SECURE]),
        "{scan:#}"
    );
    println!("kept-back1: {SECURE} stays at 1.0 and is reported, {SLOW} is patched");
}

fn a_full_disk_is_held_before_anything_changes(fleet: &Fleet, cycle: &Cycle<'_>) {
    let (result, note) = cycle.item("patch", "full1", LIMIT);
    println!("full1: {result}: {note}");
    assert_eq!(result, "held");
    assert!(note.contains("not enough room"), "{note}");
    assert_eq!(version(fleet, "full1", SECURE), "ii 1.0");
    assert_eq!(proof::upgrades(fleet, "full1", SECURE), 0);
}

fn a_wrong_host_key_is_refused(fleet: &Fleet, cycle: &Cycle<'_>) {
    let (result, note) = cycle.item("scan", "impostor1", LIMIT);
    println!("impostor1: {result}: {note}");
    assert_eq!(result, "failed");
    assert!(note.contains("host key"), "{note}");
    assert_eq!(cycle.end(), "failed");
    assert_eq!(version(fleet, "impostor1", SECURE), "ii 1.0");
}

fn a_broken_package_is_taken_back_by_itself(fleet: &Fleet, cycle: &Cycle<'_>) {
    let (result, note) = cycle.item("patch", "broken1", LIMIT);
    println!("broken1: {result}: {note}");
    assert_eq!(result, "rolled_back");
    assert!(note.contains("script failed"), "{note}");
    assert_eq!(version(fleet, "broken1", BROKEN), "ii 1.0");
    assert_eq!(fleet.on("broken1", "dpkg --audit"), "");
}

fn a_power_cut_is_repaired(fleet: &Fleet, cycle: &Cycle<'_>) {
    assert_eq!(cycle.end(), "succeeded");
    for package in [SECURE, SLOW] {
        assert_eq!(version(fleet, "power-cut1", package), "ii 1.1");
        assert_eq!(proof::upgrades(fleet, "power-cut1", package), 1);
    }
    println!("power-cut1: repaired after the restart, each package upgraded once");
}

/// Nobody can know whether the packages are there, nor take them back: both are asked.
fn a_server_that_dies_is_never_reported_as_patched(cycle: &Cycle<'_>) {
    for kind in ["in_doubt", "undo_failed"] {
        let row = cycle.trouble(kind);
        println!("dead1: {} ({kind}): {}", row["title"], row["reason"]);
        assert!(
            row["reason"]
                .as_str()
                .unwrap()
                .contains("cannot be reached")
        );
        let (lane, words) = (
            row["lane"].as_str().unwrap(),
            ["-c", "the server burnt down"],
        );
        cycle.says.text(
            "lee",
            &[&["approve", "choose", lane, "fail"], &words[..]].concat(),
        );
    }
    let (result, note) = cycle.item("patch", "dead1", LIMIT);
    println!("dead1: {result}: {note}");
    assert_eq!(result, "failed");
}

fn a_held_lock_is_waited_for(fleet: &Fleet, cycle: &Cycle<'_>) {
    let (result, _) = cycle.item("patch", "locked1", LOCKED_LIMIT);
    assert_eq!(
        (result.as_str(), cycle.end().as_str()),
        ("succeeded", "succeeded")
    );
    assert_eq!(version(fleet, "locked1", SECURE), "ii 1.1");
    assert_eq!(
        version(fleet, "locked1", PLAIN),
        "ii 1.1",
        "the other package manager was not disturbed"
    );
    let evidence = cycle.evidence();
    let fit = step(&evidence, "patch", "locked1", "fit");
    assert!(
        fit["attempts"]
            .as_u64()
            .is_some_and(|attempts| attempts > 1),
        "{fit:#}"
    );
    println!(
        "locked1: the lock was waited for, {} attempts",
        fit["attempts"]
    );
}
