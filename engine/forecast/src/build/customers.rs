//! Customers: whom to tell, what is asked of them, and how often they may be disturbed.
//!
//! Not here: what follows from it (`plan`).

use crate::fault::ForecastFault;
use crate::input::{Asked, Asset, Budget, Contact, Customer};
use hostler_core::directory::Directory as _;
use hostler_estate::Estate;
use hostler_estate::policies::{Per, Within};
use std::collections::{BTreeMap, BTreeSet};

/// Those that hold work of this class, and are shared by all servers of the customer.
fn budgets(estate: &Estate, customer: &str, class: &str) -> Vec<Budget> {
    let all = estate
        .policies
        .iter()
        .flat_map(|policies| &policies.budgets);
    let binds = all.filter(|(_, budget)| {
        let its = budget.customers.is_empty() || budget.customers.contains(customer);
        its && budget.classes.contains(class) && budget.per == Per::Customer
    });
    let row = |(name, budget): (&String, &hostler_estate::policies::Budget)| Budget {
        name: name.clone(),
        disruptions: budget.disruptions,
        downtime_ms: budget.downtime_ms,
        within_ms: match budget.within {
            Within::Month => None,
            Within::Rolling(ms) => Some(ms),
        },
    };
    binds.map(row).collect()
}

/// What the runbook has to do with consent.
pub struct Asking<'a> {
    pub class: &'a str,
    /// It tells its customers of the work.
    pub announced: bool,
}

/// By id, those that have one of these servers.
pub fn customers(
    estate: &Estate,
    assets: &[Asset],
    asking: &Asking<'_>,
) -> Result<BTreeMap<String, Customer>, ForecastFault> {
    let wanted: BTreeSet<&String> = assets.iter().map(|asset| &asset.customer).collect();
    let all = estate.customers.iter();
    let own = all.filter(|(id, _)| wanted.contains(id));
    own.map(|(id, customer)| Ok((id.clone(), row(estate, customer, asking)?)))
        .collect()
}

fn row(
    estate: &Estate,
    customer: &hostler_estate::Customer,
    asking: &Asking<'_>,
) -> Result<Customer, ForecastFault> {
    let Asking { class, announced } = *asking;
    let days = estate.days_of(&customer.id);
    let (business, zone) = days.ok_or_else(|| {
        let id = &customer.id;
        ForecastFault::Text(format!(
            "the zone or the business days of {id} cannot be read"
        ))
    })?;
    let required = estate.consent(&customer.id, class);
    Ok(Customer {
        name: customer.name.clone(),
        zone,
        business,
        contacts: contacts(customer),
        consent: required.map(|required| Asked {
            required,
            announced,
        }),
        disruptions_per_month: customer.reboots(),
        budgets: budgets(estate, &customer.id, class),
    })
}

fn contacts(customer: &hostler_estate::Customer) -> Vec<Contact> {
    let told = customer.people.iter();
    let told = told.filter(|contact| contact.roles.iter().any(|role| role == "notices"));
    told.map(|contact| Contact {
        person: contact.person.clone(),
        confirmed: contact.confirmed.as_ref().and_then(|day| day.parse().ok()),
    })
    .collect()
}
