//! How often customers may put off what a run announces, and until when, as of now.
//!
//! A preview for people, the strictest of what it announces. Not here: who may, and whether one turn can still be put
//! off (core).

use super::{Planned, called};
use crate::Api;
use crate::problem::{Code, Problem};
use crate::services::document;
use hostler_core::deferral::{Counts, EMERGENCY, deferrals_document, granted};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a customer of the run may put off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeferView {
    pub customer: String,
    /// None: the runbook grants it, and nothing was agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<DeferTerms>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeferTerms {
    /// Deferrals that are left in the customer's present quarter.
    pub left: u32,
    /// Of so many.
    pub times: u32,
    /// It comes so long before the slot at the latest, in milliseconds.
    pub until_ms: u64,
    /// From the slot that was announced first, at most, in milliseconds.
    pub longest_ms: u64,
}

impl DeferTerms {
    fn stricter(self, other: Self) -> Self {
        let fewest = if other.left < self.left { other } else { self };
        Self {
            until_ms: self.until_ms.max(other.until_ms),
            longest_ms: self.longest_ms.min(other.longest_ms),
            ..fewest
        }
    }
}

/// Of all customers whose servers the run may work on. Empty: the runbook lets nothing be put off.
///
/// # Errors
/// `internal` for a document that cannot be read, the store's.
pub async fn defers(api: &Api, planned: &Planned) -> Result<Vec<DeferView>, Problem> {
    let definition = &planned.definition;
    let others = called(api, definition)?;
    let all = others.values().chain(std::iter::once(definition));
    let grants: Vec<_> = all.flat_map(|definition| granted(definition)).collect();
    if grants.is_empty() {
        return Ok(Vec::new());
    }
    let now_ms = api.store.now_ms().await?;
    let assets = planned.plan.assets.values();
    let customers = assets.filter_map(|asset| asset.get("customer")?.as_str());
    let customers: BTreeSet<&str> = customers.collect();
    let mut views = Vec::new();
    for customer in customers {
        let found = document::read::<Counts>(api, &deferrals_document(customer)).await?;
        let counts = found
            .value
            .map_err(|fault| Problem::new(Code::Internal, fault))?;
        let counts = counts.unwrap_or_default();
        views.push(DeferView {
            customer: customer.to_owned(),
            terms: of_customer(api, customer, &grants, &counts, now_ms),
        });
    }
    Ok(views)
}

/// Of what was agreed; a step that nobody puts off says nothing of the others.
fn of_customer(
    api: &Api,
    customer: &str,
    grants: &[(u64, Vec<String>)],
    counts: &Counts,
    now_ms: i64,
) -> Option<DeferTerms> {
    let terms = grants.iter().filter_map(|(until_ms, classes)| {
        let classes = classes.iter();
        let of_class =
            classes.map(|class| of_class(api, (customer, class.as_str()), counts, now_ms));
        let terms = of_class.collect::<Option<Vec<_>>>()?.into_iter();
        let terms = terms.reduce(DeferTerms::stricter)?;
        let until_ms = terms.until_ms.max(*until_ms);
        Some(DeferTerms { until_ms, ..terms })
    });
    terms.reduce(DeferTerms::stricter)
}

/// None: nobody puts it off.
fn of_class(
    api: &Api,
    (customer, class): (&str, &str),
    counts: &Counts,
    now_ms: i64,
) -> Option<DeferTerms> {
    let agreed = api.directory.deferral(customer, class, now_ms);
    let agreed = agreed.filter(|_| class != EMERGENCY)?;
    Some(DeferTerms {
        left: agreed.times.saturating_sub(counts.spent(class, &agreed)),
        times: agreed.times,
        until_ms: agreed.until_ms,
        longest_ms: agreed.longest_ms,
    })
}
