//! What must be so when the faults are over: every accepted run is there, every lane has ended or waits for a
//! person, no `once` action took effect twice unseen, every message left under one name.
//!
//! Not here: making it so.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hostler_tests::lab::{Mail, until};
use serde_json::Value;

use super::bed::Bed;
use super::files;
use super::target::Book;

/// What became of the runs.
#[derive(Debug, Default)]
pub struct Figures {
    /// Lanes of items by result, or by the kind of question that they wait with.
    pub lanes: BTreeMap<String, u32>,
    pub runs_ended: usize,
    pub runs_waiting: usize,
}

/// The result of a lane, or the question it waits with; none while it is on its way.
pub fn stands(view: &Value, lane: &Value) -> Option<String> {
    if let Some(result) = lane["result"].as_str() {
        return Some(result.to_owned());
    }
    let rows = view["waiting"].as_array()?;
    let row = rows.iter().find(|row| row["lane"] == lane["lane"])?;
    (row["kind"] != "approve")
        .then(|| format!("waits: {}", row["kind"].as_str().unwrap_or_default()))
}

/// Whether nothing of a run is on its way.
fn is_settled(view: &Value) -> bool {
    if !view["run"]["ended_ms"].is_null() {
        return true;
    }
    let lanes = view["lanes"].as_array().map_or(&[][..], Vec::as_slice);
    let all = lanes.iter().all(|lane| stands(view, lane).is_some());
    all && lanes.iter().any(|lane| lane["result"].is_null())
}

/// Waits until nothing of these runs is on its way; what became of them. A run that is not there fails.
pub fn settled(bed: &Bed, runs: &[String], limit: Duration) -> Figures {
    let mut figures = Figures::default();
    for run in runs {
        let view = until(limit, || {
            let view = bed.api.run(run);
            is_settled(&view).then_some(view)
        });
        let view = view.unwrap_or_else(|| panic!("{run} stands still: {:#}", bed.api.run(run)));
        match view["run"]["ended_ms"].is_null() {
            true => figures.runs_waiting += 1,
            false => figures.runs_ended += 1,
        }
        for lane in view["lanes"].as_array().into_iter().flatten() {
            *figures
                .lanes
                .entry(stands(&view, lane).unwrap())
                .or_default() += 1;
        }
    }
    figures
}

/// No `once` action took effect twice under any key, and each that is called done did once.
pub fn once(bed: &Bed, book: &Book, runs: &[String]) {
    let effects = book.effects_of("guest.reboot");
    let twice: Vec<_> = effects.iter().filter(|(_, count)| **count > 1).collect();
    assert!(
        twice.is_empty(),
        "`once` took effect again unseen: {twice:?}"
    );
    for run in runs {
        let view = bed.api.run(run);
        for lane in view["lanes"].as_array().into_iter().flatten() {
            if lane["result"] == "succeeded" {
                let asset = lane["key"].as_str().unwrap();
                assert_eq!(effects.get(asset), Some(&1), "{asset} is called done");
            }
        }
    }
}

/// Message ids by how often they were accepted; none when a mail has no id.
fn ids(mails: &[Mail]) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for mail in mails {
        let mut lines = mail.text.lines();
        let id = lines.find_map(|line| line.strip_prefix("Message-ID: "));
        *counts.entry(id.unwrap().to_owned()).or_default() += 1;
    }
    counts
}

/// Every run that has ended has sent its one report; the largest number of copies of any. Whoever was asked had a
/// message, too.
pub fn notices(bed: &Bed, ended: usize, limit: Duration) -> u32 {
    let counts = until(limit, || {
        let mut mails = bed.mail.mails().ok()?;
        mails.retain(|mail| mail.text.contains(files::REPORT));
        let counts = ids(&mails);
        (counts.len() >= ended).then_some(counts)
    });
    let counts = counts.unwrap_or_else(|| panic!("{ended} messages: {:?}", bed.mail.mails()));
    assert_eq!(counts.len(), ended, "one name a message: {counts:?}");
    counts.values().copied().max().unwrap_or(0)
}

/// Pages of the list of runs that are read at most.
const PAGES_MAX: usize = 100;

/// The ids of all runs that the engine knows.
pub fn known(bed: &Bed) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    let mut after = String::new();
    for _ in 0..PAGES_MAX {
        let list = bed.api.read(&format!("/api/v1/runs?limit=500{after}"));
        let rows = list["runs"].as_array().unwrap();
        known.extend(
            rows.iter()
                .filter_map(|row| row["run"].as_str().map(str::to_owned)),
        );
        match list["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return known,
        }
    }
    panic!("the list of runs has no end");
}

/// Everything that holds after any fault: prints the figures behind `what`.
pub fn all(bed: &Bed, runs: &[String], what: &str) {
    let figures = settled(bed, runs, super::LIMIT);
    let known = known(bed);
    let lost: Vec<_> = runs.iter().filter(|run| !known.contains(*run)).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    let book = bed.target.book();
    once(bed, &book, runs);
    let copies = notices(bed, figures.runs_ended, super::LIMIT);
    println!(
        "{what}: {} runs accepted, 0 lost; lanes {:?}; `once`: {} calls, {} effects, 0 twice; {} messages, at most \
         {copies} copies of one",
        runs.len(),
        figures.lanes,
        book.calls_of("guest.reboot"),
        book.effects_of("guest.reboot").len(),
        figures.runs_ended,
    );
}
