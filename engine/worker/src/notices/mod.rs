//! Messages to people, made in the commit that makes them due.
//!
//! `context` says what a message may name, `post` puts it on its way. Not here: rendering and sending.

mod asked;
mod context;
pub mod post;

use crate::scope::View;
use crate::turn::{Hold, Turn};
use crate::{Driver, Trouble};
use hostler_core::effect::Effect;
use hostler_core::event::Stage;
use hostler_core::mail::{Announcement, Recipient};
use serde_json::Value;
use std::collections::BTreeMap;

/// Contacts of one customer, or staff behind one role, that one notice reaches.
const RECIPIENTS_MAX: usize = 50;

/// Keys of the present step's items by the customer who owns them.
type Shares = BTreeMap<String, Vec<String>>;

impl Driver {
    /// What the turn tells people.
    pub(crate) async fn announcements(
        &self,
        hold: &Hold,
        turn: &Turn,
    ) -> Result<Vec<Announcement>, Trouble> {
        let tells = |effect: &&Effect| {
            matches!(
                effect,
                Effect::Notice { .. } | Effect::Report { .. } | Effect::Asked { .. }
            )
        };
        if !turn.effects.iter().any(|effect| tells(&effect)) {
            return Ok(Vec::new());
        }
        let view = View::of(self, &turn.lane, hold.now_ms).await?;
        let shares = self.shares(&view).await?;
        let mut announcements = Vec::new();
        for effect in turn.effects.iter().filter(tells) {
            match effect {
                Effect::Notice {
                    stage,
                    customer,
                    template,
                } => {
                    let keys = shares.get(customer).map_or(&[][..], Vec::as_slice);
                    let notice = self.notice(&view, *stage, customer, template, keys);
                    announcements.push(notice.await?);
                }
                Effect::Report {
                    template,
                    to,
                    about,
                } => announcements.extend(self.reports(&view, template, to, about)),
                Effect::Asked { asked_ms, already } => {
                    announcements.extend(self.asked(&view, *asked_ms, already));
                }
                _ => {}
            }
        }
        Ok(announcements)
    }

    async fn shares(&self, view: &View<'_>) -> Result<Shares, Trouble> {
        let mut shares = Shares::new();
        for item in self.items(view.lane).await?.iter() {
            let customers = item
                .groups
                .iter()
                .filter_map(|group| group.strip_prefix("customer="));
            for customer in customers {
                let keys = shares.entry(customer.to_owned()).or_default();
                keys.push(item.key.clone());
            }
        }
        Ok(shares)
    }

    /// To every contact of the customer, with only that customer's assets.
    async fn notice(
        &self,
        view: &View<'_>,
        stage: Stage,
        customer: &str,
        template: &str,
        keys: &[String],
    ) -> Result<Announcement, Trouble> {
        let contacts = self.parts.directory.contacts(customer, "notices");
        let to = contacts
            .into_iter()
            .take(RECIPIENTS_MAX)
            .map(|contact| Recipient {
                person: contact.person,
                name: contact.name,
                address: contact.mail,
            });
        Ok(Announcement {
            run: view.lane.opening.run,
            lane: view.lane.id(),
            realm: self.parts.directory.realm().to_owned(),
            customer: Some(customer.to_owned()),
            stage,
            template: template.to_owned(),
            definition: view.lane.opening.definition,
            context: self.context(view, stage, customer, keys).await?,
            calendar: context::calendar(view, stage, customer),
            to: to.collect(),
            question: None,
        })
    }

    /// To staff with all servers of the run, to a customer's people with that customer's.
    fn reports(
        &self,
        view: &View<'_>,
        template: &str,
        to: &[String],
        about: &Value,
    ) -> Vec<Announcement> {
        let directory = &self.parts.directory;
        let people = to.iter().flat_map(|to| directory.people_with(to));
        let mut readers: BTreeMap<Vec<String>, BTreeMap<String, Recipient>> = BTreeMap::new();
        for person in people
            .take(RECIPIENTS_MAX)
            .filter_map(|person| directory.person(&person))
        {
            let recipient = Recipient {
                person: person.id.clone(),
                name: person.name,
                address: person.mail,
            };
            let of_customers = readers.entry(person.customers).or_default();
            of_customers.insert(person.id, recipient);
        }
        let announcement = |(customers, to): (Vec<String>, BTreeMap<String, Recipient>)| {
            let sees = |asset: &Value| {
                let customer = asset.get("customer").and_then(Value::as_str);
                customers.is_empty() || customer.is_some_and(|it| customers.iter().any(|c| c == it))
            };
            Announcement {
                run: view.lane.opening.run,
                lane: view.lane.id(),
                realm: directory.realm().to_owned(),
                customer: None,
                stage: Stage::Report,
                template: template.to_owned(),
                definition: view.lane.opening.definition,
                context: context::report(self, view, about, &sees),
                calendar: None,
                to: to.into_values().collect(),
                question: None,
            }
        };
        readers.into_iter().map(announcement).collect()
    }
}
