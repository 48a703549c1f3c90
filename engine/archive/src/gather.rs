//! Reads one ended run out of the store, whole.
//!
//! Nothing is locked: a lane that has ended never changes again, and only a living one spawns. So a
//! reading that finds all lanes ended is one state of the run, its last.

use hostler_core::id::{Digest, LaneId, RunId};
use hostler_core::view::index;
use hostler_ports::archive::{ArchivedLane, ArchivedRun, OBJECT_MAX_BYTES};
use hostler_ports::store::upkeep::stray_lanes;
use hostler_ports::store::{Child, Cursor, IndexEntry, RunRecord, Store, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// Most lanes of one archived run.
const LANES_MAX: usize = 200_000;
/// Most pages of one list, and most loads of one log.
const PAGES_MAX: usize = 2_000;
/// Most digests that are looked up as blobs.
const DIGESTS_MAX: usize = 50_000;
/// Digits of a digest.
const DIGITS: usize = 64;

#[derive(Debug, Error)]
pub enum GatherError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It stays in the store: the limit is named.
    #[error("the run is larger than the archive takes: {0}")]
    TooLarge(&'static str),
}

#[derive(Debug)]
pub enum Gathered {
    Run(Box<ArchivedRun>),
    /// This lane has not ended.
    Lives(LaneId),
    /// The store knows no such run, or has archived it already.
    Gone,
}

struct Gathering<'a> {
    store: &'a dyn Store,
    lanes: BTreeMap<LaneId, ArchivedLane>,
    bytes: usize,
}

/// # Errors
/// The store's, and `TooLarge`.
pub async fn gather(store: &dyn Store, run: RunId) -> Result<Gathered, GatherError> {
    let record = store.run_record(run).await?;
    let Some(record) = record.filter(|record| record.archive.is_none()) else {
        return Ok(Gathered::Gone);
    };
    let mut gathering = Gathering {
        store,
        lanes: BTreeMap::new(),
        bytes: 0,
    };
    if let Some(lane) = gathering.all_lanes(run, &record).await? {
        return Ok(Gathered::Lives(lane));
    }
    let mut indexes = BTreeMap::new();
    for name in [index::notices(run), index::waiting_in(run)] {
        let entries = entries(store, &name).await?;
        // An object has no line for a list without entries, and the store answers the same for it.
        if !entries.is_empty() {
            indexes.insert(name, entries);
        }
    }
    let blobs = gathering.blobs(&record, &indexes).await?;
    Ok(Gathered::Run(Box::new(ArchivedRun {
        run,
        record,
        lanes: gathering.lanes,
        indexes,
        blobs,
    })))
}

/// All entries of a short index, oldest first.
pub(crate) async fn entries(
    store: &dyn Store,
    index: &str,
) -> Result<Vec<IndexEntry>, GatherError> {
    let (mut entries, mut cursor) = (Vec::new(), Cursor::default());
    for _ in 0..PAGES_MAX {
        let page = store.query(index, false, cursor).await?;
        entries.extend(page.entries);
        match page.next {
            Some(next) => cursor = next,
            None => return Ok(entries),
        }
    }
    Err(GatherError::TooLarge("entries of an index"))
}

impl Gathering<'_> {
    /// The first lane that lives, if one does.
    async fn all_lanes(
        &mut self,
        run: RunId,
        record: &RunRecord,
    ) -> Result<Option<LaneId>, GatherError> {
        let mut wanted = vec![record.root];
        // Read before the lanes: only a lane that is seen living later can have added to it since.
        let strays = entries(self.store, &stray_lanes(run)).await?;
        wanted.extend(
            strays
                .iter()
                .filter_map(|entry| entry.member.parse::<LaneId>().ok()),
        );
        while let Some(id) = wanted.pop() {
            if self.lanes.contains_key(&id) {
                continue;
            }
            if self.lanes.len() >= LANES_MAX {
                return Err(GatherError::TooLarge("lanes"));
            }
            let Some(lane) = self.lane(id).await? else {
                return Ok(Some(id));
            };
            wanted.extend(lane.children.iter().map(|child| child.lane));
            self.lanes.insert(id, lane);
        }
        let again = entries(self.store, &stray_lanes(run)).await?;
        let mut unread = again.iter().filter_map(|entry| entry.member.parse().ok());
        Ok(unread.find(|id| !self.lanes.contains_key(id)))
    }

    /// None when it lives.
    async fn lane(&mut self, id: LaneId) -> Result<Option<ArchivedLane>, GatherError> {
        let absent = || StoreError::Corrupt(format!("lane {id} is named but absent"));
        let loaded = self.store.load(id, 0).await?.ok_or_else(absent)?;
        let header = loaded.header;
        if !header.ended {
            return Ok(None);
        }
        let events = self.log(id, header.version).await?;
        let children = self.children(id).await?;
        let beside = children.iter().filter_map(|child| child.record.as_ref());
        self.grow(beside.map(String::len).sum())?;
        Ok(Some(ArchivedLane {
            header,
            events,
            snapshot: loaded.snapshot,
            children,
        }))
    }

    async fn log(&mut self, id: LaneId, version: u64) -> Result<Vec<String>, GatherError> {
        let mut events = Vec::new();
        for _ in 0..PAGES_MAX {
            let from = events.len() as u64;
            if from >= version {
                return Ok(events);
            }
            let more = self.store.log(id, from).await?;
            if more.is_empty() {
                let text = format!("the log of lane {id} ends before version {version}");
                return Err(StoreError::Corrupt(text).into());
            }
            self.grow(more.iter().map(String::len).sum())?;
            events.extend(more);
        }
        Err(GatherError::TooLarge("events of a lane"))
    }

    async fn children(&self, id: LaneId) -> Result<Vec<Child>, GatherError> {
        let (mut children, mut cursor) = (Vec::new(), Cursor::default());
        for _ in 0..PAGES_MAX {
            let page = self.store.children(id, cursor).await?;
            children.extend(page.entries);
            match page.next {
                Some(next) => cursor = next,
                None => return Ok(children),
            }
        }
        Err(GatherError::TooLarge("children of a lane"))
    }

    fn grow(&mut self, bytes: usize) -> Result<(), GatherError> {
        self.bytes += bytes;
        // Quoting in JSON makes texts longer; half is left for it.
        if self.bytes > OBJECT_MAX_BYTES / 2 {
            return Err(GatherError::TooLarge("bytes"));
        }
        Ok(())
    }

    /// What the run's texts name by digest, and what those name, as far as the store has it. The
    /// store knows no shapes, so every run of 64 hex digits is looked up.
    async fn blobs(
        &mut self,
        record: &RunRecord,
        indexes: &BTreeMap<String, Vec<IndexEntry>>,
    ) -> Result<BTreeMap<Digest, Vec<u8>>, GatherError> {
        let mut wanted = BTreeSet::new();
        digests(&record.summary, &mut wanted);
        for lane in self.lanes.values() {
            digests(&lane.header.summary, &mut wanted);
            let records = lane
                .children
                .iter()
                .filter_map(|child| child.record.as_ref());
            for text in lane.events.iter().chain(records) {
                digests(text, &mut wanted);
            }
        }
        for entry in indexes.values().flatten() {
            digests(&entry.body, &mut wanted);
        }
        let mut known = wanted.clone();
        let mut blobs = BTreeMap::new();
        while let Some(digest) = wanted.pop_first() {
            if known.len() > DIGESTS_MAX {
                return Err(GatherError::TooLarge("digests"));
            }
            let Some(bytes) = self.store.blob(digest).await? else {
                continue;
            };
            self.grow(bytes.len())?;
            let mut named = BTreeSet::new();
            digests(&String::from_utf8_lossy(&bytes), &mut named);
            wanted.extend(named.into_iter().filter(|name| known.insert(*name)));
            blobs.insert(digest, bytes);
        }
        Ok(blobs)
    }
}

fn digests(text: &str, found: &mut BTreeSet<Digest>) {
    let words = text.split(|letter: char| !letter.is_ascii_hexdigit());
    let words = words.filter(|word| word.len() == DIGITS);
    found.extend(words.filter_map(|word| word.parse::<Digest>().ok()));
}
