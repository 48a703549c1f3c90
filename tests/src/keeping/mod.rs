//! What is done to the store itself, through the program: finished runs are archived and read as before,
//! lists are made anew from the logs.
//!
//! Not here: platforms. The runbook of these tests waits and asks, and touches no server.

mod house;

use hostler_ports::store::Store;
use hostler_rehearsal::reindex::Derived;
use house::{House, eventually};
use serde_json::Value;

/// All that a reader is told of a run, without the instant of reading.
fn told(house: &House, run: &str) -> Vec<(String, Value)> {
    let answers = [
        vec!["run", "show", run],
        vec!["run", "list"],
        vec!["run", "evidence", run],
        vec!["notice", "list", run],
    ];
    let mut told = Vec::new();
    for words in answers {
        let mut value = house.value("audrey", &words);
        for moving in ["now_ms", "seq"] {
            if let Some(fields) = value.as_object_mut() {
                fields.remove(moving);
            }
        }
        told.push((words.join(" "), value));
    }
    told
}

#[test]
fn an_archived_run_is_shown_as_before() {
    let house = House::embedded();
    let serve = house.serve(&[]);
    let run = house.started(&serve, "olga");
    house.state(&run, "succeeded");
    let before = told(&house, &run);
    serve.stop();

    let archive = house.folder().join("archive");
    let folder = format!("archive.folder={}", archive.display());
    let settings = [folder.as_str(), "archive.after=1s", "archive.every=200ms"];
    let serve = house.serve(&settings);
    eventually("the run is archived", || {
        house.log().contains("finished runs left the store")
    });
    assert_eq!(told(&house, &run), before);
    let refused = house.said("olga", &["run", "cancel", &run]);
    assert_ne!(refused.0, 0, "an archived run takes no command");
    serve.stop();
    let header = house.with_store(|store| async move {
        let record = store
            .run_record(run.parse().unwrap())
            .await
            .unwrap()
            .unwrap();
        assert!(record.archive.is_some());
        assert_eq!(store.log(record.root, 0).await, Ok(vec![]));
        store.load(record.root, 0).await.unwrap()
    });
    assert!(header.is_none(), "its log is gone from the store");
    let doctor = house.said("olga", &["doctor"]).1;
    let line = doctor
        .lines()
        .find(|line| line.contains("are archived and being purged"));
    println!(
        "archived, purged, and shown as before; doctor: {}",
        line.unwrap().trim()
    );
}

/// Checkpoints go elsewhere while the engine works, and the ledger is held against them afterwards.
#[test]
fn a_ledger_is_verified_under_the_checkpoints_that_were_exported() {
    let house = House::embedded();
    let made = house.said("olga", &["ledger", "key", "new", "ledger.key"]);
    assert_eq!(made.0, 0, "{}", made.1);
    let settings = [
        "ledger.key_file=ledger.key",
        "ledger.folder=ledger",
        "ledger.every=100ms",
        "ledger.export_folders=elsewhere",
        "ledger.export_every=1s",
    ];
    let serve = house.serve(&settings);
    let run = house.started(&serve, "olga");
    house.state(&run, "succeeded");
    let exported = house.folder().join("elsewhere");
    eventually("a checkpoint lies elsewhere", || {
        exported.join("latest").exists()
    });
    serve.stop();
    let verify = [
        "ledger",
        "verify",
        "ledger",
        "--key",
        "ledger.key.pub",
        "--checkpoint",
        "elsewhere",
    ];
    let (code, out) = house.said("olga", &verify);
    assert_eq!(code, 0, "{out}");
    // Somebody who has the key and the folder begins the ledger anew.
    std::fs::remove_dir_all(house.folder().join("ledger")).unwrap();
    let (code, out) = house.said("olga", &verify);
    assert_ne!(code, 0, "{out}");
    println!("{}", out.lines().next().unwrap_or_default());
}

/// Destroys what the logs account for and lets the program make it anew.
fn destroyed_and_made_anew(house: &House) {
    let serve = house.serve(&[]);
    let ended = house.started(&serve, "olga");
    house.state(&ended, "succeeded");
    let asked = house.started_asking(&serve, "olga");
    house.state(&asked, "waiting");
    serve.stop();
    let before = house.with_store(|store| async move {
        let before = Derived::of(&*store).await.unwrap();
        before.destroy(&*store).await.unwrap();
        let left = Derived::of(&*store).await.unwrap();
        assert!(before.differs(&left).is_some());
        before
    });
    let (code, out) = house.said("olga", &["-o", "json", "reindex"]);
    assert_eq!(code, 0, "{out}");
    let after = house.with_store(|store| async move { Derived::of(&*store).await.unwrap() });
    assert_eq!(before.differs(&after), None);
    assert!(!after.indexes["waiting"].is_empty() && after.indexes["runs"].len() == 2);
    println!("{}: {}", house.kind(), out.replace('\n', " "));
}

#[test]
fn lists_of_an_embedded_store_are_made_anew_from_its_logs() {
    destroyed_and_made_anew(&House::embedded());
}

#[test]
fn lists_of_a_redis_are_made_anew_from_its_logs() {
    destroyed_and_made_anew(&House::redis());
}
