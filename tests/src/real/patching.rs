//! A month of patching that goes well: seven servers of two customers, with apt and with dnf.

use std::collections::BTreeSet;

use hostler_tests::lab::{Family, RedisServer, until};

use super::LIMIT;
use super::cycle::Cycle;
use super::engine::Engine;
use super::files::top;
use super::fleet::{DEBIAN, Fleet, KERNEL, Member, PLAIN, SECURE, SLOW};
use super::proof::{self, Versions};

const MEMBERS: [Member; 7] = [
    Member {
        asset: "chem-test1",
        ring: "canary",
        packages: &[PLAIN, SECURE, KERNEL],
        ..DEBIAN
    },
    Member {
        asset: "chem-web1",
        packages: &[PLAIN, SECURE, SLOW],
        ..DEBIAN
    },
    Member {
        asset: "chem-web2",
        ..DEBIAN
    },
    Member {
        asset: "chem-db1",
        more: ", hooks: { stop: /etc/hostler/stop, start: /etc/hostler/start }",
        packages: &[SECURE],
        ..DEBIAN
    },
    Member {
        asset: "phys-node1",
        customer: "physics",
        ring: "early",
        ..DEBIAN
    },
    Member {
        asset: "phys-node2",
        customer: "physics",
        packages: &[SECURE, KERNEL],
        ..DEBIAN
    },
    Member {
        asset: "phys-grid1",
        customer: "physics",
        family: Family::Rpm,
        ..DEBIAN
    },
];
const CONTACTS: [&str; 2] = ["chloe@chemistry.example", "petra@physics.example"];
const HOOK: &str = "mkdir -p /etc/hostler; for hook in stop start; do \
    printf '#!/bin/sh\\necho '$hook' >>/root/hooks\\n' >/etc/hostler/$hook; chmod 755 /etc/hostler/$hook; done";

fn boot(fleet: &Fleet, asset: &str) -> String {
    fleet.on(asset, "cat /proc/sys/kernel/random/boot_id")
}

/// Drives one cycle over the whole fleet and holds it to what hosts and servers say.
fn patch_all(fleet: &Fleet, engine: &Engine) {
    fleet.on("chem-db1", HOOK);
    let before = proof::versions(fleet);
    let boots: Vec<(&str, String)> = fleet
        .hosts
        .keys()
        .map(|asset| (*asset, boot(fleet, asset)))
        .collect();
    let cycle = Cycle::start(&engine.says, "patch=monthly");
    cycle.triage();
    assert_eq!(
        proof::versions(fleet),
        before,
        "nothing may change before it is signed"
    );
    cycle.approve();
    assert_eq!(cycle.end(), "succeeded");
    let after = proof::versions(fleet);
    proof::show(&before, &after);
    println!("\n{}", cycle.evidence_text());
    patched(fleet, &before, &after);
    for (asset, boot_before) in boots {
        let kernel = before.contains_key(&(asset.to_owned(), KERNEL.to_owned()));
        assert_eq!(
            boot(fleet, asset) != boot_before,
            kernel,
            "{asset}: only a new kernel restarts a server"
        );
    }
    assert_eq!(fleet.on("chem-db1", "cat /root/hooks"), "stop\nstart");
    silenced(fleet);
    told(fleet);
    shown(&cycle, &before, &after);
}

/// Security updates are in, each once; the others are as they were.
fn patched(fleet: &Fleet, before: &Versions, after: &Versions) {
    for ((asset, package), old) in before {
        assert_eq!(old, "1.0");
        let wanted = if package == PLAIN { "1.0" } else { "1.1" };
        assert_eq!(
            after[&(asset.clone(), package.clone())],
            wanted,
            "{asset} {package}"
        );
        if asset != "phys-grid1" {
            let times = usize::from(package != PLAIN);
            assert_eq!(
                proof::upgrades(fleet, asset, package),
                times,
                "{asset} {package}"
            );
        }
    }
}

/// Every server was silenced once, and none is any more.
fn silenced(fleet: &Fleet) {
    let silences = proof::silences(fleet);
    let assets: BTreeSet<&str> = silences.keys().map(String::as_str).collect();
    assert_eq!(assets, fleet.hosts.keys().copied().collect());
    for (asset, states) in silences {
        assert_eq!(states, ["expired"], "{asset}");
    }
}

/// Both customers were told when it was planned, begun and done; staff got the report.
fn told(fleet: &Fleet) {
    let stages = [
        "Maintenance of your servers:",
        "Maintenance of your servers has begun",
        "Maintenance of your servers is",
    ];
    // Mail leaves by the outbox, a moment after the run has ended.
    let complete = until(LIMIT, || {
        let mails = fleet.mail.mails().unwrap();
        (mails.len() >= stages.len() * CONTACTS.len() + 2).then_some(mails)
    });
    let all = complete.unwrap_or_else(|| panic!("mails are missing: {:#?}", fleet.mail.mails()));
    for to in CONTACTS {
        for stage in stages {
            let found = proof::mails(&all, stage, to);
            assert_eq!(found.len(), 1, "{to}: {stage}: {all:#?}");
            let parts = proof::parts(found[0]);
            assert!(
                parts.contains(&"text/plain".to_owned()) && parts.contains(&"text/html".to_owned()),
                "{parts:?}"
            );
        }
        let invitation = proof::parts(proof::mails(&all, stages[0], to)[0]);
        assert!(
            invitation.contains(&"text/calendar".to_owned()),
            "{invitation:?}"
        );
    }
    for staff in ["lee@platform.example", "carla@platform.example"] {
        assert_eq!(
            proof::mails(&all, "Monthly OS patching: the cycle is over", staff).len(),
            1,
            "{staff}"
        );
    }
}

/// The evidence says what the package databases say, and who signed.
fn shown(cycle: &Cycle<'_>, before: &Versions, after: &Versions) {
    let evidence = cycle.evidence();
    let moved = before.iter().filter(|(at, old)| after[*at] != **old);
    let moved = moved
        .map(|(at, old)| (at.clone(), (old.clone(), after[at].clone())))
        .collect();
    assert_eq!(proof::changes(&evidence), moved);
    assert_eq!(evidence["limits"], serde_json::json!([]));
    let ledger = evidence["ledger"].to_string();
    assert!(
        ledger.contains("carla") && ledger.contains("as planned"),
        "{ledger}"
    );
    let notices = evidence["notices"].as_array().unwrap();
    assert!(
        notices.iter().all(|notice| notice["state"] == "accepted"),
        "{notices:#?}"
    );
}

#[test]
fn the_released_monthly_patch_patches_real_hosts_on_the_embedded_store() {
    let fleet = Fleet::start(&MEMBERS);
    let engine = Engine::embedded(&fleet, &top().join("workflows"));
    patch_all(&fleet, &engine);
    engine.stop();
}

#[test]
fn the_released_monthly_patch_patches_real_hosts_on_redis_with_two_workers() {
    let fleet = Fleet::start(&MEMBERS);
    let redis = RedisServer::start(&fleet.lab).unwrap();
    let engine = Engine::redis(&fleet, &redis, &top().join("workflows"));
    let _workers = ["one", "two"].map(|name| engine.worker(&fleet, name));
    patch_all(&fleet, &engine);
    engine.stop();
}
