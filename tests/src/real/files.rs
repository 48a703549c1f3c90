//! The files of an installation, as its administrators would write them.
//!
//! Not here: anything that is read back.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::fleet::{Fleet, Member};

/// Everybody whom the runbook names, and the one who reads the evidence.
pub const PEOPLE: &str = "\
roles:
  patch-engineer: looks through what a scan found
  patch-lead: says whether a wave may follow another
  change-board: approves changes
  security-office: grants exceptions
people:
  olga: { name: Olga Operator, mail: olga@platform.example, roles: [operator] }
  pat: { name: Pat Engineer, mail: pat@platform.example, roles: [patch-engineer] }
  lee: { name: Lee Lead, mail: lee@platform.example, roles: [patch-lead, operator] }
  carla: { name: Carla Change, mail: carla@platform.example, roles: [change-board] }
  sam: { name: Sam Security, mail: sam@platform.example, roles: [security-office] }
  audrey: { name: Audrey Audit, mail: audrey@platform.example, roles: [auditor] }
";
const STAFF: [&str; 6] = ["olga", "pat", "lee", "carla", "sam", "audrey"];

const CUSTOMERS: &str = "\
customers:
  chemistry:
    name: Department of Chemistry
    contract: { service: co-managed, consent: none }
    people:
      - { id: chloe, name: Chloe Curie, mail: chloe@chemistry.example, roles: [owner, notices], confirmed: 2026-09-01 }
  physics:
    name: Department of Physics
    zone: Europe/Berlin
    contract: { service: co-managed, consent: none }
    people:
      - { id: petra, name: Petra Noether, mail: petra@physics.example, roles: [owner, notices], confirmed: 2026-09-01 }
";

/// The token of a person: known to the tests only, and worth nothing beyond loopback.
pub fn token(person: &str) -> String {
    format!("hostler_lab_{person}")
}

pub fn tokens() -> String {
    let line = |person: &str| {
        let digest = hex::encode(Sha256::digest(token(person)));
        format!("[[token]]\nperson = \"{person}\"\nsha256 = \"{digest}\"\n")
    };
    STAFF.map(line).concat()
}

pub fn estate(fleet: &Fleet, members: &[Member], metrics: &str) -> String {
    // Loopback is reached only where each address is named.
    let hosts = fleet
        .hosts
        .values()
        .map(|host| format!("{}/32", host.address().ip()));
    let hosts = hosts.collect::<Vec<_>>().join(", ");
    let services = format!("{}/32", fleet.alertmanager.address().ip());
    let alerts = fleet.alertmanager.url();
    let mut text = format!(
        "realm: main\nzone: America/Chicago\n{CUSTOMERS}\
         connections:\n\
         \x20 linux-ssh: {{ plugin: guest-linux, user: root, key: \"file:client\", addresses: [{hosts}], limits: {{ at_once: 50, per_host: 2, timeout: 10m }} }}\n\
         \x20 alerts: {{ plugin: monitor-alertmanager, url: \"{alerts}/\", addresses: [{services}], handles: {{ prometheus: metrics }} }}\n\
         \x20 metrics: {{ plugin: monitor-alertmanager, url: \"{metrics}/\", addresses: [{services}] }}\n\
         defaults:\n\
         \x20 - match: \"id=*\"\n\
         \x20   set: {{ kind: virtual, service: co-managed, patch: monthly, data_level: 2, via: {{ guest: linux-ssh, monitor: alerts }} }}\n\
         assets:\n"
    );
    for member in members {
        let host = fleet.host(member.asset);
        let os = if host.exec("command -v dnf").is_ok_and(|said| said.code == 0) {
            "rhel-9"
        } else {
            "debian-12"
        };
        let Member {
            asset,
            customer,
            ring,
            more,
            ..
        } = member;
        let (address, key) = (host.address().ip(), host.host_key());
        let key = if more.contains("host_key") {
            String::new()
        } else {
            format!(", host_key: {key}")
        };
        let _ = writeln!(
            text,
            "  {asset}: {{ customer: {customer}, os: {os}, ring: {ring}, address: {address}{key}{more} }}"
        );
    }
    text
}

/// The top of the repository.
pub fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// The settings of one process. `store` is the section of that name, `runbooks` a folder.
pub fn settings(fleet: &Fleet, listen: &str, store: &str, runbooks: &Path) -> String {
    let folder = fleet.folder.display();
    let (mail, lock) = (
        fleet.mail.address(),
        top().join("target/plugins/plugins.lock"),
    );
    // Compiling a component takes seconds: one folder for all tests, as it is for all runs of a user.
    let compiled = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled");
    format!(
        "[server]\nlisten = \"{listen}\"\ntokens_file = \"{folder}/tokens.toml\"\n\
         [store]\n{store}\n\
         [estate]\nfiles = [\"{folder}/estate.yaml\", \"{folder}/people.yaml\"]\nsecrets_folder = \"{folder}/secrets\"\n\
         [runbooks]\nfolder = \"{}\"\n\
         [plugins]\nlock_file = \"{}\"\ncache_folder = \"{}\"\n\
         [worker]\nlease_ms = 9000\ndrain_ms = 5000\n\
         [mail]\nhost = \"{}\"\nport = {}\nsecurity = \"plain\"\n",
        runbooks.display(),
        lock.display(),
        compiled.display(),
        mail.ip(),
        mail.port(),
    )
}
