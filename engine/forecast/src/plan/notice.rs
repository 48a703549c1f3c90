//! The clock of notices: from when on a customer may be disturbed, and when its notice must leave.
//!
//! Not here: sending, and proof of delivery: a notice is taken to arrive when it leaves.

use super::consent::{self, Silence};
use super::cycle::days_after;
use crate::input::{Customer, Terms};
use crate::moment::Moment;
use hostler_calendar::deadline::Lead;
use std::collections::BTreeMap;

/// Business days that are tried after a count before it is given up: a count from a day off begins
/// on another day than the count back to it.
const TRIES_MAX: i64 = 400;

/// What is the same for all assets of a customer.
#[derive(Clone, Debug)]
pub struct Told {
    /// The first instant that a notice sent at `ready` allows. None: its calendar has not enough
    /// business days.
    pub legal: Option<Moment>,
    /// With that notice.
    pub silence: Silence,
    /// Persons who would be told.
    pub people: Vec<String>,
    /// Why nobody can be; the contacts are there but old.
    pub stale: Option<String>,
}

impl Told {
    /// None of them.
    pub fn nobody(&self) -> bool {
        self.people.is_empty() && self.stale.is_none()
    }
}

/// For each customer.
pub fn all(
    customers: &BTreeMap<String, Customer>,
    terms: &Terms,
    ready: Moment,
) -> BTreeMap<String, Told> {
    let told = |customer: &Customer| Told {
        legal: legal(customer, terms, ready),
        silence: consent::silence(customer, ready),
        people: fresh(customer, terms, ready),
        stale: stale(customer, terms, ready),
    };
    let all = customers.iter();
    all.map(|(id, customer)| (id.clone(), told(customer)))
        .collect()
}

/// The last moment for the notice of work that begins at `opens`.
pub fn notice_by(customer: &Customer, terms: &Terms, opens: Moment) -> Option<Moment> {
    let by = terms
        .lead
        .before(opens.0, &customer.business, &customer.zone);
    by.map(Moment)
}

fn legal(customer: &Customer, terms: &Terms, ready: Moment) -> Option<Moment> {
    let count = match terms.lead {
        Lead::Elapsed(ms) => return Some(ready.plus(ms)),
        Lead::BusinessDays(count) => count,
    };
    let (local, _) = customer.zone.wall(ready.0);
    let first = customer.business.add(local.date(), i32::from(count))?;
    (0..TRIES_MAX).find_map(|days| {
        let day = days_after(first, days)?;
        let begins = Moment(customer.zone.instant(day.to_datetime(local.time()))?);
        (notice_by(customer, terms, begins)? >= ready).then_some(begins)
    })
}

fn fresh(customer: &Customer, terms: &Terms, ready: Moment) -> Vec<String> {
    let today = customer.zone.wall(ready.0).0.date();
    let days = i64::from(terms.contact_fresh_days);
    let is_fresh = |confirmed| days_after(confirmed, days).is_some_and(|until| today <= until);
    let all = customer.contacts.iter();
    let mut people: Vec<String> = all
        .filter(|contact| contact.confirmed.is_some_and(is_fresh))
        .map(|contact| contact.person.clone())
        .collect();
    people.sort();
    people.dedup();
    people
}

/// Who is there but too old, when nobody is fresh.
fn stale(customer: &Customer, terms: &Terms, ready: Moment) -> Option<String> {
    if customer.contacts.is_empty() || !fresh(customer, terms, ready).is_empty() {
        return None;
    }
    let mut all: Vec<String> = customer
        .contacts
        .iter()
        .map(|contact| match contact.confirmed {
            Some(day) => format!("{} (confirmed {day})", contact.person),
            None => format!("{} (never confirmed)", contact.person),
        })
        .collect();
    all.sort();
    Some(all.join(", "))
}
