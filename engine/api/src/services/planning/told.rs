//! By how many ways a run would tell its customers, where a runbook wants more than a letter.
//!
//! Counts, no names: whoever starts a run need not know a customer's people. Not here: telling them (worker).

use super::{Planned, called};
use crate::Api;
use crate::problem::Problem;
use hostler_core::definition::Definition;
use hostler_core::mail::Way;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Whom notices of a customer reach, as the estate's files say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldView {
    pub customer: String,
    /// A channel that the runbook names: `webhook`.
    pub channel: String,
    /// People there who have the notices.
    pub people: u32,
    /// Those who can be told in this way; the others get what they have, at least a letter.
    pub reached: u32,
}

/// Of all customers whose servers the run may work on. Empty: letters alone are wanted.
///
/// # Errors
/// As `called`.
pub fn told(api: &Api, planned: &Planned) -> Result<Vec<ToldView>, Problem> {
    let definition = &planned.definition;
    let others = called(api, definition)?;
    let all = others.values().chain(std::iter::once(definition));
    let ways: BTreeSet<Way> = all.flat_map(|definition| ways(definition)).collect();
    let assets = planned.plan.assets.values();
    let customers = assets.filter_map(|asset| asset.get("customer")?.as_str());
    let customers: BTreeSet<&str> = customers.collect();
    let mut views = Vec::new();
    for customer in customers {
        let contacts = api.directory.contacts(customer, TOLD);
        for way in &ways {
            let has = contacts.iter().filter(|it| it.address(*way).is_some());
            views.push(ToldView {
                customer: customer.to_owned(),
                channel: way.name().to_owned(),
                people: u32::try_from(contacts.len()).unwrap_or(u32::MAX),
                reached: u32::try_from(has.count()).unwrap_or(u32::MAX),
            });
        }
    }
    Ok(views)
}

/// The role of those whom notices reach.
const TOLD: &str = "notices";

/// What its notices name.
fn ways(definition: &Definition) -> Vec<Way> {
    let programs = definition.programs.iter();
    let steps = programs.flat_map(|program| program.steps.iter().chain(&program.always));
    let notices = steps.filter_map(|step| step.notices.as_ref());
    notices.flat_map(|notices| notices.ways.clone()).collect()
}
