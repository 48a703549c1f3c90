//! The files of an installation whose platform is the counting target: one asset a lane, one runbook with a
//! step of every effect class.
//!
//! Not here: anything that is read back.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Name of the runbook.
pub const RUNBOOK: &str = "every-kind";

/// A read, a repeatable and a `once` action on each server, behind an approval, with a message at the end.
/// The timeouts are short, so that a lost call settles within a test.
const EVERY_KIND: &str = "\
runbook: every-kind
version: 1
title: A step of every kind
owner: tests
needs: [guest@1, compute@1]
inputs:
  targets: { type: selector, default: \"id=*\", label: Servers }
policy: { class: standard-patch, start: [operator], four_eyes: true, withdraw: [operator] }
steps:
  - id: go
    approve: { who: role:change-board, title: Go, show: [plan, inputs], say: All of it, expires: 1d, on_expire: deny }
  - id: work
    each: { over: \"${{ inputs.targets }}\", as: asset, at_once: 200, on_failure: continue }
    steps:
      - { id: look, do: guest.resources, timeout: TIMEOUT }
      - { id: snapshot, do: compute.snapshot, timeout: TIMEOUT }
      - { id: restart, do: guest.reboot, timeout: TIMEOUT }
      - { id: after, do: guest.resources, timeout: TIMEOUT }
  - id: report
    notify: { template: report, to: [role:patch-lead] }
";

/// In the text of each report, and of no other message.
pub const REPORT: &str = "is over";

/// Name of the runbook over very many servers.
pub const WIDE: &str = "wide";

/// One change on each server that can be taken back as long as its lane has not ended.
const TAKEN_BACK: &str = "\
runbook: wide
version: 1
title: A step over very many servers
owner: tests
needs: [guest@1, compute@1]
inputs:
  targets: { type: selector, default: \"id=*\", label: Servers }
policy: { class: standard-patch, start: [operator], withdraw: [operator] }
steps:
  - id: work
    each: { over: \"${{ inputs.targets }}\", as: asset, at_once: 200, on_failure: continue }
    steps:
      - { id: snapshot, do: compute.snapshot, timeout: TIMEOUT, undo: { do: compute.snapshot-delete } }
      - { id: look, do: guest.resources, timeout: TIMEOUT }
      - { id: after, do: guest.resources, timeout: TIMEOUT }
";

const PEOPLE: &str = "\
roles:
  patch-lead: hears of the end
  change-board: approves changes
people:
  olga: { name: Olga Operator, mail: olga@platform.example, roles: [operator] }
  lee: { name: Lee Lead, mail: lee@platform.example, roles: [patch-lead, operator] }
  carla: { name: Carla Change, mail: carla@platform.example, roles: [change-board] }
  ada: { name: Ada Admin, mail: ada@platform.example, roles: [admin] }
";
const STAFF: [&str; 4] = ["olga", "lee", "carla", "ada"];

/// The token of a person: known to the tests only, and worth nothing beyond loopback.
pub fn token(person: &str) -> String {
    format!("hostler_lab_{person}")
}

fn tokens() -> String {
    let line = |person: &str| {
        let digest = hex::encode(Sha256::digest(token(person)));
        format!("[[token]]\nperson = \"{person}\"\nsha256 = \"{digest}\"\n")
    };
    STAFF.map(line).concat()
}

/// Name of the nth server.
pub fn asset(number: usize) -> String {
    format!("s{number:04}")
}

/// The servers of one of many runs: nobody else's.
pub fn pair(run: usize) -> String {
    format!("id={},{}", asset(2 * run), asset(2 * run + 1))
}

/// The name under which the target is known: each worker finds another of its doors behind it.
const TARGET: &str = "target.example";

/// What a worker takes the names of the network from, so that it comes to this door.
pub fn hosts(door: SocketAddr) -> String {
    format!("127.0.0.1 localhost\n{} {TARGET}\n", door.ip())
}

/// The estate, the same for everybody: what is signed names the connection.
pub fn estate(doors: &[SocketAddr], assets: usize, per_host: usize) -> String {
    let ranges: Vec<_> = doors
        .iter()
        .map(|door| format!("\"{}/32\"", door.ip()))
        .collect();
    let (ranges, port) = (ranges.join(", "), doors[0].port());
    let mut text = format!(
        "realm: main\nzone: America/Chicago\n\
         customers:\n\
         \x20 chemistry:\n\
         \x20   name: Department of Chemistry\n\
         \x20   contract: {{ service: co-managed, consent: none }}\n\
         \x20   people:\n\
         \x20     - {{ id: chloe, name: Chloe Curie, mail: chloe@chemistry.example, roles: [owner, notices], confirmed: 2026-09-01 }}\n\
         connections:\n\
         \x20 practice: {{ plugin: practice, url: \"http://{TARGET}:{port}/\", addresses: [{ranges}], limits: {{ at_once: 400, per_host: {per_host} }} }}\n\
         defaults:\n\
         \x20 - match: \"id=*\"\n\
         \x20   set: {{ kind: virtual, service: co-managed, patch: monthly, data_level: 2, os: debian-12, customer: chemistry, via: {{ guest: practice, compute: practice }} }}\n\
         assets:\n"
    );
    for number in 0..assets {
        let _ = writeln!(text, "  {}: {{ ring: rest }}", asset(number));
    }
    text
}

/// Writes what all processes of the installation share.
pub fn write_shared(folder: &Path, timeout: &str) {
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        // The name below the folder always has a parent: the folder itself.
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("people.yaml", PEOPLE);
    write("tokens.toml", &tokens());
    for (name, text) in [(RUNBOOK, EVERY_KIND), (WIDE, TAKEN_BACK)] {
        let runbook = text.replace("TIMEOUT", timeout);
        write(&format!("workflows/{name}/v1.yaml"), &runbook);
    }
    let notice = |part: &str, text: &str| {
        write(
            &format!("workflows/{RUNBOOK}/notices/report.{part}.hbs"),
            text,
        );
    };
    notice("subject", "{{runbook.title}}: over ({{run.reference}})");
    let text = format!("{{{{run.reference}}}} {REPORT}. Questions: {{{{contact}}}}");
    notice("text", &text);
    notice(
        "html",
        "<p>{{run.reference}} is over. Questions: {{contact}}</p>",
    );
}

/// What differs between the processes of an installation.
pub struct Differs<'a> {
    pub listen: SocketAddr,
    /// The `[store]` section.
    pub store: &'a str,
    pub estate: &'a Path,
    pub mail: SocketAddr,
    pub lease_ms: u64,
    pub permits: usize,
    /// Sections that other tests have no use for.
    pub also: &'a str,
}

/// The settings of one process.
pub fn settings(folder: &Path, differs: &Differs<'_>) -> String {
    let lock = top().join("target/plugins/plugins.lock");
    // Compiling a component takes seconds: one folder for all tests, as it is for all runs of a user.
    let compiled = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled");
    let Differs {
        listen,
        store,
        estate,
        mail,
        lease_ms,
        permits,
        also,
    } = differs;
    let (folder, lock, compiled) = (folder.display(), lock.display(), compiled.display());
    format!(
        "[server]\nlisten = \"{listen}\"\ntokens_file = \"{folder}/tokens.toml\"\n\
         [store]\n{store}\n\
         [estate]\nfiles = [\"{}\", \"{folder}/people.yaml\"]\nsecrets_folder = \"{folder}/secrets\"\n\
         [runbooks]\nfolder = \"{folder}/workflows\"\n\
         [plugins]\nlock_file = \"{lock}\"\ncache_folder = \"{compiled}\"\n\
         [worker]\nlease_ms = {lease_ms}\npermits = {permits}\ndrain_ms = 2000\n\
         [mail]\nhost = \"{}\"\nport = {}\nsecurity = \"plain\"\n{also}",
        estate.display(),
        mail.ip(),
        mail.port(),
    )
}

/// The top of the repository.
fn top() -> PathBuf {
    // The package lies in a folder of the top.
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}
