//! What a run would spend of its customers' budgets of disruption, and whether there is room as of now.
//!
//! A preview for people, at most: steps that are left out spend nothing, and others spend until it begins. Not here:
//! holding anything (worker).

use super::{Planned, called};
use crate::Api;
use crate::problem::{Code, Problem};
use crate::services::document;
use hostler_core::budget::{Limit, Spent, Sum, budget_document};
use hostler_core::contract::Impact;
use hostler_core::definition::{Definition, Program, Verb};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A budget that a run would spend from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetView {
    pub customer: String,
    pub budget: String,
    /// `2 disruptions in 30d`.
    pub grants: String,
    /// Of each server its own: those of the server that has spent the most.
    pub spent: Sum,
    /// What the run takes at most; of windows one opening of each.
    pub needs: Sum,
    pub fits: bool,
    /// Where it does not fit: the run waits; else it goes on, and overdraws.
    pub holds: bool,
}

/// One server, with what binds it.
struct Disturbed<'a> {
    asset: &'a str,
    window: Option<&'a str>,
    limits: Vec<Limit>,
}

/// Budgets of all customers whose servers the run disturbs, as of now.
///
/// # Errors
/// `internal` for a document that cannot be read, the store's.
pub async fn budgets(api: &Api, planned: &Planned) -> Result<Vec<BudgetView>, Problem> {
    let definition = &planned.definition;
    let others = called(api, definition)?;
    let all = others.values().chain(std::iter::once(definition));
    let Some(downtime_ms) = all.filter_map(|definition| outage_ms(definition)).max() else {
        return Ok(Vec::new());
    };
    let now_ms = api.store.now_ms().await?;
    let class = [definition.policy.class.clone()];
    let mut of: BTreeMap<String, Vec<Disturbed<'_>>> = BTreeMap::new();
    for (asset, record) in &planned.plan.assets {
        if let Some(budgets) = api.directory.budgets(asset, &class, now_ms) {
            let own = of.entry(budgets.customer).or_default();
            own.push(Disturbed {
                asset,
                window: record.get("window").and_then(Value::as_str),
                limits: budgets.limits,
            });
        }
    }
    let mut views = Vec::new();
    for (customer, assets) in of {
        let found = document::read::<Spent>(api, &budget_document(&customer)).await?;
        let spent = found
            .value
            .map_err(|fault| Problem::new(Code::Internal, fault))?;
        let spent = spent.unwrap_or_default();
        let limits = assets.first().map(|one| one.limits.as_slice());
        let view = |limit: &Limit| view(&customer, limit, &assets, &spent, (downtime_ms, now_ms));
        views.extend(limits.unwrap_or_default().iter().map(view));
    }
    Ok(views)
}

/// The longest time for which one lane of it disturbs. None: it disturbs nobody.
fn outage_ms(definition: &Definition) -> Option<u64> {
    let of_program = |program: &Program| {
        let outages = program.steps.iter().filter_map(|step| match &step.verb {
            Verb::Do(action) if action.impact == Impact::Outage => Some(action.timeout_ms),
            _ => None,
        });
        outages.reduce(u64::saturating_add)
    };
    definition.programs.iter().filter_map(of_program).max()
}

fn view(
    customer: &str,
    limit: &Limit,
    assets: &[Disturbed<'_>],
    spent: &Spent,
    (downtime_ms, now_ms): (u64, i64),
) -> BudgetView {
    let sums = assets.iter().map(|one| spent.sum(limit, one.asset, now_ms));
    let spent = sums.max_by_key(|sum| (sum.disruptions, sum.downtime_ms));
    let spent = spent.unwrap_or_default();
    let servers = if limit.per_asset { 1 } else { assets.len() };
    let windows: BTreeSet<Option<&str>> = assets.iter().map(|one| one.window).collect();
    let count = |all: usize| u32::try_from(all).unwrap_or(u32::MAX);
    let needs = match limit.windows {
        Some(_) => Sum {
            windows: count(windows.len()),
            ..Sum::default()
        },
        None => Sum {
            disruptions: count(servers),
            downtime_ms: downtime_ms.saturating_mul(servers as u64),
            windows: 0,
        },
    };
    BudgetView {
        customer: customer.to_owned(),
        budget: limit.name.clone(),
        grants: limit.says(),
        fits: limit.fits(spent.plus(needs)),
        holds: limit.holds,
        spent,
        needs,
    }
}
