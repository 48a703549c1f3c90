//! The program as people and scripts meet it: words, exit codes, and a whole practice cycle.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stopped"
)]

mod ledger;
mod policies;
mod schedules;
mod step_up;

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
