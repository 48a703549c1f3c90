//! What each action of the practice platform does to a server in memory.

use super::Said;
use super::world::{Machine, Server};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Names, old and new versions of what practice servers run.
const PACKAGES: [(&str, &str, &str); 12] = [
    ("openssl", "3.5.1-1", "3.5.4-1"),
    ("libc6", "2.41-12", "2.41-13"),
    ("curl", "8.14.1-2", "8.14.1-3"),
    ("linux-image", "6.12.41-1", "6.12.57-1"),
    ("nginx", "1.26.3-3", "1.26.3-4"),
    ("postgresql-17", "17.5-1", "17.7-1"),
    ("openssh-server", "10.0p1-5", "10.0p1-7"),
    ("sudo", "1.9.16p2-2", "1.9.16p2-3"),
    ("tzdata", "2025b-4", "2025b-5"),
    ("python3.13", "3.13.5-1", "3.13.5-2"),
    ("bind9", "9.20.11-4", "9.20.15-1"),
    ("samba", "4.22.4-1", "4.22.6-1"),
];
const SECURITY: [&str; 4] = ["openssl", "openssh-server", "sudo", "linux-image"];

fn number(parts: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish()
}

/// A server with some of the packages, all of them old.
pub fn machine(server: Server) -> Machine {
    let has = |name: &str| SECURITY.contains(&name) || number((&server.id, name)).is_multiple_of(2);
    let own = || PACKAGES.iter().filter(|(name, _, _)| has(name));
    Machine {
        packages: own()
            .map(|(name, old, _)| ((*name).to_owned(), (*old).to_owned()))
            .collect(),
        newest: own()
            .map(|(name, _, new)| ((*name).to_owned(), (*new).to_owned()))
            .collect(),
        applied: None,
        snapshots: 0,
        silences: 0,
        boots: 1,
        server,
    }
}

/// Work that goes on at the server for a while, in milliseconds; 0 for what is done at once.
pub fn lasts_ms(id: &str, action: &str) -> u64 {
    match action {
        "guest-patch.apply" | "guest-patch.undo" => 300 + number((id, action)) % 500,
        "compute.snapshot" | "compute.revert" | "guest.reboot" => 150 + number((id, action)) % 150,
        _ => 0,
    }
}

/// An action without a server.
pub fn ambient(action: &str, _: &Value) -> Said {
    match action {
        "monitor.sweep" => Said::done(json!({ "down": [] })),
        _ => Said::rejected(
            &format!("the practice platform has no {action} without a server"),
            Value::Null,
        ),
    }
}

/// A fault that was planned.
pub fn refused(action: &str) -> Said {
    let missing = json!([{ "name": "openssl", "want": "3.5.4-1", "have": "3.5.1-1" }]);
    match action {
        "guest-patch.verify" => Said::rejected(
            "openssl is not at 3.5.4-1 (a practice fault)",
            json!({ "ok": false, "missing": missing }),
        ),
        _ => Said::rejected("a practice fault", Value::Null),
    }
}

pub fn perform(machine: &mut Machine, action: &str, input: &Value) -> Said {
    match action {
        "guest-patch.scan" => Said::done(scan(machine)),
        "guest-patch.preflight" => Said::done(json!({
            "ok": true, "free_mib": { "root": 8_200, "var": 5_400, "boot": 610 },
            "lock": false, "broken": false, "held": [],
        })),
        "guest-patch.auto-update-off" => Said::done(json!({ "off": true, "what": [] })),
        "guest-patch.apply" => apply(machine, input),
        "guest-patch.undo" => undo(machine, input),
        "guest-patch.verify" => verify(machine, input),
        "guest.fingerprint" => fingerprint(machine, input),
        "guest.hook" => Said::done(json!({})),
        "guest.reboot" => {
            machine.boots += 1;
            Said::done(json!({ "boot_id": format!("boot-{}", machine.boots) }))
        }
        "guest.resources" => Said::done(
            json!({ "root_free_percent": 41, "memory_available_mib": 2_048, "load1": 0.4 }),
        ),
        "compute.snapshot" => {
            machine.snapshots += 1;
            Said::done(json!({ "id": format!("snap-{}-{}", machine.server.id, machine.snapshots) }))
        }
        "compute.snapshot-delete" | "compute.revert" | "monitor.unsilence" => Said::done(json!({})),
        "compute.disk-info" => Said::done(
            json!({ "size_gib": 60.0, "online": true, "snapshots": machine.snapshots, "blockers": [] }),
        ),
        "backup.recent" => {
            Said::done(json!({ "age_minutes": 60 + number(&machine.server.id) % 600, "ok": true }))
        }
        "monitor.silence" => {
            machine.silences += 1;
            Said::done(
                json!({ "silence": format!("quiet-{}-{}", machine.server.id, machine.silences) }),
            )
        }
        "monitor.healthy" => Said::done(json!({ "healthy": true, "detail": "no alert" })),
        "monitor.probe" => Said::done(json!({ "up": true })),
        "vulnerability.probe" => Said::done(json!({ "affected": "no" })),
        _ => Said::rejected(
            &format!("the practice platform has no {action}"),
            Value::Null,
        ),
    }
}

fn updates(machine: &Machine) -> Vec<(&str, &str, &str)> {
    let differs = |(name, new): (&'_ String, &'_ String)| machine.packages.get(name) != Some(new);
    let waiting = machine
        .newest
        .iter()
        .filter(|(name, new)| differs((name, new)));
    waiting
        .map(|(name, new)| {
            (
                name.as_str(),
                machine.packages.get(name).map_or("", String::as_str),
                new.as_str(),
            )
        })
        .collect()
}

fn scan(machine: &Machine) -> Value {
    let updates = updates(machine);
    let is_security = |name: &str| SECURITY.contains(&name);
    let set: Vec<String> = updates
        .iter()
        .map(|(name, from, to)| format!("{name}={from}>{to}"))
        .collect();
    let packages: Vec<Value> = updates
        .iter()
        .map(|(name, from, to)| json!({ "name": name, "from": from, "to": to, "security": is_security(name) }))
        .collect();
    json!({
        "set": set.join(" "),
        "count": updates.len(),
        "packages": packages,
        "held": [],
        "reboot": updates.iter().any(|(name, _, _)| *name == "linux-image" || *name == "libc6"),
        "security": updates.iter().filter(|(name, _, _)| is_security(name)).count(),
        "past_deadline": 0,
        "cve": [],
    })
}

/// `name=from>to`, separated by spaces.
fn parsed(set: &str) -> Vec<(&str, &str, &str)> {
    let item =
        |item: &'_ str| -> Option<(usize, usize)> { Some((item.find('=')?, item.find('>')?)) };
    set.split(' ')
        .filter_map(|text| {
            let (equals, arrow) = item(text)?;
            Some((
                &text[..equals],
                text.get(equals + 1..arrow)?,
                &text[arrow + 1..],
            ))
        })
        .collect()
}

fn set_of(input: &Value) -> Option<String> {
    input.get("set").and_then(Value::as_str).map(str::to_owned)
}

fn put(packages: &mut BTreeMap<String, String>, name: &str, version: &str) -> Option<Value> {
    let before = packages.insert(name.to_owned(), version.to_owned());
    let before = before.unwrap_or_default();
    (before != version).then(|| json!({ "name": name, "from": before, "to": version }))
}

fn apply(machine: &mut Machine, input: &Value) -> Said {
    let Some(set) = set_of(input) else {
        return Said::rejected("the set is missing", Value::Null);
    };
    let items = parsed(&set);
    let changed: Vec<Value> = items
        .iter()
        .filter_map(|(name, _, to)| put(&mut machine.packages, name, to))
        .collect();
    let needed = items
        .iter()
        .any(|(name, _, _)| *name == "linux-image" || *name == "libc6");
    let reboot = input
        .get("reboot")
        .and_then(Value::as_str)
        .unwrap_or("if-needed");
    let rebooted = reboot == "always" || (reboot == "if-needed" && needed);
    machine.boots += u32::from(rebooted);
    machine.applied = Some(set);
    Said::done(
        json!({ "changed": changed, "rebooted": rebooted, "reboot_needed": needed && !rebooted }),
    )
}

fn undo(machine: &mut Machine, input: &Value) -> Said {
    let Some(set) = set_of(input).or_else(|| machine.applied.clone()) else {
        return Said::done(json!({ "changed": [] }));
    };
    let changed: Vec<Value> = parsed(&set)
        .iter()
        .filter_map(|(name, from, _)| put(&mut machine.packages, name, from))
        .collect();
    machine.applied = None;
    Said::done(json!({ "changed": changed }))
}

fn verify(machine: &Machine, input: &Value) -> Said {
    let set = set_of(input).unwrap_or_default();
    let missing: Vec<Value> = parsed(&set)
        .iter()
        .filter(|(name, _, to)| machine.packages.get(*name).map(String::as_str) != Some(to))
        .map(|(name, _, to)| json!({ "name": name, "want": to, "have": machine.packages.get(*name) }))
        .collect();
    if missing.is_empty() {
        return Said::done(json!({ "ok": true, "missing": [] }));
    }
    Said::rejected(
        "packages are missing",
        json!({ "ok": false, "missing": missing }),
    )
}

fn fingerprint(machine: &Machine, input: &Value) -> Said {
    let listening = json!(["tcp:22", "tcp:443"]);
    let digest = format!("{:016x}", number((&machine.server.id, "listening")));
    let kernel = machine
        .packages
        .get("linux-image")
        .cloned()
        .unwrap_or_default();
    let output =
        json!({ "digest": digest, "listening": listening, "kernel": kernel, "failed_units": [] });
    match input.get("compare").and_then(Value::as_str) {
        Some(before) if before != digest => Said::rejected("services differ from before", output),
        _ => Said::done(output),
    }
}
