//! What a question owes: opened with it, settled by its answer or by runs that do what was missing.
//!
//! Not here: what a debt holds (the worker's gates).

use super::Draft;
use crate::debt::{Cure, Debt};
use crate::event::Event;
use crate::id::RunId;
use crate::refusal::Refusal;
use serde_json::{Value, json};
use std::collections::BTreeSet;

impl Draft<'_> {
    /// The question that was just asked is an obligation, if anything is owed at all.
    pub(super) fn owe(&mut self, debt: Option<Box<Debt>>) {
        if let Some(debt) = debt.filter(|debt| !debt.owed.is_empty()) {
            self.push(Event::DebtOpened { debt });
        }
    }

    pub(super) fn answered_debt(&mut self, by: &str) {
        let Some(debt) = &self.lane.debt else { return };
        self.push(Event::DebtSettled {
            assets: debt.assets(),
            how: Cure::Answer.to_string(),
            by: by.to_owned(),
        });
    }

    /// A run has done what was missing; with the last asset the question is over.
    pub(super) fn cured(
        &mut self,
        assets: &BTreeSet<String>,
        how: &Cure,
        run: RunId,
    ) -> Result<(), Refusal> {
        let Some(debt) = &self.lane.debt else {
            return Err(Refusal::NothingOwed);
        };
        let assets = debt.of(assets);
        if assets.is_empty() || *how == Cure::Answer || !debt.cured_by.contains(how) {
            return Err(Refusal::NothingOwed);
        }
        let by = format!("run {run}");
        self.push(Event::DebtSettled {
            assets,
            how: how.to_string(),
            by: by.clone(),
        });
        if self.lane.debt.is_some() {
            return Ok(());
        }
        self.push(Event::PersonSettled {
            choice: "cured".to_owned(),
            by: Some(by),
            answer: Value::Null,
            comment: None,
        });
        self.succeed(json!({ "cured_by": how.to_string() }), Vec::new())
    }
}
