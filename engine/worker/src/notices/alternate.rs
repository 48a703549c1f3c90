//! Alternate contacts: whom a customer has for the case that none of those who have its notices can be reached.
//!
//! Whoever learns of the last failure notes it, in the commit of that very failure (outbox, returns, or the announcement
//! itself where there was nobody to tell); the lane that announces watches the note. Not here: what counts as a failure
//! (core), and what they are told (`mod`).

use super::{Outlook, RECIPIENTS_MAX, TOLD};
use crate::scope::View;
use crate::{Driver, Trouble};
use hostler_core::command::{Input, StandIns};
use hostler_core::definition::{Definition, NoticePlan};
use hostler_core::directory::Contact;
use hostler_core::gate::{Told, told_document};
use hostler_core::lane::{CustomerShare, Lane};
use hostler_core::mail::{ALTERNATE, Announcement, Recipient, Unreached, Way, unreached_document};
use hostler_ports::store::{DocumentWrite, Expect, IndexChange, Store};
use serde_json::json;
use std::collections::BTreeSet;

/// Customers whose alternate contacts one decision tells; the next one tells others.
const STAND_INS_MAX: usize = 20;

/// Those of a customer who are not told first anyway.
pub(super) fn contacts(driver: &Driver, customer: &str) -> Vec<Contact> {
    let contacts = driver.parts.directory.contacts(customer, ALTERNATE);
    let is_first = |contact: &Contact| contact.roles.iter().any(|role| role == TOLD);
    let alternates = contacts.into_iter().filter(|contact| !is_first(contact));
    alternates.take(RECIPIENTS_MAX).collect()
}

/// From now on the lane that announces is rung when nobody of a customer has it.
pub(crate) fn watches(announcements: &[Announcement]) -> Vec<IndexChange> {
    let document = |of: &Announcement| Some((of.unreached()?, of.lane));
    let documents: BTreeSet<_> = announcements.iter().filter_map(document).collect();
    let watch = |(document, lane): (String, _)| IndexChange::watch(&document, lane);
    documents.into_iter().map(watch).collect()
}

/// Notes in this document that nobody of these customers has what was announced. None: that is known.
///
/// # Errors
/// The store's.
pub(crate) async fn note(
    store: &dyn Store,
    document: &str,
    customers: impl IntoIterator<Item = String>,
) -> Result<Option<(Expect, DocumentWrite)>, Trouble> {
    let key = document.to_owned();
    let found = store.documents(std::slice::from_ref(&key)).await?;
    let found = found.into_iter().flatten().next();
    let version = found.as_ref().map_or(0, |found| found.version);
    let body = found.and_then(|found| found.body);
    let read = body.map(|body| serde_json::from_str::<Unreached>(&body));
    let read = read.transpose();
    let read = read.map_err(|fault| Trouble::Unreadable(format!("{document}: {fault}")))?;
    let mut unreached = read.unwrap_or_default();
    let known = unreached.customers.len();
    unreached.customers.extend(customers);
    if unreached.customers.len() == known {
        return Ok(None);
    }
    let document = key.clone();
    let body = Some(json!(unreached).to_string());
    Ok(Some((
        Expect { document, version },
        DocumentWrite { key, body },
    )))
}

/// The notices of the present step, where customers' alternate contacts may still be told of it.
fn may_fall_back(lane: &Lane, definition: &Definition) -> Option<NoticePlan> {
    let children = lane.children.as_deref()?;
    let mut shares = children.customers.values();
    if lane.stop.is_some() || !shares.any(CustomerShare::may_fall_back) {
        return None;
    }
    let program = lane.program(definition)?;
    let notices = lane.step(&program)?.notices.as_ref()?;
    notices.alternates.then(|| notices.clone())
}

impl Driver {
    /// Customers of whom nobody has what the lane announced, with those who hear of it instead. None: there are none.
    pub(crate) async fn unreached(
        &self,
        lane: &Lane,
        definition: &Definition,
        now_ms: i64,
    ) -> Result<Option<Input>, Trouble> {
        let Some(notices) = may_fall_back(lane, definition) else {
            return Ok(None);
        };
        let document = unreached_document(lane.id(), &notices.template);
        let Some(noted) = self.read::<Unreached>(&document).await? else {
            return Ok(None);
        };
        let shares = lane.children.as_deref().map(|children| &children.customers);
        let waits = |customer: &&String| {
            let share = shares.and_then(|shares| shares.get(*customer));
            share.is_some_and(CustomerShare::may_fall_back)
        };
        let mut found = Vec::new();
        for customer in noted.customers.iter().filter(waits) {
            let document = told_document(lane.opening.run, &notices.template, customer);
            let told = self.read::<Told>(&document).await?;
            if told.is_some_and(|told| told.falls_back()) && found.len() < STAND_INS_MAX {
                found.push(customer);
            }
        }
        if found.is_empty() {
            return Ok(None);
        }
        let view = View::of(self, lane, now_ms).await?;
        let mut unreached = Vec::new();
        for customer in found {
            unreached.push(self.stand_ins(&view, &notices, customer).await?);
        }
        Ok(Some(Input::Unreached(unreached)))
    }

    /// Who of the customer can still be reached, and when the work is now.
    async fn stand_ins(
        &self,
        view: &View<'_>,
        notices: &NoticePlan,
        customer: &str,
    ) -> Result<StandIns, Trouble> {
        let program = view.program();
        let step = program.as_ref().and_then(|program| view.step(program));
        let outlook = match step {
            Some(step) => Outlook::of(view, step).await?,
            None => None,
        };
        let about = (notices.template.as_str(), customer);
        let was = self.told_last(view, about.0, about.1).await?;
        let now = self.prospect(view, outlook.as_ref(), about, was.as_ref());
        let slot = now.await?.slot;
        let told = self.alternates(customer, &notices.ways).await?;
        let mut people: Vec<_> = told.into_iter().map(|to| to.person).collect();
        // Somebody may be told in several ways, one behind the other.
        people.dedup();
        Ok(StandIns {
            customer: customer.to_owned(),
            slot,
            people,
        })
    }

    /// Alternate contacts of the customer who can be reached.
    pub(super) async fn alternates(
        &self,
        customer: &str,
        ways: &[Way],
    ) -> Result<Vec<Recipient>, Trouble> {
        let mut told = self.reachable(&contacts(self, customer), ways).await?;
        told.iter_mut().for_each(|to| to.alternate = true);
        Ok(told)
    }
}
