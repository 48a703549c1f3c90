//! The program as people and scripts meet it: words, exit codes, and a whole practice cycle.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// The program in an empty folder of its own, without the environment's settings.
fn hostler(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hostler"));
    for name in ["HOSTLER_TOKEN", "HOSTLER_ADDRESS"] {
        command.env_remove(name);
    }
    command
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .args(words)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn exit_codes_tell_scripts_what_was_wrong() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.toml"), "[worker]\npermit = 1\n").unwrap();
    let cases: &[(&[&str], i32, &str)] = &[
        (&["--help"], 0, ""),
        (&["config", "check"], 0, "the settings are good"),
        (&["config", "example"], 0, ""),
        (&["completions", "bash"], 0, ""),
        (&["no-such-command"], 2, "unrecognized subcommand"),
        (
            &[
                "run",
                "follow",
                "x",
                "--timeout",
                "soon",
                "--server",
                "127.0.0.1:1",
            ],
            2,
            "is no duration",
        ),
        (
            &["config", "check", "--config", "bad.toml"],
            3,
            "did you mean permits?",
        ),
        (
            &["config", "check", "--config", "missing.toml"],
            3,
            "missing.toml",
        ),
        (
            &["config", "check", "--set", "worker.permits=many"],
            3,
            "whole number",
        ),
        (
            &["run", "list", "--server", "127.0.0.1:1"],
            8,
            "nobody listens there",
        ),
        (
            &["run", "list", "--as", "olga"],
            2,
            "no `hostler dev` has run",
        ),
        (&["worker"], 3, "store.kind"),
    ];
    for (words, code, part) in cases {
        let ended = hostler(folder.path(), words);
        let told = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(*code), "{words:?}: {told}");
        assert!(told.contains(part), "{words:?}: {told}");
    }
}

#[test]
fn a_fault_of_a_runbook_is_shown_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let new = hostler(folder.path(), &["runbook", "new", "disk-check"]);
    assert_eq!(new.status.code(), Some(0), "{}", text(&new.stderr));
    let file = "workflows/disk-check/v1.yaml";
    let good = hostler(folder.path(), &["runbook", "check", file]);
    assert_eq!(
        good.status.code(),
        Some(0),
        "{}{}",
        text(&good.stdout),
        text(&good.stderr)
    );
    let path = folder.path().join(file);
    let broken = std::fs::read_to_string(&path)
        .unwrap()
        .replace("at_once", "at_onec");
    std::fs::write(&path, broken).unwrap();
    let bad = hostler(
        folder.path(),
        &["runbook", "check", file, "--faults", "github"],
    );
    assert_eq!(bad.status.code(), Some(3));
    let told = text(&bad.stdout);
    assert!(
        told.contains("file=workflows/disk-check/v1.yaml,line=17,") && told.contains("at_once"),
        "{told}"
    );
}

#[test]
fn a_released_version_is_frozen() {
    let folder = tempfile::tempdir().unwrap();
    let words = |words: &[&str]| hostler(folder.path(), words);
    assert!(words(&["runbook", "new", "disk-check"]).status.success());
    let released = words(&["runbook", "release", "disk-check"]);
    assert_eq!(
        released.status.code(),
        Some(0),
        "{}",
        text(&released.stderr)
    );
    assert!(text(&words(&["runbook", "list"]).stdout).contains("released"));
    let path = folder.path().join("workflows/disk-check/v1.yaml");
    let changed = std::fs::read_to_string(&path)
        .unwrap()
        .replace("Look at servers", "Look at them");
    std::fs::write(&path, changed).unwrap();
    for again in [
        &["runbook", "release", "disk-check"][..],
        &["runbook", "check"][..],
    ] {
        let refused = words(again);
        let told = text(&refused.stdout) + &text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(3), "{told}");
        assert!(told.contains("released with other bytes"), "{told}");
    }
}

#[test]
fn the_delivered_runbooks_are_there_without_any_file() {
    let folder = tempfile::tempdir().unwrap();
    let listed = hostler(folder.path(), &["runbook", "list", "-o", "json"]);
    let rows: Vec<serde_json::Value> = serde_json::from_slice(&listed.stdout).unwrap();
    assert!(
        rows.iter()
            .any(|row| row["name"] == "monthly-patch" && row["faults"] == serde_json::json!([]))
    );
    let tree = hostler(folder.path(), &["runbook", "graph", "monthly-patch"]);
    assert!(
        text(&tree.stdout).contains("install"),
        "{}",
        text(&tree.stderr)
    );
}

#[test]
fn a_new_plugin_is_a_folder_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["plugin", "new", "my-platform"];
    assert!(hostler(folder.path(), &words).status.success());
    assert!(
        folder
            .path()
            .join("plugins/my-platform/src/lib.rs")
            .exists()
    );
    let again = hostler(folder.path(), &words);
    assert_eq!(again.status.code(), Some(2));
    assert_eq!(
        hostler(folder.path(), &["plugin", "new", "../x"])
            .status
            .code(),
        Some(2)
    );
}

#[test]
fn tokens_are_made_for_people_of_the_estate_and_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["estate.yaml", "people.yaml"] {
        let from = top().join("engine/estate/practice").join(name);
        let text = std::fs::read_to_string(from)
            .unwrap()
            .replace(":PORT/", ":9/");
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let made = hostler(folder.path(), &["token", "new", "olga"]);
    let token = text(&made.stdout);
    assert!(token.starts_with("hostler_"), "{}", text(&made.stderr));
    let file = std::fs::read_to_string(folder.path().join("tokens.toml")).unwrap();
    assert!(file.contains("olga") && !file.contains(token.trim()));
    let unknown = hostler(folder.path(), &["token", "new", "olgaa"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("did you mean olga?"));
    assert!(
        hostler(folder.path(), &["token", "revoke", "olga"])
            .status
            .success()
    );
    let left = hostler(folder.path(), &["token", "list", "-o", "json"]);
    assert_eq!(text(&left.stdout).trim(), "[]");
}

/// A folder of 300 sealed entries, under a key that the program has made.
fn sealed_ledger(folder: &Path) {
    use hostler_ledger::entry::{Body, Entry};
    use hostler_ledger::{checkpoint::Checkpoint, growth::Growth, key::SigningKey, proof::Head};
    let text = std::fs::read_to_string(folder.join("ledger.key")).unwrap();
    let key = SigningKey::parse(&text).unwrap();
    let mut growth = Growth::default();
    for number in 0..300 {
        let entry = Entry {
            number,
            lane: None,
            version: 0,
            at_ms: 1_790_000_000_000,
            mac: None,
            body: Body::Here(format!("told {number}")),
        };
        growth.append(&entry.to_bytes()).unwrap();
    }
    for file in growth.files() {
        let path = folder.join("ledger").join(file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, file.bytes).unwrap();
    }
    let (size, root) = (growth.size(), growth.root());
    let checkpoint = Checkpoint::sign(&key, Head { size, root });
    for name in ["ledger/checkpoint", "kept"] {
        std::fs::write(folder.join(name), checkpoint.text()).unwrap();
    }
}

#[test]
fn a_key_of_the_ledger_is_secret_and_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["ledger", "key", "new", "ledger.key", "--realm", "prod"];
    let made = hostler(folder.path(), &words);
    let line = text(&made.stdout);
    assert!(line.starts_with("prod+"), "{line}{}", text(&made.stderr));
    let public = std::fs::read_to_string(folder.path().join("ledger.key.pub")).unwrap();
    assert_eq!(line.trim(), public.trim());
    let path = folder.path().join("ledger.key");
    let private = std::fs::read_to_string(&path).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let again = hostler(folder.path(), &words);
    assert_eq!(again.status.code(), Some(2), "{}", text(&again.stderr));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), private);
    let other = hostler(
        folder.path(),
        &["ledger", "key", "new", "x", "--realm", "a b"],
    );
    assert_eq!(other.status.code(), Some(2), "{}", text(&other.stderr));
}

#[test]
fn a_ledger_is_verified_without_engine_or_settings() {
    let folder = tempfile::tempdir().unwrap();
    let words = |words: &str| {
        let words: Vec<&str> = words.split(' ').collect();
        let ended = hostler(folder.path(), &words);
        let told = text(&ended.stdout) + &text(&ended.stderr);
        (ended.status.code(), told)
    };
    // A setting that is none: nothing here reads any.
    std::fs::write(folder.path().join("hostler.toml"), "[none]\n").unwrap();
    assert_eq!(words("ledger key new ledger.key").0, Some(0));
    sealed_ledger(folder.path());
    let verify = "ledger verify ledger --key ledger.key.pub --checkpoint kept";
    let (code, told) = words(verify);
    assert!(code == Some(0) && told.starts_with("300 entries"), "{told}");
    let (code, told) = words("ledger receipt ledger --key ledger.key.pub --entry 7 --entry 270");
    assert_eq!(code, Some(0), "{told}");
    std::fs::write(folder.path().join("receipt.json"), &told).unwrap();
    let (code, told) = words("ledger verify receipt.json --key ledger.key.pub");
    assert!(code == Some(0) && told.contains("told 270"), "{told}");
    let bundle = folder.path().join("ledger/tile/entries/000");
    let bytes = text(&std::fs::read(&bundle).unwrap());
    std::fs::write(&bundle, bytes.replace("told 123", "sold 123")).unwrap();
    let (code, told) = words(verify);
    assert!(
        code == Some(3) && told.contains("entry 123 was changed"),
        "{told}"
    );
    let (code, told) = words(&format!("{verify} -o json"));
    assert!(
        code == Some(3) && told.contains("\"first_bad\": 123"),
        "{told}"
    );
    for (wrong, part) in [
        ("ledger verify nowhere --key ledger.key.pub", "nowhere"),
        ("ledger verify ledger --key ledger.key", "no public key"),
        ("ledger verify ledger --key missing", "missing"),
        ("ledger verify receipt.json --key kept", "no public key"),
    ] {
        let (code, told) = words(wrong);
        assert!(code != Some(0) && told.contains(part), "{wrong}: {told}");
    }
}

/// Needs the built plugins, as the program itself does.
#[test]
fn the_tour_plays_a_whole_cycle() {
    let plugins = top().join("target/plugins");
    assert!(
        plugins.join("plugins.lock").exists(),
        "build the plugins first: cargo xtask plugins"
    );
    let folder = tempfile::tempdir().unwrap();
    let plugins = plugins.to_string_lossy().into_owned();
    let words = [
        "dev",
        "--tour",
        "--listen",
        "127.0.0.1:0",
        "--plugins",
        &plugins,
    ];
    let tour = hostler(folder.path(), &words);
    let told = text(&tour.stderr);
    assert_eq!(tour.status.code(), Some(0), "{told}");
    assert!(told.contains("all of it was as expected"), "{told}");
    // What it did was sealed meanwhile, under a key of its own.
    let key = ".hostler/ledger.key.pub";
    let words = ["ledger", "verify", ".hostler/ledger", "--key", key];
    let verified = hostler(folder.path(), &words);
    let told = text(&verified.stdout) + &text(&verified.stderr);
    assert_eq!(verified.status.code(), Some(0), "{told}");
    let number = told
        .split(' ')
        .next()
        .and_then(|number| number.parse::<u64>().ok());
    assert!(number.is_some_and(|number| number > 10), "{told}");
}

const SCHEDULES: &str = include_str!("../../estate/examples/schedules.yaml");

#[test]
fn a_file_of_schedules_is_explained_with_its_change_over_days() {
    let folder = tempfile::tempdir().unwrap();
    let calendars = folder.path().join("calendars");
    std::fs::create_dir(&calendars).unwrap();
    let holidays = include_str!("../../estate/examples/calendars/campus.ics");
    std::fs::write(calendars.join("campus.ics"), holidays).unwrap();
    let file = folder.path().join("schedules.yaml");
    let nightly = "  - { runbook: nightly, when: daily, at: \"01:30\", zone: America/Chicago, dst: { fold: both } }\n";
    let gap = "  - { id: gap, runbook: nightly, when: \"30 2 * * *\", zone: America/Chicago }\n";
    std::fs::write(&file, format!("{SCHEDULES}{nightly}{gap}")).unwrap();
    let explain = |words: &[&str]| {
        let all = [&["schedule", "explain", "schedules.yaml"], words].concat();
        let ended = hostler(folder.path(), &all);
        assert_eq!(ended.status.code(), Some(0), "{}", text(&ended.stderr));
        text(&ended.stdout)
    };
    let spring = explain(&["gap", "--from", "2026-03-08T00:00:00Z", "--count", "2"]);
    assert!(spring.contains("Sun 2026-03-08 03:30 -05:00"), "{spring}");
    assert!(spring.contains("shifted from 02:30"), "{spring}");
    let autumn = explain(&[
        "nightly",
        "--from",
        "2026-11-01T00:00:00Z",
        "--count",
        "2",
        "-o",
        "csv",
    ]);
    let lines: Vec<&str> = autumn.lines().map(str::trim).collect();
    assert_eq!(
        lines[1],
        "firing,nightly,Sun 2026-11-01 01:30 -05:00,2026-11-01 06:30,,,first of two"
    );
    assert_eq!(
        lines[2],
        "firing,nightly,Sun 2026-11-01 01:30 -06:00,2026-11-01 07:30,,,second of two"
    );
    let night = explain(&[
        "sunday-night",
        "--from",
        "2026-03-02T00:00:00Z",
        "--count",
        "1",
        "-o",
        "json",
    ]);
    let values: serde_json::Value = serde_json::from_str(&night).unwrap();
    assert_eq!(values[0]["elapsed_ms"], 5 * 3_600_000, "{night}");
    assert_eq!(values[0]["closes"], "2026-03-08T06:00:00-05:00");
    let all = explain(&["-o", "json"]);
    let values: serde_json::Value = serde_json::from_str(&all).unwrap();
    let probes = values
        .as_array()
        .unwrap()
        .iter()
        .filter(|line| line["name"] == "probe");
    assert_eq!(probes.count(), 24, "the next 24");
}

#[test]
fn a_fault_of_a_schedule_and_a_wrong_name_are_answered_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let write = |text: &str| std::fs::write(folder.path().join("s.yaml"), text).unwrap();
    write("schedules:\n  - { runbook: a, when: second tuseday, at: \"02:00\", zone: UTC }\n");
    let cases: &[(&[&str], i32, &str)] = &[
        (
            &["s.yaml"],
            3,
            "s.yaml:2:32: HE030 `tuseday` is no weekday; did you mean `tuesday`?",
        ),
        (&["gone.yaml"], 3, "gone.yaml:0:0: HE060"),
        (&["s.yaml", "--from", "tomorrow"], 2, "--from"),
        (&["s.yaml", "--count", "0"], 2, "--count"),
    ];
    let ended =
        |words: &[&str]| hostler(folder.path(), &[&["schedule", "explain"], words].concat());
    for (words, code, part) in cases {
        let ended = ended(words);
        let told = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(*code), "{words:?}: {told}");
        assert!(told.contains(part), "{words:?}: {told}");
    }
    write("schedules:\n  - { runbook: nightly, every: 15m }\n");
    let wrong = ended(&["s.yaml", "nightli"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        text(&wrong.stderr).contains("nightly"),
        "{}",
        text(&wrong.stderr)
    );
}
