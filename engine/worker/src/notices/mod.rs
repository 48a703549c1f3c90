//! Messages to people, made in the commit that makes them due.
//!
//! `context` says what a message may name, `prospect` when the work happens, `progress` how it goes, `alternate` who
//! stands in for those who are not reached, `recipients` who is told, `post` puts messages on their way.
//! Not here: rendering and sending.

pub(crate) mod alternate;
mod asked;
mod context;
mod leases;
mod opening;
mod optional;
pub mod post;
mod progress;
mod prospect;
mod recipients;

pub(crate) use context::date;
pub(crate) use prospect::Outlook;

use crate::scope::View;
use crate::turn::{Hold, Turn};
use crate::{Driver, Trouble};
use hostler_core::directory::PersonId;
use hostler_core::effect::Effect;
use hostler_core::event::Stage;
use hostler_core::lane::{Lane, PROGRESS_MAX, Rolling, Slot};
use hostler_core::mail::{Alternates, Announced, Announcement, LEASE_ENDS, Recipient, Way};
use serde_json::Value;
use std::collections::BTreeMap;

/// Contacts of one customer, or staff behind one role, that one notice reaches.
pub(crate) const RECIPIENTS_MAX: usize = 50;
/// The role of those whom notices reach.
pub(crate) const TOLD: &str = "notices";

/// Keys of the present step's items by the customer who owns them.
type Shares = BTreeMap<String, Vec<String>>;

/// What is kept of this notice for those that speak of it later.
fn announced(
    notice: &Notice<'_>,
    was: Option<Announced>,
    now: Option<Announced>,
    to: &[Recipient],
) -> Option<Box<Announced>> {
    // Who stands in for others is told beside them from then on.
    let before = was.as_ref().filter(|_| notice.instead.is_some());
    let before = before.map_or_else(Vec::new, |was| was.to.clone());
    let cancelled = notice.stage == Stage::Cancelled;
    let announced = match cancelled {
        true => was.unwrap_or_default(),
        false => now?,
    };
    Some(Box::new(Announced {
        revision: notice.revision,
        slot: notice.slot,
        to: before.into_iter().chain(to.iter().cloned()).collect(),
        cancelled,
        ..announced
    }))
}

/// What one customer hears.
struct Notice<'a> {
    stage: Stage,
    customer: &'a str,
    template: &'a str,
    revision: u32,
    /// When the work happens, as it is known now.
    slot: Option<Slot>,
    /// Where the customer stands in the messages on how it goes.
    rolling: Option<Rolling>,
    /// Alternate contacts who alone hear it; none: everybody does who is told of this stage.
    instead: Option<&'a [PersonId]>,
    /// The customer's items of the step.
    keys: &'a [String],
}

impl Notice<'_> {
    /// Which message of its stage it is, in the thread of its lane: a step that is entered anew counts on.
    fn revision(&self, lane: &Lane) -> u32 {
        match (self.stage, self.rolling) {
            (Stage::Progress, Some(rolling)) => {
                let earlier = lane.visit.saturating_mul(PROGRESS_MAX);
                earlier.saturating_add(rolling.number)
            }
            _ => self.revision,
        }
    }

    /// When it is too late to say it: it has begun, or the next message says more.
    fn until_ms(&self) -> Option<i64> {
        match self.stage {
            Stage::Reminder => self.slot.map(|slot| slot.starts_ms),
            Stage::Progress => self.rolling?.next_ms,
            _ => None,
        }
    }
}

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
        // What a step tells at its end is told of what it was.
        let of_step = |lane: &Lane| lane.children.is_some();
        let told_of = Some(&turn.lane).filter(|lane| of_step(lane));
        let told_of = told_of.unwrap_or(&hold.lane);
        let told_of = View::of(self, told_of, hold.now_ms).await?;
        let view = View::of(self, &turn.lane, hold.now_ms).await?;
        let shares = self.shares(&told_of).await?;
        let outlook = self.outlook(&told_of, turn).await?;
        let mut announcements = Vec::new();
        for effect in turn.effects.iter().filter(tells) {
            match effect {
                Effect::Notice {
                    stage,
                    customer,
                    template,
                    revision,
                    slot,
                    rolling,
                    instead,
                } => {
                    let notice = Notice {
                        stage: *stage,
                        customer,
                        template,
                        revision: *revision,
                        slot: *slot,
                        rolling: *rolling,
                        instead: instead.as_deref(),
                        keys: shares.get(customer).map_or(&[][..], Vec::as_slice),
                    };
                    let notice = self.notice(&told_of, outlook.as_ref(), &notice);
                    announcements.push(notice.await?);
                }
                Effect::Report {
                    template,
                    to,
                    about,
                } if template == LEASE_ENDS => {
                    announcements.extend(self.lease_ends(&view, to, about));
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

    /// Only where somebody is told when something will happen.
    async fn outlook(&self, view: &View<'_>, turn: &Turn) -> Result<Option<Outlook>, Trouble> {
        let announces = |effect: &Effect| {
            let looks_ahead = |stage: &Stage| matches!(stage, Stage::Scheduled | Stage::Changed);
            matches!(effect, Effect::Notice { stage, .. } if looks_ahead(stage))
        };
        let program = view.program();
        match program.as_ref().and_then(|program| view.step(program)) {
            Some(step) if turn.effects.iter().any(announces) => Outlook::of(view, step).await,
            _ => Ok(None),
        }
    }

    /// With only the customer's assets: the first word to every contact, later ones to those who were told.
    async fn notice(
        &self,
        view: &View<'_>,
        outlook: Option<&Outlook>,
        notice: &Notice<'_>,
    ) -> Result<Announcement, Trouble> {
        let was = self.was_told(view, notice).await?;
        let now = match notice.stage {
            Stage::Scheduled | Stage::Changed => {
                let about = (notice.template, notice.customer);
                Some(self.prospect(view, outlook, about, was.as_ref()).await?)
            }
            _ => None,
        };
        let to = self.recipients(view, notice, was.as_ref()).await?;
        let can_be = |outlook: &Outlook| outlook.can_be_put_off(view, notice.customer);
        let defers = notice.stage == Stage::Scheduled && outlook.is_some_and(can_be);
        let asks = |outlook: &Outlook| outlook.is_asked(view, notice.customer);
        let looks_ahead = matches!(notice.stage, Stage::Scheduled | Stage::Changed);
        Ok(Announcement {
            run: view.lane.opening.run,
            lane: view.lane.id(),
            realm: self.parts.directory.realm().to_owned(),
            customer: Some(notice.customer.to_owned()),
            stage: notice.stage,
            template: notice.template.to_owned(),
            definition: view.lane.opening.definition,
            context: self
                .context(view, notice, was.as_ref(), now.as_ref())
                .await?,
            alternates: self.alternates_of(view, notice),
            calendar: context::calendar(view, notice),
            revision: notice.revision(view.lane),
            until_ms: notice.until_ms(),
            announced: announced(notice, was, now, &to),
            to,
            question: None,
            optional: self.is_optional(view, notice.stage),
            defers,
            agrees: looks_ahead && outlook.is_some_and(asks),
        })
    }

    /// What those had who are told now of what they know already; none: nobody is asked for it, or nobody knows.
    async fn was_told(
        &self,
        view: &View<'_>,
        notice: &Notice<'_>,
    ) -> Result<Option<Announced>, Trouble> {
        match notice.stage {
            Stage::Changed | Stage::Reminder | Stage::Progress | Stage::Cancelled => {
                self.told_last(view, notice.template, notice.customer).await
            }
            _ if notice.instead.is_some() => {
                self.told_last(view, notice.template, notice.customer).await
            }
            _ => Ok(None),
        }
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
                way: Way::Mail,
                alternate: false,
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
                revision: 0,
                announced: None,
                until_ms: None,
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
                optional: false,
                defers: false,
                agrees: false,
                alternates: Alternates::None,
            }
        };
        readers.into_iter().map(announcement).collect()
    }
}
