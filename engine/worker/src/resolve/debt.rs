//! What a question owes: over which assets, whose they are, until when.
//!
//! Not here: opening and settling a debt (core), and what one holds (gates).

use super::{Fault, Outcome};
use crate::gates::debt::{customer_of, ids};
use crate::scope::{View, asset_of};
use hostler_core::debt::{ASSETS_MAX, DEBTS_MAX, Debt, Debts, debts_document};
use hostler_core::decide::CUSTOMERS_MAX;
use hostler_core::definition::Owing;
use std::collections::{BTreeMap, BTreeSet};

/// What is owed; with nothing in it where the list is empty.
pub async fn owed(
    view: &View<'_>,
    owing: &Owing,
    says: &str,
    due_ms: Option<i64>,
) -> Outcome<Box<Debt>> {
    let assets = assets(view, owing).await?;
    if assets.len() > ASSETS_MAX {
        return Err(Fault::Step(format!(
            "a debt over {} assets; {ASSETS_MAX} is the limit: name fewer with `over`",
            assets.len()
        )));
    }
    let mut owed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for asset in assets {
        let customer = customer_of(view, &asset).to_owned();
        owed.entry(customer).or_default().insert(asset);
    }
    room(view, &owed).await?;
    Ok(Box::new(Debt {
        says: says.to_owned(),
        owed,
        blocks: owing.blocks.clone(),
        cured_by: owing.cured_by.clone(),
        since_ms: view.now_ms,
        due_ms,
    }))
}

/// The list that the step names; without one the lane's asset, or all of the run's.
async fn assets(view: &View<'_>, owing: &Owing) -> Outcome<BTreeSet<String>> {
    let Some(over) = &owing.over else {
        let own = asset_of(view.lane, &view.plan).map(|asset| BTreeSet::from([asset]));
        return Ok(own.unwrap_or_else(|| view.plan.assets.keys().cloned().collect()));
    };
    let list = view.value(over).await?;
    let named = ids(&list).filter(|ids| ids.iter().all(|id| view.plan.assets.contains_key(id)));
    named.ok_or_else(|| Fault::Step("`over` of a debt is no list of assets of this run".to_owned()))
}

/// Every customer has room for one more.
async fn room(view: &View<'_>, owed: &BTreeMap<String, BTreeSet<String>>) -> Outcome<()> {
    if owed.len() > CUSTOMERS_MAX {
        return Err(Fault::Step(format!(
            "a debt over assets of {} customers; {CUSTOMERS_MAX} is the limit: name fewer with `over`",
            owed.len()
        )));
    }
    for customer in owed.keys() {
        let document = debts_document(customer);
        let read = view.driver.document::<Debts>(&document).await;
        let (_, debts) = read.map_err(Fault::Worker)?;
        if debts.is_some_and(|debts| debts.debts.len() >= DEBTS_MAX) {
            return Err(Fault::Step(format!(
                "{customer} has {DEBTS_MAX} open debts; settle some: `hostler debt list`"
            )));
        }
    }
    Ok(())
}
