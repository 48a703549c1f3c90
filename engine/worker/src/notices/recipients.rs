//! Who is told of a stage: all who have a customer's notices, those who had the announcement, or their stand-ins.
//!
//! Not here: what they are told, and who needs not have it.

use super::{Notice, RECIPIENTS_MAX, TOLD, alternate};
use crate::scope::View;
use crate::{Driver, Trouble};
use hostler_core::directory::Contact;
use hostler_core::event::Stage;
use hostler_core::mail::{Alternates, Announced, DeadContact, Recipient, Way, dead_document};
use hostler_ports::store::Document;

/// In which ways the customers of the present step are told, and whether their alternate contacts may be.
fn ways(view: &View<'_>) -> (Vec<Way>, bool) {
    let program = view.program();
    let step = program.as_ref().and_then(|program| view.step(program));
    let notices = step.and_then(|step| step.notices.as_ref());
    notices.map_or_else(Default::default, |notices| {
        (notices.ways.clone(), notices.alternates)
    })
}

fn recipient(contact: &Contact, way: Way, address: &str) -> Recipient {
    Recipient {
        person: contact.person.clone(),
        name: contact.name.clone(),
        address: address.to_owned(),
        way,
        alternate: false,
    }
}

impl Driver {
    /// Whom this stage is told.
    pub(super) async fn recipients(
        &self,
        view: &View<'_>,
        notice: &Notice<'_>,
        was: Option<&Announced>,
    ) -> Result<Vec<Recipient>, Trouble> {
        let (ways, may_fall_back) = ways(view);
        if let Some(people) = notice.instead {
            let mut told = self.alternates(notice.customer, &ways).await?;
            told.retain(|to| people.contains(&to.person));
            return Ok(told);
        }
        if let Some(was) = was {
            return Ok(was.to.clone());
        }
        let mut contacts = self.parts.directory.contacts(notice.customer, TOLD);
        contacts.truncate(RECIPIENTS_MAX);
        let mut told = self.reachable(&contacts, &ways).await?;
        if may_fall_back {
            let was = self.told_last(view, notice.template, notice.customer);
            let was = was.await?.unwrap_or_default();
            let stands_in =
                |to: &Recipient| to.alternate && told.iter().all(|it| it.person != to.person);
            let stand_ins: Vec<_> = was.to.into_iter().filter(stands_in).collect();
            told.extend(stand_ins);
        }
        Ok(told)
    }

    pub(super) fn alternates_of(&self, view: &View<'_>, notice: &Notice<'_>) -> Alternates {
        let kept = || ways(view).1 && !alternate::contacts(self, notice.customer).is_empty();
        match notice.stage {
            Stage::Scheduled if notice.instead.is_some() => Alternates::Told,
            Stage::Scheduled if kept() => Alternates::Kept,
            _ => Alternates::None,
        }
    }

    /// Each in the ways that the runbook names. What goes to an address whose mail came back goes there no more until
    /// somebody has made sure of it.
    pub(super) async fn reachable(
        &self,
        contacts: &[Contact],
        ways: &[Way],
    ) -> Result<Vec<Recipient>, Trouble> {
        let told: Vec<(&Contact, Recipient)> = contacts
            .iter()
            .flat_map(|contact| {
                let ways = contact.ways(ways).into_iter();
                ways.map(move |(way, address)| (contact, recipient(contact, way, address)))
            })
            .collect();
        let keys = told.iter().map(|(_, to)| dead_document(&to.address));
        let keys: Vec<_> = keys.collect();
        let dead = match keys.is_empty() {
            true => Vec::new(),
            false => self.parts.store.documents(&keys).await?,
        };
        let living = |((contact, _), dead): &((&Contact, Recipient), Option<Document>)| {
            let dead = dead.as_ref().and_then(|dead| dead.body.as_deref());
            let dead = dead.and_then(|dead| serde_json::from_str::<DeadContact>(dead).ok());
            dead.is_none_or(|dead| !dead.holds(contact.confirmed.as_deref()))
        };
        let told = told.into_iter().zip(dead).filter(living);
        Ok(told.map(|((_, recipient), _)| recipient).collect())
    }
}
