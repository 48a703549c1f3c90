//! Processes are killed in the middle of a cycle on real hosts; what was begun is neither lost nor done twice.

use hostler_tests::lab::{RedisServer, Signal, until};

use super::LIMIT;
use super::cycle::Cycle;
use super::engine::Engine;
use super::files::top;
use super::fleet::{DEBIAN, Fleet, Member, SECURE, SLOW};
use super::proof;

const MEMBERS: [Member; 3] = [
    Member {
        asset: "chem-test1",
        ring: "canary",
        packages: &[SECURE, SLOW],
        ..DEBIAN
    },
    Member {
        asset: "chem-web1",
        packages: &[SECURE, SLOW],
        ..DEBIAN
    },
    Member {
        asset: "chem-web2",
        packages: &[SECURE, SLOW],
        ..DEBIAN
    },
];

/// Lets the package manager of a host stand still in the middle of its work.
fn hold(fleet: &Fleet, asset: &str) {
    fleet.on(asset, "touch /run/hostler-lab-hold");
}

/// Waits until it does.
fn held(fleet: &Fleet, asset: &str) {
    let script = "test -e /run/hostler-lab-holding";
    assert!(
        until(LIMIT, || fleet.holds(asset, script)).is_some(),
        "{asset} is not being patched"
    );
}

fn release(fleet: &Fleet, asset: &str) {
    fleet.on(asset, "rm /run/hostler-lab-hold");
}

#[test]
fn a_worker_and_then_redis_are_killed_and_every_host_is_patched_exactly_once() {
    let fleet = Fleet::start(&MEMBERS);
    let mut redis = RedisServer::start(&fleet.lab).unwrap();
    let engine = Engine::redis(&fleet, &redis, &top().join("workflows"));
    let mut first = engine.worker(&fleet, "first");
    let cycle = Cycle::start(&engine.says, "patch=monthly");
    cycle.triage();
    MEMBERS.iter().for_each(|member| hold(&fleet, member.asset));
    cycle.approve();

    held(&fleet, "chem-test1");
    first.end(Signal::Kill).unwrap();
    release(&fleet, "chem-test1");
    let installed =
        format!("dpkg-query -W -f '${{db:Status-Abbrev}}${{Version}}' {SLOW} | grep -qx 'ii 1.1'");
    assert!(
        until(LIMIT, || fleet.holds("chem-test1", &installed)).is_some(),
        "it works on without us"
    );
    let _second = engine.worker(&fleet, "second");

    held(&fleet, "chem-web1");
    redis.crash().unwrap();
    release(&fleet, "chem-web1");
    redis.restart().unwrap();
    release(&fleet, "chem-web2");

    assert_eq!(cycle.end(), "succeeded");
    let versions = proof::versions(&fleet);
    for member in &MEMBERS {
        for package in member.packages {
            let at = (member.asset.to_owned(), (*package).to_owned());
            assert_eq!(versions[&at], "1.1", "{at:?}");
            assert_eq!(proof::upgrades(&fleet, member.asset, package), 1, "{at:?}");
            println!("{} {package}: 1.1, one upgrade in dpkg.log", member.asset);
        }
    }
    for (asset, states) in proof::silences(&fleet) {
        assert_eq!(states, ["expired"], "{asset}");
    }
    println!("\n{}", cycle.evidence_text());
}
