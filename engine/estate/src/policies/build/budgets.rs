//! Budgets of disruption: how often and how long customers may be disturbed.
//!
//! Not here: what was spent, and holding anything.

use super::Builder;
use crate::at::At;
use crate::fault::Bad;
use crate::policies::file::{BudgetsFile, RawBudget};
use crate::policies::model::{Budget, CLASSES, Per, Within};
use crate::policies::source::Source;
use crate::schedules::choice::OneOrMany;
use hostler_core::budget::WITHIN_MAX_MS;
use std::collections::BTreeSet;

const EMERGENCY: &str = "emergency";
const PER: [(&str, Per); 2] = [("customer", Per::Customer), ("asset", Per::Asset)];
/// More than this is no limit: what is on record is bounded, too.
const DISRUPTIONS_MAX: u32 = 500;
const DAY_MS: u64 = 86_400_000;

impl Builder<'_> {
    pub(super) fn budgets(&mut self, source: &Source<BudgetsFile>) {
        self.file = source.file;
        let mut seen = BTreeSet::new();
        for (id, raw) in source.value.budgets.iter() {
            self.id(id, "budget", &mut seen);
            if let Some(budget) = self.budget(id, raw) {
                self.policies.budgets.insert(id.value.clone(), budget);
            }
        }
    }

    fn budget(&mut self, id: &At<String>, raw: &RawBudget) -> Option<Budget> {
        if raw.disruptions.is_none() && raw.downtime.is_none() {
            let message = format!("the budget `{}` limits nothing", id.value);
            let remedy = "write `disruptions: 4`, or `downtime: 8h`, or both";
            self.fault(id, "HE040", message, remedy);
        }
        if let Some(at) = &raw.disruptions
            && !(1..=DISRUPTIONS_MAX).contains(&at.value)
        {
            let remedy = format!(
                "write 1 to {DISRUPTIONS_MAX}; a time without any is a freeze of the estate"
            );
            self.bad(at, "disruptions", Bad::new("is out of bounds", remedy));
        }
        let per = raw.per.as_ref();
        let per = per.map_or(Some(Per::Customer), |at| self.choice(at, "per", &PER));
        let downtime = raw.downtime.as_ref();
        Some(Budget {
            customers: self.customers(raw.customers.as_ref()),
            classes: self.held(raw.classes.as_ref()),
            disruptions: raw.disruptions.as_ref().map(|at| at.value),
            downtime_ms: downtime.and_then(|at| self.elapsed_ms(at, "downtime")),
            within: self.within(&raw.within)?,
            per: per?,
        })
    }

    fn within(&mut self, at: &At<String>) -> Option<Within> {
        if at.value == "month" {
            return Some(Within::Month);
        }
        let ms = self.elapsed_ms(at, "within")?;
        if !(DAY_MS..=WITHIN_MAX_MS).contains(&ms) {
            let remedy = format!("write 1d to {}d, or `month`", WITHIN_MAX_MS / DAY_MS);
            self.bad(at, "within", Bad::new("is out of bounds", remedy));
            return None;
        }
        Some(Within::Rolling(ms))
    }

    /// All but emergencies where none is named.
    fn held(&mut self, list: Option<&OneOrMany>) -> BTreeSet<String> {
        let Some(list) = list else {
            let all = CLASSES.iter().filter(|class| **class != EMERGENCY);
            return all.map(|class| (*class).to_owned()).collect();
        };
        if let Some(at) = list.0.iter().find(|at| at.value == EMERGENCY) {
            let remedy = "remove it: an emergency waits for nobody; what it disturbs is counted";
            self.fault(at, "HP110", "a budget holds emergencies", remedy);
        }
        self.set(Some(list), "class", &CLASSES)
    }

    fn customers(&mut self, list: Option<&OneOrMany>) -> BTreeSet<String> {
        let named = self.ids(list, "customer");
        let Some(known) = &self.known.customers else {
            return named;
        };
        for at in list.iter().flat_map(|list| &list.0) {
            if named.contains(&at.value) && !known.contains(&at.value) {
                let known = known.iter().map(String::as_str);
                self.out
                    .unknown(self.file, at, "customer", "customers of the estate", known);
            }
        }
        named
    }
}
