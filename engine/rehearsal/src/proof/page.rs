//! A proof as a page for people.
//!
//! Not here: where it is kept.

use super::{Cell, Proof};
use crate::blow::Blow;
use std::fmt::Write;

/// The proof as a page for people.
#[must_use]
pub fn page(proof: &Proof) -> String {
    let mut page = format!(
        "# What {}@{} does when a step goes wrong\n\n{WORDS}\n",
        proof.runbook, proof.version
    );
    let headings = Blow::ALL.map(Blow::heading).join(" | ");
    let _ = writeln!(page, "| step | action | scenario | {headings} |");
    let _ = writeln!(page, "|{}", "---|".repeat(3 + Blow::ALL.len()));
    for row in &proof.rows {
        let cells: Vec<_> = row.cells.iter().map(Cell::text).collect();
        let other = Some(&row.step.runbook).filter(|runbook| **runbook != proof.runbook);
        let other = other.map_or_else(String::new, |other| format!("{other}: "));
        let _ = writeln!(
            page,
            "| {other}`{}` | `{}` | {} | {} |",
            row.step.step,
            row.action,
            row.scenario,
            cells.join(" | ")
        );
    }
    if !proof.unreached.is_empty() {
        let _ = writeln!(page, "\nReached by no scenario, and so without a proof:");
        for step in &proof.unreached {
            let _ = writeln!(page, "- `{step}`");
        }
    }
    page
}

/// What stands above the table.
const WORDS: &str = "\
Made by playing the scenarios of this runbook; a test compares it with what the engine does now. To write it anew:
`HOSTLER_PROOF_WRITE=1 cargo test -p hostler-tests --test all -- scenarios::proofs`.

Each row is a step that changes something, hit in the first scenario that comes to it, at the first server (or item)
that it is called for; a step that begins with `undo:` takes that step back. Each column is what goes wrong:

- **fails**: the target refuses, however often the step is tried.
- **never answers**: each call runs into its timeout, and nothing has happened.
- **done, answer lost**: it happened, and the worker died before it heard of it.
- **the same, and nobody can tell**: nor can the target say afterwards what happened.
- **delivered twice**: the worker slept past its lease with the answer in its hand, another one took over and the call
  was made again under the same key; then the first one woke up and went on.

A cell is how the run ended: its result, before it that of the lane (server, item, round) that was hit where it
differs, and who was asked what that nobody is asked otherwise. Whoever is asked gives up here; approvals are
given. `stands` is what had been changed, was not taken back and does not end by itself; copies and notes are left out.
";
