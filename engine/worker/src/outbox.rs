//! Messages on their way out: claimed and fenced like lanes, at least once, under one message id. `record` says what a
//! hand-over leaves behind.

mod record;

pub(crate) use record::{lost, queued, row};

use crate::Trouble;
use crate::notices::post;
use hostler_core::definition::Definition;
use hostler_core::mail::{
    Announced, Announcement, HandOver, Link, Mail, MailEvent, MailSpec, ReturnTag, bounced_document,
};
use hostler_ports::channel::{Channel, Compose, Delivery, Draft, Message, Unsubscribe};
use hostler_ports::clock::Ids;
use hostler_ports::leave::UNSUBSCRIBE;
use hostler_ports::store::{Batch, Claim, Confirmed, Expect, Loaded, Store, Then};
use serde_json::{Value, json};
use std::sync::Arc;
use tracing::warn;

/// What an outbox works with.
pub struct OutboxParts {
    pub store: Arc<dyn Store>,
    pub channel: Arc<dyn Channel>,
    pub compose: Arc<dyn Compose>,
    /// None: messages that ask say how to decide by the command line.
    pub links: Option<Links>,
    /// Each envelope has a tag of this chance in the address to which it comes back; none: all come back to the same.
    pub tags: Option<Arc<dyn Ids>>,
}

/// What one hand-over has and no other.
#[derive(Default)]
struct Own {
    link: Option<Link>,
    tag: Option<ReturnTag>,
}

impl Own {
    /// As the message's log keeps it.
    fn events(&self, at_ms: i64) -> Vec<String> {
        let link = self.link.as_ref().map(Link::sha256);
        let link = link.map(|sha256| MailEvent::LinkMade { sha256, at_ms });
        let tag = self.tag.as_ref().map(ReturnTag::sha256);
        let tag = tag.map(|sha256| MailEvent::ReturnMade { sha256, at_ms });
        let made = link.into_iter().chain(tag);
        made.map(|made| json!(made).to_string()).collect()
    }
}

/// Links of messages that ask, or that the recipient need not have.
pub struct Links {
    /// Where people reach the engine: `https://runs.example`, without a slash at its end.
    pub base: String,
    /// An address that takes mail of those who want no more; none: the page alone does.
    pub leave: Option<String>,
    pub ids: Arc<dyn Ids>,
}

impl Links {
    fn address(&self, page: &str, link: &Link) -> String {
        format!("{}/{page}/{}", self.base, link.text())
    }

    /// How the recipient asks for no more like it; none for what they must have.
    fn way_out(&self, spec: &MailSpec, link: &Link) -> Option<Unsubscribe> {
        let text = link.text_in(spec.run);
        let mail = self.leave.clone();
        let mail = mail.map(|address| (address, format!("{UNSUBSCRIBE} {text}")));
        let link = format!("{}/notices/{text}", self.base);
        spec.optional.then_some(Unsubscribe { link, mail })
    }
}

/// Hands messages over.
pub struct Outbox {
    parts: OutboxParts,
}

impl Outbox {
    #[must_use]
    pub fn new(parts: OutboxParts) -> Arc<Self> {
        Arc::new(Self { parts })
    }

    /// Moves one claimed message. Never fails: what cannot be done now is claimed again.
    pub async fn drive(self: Arc<Self>, claim: Claim) {
        if let Err(trouble) = self.work(&claim).await {
            warn!(lane = %claim.lane, %trouble, "the message stays in the outbox");
        }
    }

    async fn work(&self, claim: &Claim) -> Result<(), Trouble> {
        let loaded = self
            .parts
            .store
            .load(claim.lane, 0)
            .await?
            .ok_or(Trouble::LeaseLost)?;
        let events = read_events(&loaded)?;
        if let Some(MailEvent::MailsPacked {
            announcements,
            at_ms,
        }) = events.first()
        {
            return self.unpack(claim, &loaded, announcements, *at_ms).await;
        }
        let mut mail = Mail::fold(&events).ok_or_else(|| {
            Trouble::Unreadable("the log does not begin with a message".to_owned())
        })?;
        let early = mail
            .retry_ms
            .is_some_and(|retry_ms| retry_ms > loaded.now_ms);
        if mail.settled || early {
            let then = if mail.settled { Then::End } else { Then::Park };
            return self.put_away(claim, &loaded, then).await;
        }
        let (stands_back, expect) = self.stands_back(&mail, loaded.now_ms).await?;
        if let Some(event) = stands_back {
            let version = loaded.header.version;
            mail.apply(&event);
            return self.record(claim, (&loaded, version), &mail, &event).await;
        }
        let tags = self.parts.tags.as_ref();
        let own = Own {
            link: self.link(&mail.spec),
            tag: tags.map(|ids| ReturnTag::new([ids.fresh(), ids.fresh()])),
        };
        let version = self.begin(claim, &loaded, &own, expect).await?;
        let outcome = self.hand_over(&mail, &own).await?;
        let event = mail.decide(outcome, loaded.now_ms);
        mail.apply(&event);
        self.record(claim, (&loaded, version), &mail, &event).await
    }

    /// A link of its own for this hand-over: what an earlier one had is in that message and nowhere else.
    fn link(&self, spec: &MailSpec) -> Option<Link> {
        let links = self.parts.links.as_ref()?;
        let asks = spec.question.as_ref();
        let asks = asks.is_some_and(|question| question.by_link);
        let wanted = asks || spec.defers.is_some() || spec.agrees || spec.optional;
        let wanted = wanted && self.parts.channel.is_private(&spec.to_address);
        wanted.then(|| Link::new(spec.lane, std::array::from_fn(|_| links.ids.fresh())))
    }

    /// The messages that were too many for one commit get their lanes; this one has done its work.
    async fn unpack(
        &self,
        claim: &Claim,
        loaded: &Loaded,
        announcements: &[Announcement],
        at_ms: i64,
    ) -> Result<(), Trouble> {
        let store = &*self.parts.store;
        let mut batch = Batch {
            inbox_used: loaded.inbox.len(),
            then: Then::End,
            ..Batch::default()
        };
        post::spread(store, at_ms, announcements, &mut batch).await?;
        let version = loaded.header.version;
        let done = store.commit(claim.lane, &claim.fence, version, batch).await;
        // Where somebody else has announced the same meanwhile, the next claim looks again.
        done.map(|_| ()).map_err(|_| Trouble::LeaseLost)
    }

    /// The message must not leave before everything that led to it is durable: a commit of our own
    /// is the newest, so confirming it confirms them all.
    /// So is what makes its link and its tag count. Gives the version of the lane behind it.
    async fn begin(
        &self,
        claim: &Claim,
        loaded: &Loaded,
        own: &Own,
        expect: Vec<Expect>,
    ) -> Result<u64, Trouble> {
        let events = own.events(loaded.now_ms);
        let after = loaded.header.version + events.len() as u64;
        let batch = Batch {
            events,
            in_call: Some(true),
            // It may be cancelled, or not be wanted any more, between the look and this commit: then it is looked at
            // again.
            expect,
            ..Batch::default()
        };
        let version = loaded.header.version;
        let begun = self
            .parts
            .store
            .commit(claim.lane, &claim.fence, version, batch)
            .await;
        let begun = begun.map_err(|_| Trouble::LeaseLost)?;
        match self.parts.store.confirm(begun.seq).await? {
            Confirmed::Durable => Ok(after),
            Confirmed::Unknown => Err(Trouble::Unconfirmed),
        }
    }

    /// What stands against handing it over, and what must still be so when that begins.
    async fn stands_back(
        &self,
        mail: &Mail,
        now_ms: i64,
    ) -> Result<(Option<MailEvent>, Vec<Expect>), Trouble> {
        let store = &self.parts.store;
        let (spared, muted) = self.spared(mail, now_ms).await?;
        if spared.is_some() {
            return Ok((spared, Vec::new()));
        }
        let first = match mail.spec.follows {
            None => None,
            Some(first) => match store.load(first, 0).await? {
                Some(loaded) => self.with_return(Mail::fold(&read_events(&loaded)?)).await?,
                None => None,
            },
        };
        let (announced, expect) = match &mail.spec.announced {
            None => (None, None),
            Some(document) => {
                let found = store.documents(std::slice::from_ref(document)).await?;
                let found = found.into_iter().flatten().next();
                let version = found.as_ref().map_or(0, |found| found.version);
                let body = found.and_then(|found| found.body);
                let read = |body: String| serde_json::from_str::<Announced>(&body);
                let announced = body.map(read).transpose();
                let announced =
                    announced.map_err(|fault| Trouble::Unreadable(fault.to_string()))?;
                let document = document.clone();
                (announced, Some(Expect { document, version }))
            }
        };
        let event = mail.stands_back(first.as_ref(), announced.as_ref(), now_ms);
        Ok((event, expect.into_iter().chain(muted).collect()))
    }

    /// Whether the recipient has asked to be spared it, and from what that was read.
    async fn spared(
        &self,
        mail: &Mail,
        now_ms: i64,
    ) -> Result<(Option<MailEvent>, Option<Expect>), Trouble> {
        let Some(document) = mail.muted_by() else {
            return Ok((None, None));
        };
        let store = &self.parts.store;
        let found = store.documents(std::slice::from_ref(&document)).await?;
        let found = found.into_iter().flatten().next();
        let version = found.as_ref().map_or(0, |found| found.version);
        let muted = found.is_some_and(|found| found.body.is_some());
        let event = muted.then(|| Mail::spared(now_ms));
        Ok((event, Some(Expect { document, version })))
    }

    /// A message as it is with what came back of it.
    async fn with_return(&self, mail: Option<Mail>) -> Result<Option<Mail>, Trouble> {
        let Some(mut mail) = mail else {
            return Ok(None);
        };
        let key = bounced_document(mail.spec.lane);
        let found = self.parts.store.documents(&[key]).await?;
        let body = found.into_iter().flatten().find_map(|found| found.body);
        let event = body.map(|body| serde_json::from_str::<MailEvent>(&body));
        let event = event.transpose();
        let event = event.map_err(|fault| Trouble::Unreadable(fault.to_string()))?;
        event.iter().for_each(|event| mail.apply(event));
        Ok(Some(mail))
    }

    async fn put_away(&self, claim: &Claim, loaded: &Loaded, then: Then) -> Result<(), Trouble> {
        let batch = Batch {
            inbox_used: loaded.inbox.len(),
            then,
            ..Batch::default()
        };
        let version = loaded.header.version;
        let done = self
            .parts
            .store
            .commit(claim.lane, &claim.fence, version, batch)
            .await;
        done.map(|_| ()).map_err(|_| Trouble::LeaseLost)
    }

    async fn hand_over(&self, mail: &Mail, own: &Own) -> Result<HandOver, Trouble> {
        let (spec, link) = (&mail.spec, own.link.as_ref());
        let blob = self.parts.store.blob(spec.definition).await?;
        let bytes = blob.ok_or(Trouble::MissingBlob(spec.definition))?;
        let definition: Definition = serde_json::from_slice(&bytes)
            .map_err(|fault| Trouble::Unreadable(fault.to_string()))?;
        let draft = Draft {
            templates: definition.templates,
            template: template_name(spec),
            context: self.context(spec, link),
            calendar: spec.calendar.clone(),
        };
        // A message that cannot be rendered is never sent empty.
        let composed = match self.parts.compose.compose(&draft) {
            Ok(composed) => composed,
            Err(why) => {
                return Ok(HandOver::Refused {
                    answer: format!("not rendered: {why}"),
                });
            }
        };
        let message = Message {
            message_id: spec.message_id.clone(),
            references: spec.references.clone(),
            to_name: spec.to_name.clone(),
            to_address: spec.to_address.clone(),
            subject: composed.subject,
            text: composed.text,
            html: composed.html,
            calendar: composed.calendar,
            unsubscribe: link
                .zip(self.parts.links.as_ref())
                .and_then(|(link, links)| links.way_out(spec, link)),
            return_tag: own.tag.clone(),
        };
        Ok(match self.parts.channel.deliver(&message).await {
            Delivery::Accepted { answer, sha256 } => HandOver::Accepted { answer, sha256 },
            Delivery::Deferred { answer } => HandOver::Deferred { answer },
            Delivery::Refused { answer } => HandOver::Refused { answer },
        })
    }

    /// What the message is made of: with the link's address, which no log has.
    fn context(&self, spec: &MailSpec, link: Option<&Link>) -> Value {
        let mut context = spec.context.clone();
        // One link opens all that its recipient may do; one that only may be left out has its way out in its header,
        // and nothing to decide.
        let pages = [
            ("link", "decide", spec.question.is_some()),
            ("defer", "defer", spec.defers.is_some()),
            ("agree", "agree", spec.agrees),
        ];
        let links = link.zip(self.parts.links.as_ref());
        if let (Value::Object(fields), Some((link, links))) = (&mut context, links) {
            for (name, page, _) in pages.into_iter().filter(|(_, _, opens)| *opens) {
                let address = links.address(page, link);
                fields.insert(name.to_owned(), Value::String(address));
            }
        }
        context
    }
}

pub(crate) fn read_events(loaded: &Loaded) -> Result<Vec<MailEvent>, Trouble> {
    let events = loaded
        .events
        .iter()
        .map(|event| serde_json::from_str(event));
    let events: Result<Vec<MailEvent>, _> = events.collect();
    events.map_err(|fault| Trouble::Unreadable(fault.to_string()))
}

/// `maintenance.scheduled` for a customer's notice, `cycle-report` for a report.
fn template_name(spec: &MailSpec) -> String {
    match spec.customer {
        Some(_) => format!("{}.{}", spec.template, spec.stage),
        None => spec.template.clone(),
    }
}
