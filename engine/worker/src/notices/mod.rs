//! Messages to people, made in the commit that makes them due.
//!
//! `context` says what a message may name, `post` puts it on its way. Not here: rendering and sending.

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
        let tells =
            |effect: &&Effect| matches!(effect, Effect::Notice { .. } | Effect::Report { .. });
        if !turn.effects.iter().any(|effect| tells(&effect)) {
            return Ok(Vec::new());
        }
        let view = View::of(self, &turn.lane, hold.now_ms).await?;
        let shares = self.shares(&view).await?;
        let mut announcements = Vec::new();
        for effect in turn.effects.iter().filter(tells) {
            announcements.push(match effect {
                Effect::Notice {
                    stage,
                    customer,
                    template,
                } => {
                    let keys = shares.get(customer).map_or(&[][..], Vec::as_slice);
                    self.notice(&view, *stage, customer, template, keys).await?
                }
                Effect::Report {
                    template,
                    to,
                    about,
                } => self.report(&view, template, to, about),
                _ => continue,
            });
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
            realm: self.parts.directory.realm().to_owned(),
            customer: Some(customer.to_owned()),
            stage,
            template: template.to_owned(),
            definition: view.lane.opening.definition,
            context: self.context(view, stage, customer, keys).await?,
            calendar: context::calendar(view, stage, customer),
            to: to.collect(),
        })
    }

    fn report(
        &self,
        view: &View<'_>,
        template: &str,
        to: &[String],
        about: &Value,
    ) -> Announcement {
        let directory = &self.parts.directory;
        let people = to.iter().flat_map(|to| directory.people_with(to));
        let people: BTreeMap<String, Recipient> = people
            .take(RECIPIENTS_MAX)
            .filter_map(|person| directory.person(&person))
            .map(|person| {
                let recipient = Recipient {
                    person: person.id.clone(),
                    name: person.name,
                    address: person.mail,
                };
                (person.id, recipient)
            })
            .collect();
        Announcement {
            run: view.lane.opening.run,
            realm: directory.realm().to_owned(),
            customer: None,
            stage: Stage::Report,
            template: template.to_owned(),
            definition: view.lane.opening.definition,
            context: self.report_context(view, about),
            calendar: None,
            to: people.into_values().collect(),
        }
    }
}
