//! Indexes and summaries made anew from the logs: the run list, who is waited for, what ends later,
//! messages, lanes that nobody lists.
//!
//! Not here: anything that a log does not say. A lane that moves meanwhile writes its own rows; ours
//! are refused then, and made again from the newer log.

use crate::cache::Cache;
use crate::leases;
use crate::turn::fold_onto;
use crate::{Trouble, outbox, scope};
use hostler_core::id::LaneId;
use hostler_core::lane::Lane;
use hostler_core::mail::{Mail, MailEvent, bounced_document};
use hostler_core::view::{index, rows};
use hostler_ports::store::upkeep::stray_lanes;
use hostler_ports::store::{
    CommitError, Cursor, DocumentWrite, Header, IndexChange, IndexEntry, Queue, READ_MAX, Store,
    Upkeep,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Document: how far the last reindexing came; absent when it came to its end.
const PLACE: &str = "reindex:place";
/// How often a lane that moves is read again.
const AGAIN_MAX: usize = 10;
/// Most events of one lane.
const EVENTS_MAX: usize = 1_000_000;

/// One reindexing. It goes on where an earlier one stopped.
pub struct Reindex {
    store: Arc<dyn Store>,
    cache: Cache,
}

/// What one step did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reindexed {
    pub lanes: usize,
    /// Entries that no log accounts for.
    pub removed: usize,
    /// Lanes whose logs could not be read, with the reason; they are left as they were.
    pub failed: Vec<(LaneId, String)>,
    /// Nothing is left to do.
    pub done: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    #[default]
    Lanes,
    Runs,
    Waiting,
    Leases,
}

impl Part {
    /// The index whose entries are looked through; none while lanes are read.
    fn index(self) -> Option<&'static str> {
        match self {
            Self::Lanes => None,
            Self::Runs => Some(index::RUNS),
            Self::Waiting => Some(index::WAITING),
            Self::Leases => Some(index::LEASES),
        }
    }

    fn after(self) -> Option<Self> {
        match self {
            Self::Lanes => Some(Self::Runs),
            Self::Runs => Some(Self::Waiting),
            Self::Waiting => Some(Self::Leases),
            Self::Leases => None,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    part: Part,
    cursor: Cursor,
}

impl Reindex {
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            cache: Cache::default(),
        }
    }

    /// One bounded step; call it until it says `done`.
    ///
    /// # Errors
    /// The store's.
    pub async fn step(&self) -> Result<Reindexed, Trouble> {
        let Place { part, cursor } = self.place().await?;
        let mut done = Reindexed::default();
        let next = match part.index() {
            None => self.lanes(cursor, &mut done).await?,
            Some(index) => self.prune(index, cursor, &mut done).await?,
        };
        let place = match next {
            Some(cursor) => Some(Place { part, cursor }),
            None => part.after().map(|part| Place {
                part,
                cursor: Cursor::default(),
            }),
        };
        done.done = place.is_none();
        let body = place.map(|place| json(&place));
        let key = PLACE.to_owned();
        self.write(Upkeep {
            documents: vec![DocumentWrite { key, body }],
            ..Upkeep::default()
        })
        .await?;
        Ok(done)
    }

    async fn place(&self) -> Result<Place, Trouble> {
        let found = self.store.documents(&[PLACE.to_owned()]).await?;
        let body = found.into_iter().flatten().find_map(|found| found.body);
        Ok(body
            .and_then(|body| serde_json::from_str(&body).ok())
            .unwrap_or_default())
    }

    async fn write(&self, change: Upkeep) -> Result<(), Trouble> {
        match self.store.upkeep(change).await {
            Ok(_) => Ok(()),
            Err(CommitError::Store(fault)) => Err(fault.into()),
            Err(other) => Err(Trouble::Unreadable(other.to_string())),
        }
    }

    async fn lanes(&self, after: Cursor, done: &mut Reindexed) -> Result<Option<Cursor>, Trouble> {
        let page = self.store.lanes(after).await?;
        for header in page.entries {
            let lane = header.lane;
            match self.lane(header).await {
                Ok(()) => done.lanes += 1,
                Err(fault @ (Trouble::Unreadable(_) | Trouble::MissingBlob(_))) => {
                    done.failed.push((lane, fault.to_string()));
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(page.next)
    }

    async fn lane(&self, mut header: Header) -> Result<(), Trouble> {
        for _ in 0..AGAIN_MAX {
            let Some(change) = self.rows(&header).await? else {
                return Ok(());
            };
            match self.store.upkeep(change).await {
                Ok(_) => return Ok(()),
                Err(CommitError::Version { .. }) => {}
                Err(CommitError::Store(fault)) => return Err(fault.into()),
                Err(other) => return Err(Trouble::Unreadable(other.to_string())),
            }
            let found = self.store.headers(&[header.lane]).await?;
            match found.into_iter().next().flatten() {
                Some(newer) => header = newer,
                None => return Ok(()),
            }
        }
        Err(Trouble::Unreadable("it moves all the time".to_owned()))
    }

    /// None for the tombstone of an archived run.
    async fn rows(&self, header: &Header) -> Result<Option<Upkeep>, Trouble> {
        let record = self.store.run_record(header.run).await?;
        if record.is_none_or(|record| record.archive.is_some()) {
            return Ok(None);
        }
        let events = self.log(header).await?;
        let mut change = Upkeep {
            lanes: vec![(header.lane, header.version)],
            ..Upkeep::default()
        };
        if header.parent.is_none() && header.lane != header.run.root() {
            let (index, member) = (stray_lanes(header.run), header.lane.to_string());
            change
                .index
                .push(put(&index, member, header.created_ms, String::new()));
        }
        match header.queue {
            Queue::Mail => {
                let back = self.came_back(header.lane).await?;
                mail_rows(&events, back, &mut change)?;
            }
            Queue::Run => self.lane_rows(&events, &mut change).await?,
        }
        Ok(Some(change))
    }

    /// What came back of a message lies beside its log.
    async fn came_back(&self, message: LaneId) -> Result<Option<MailEvent>, Trouble> {
        let found = self.store.documents(&[bounced_document(message)]).await?;
        let body = found.into_iter().flatten().find_map(|found| found.body);
        let read = body.map(|body| serde_json::from_str(&body)).transpose();
        read.map_err(|fault| Trouble::Unreadable(fault.to_string()))
    }

    async fn log(&self, header: &Header) -> Result<Vec<String>, Trouble> {
        let mut events: Vec<String> = Vec::new();
        while (events.len() as u64) < header.version {
            let more = self.store.log(header.lane, events.len() as u64).await?;
            if more.is_empty() || events.len() > EVENTS_MAX {
                let why = "the log is shorter than its header says, or too long";
                return Err(Trouble::Unreadable(why.to_owned()));
            }
            events.extend(more);
        }
        // What was written after the header was read is not part of what it says.
        events.truncate(usize::try_from(header.version).unwrap_or(usize::MAX));
        Ok(events)
    }

    async fn lane_rows(&self, events: &[String], change: &mut Upkeep) -> Result<(), Trouble> {
        let lane = fold(events)?;
        let store = &*self.store;
        let definition = self
            .cache
            .definition(store, lane.opening.definition)
            .await?;
        change
            .summaries
            .push((lane.id(), json(&rows::lane_row(&lane, &definition))));
        let plan = self.cache.plan(store, lane.opening.plan).await?;
        let run = lane.opening.run;
        if lane.id() == run.root() {
            let row = json(&rows::run_row(&lane, &definition, &plan));
            change.runs.push((run, row.clone()));
            change
                .index
                .push(put(index::RUNS, run.to_string(), plan.started_ms, row));
        }
        let live = !lane.has_ended();
        let waiting = rows::waiting_row(&lane, &definition).filter(|_| live);
        let waiting = waiting.map(|row| (row.asked_ms, json(&row)));
        let lease = leases::row(&lane, &definition, scope::asset_of(&lane, &plan));
        let lease = lease.filter(|_| live).map(|row| (row.ends_ms, json(&row)));
        let of_child = (lane.id() != run.root()).then(|| (index::waiting_in(run), waiting.clone()));
        let usual = [(index::WAITING, waiting), (index::LEASES, lease)];
        let usual = usual.map(|(index, row)| (index.to_owned(), row));
        for (index, row) in usual.into_iter().chain(of_child) {
            let member = lane.id().to_string();
            change.index.push(match row {
                Some((score, body)) => put(&index, member, score, body),
                None => removal(&index, member),
            });
        }
        Ok(())
    }

    /// Takes out what no lane or run stands behind.
    async fn prune(
        &self,
        index: &str,
        after: Cursor,
        done: &mut Reindexed,
    ) -> Result<Option<Cursor>, Trouble> {
        let page = self.store.query(index, false, after).await?;
        let mut change = Upkeep::default();
        for entry in &page.entries {
            if !self.is_backed(index, entry).await? {
                change.index.push(removal(index, entry.member.clone()));
            }
        }
        done.removed += change.index.len();
        debug_assert!(change.index.len() <= READ_MAX);
        self.write(change).await?;
        Ok(page.next)
    }

    async fn is_backed(&self, index: &str, entry: &IndexEntry) -> Result<bool, Trouble> {
        if index == index::RUNS {
            let Ok(run) = entry.member.parse() else {
                return Ok(false);
            };
            return Ok(self.store.run_record(run).await?.is_some());
        }
        let Ok(lane) = entry.member.parse() else {
            return Ok(false);
        };
        let header = self.store.headers(&[lane]).await?.into_iter().next();
        Ok(header.flatten().is_some_and(|header| !header.ended))
    }
}

/// The whole log, without any snapshot.
fn fold(events: &[String]) -> Result<Lane, Trouble> {
    let mut lane = None;
    fold_onto(&mut lane, 0, events)?;
    lane.ok_or_else(|| Trouble::Unreadable("the log is empty".to_owned()))
}

fn json(row: &impl Serialize) -> String {
    serde_json::to_string(row).unwrap_or_default()
}

fn put(index: &str, member: String, score: i64, body: String) -> IndexChange {
    IndexChange::Put {
        index: index.to_owned(),
        member,
        score,
        body,
    }
}

fn removal(index: &str, member: String) -> IndexChange {
    IndexChange::Remove {
        index: index.to_owned(),
        member,
    }
}

fn mail_rows(
    events: &[String],
    back: Option<MailEvent>,
    change: &mut Upkeep,
) -> Result<(), Trouble> {
    let read = events.iter().map(|event| serde_json::from_str(event));
    let mut events: Vec<MailEvent> = read
        .collect::<Result<_, _>>()
        .map_err(|fault: serde_json::Error| Trouble::Unreadable(fault.to_string()))?;
    if let Some(MailEvent::MailsPacked { .. }) = events.first() {
        // Nobody lists it: what it became has rows of its own.
        return Ok(());
    }
    events.extend(back);
    // A link that was made tells nothing of what became of the message.
    let told = |event: &&MailEvent| {
        let made = matches!(
            event,
            MailEvent::LinkMade { .. } | MailEvent::ReturnMade { .. }
        );
        !made
    };
    let last = events.iter().rev().find(told);
    let (Some(mail), Some(last)) = (Mail::fold(&events), last) else {
        let why = "the log does not begin with a message".to_owned();
        return Err(Trouble::Unreadable(why));
    };
    let row = outbox::row(&mail, last);
    let (index, member) = (index::notices(row.run), row.lane.to_string());
    change.summaries.push((row.lane, json(&row)));
    change
        .index
        .push(put(&index, member, row.queued_ms, json(&row)));
    Ok(())
}
