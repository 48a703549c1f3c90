//! Budgets of disruption of the policies: whether what is planned in this cycle keeps them.
//!
//! What other runs have spent is not known here. A server of a cycle is disturbed once, so a budget of each server is
//! always kept.

use super::Plan;
use super::conflicts::Found;
use crate::code::Code;
use crate::forecast::Outcome;
use crate::input::Budget;
use crate::moment::Moment;
use hostler_core::budget::length;
use std::collections::VecDeque;

/// Tells of each server that the budgets of its customer have no room for.
pub fn check(plan: &mut Plan<'_>, customer: &str, places: &[usize]) {
    let input = plan.input;
    let begins = |place: &usize| match plan.outcomes[*place].as_ref()? {
        Outcome::Planned { starts, .. } => Some((*starts, *place)),
        Outcome::Held { .. } => None,
    };
    let mut planned: Vec<(Moment, usize)> = places.iter().filter_map(begins).collect();
    planned.sort_unstable();
    for budget in &input.customers[customer].budgets {
        one(plan, customer, budget, &planned);
    }
}

fn one(plan: &mut Plan<'_>, customer: &str, budget: &Budget, planned: &[(Moment, usize)]) {
    let zone = plan.input.customers[customer].zone.clone();
    let month = |at: Moment| zone.wall(at.0).0.date().first_of_month();
    let mut counted: VecDeque<(Moment, u64)> = VecDeque::new();
    let mut lasts_ms = 0_u64;
    for (at, place) in planned {
        let counts = |earlier: Moment| match budget.within_ms {
            Some(ms) => at.since(earlier) < ms,
            None => month(earlier) == month(*at),
        };
        while let Some((earlier, ms)) = counted.front().copied()
            && !counts(earlier)
        {
            counted.pop_front();
            lasts_ms -= ms;
        }
        let needed_ms = plan.needed_ms(*place);
        counted.push_back((*at, needed_ms));
        lasts_ms += needed_ms;
        let many = budget
            .disruptions
            .is_some_and(|max| counted.len() > max as usize);
        let long = budget.downtime_ms.is_some_and(|max| lasts_ms > max);
        if !many && !long {
            continue;
        }
        let found = Found {
            code: Code::Budget,
            subject: format!("customer {customer}, budget {}", budget.name),
            what: format!(
                "{} disruptions and {} by {}, {} are granted",
                counted.len(),
                length(lasts_ms),
                at.people(&zone),
                budget.says()
            ),
            when: Some(*at),
            remedy: "spread its servers over more time, agree upon more (budgets.yaml), or have the run overdraw \
                     it (`hostler budget allow`)"
                .to_owned(),
        };
        let asset = plan.assets[*place].id.as_str();
        plan.conflicts.add(found, Some(asset));
    }
}
