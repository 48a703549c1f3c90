//! A copy is taken while the engine runs; what was done afterwards is not in it. The restored engine repeats none
//! of it unseen.

use std::collections::BTreeMap;

use hostler_tests::lab::{Lab, RedisPlan, until};
use serde_json::{Value, json};

use super::LIMIT;
use super::bed::{Bed, Size};
use super::files;
use super::target::{Book, Course};

const RUNS: usize = 3;
const CHANGES: [&str; 2] = ["compute.snapshot", "guest.reboot"];

fn begin() -> Bed {
    let lab = Lab::start().unwrap();
    let redis = RedisPlan::default().start(&lab).unwrap();
    let folder = lab.folder("stores").unwrap();
    let store = format!(
        "kind = \"embedded\"\nfolder = \"{}/first\"",
        folder.display()
    );
    let size = Size {
        assets: 2 * RUNS,
        ..Size::BUSY
    };
    Bed::over(lab, redis, store, size, |_| Course::default())
}

fn changes(book: &Book) -> BTreeMap<&'static str, usize> {
    let count = |action| (action, book.calls_of(action));
    CHANGES.map(count).into_iter().collect()
}

fn doubts(bed: &Bed) -> Vec<Value> {
    let rows = bed.api.try_waiting().unwrap_or_default();
    rows.into_iter()
        .filter(|row| row["kind"] == "in_doubt")
        .collect()
}

/// Answers every doubt that is open now.
fn choose(bed: &Bed, choice: &str) {
    for row in doubts(bed) {
        let lane = row["lane"].as_str().unwrap();
        let path = format!("/api/v1/waiting/{lane}/choice");
        let body = json!({ "choice": choice, "signs": row["signs"], "comment": "seen in the lab" });
        // What was overtaken is answered at the next look.
        let _ = bed.api.ask("olga", "POST", &path, "", &body.to_string());
    }
}

#[test]
fn what_was_done_behind_a_copy_is_not_repeated_unseen() {
    let mut bed = begin();
    let runs: Vec<String> = (0..RUNS)
        .map(|run| bed.api.start(&files::pair(run), &format!("run-{run}")))
        .collect();
    let asked = until(LIMIT, || {
        (bed.api.try_waiting()?.len() == RUNS).then_some(())
    });
    assert!(asked.is_some(), "all wait for their approval");
    let copy = bed.place("copy");
    let taken = bed.said(&["backup", &copy]);
    assert_eq!(taken.0, 0, "{}", taken.1);
    assert_ne!(
        bed.said(&["backup", &copy]).0,
        0,
        "a copy is never replaced"
    );
    let ended = |view: &Value| (view["run"]["state"] == "succeeded").then_some(());
    for run in &runs {
        bed.api.signed(run);
        bed.api.until("it ends", run, LIMIT, ended);
    }
    let done = changes(&bed.target.book());
    assert_eq!(done["guest.reboot"], 2 * RUNS);

    bed.stop_api();
    let refused = bed.said(&["restore", &copy, "--reason", "the disk broke"]);
    assert_eq!(refused.0, 3, "{}", refused.1);
    assert!(refused.1.contains("is not empty"), "{}", refused.1);
    let folder = format!("store.folder={}", bed.place("second"));
    let words = [
        "--set",
        &folder,
        "restore",
        &copy,
        "--reason",
        "the disk broke",
    ];
    let restored = bed.said(&words);
    assert_eq!(restored.0, 0, "{}", restored.1);
    bed.serve_upon(&folder);

    // Every run that was accepted before the copy is there, at the place where the copy has it.
    for run in &runs {
        bed.api.signed(run);
    }
    let all = until(LIMIT, || (doubts(&bed).len() == 2 * RUNS).then_some(()));
    assert!(
        all.is_some(),
        "each server is asked about: {:#?}",
        bed.api.try_waiting()
    );
    assert_eq!(changes(&bed.target.book()), done, "nothing was repeated");
    let over = until(LIMIT, || {
        choose(&bed, "done");
        runs.iter()
            .all(|run| ended(&bed.api.run(run)).is_some())
            .then_some(())
    });
    assert!(over.is_some(), "the runs end by what people say");
    assert_eq!(changes(&bed.target.book()), done, "nothing was repeated");
    let shown = bed.said(&["store", "show"]);
    assert!(shown.1.contains("the disk broke"), "{}", shown.1);
    println!(
        "{RUNS} runs behind the copy, {done:?} calls before and after; {}",
        taken.1.trim()
    );
}
