//! Messages that come back: what is kept of it, in one change with all that follows from it.
//!
//! A report is believed in one thing only: that a message which we sent did not reach the one to whom we sent it.
//! Everything else changes nothing and is counted. Not here: receiving and reading reports.

use crate::outbox;
use crate::{Trouble, notices};
use async_trait::async_trait;
use hostler_core::directory::Directory;
use hostler_core::event::Stage;
use hostler_core::gate::{Told, told_document};
use hostler_core::id::LaneId;
use hostler_core::mail::{
    DeadContact, Mail, MailEvent, bounced_document, dead_document, is_permanent,
};
use hostler_core::view::index;
use hostler_ports::returned::{
    Counts, NotReached, ReadReport, Returned, TakeReport, Taken, Vouched,
};
use hostler_ports::store::{
    CommitError, Confirmed, DocumentWrite, Expect, IndexChange, LedgerLine, Queue, Store, Upkeep,
};
use serde::de::DeserializeOwned;
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};

/// Looks at documents that others write at the same moment.
const LOOKS_MAX: u32 = 5;

/// What takes reports works with.
pub struct Returns {
    pub store: Arc<dyn Store>,
    pub directory: Arc<dyn Directory>,
    pub read: Arc<dyn ReadReport>,
    counts: Mutex<Counts>,
}

/// A message of ours with what is told of it.
struct Back<'a> {
    mail: Mail,
    /// Of its lane, as it was read.
    version: u64,
    event: MailEvent,
    told: &'a NotReached,
    now_ms: i64,
}

impl Returns {
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        directory: Arc<dyn Directory>,
        read: Arc<dyn ReadReport>,
    ) -> Self {
        let counts = Mutex::default();
        Self {
            store,
            directory,
            read,
            counts,
        }
    }

    async fn taken(&self, report: &[u8], vouched: &Vouched) -> Result<Taken, Trouble> {
        match self.read.read(report) {
            Ok(returned) => come_back(&*self.store, &*self.directory, &returned, vouched).await,
            Err(why) => {
                tracing::debug!(why, "a report cannot be read");
                Ok(Taken::Unreadable)
            }
        }
    }
}

#[async_trait]
impl TakeReport for Returns {
    async fn take(&self, report: &[u8], vouched: &Vouched) -> Result<Taken, String> {
        let taken = self
            .taken(report, vouched)
            .await
            .map_err(|fault| fault.to_string())?;
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.count(taken);
        tracing::debug!(?taken, "a report of a mail server");
        Ok(taken)
    }

    fn counts(&self) -> Counts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes one report in. The answer `Bounced` is durable.
///
/// # Errors
/// The store's.
pub async fn come_back(
    store: &dyn Store,
    directory: &dyn Directory,
    returned: &Returned,
    vouched: &Vouched,
) -> Result<Taken, Trouble> {
    for _ in 0..LOOKS_MAX {
        let back = match look(store, directory, returned, vouched).await? {
            Ok(back) => back,
            Err(taken) => return Ok(taken),
        };
        let Some(change) = change(store, directory, &back).await? else {
            return Ok(Taken::Known);
        };
        match store.upkeep(change).await {
            Ok(seq) => {
                return match store.confirm(seq).await? {
                    Confirmed::Durable => Ok(Taken::Bounced),
                    Confirmed::Unknown => Err(Trouble::Unconfirmed),
                };
            }
            Err(CommitError::Store(fault)) => return Err(fault.into()),
            // Somebody else of the customer is told, or another message comes back, at this moment.
            Err(_) => {}
        }
    }
    Err(Trouble::Unconfirmed)
}

/// The message that it is about, if it is one of ours that this recipient was sent.
async fn look<'a>(
    store: &dyn Store,
    directory: &dyn Directory,
    returned: &'a Returned,
    vouched: &Vouched,
) -> Result<Result<Back<'a>, Taken>, Trouble> {
    let Some(lane) = message_of(&returned.message_id, directory.realm()) else {
        return Ok(Err(Taken::NotOurs));
    };
    let loaded = store.load(lane, 0).await?;
    let Some(loaded) = loaded.filter(|loaded| loaded.header.queue == Queue::Mail) else {
        return Ok(Err(Taken::NotOurs));
    };
    let Some(mail) = Mail::fold(&outbox::read_events(&loaded)?) else {
        return Ok(Err(Taken::NotOurs));
    };
    let is_theirs = |to: &&NotReached| {
        let mut addresses = to.addresses.iter();
        addresses.any(|address| address.eq_ignore_ascii_case(&mail.spec.to_address))
    };
    if mail.spec.message_id != returned.message_id {
        return Ok(Err(Taken::NotOurs));
    }
    let Some(told) = returned.recipients.iter().find(is_theirs) else {
        return Ok(Err(Taken::OtherRecipient));
    };
    if let Vouched::Address(tag) = vouched
        && !mail.comes_back_under(tag.as_ref())
    {
        return Ok(Err(Taken::WrongAddress));
    }
    Ok(match (told.failed, mail.accepted, mail.settled) {
        (false, _, _) => Err(Taken::NotFailed),
        (true, false, false) => Err(Taken::NotYet),
        (true, false, true) => Err(Taken::Known),
        (true, true, _) => Ok(Back {
            event: MailEvent::MailBounced {
                status: told.status.clone(),
                diagnostic: told.diagnostic.clone(),
                at_ms: loaded.now_ms,
            },
            version: loaded.header.version,
            now_ms: loaded.now_ms,
            mail,
            told,
        }),
    })
}

/// All that follows, in one change; none: it was kept before.
async fn change(
    store: &dyn Store,
    directory: &dyn Directory,
    back: &Back<'_>,
) -> Result<Option<Upkeep>, Trouble> {
    let spec = &back.mail.spec;
    let mut change = Upkeep {
        lanes: vec![(spec.lane, back.version)],
        ..Upkeep::default()
    };
    let key = bounced_document(spec.lane);
    let (expect, known) = read::<MailEvent>(store, &key).await?;
    let dead = dead(store, directory, back).await?;
    let archived = store.run_record(spec.run).await?;
    let archived = archived.is_none_or(|record| record.archive.is_some());
    if known.is_some() || (archived && dead.is_none()) {
        return Ok(None);
    }
    let mut mail = back.mail.clone();
    mail.apply(&back.event);
    let row = outbox::row(&mail, &back.event);
    let entry = json!({ "run": row.run, "lane": row.lane, "mail": row, "entry": back.event });
    change.ledger.push(LedgerLine {
        body: entry.to_string(),
    });
    put(&mut change, dead);
    // What is in the archive is as it is: of a run that is over, only the address is news.
    if !archived {
        let body = Some(json!(back.event).to_string());
        put(&mut change, Some((expect, DocumentWrite { key, body })));
        for write in untold(store, back).await? {
            put(&mut change, Some(write));
        }
        let body = json!(row).to_string();
        change.summaries.push((spec.lane, body.clone()));
        change.index.push(IndexChange::Put {
            index: index::notices(spec.run),
            member: spec.lane.to_string(),
            score: mail.queued_ms,
            body,
        });
    }
    Ok(Some(change))
}

fn put(change: &mut Upkeep, write: Option<(Expect, DocumentWrite)>) {
    let (expect, document) = write.unzip();
    change.expect.extend(expect);
    change.documents.extend(document);
}

/// The customer's notice, without this person; that nobody there has it any more is noted beside it.
async fn untold(
    store: &dyn Store,
    back: &Back<'_>,
) -> Result<Vec<(Expect, DocumentWrite)>, Trouble> {
    let spec = &back.mail.spec;
    let of = spec.customer.as_ref();
    let Some(customer) = of.filter(|_| spec.stage == Stage::Scheduled.name()) else {
        return Ok(Vec::new());
    };
    let key = told_document(spec.run, &spec.template, customer);
    let (expect, told) = read::<Told>(store, &key).await?;
    let Some(mut told) = told else {
        return Ok(Vec::new());
    };
    told.came_back(&spec.message_id);
    let noted = outbox::lost(store, spec, &told).await?;
    let body = Some(json!(told).to_string());
    let told = (expect, DocumentWrite { key, body });
    Ok([told].into_iter().chain(noted).collect())
}

/// The address of a customer's contact that cannot be reached from now on; none: it may be, is known to be dead, or is
/// one of the staff's, whose addresses nobody confirms.
async fn dead(
    store: &dyn Store,
    directory: &dyn Directory,
    back: &Back<'_>,
) -> Result<Option<(Expect, DocumentWrite)>, Trouble> {
    let (spec, told) = (&back.mail.spec, back.told);
    let Some(customer) = spec.customer.as_deref() else {
        return Ok(None);
    };
    if !is_permanent(&told.status) {
        return Ok(None);
    }
    let on = notices::date(directory.zone(Some(customer)), back.now_ms);
    let key = dead_document(&spec.to_address);
    let (expect, kept) = read::<DeadContact>(store, &key).await?;
    if kept.is_some_and(|kept| kept.on >= on || kept.message_id == spec.message_id) {
        return Ok(None);
    }
    let dead = DeadContact {
        address: spec.to_address.clone(),
        status: told.status.clone(),
        diagnostic: told.diagnostic.clone(),
        message_id: spec.message_id.clone(),
        run: spec.run,
        at_ms: back.now_ms,
        on,
    };
    let body = Some(json!(dead).to_string());
    Ok(Some((expect, DocumentWrite { key, body })))
}

async fn read<T: DeserializeOwned>(
    store: &dyn Store,
    key: &str,
) -> Result<(Expect, Option<T>), Trouble> {
    let found = store.documents(&[key.to_owned()]).await?;
    let found = found.into_iter().flatten().next();
    let version = found.as_ref().map_or(0, |found| found.version);
    let body = found.and_then(|found| found.body);
    let value = body.map(|body| serde_json::from_str(&body)).transpose();
    let value = value.map_err(|fault| Trouble::Unreadable(format!("{key}: {fault}")))?;
    let document = key.to_owned();
    Ok((Expect { document, version }, value))
}

/// The lane in `<lane>@<realm>.hostler`.
fn message_of(id: &str, realm: &str) -> Option<LaneId> {
    let (lane, domain) = id.split_once('@')?;
    let ours = domain.strip_suffix(".hostler")? == realm;
    lane.parse().ok().filter(|_| ours)
}
