//! The rows of a proof, and what of them is no end.
//!
//! Not here: how they come about.

use crate::blow::Blow;
use crate::trace::StepName;
use std::fmt::Write;

/// One mutating step and what became of the run when it was hit.
#[derive(Debug)]
pub struct Row {
    pub step: StepName,
    pub action: String,
    /// The first scenario that comes to it.
    pub scenario: String,
    /// One for each of `Blow::ALL`.
    pub cells: Vec<Cell>,
}

/// How a run ended that was hit.
#[derive(Debug, PartialEq)]
pub struct Cell {
    /// Of the lane whose step was hit, where that is not the run's own.
    pub lane: Option<String>,
    /// Who was asked what, beyond those whom the undisturbed run asks.
    pub asked: Vec<String>,
    pub run: String,
    /// What was done, is not taken back and does not end by itself; said where the run did not succeed.
    pub stands: Vec<String>,
    /// It ends as the scenario does that nothing hits: its file says so.
    pub is_usual: bool,
    /// Broken invariants.
    pub faults: Vec<String>,
}

impl Cell {
    /// Why this is no end: neither done, nor taken back, nor in the hands of a named person.
    #[must_use]
    pub fn wrong(&self) -> Option<String> {
        if let Some(fault) = self.faults.first() {
            return Some(fault.clone());
        }
        let is_done = ["succeeded", "nothing", "recovered", "rolled_back"].contains(&&*self.run);
        let is_set_aside = ["held", "deferred"].contains(&&*self.run);
        let is_asked = !self.asked.is_empty();
        let is_back = self.stands.is_empty();
        let ended = is_done || is_set_aside || is_asked || is_back || self.is_usual;
        (!ended).then(|| format!("{} with {} done", self.run, self.stands.join(", ")))
    }

    /// As it stands on the page.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for asked in &self.asked {
            let _ = write!(text, "asks {asked}; ");
        }
        if let Some(lane) = self.lane.as_ref().filter(|lane| **lane != self.run) {
            let _ = write!(text, "lane {lane}, run ");
        }
        text.push_str(&self.run);
        if self.run == "failed" && self.stands.is_empty() {
            text.push_str(", nothing stands");
        }
        if !self.stands.is_empty() {
            let _ = write!(text, " (stands: {})", self.stands.join(", "));
        }
        text
    }
}

/// All rows of a runbook, and the mutating steps that no scenario reaches.
#[derive(Debug)]
pub struct Proof {
    pub runbook: String,
    pub version: u32,
    pub rows: Vec<Row>,
    pub unreached: Vec<String>,
}

impl Proof {
    /// Cells that are no end, each with its step and what hit it.
    #[must_use]
    pub fn wrong(&self) -> Vec<String> {
        let cells = self.rows.iter().flat_map(|row| {
            let cells = row.cells.iter().zip(Blow::ALL);
            cells.filter_map(move |(cell, blow)| {
                let wrong = cell.wrong()?;
                let step = &row.step.step;
                Some(format!(
                    "{step} ({}) {}: {wrong}",
                    row.scenario,
                    blow.heading()
                ))
            })
        });
        cells.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Cell;

    fn cell(run: &str, asked: &[&str], stands: &[&str]) -> Cell {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Cell {
            lane: None,
            asked: owned(asked),
            run: run.to_owned(),
            stands: owned(stands),
            is_usual: false,
            faults: Vec::new(),
        }
    }

    #[test]
    fn a_failed_run_that_leaves_something_and_asks_nobody_is_no_end() {
        let left = ["grow compute.disk-grow"];
        assert!(cell("failed", &[], &left).wrong().is_some());
        assert!(
            cell("failed", &["operator: in doubt"], &left)
                .wrong()
                .is_none()
        );
        assert!(cell("failed", &[], &[]).wrong().is_none());
        assert!(cell("cancelled", &[], &left).wrong().is_some());
        assert!(cell("rolled_back", &[], &[]).wrong().is_none());
        let mut usual = cell("failed", &[], &left);
        usual.is_usual = true;
        assert!(
            usual.wrong().is_none(),
            "whoever wrote the scenario says so"
        );
    }

    #[test]
    fn a_broken_invariant_is_no_end_however_good_it_looks() {
        let mut twice = cell("succeeded", &[], &[]);
        twice.faults.push("it took effect twice".to_owned());
        assert_eq!(twice.wrong().as_deref(), Some("it took effect twice"));
    }
}
