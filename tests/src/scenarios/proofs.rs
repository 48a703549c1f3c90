//! What each runbook does when a step goes wrong is a page in its folder, `PROOF.md`, which says what the
//! engine does now. With `HOSTLER_PROOF_WRITE=1` the pages are written anew.
//!
//! Not here: how a step is hit (`hostler_rehearsal::proof`).

use super::{scenarios, stage};
use hostler_rehearsal::proof::{page, prove};
use hostler_rehearsal::{Scenario, Stage};
use std::collections::BTreeMap;
use std::path::PathBuf;

const WRITE: &str = "HOSTLER_PROOF_WRITE";
/// Only the runbooks with this in their name: for somebody who works on one.
const ONLY: &str = "HOSTLER_PROOF_ONLY";
/// Differing lines that are shown of one page.
const SHOWN_MAX: usize = 20;

/// Scenarios of each runbook by the names of their files, the good one first.
fn by_runbook() -> BTreeMap<String, Vec<(String, Scenario)>> {
    let mut all: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for (path, scenario) in scenarios() {
        let file = path.rsplit('/').next().unwrap();
        let name = file.trim_end_matches(".yaml").to_owned();
        let of = all.entry(scenario.runbook.clone()).or_default();
        of.push((name, scenario));
    }
    for scenarios in all.values_mut() {
        scenarios.sort_by_key(|(name, _)| (name != "good", name.clone()));
    }
    all
}

fn file(runbook: &str) -> PathBuf {
    stage::root()
        .join("workflows")
        .join(runbook)
        .join("PROOF.md")
}

/// Lines that only one of the two pages has.
fn difference(kept: &str, now: &str) -> Vec<String> {
    let only = |sign: char, here: &str, there: &str| {
        let there: Vec<_> = there.lines().collect();
        let lines = here.lines().filter(|line| !there.contains(line));
        lines
            .map(|line| format!("{sign} {line}"))
            .collect::<Vec<_>>()
    };
    let mut lines = only('-', kept, now);
    lines.extend(only('+', now, kept));
    lines
}

/// Complaints about the proof of one runbook.
async fn proved(stage: &Stage, runbook: &str, scenarios: &[(String, Scenario)]) -> Vec<String> {
    let proof = match prove(stage, runbook, scenarios).await {
        Ok(proof) => proof,
        Err(trouble) => return vec![format!("{runbook}: {trouble}")],
    };
    let mut complaints: Vec<_> = proof
        .wrong()
        .into_iter()
        .map(|wrong| format!("{runbook}: {wrong}"))
        .collect();
    if proof.rows.is_empty() {
        complaints.push(format!("{runbook}: no scenario changes anything"));
    }
    let now = page(&proof);
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(file(runbook), &now).unwrap();
    }
    let kept = std::fs::read_to_string(file(runbook)).unwrap_or_default();
    let difference = difference(&kept, &now);
    complaints.extend(difference.into_iter().take(SHOWN_MAX));
    complaints
}

/// A thread for each runbook: their proofs have nothing to do with each other.
#[test]
fn every_runbook_does_what_its_proof_says() {
    let stage = stage::practice();
    let only = std::env::var_os(ONLY).unwrap_or_default();
    let mut wanted = by_runbook();
    wanted.retain(|runbook, _| runbook.contains(&*only.to_string_lossy()));
    let prove = |(runbook, scenarios): (String, Vec<_>)| {
        let stage = stage.clone();
        std::thread::spawn(move || {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_all().build().unwrap();
            runtime.block_on(proved(&stage, &runbook, &scenarios))
        })
    };
    let proofs: Vec<_> = wanted.into_iter().map(prove).collect();
    let complaints: Vec<_> = proofs
        .into_iter()
        .flat_map(|proof| proof.join().unwrap())
        .collect();
    assert!(
        complaints.is_empty(),
        "{}\nIf this is what the runbooks are to do: {WRITE}=1 cargo test -p hostler-tests --test all -- \
         scenarios::proofs",
        complaints.join("\n")
    );
}

#[test]
fn a_changed_cell_is_shown_with_both_its_texts() {
    let changed = difference(
        "| a | held |\n| b | held |\n",
        "| a | failed |\n| b | held |\n",
    );
    assert_eq!(changed, ["- | a | held |", "+ | a | failed |"]);
}
