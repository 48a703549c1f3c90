//! A store whose one archived run is read from its object: whoever reads a run needs no second way.
//!
//! Not here: writing. Every verb that changes something goes to the store below, where the run's
//! tombstone answers.

use super::ArchivedRun;
use crate::store::generation::{Begun, NewGeneration, StoreState};
use crate::store::{
    Batch, Child, Claim, ClaimAsk, CommitError, Committed, Confirmed, Counts, Cursor, Document,
    FeedEntry, Fence, Header, IndexEntry, LedgerEntry, Loaded, Own, Page, READ_MAX, ResourceView,
    RunRecord, Sent, Seq, Start, StartError, Started, Store, StoreResult, Ticked, Upkeep, View,
    position::{entry_text, parse_count},
};
use async_trait::async_trait;
use hostler_core::id::{Digest, LaneId, RunId};
use std::sync::Arc;
use uuid::Uuid;

/// A store and one archived run over it.
pub struct ArchiveView {
    below: Arc<dyn Store>,
    archived: ArchivedRun,
}

impl ArchiveView {
    #[must_use]
    pub fn new(below: Arc<dyn Store>, archived: ArchivedRun) -> Self {
        Self { below, archived }
    }

    fn children_after(&self, lane: LaneId, after: &Cursor) -> StoreResult<Option<Page<Child>>> {
        let Some(lane) = self.archived.lanes.get(&lane) else {
            return Ok(None);
        };
        let from = usize::try_from(parse_count(after)?).unwrap_or(usize::MAX);
        let rest = lane.children.get(from..).unwrap_or_default();
        let entries: Vec<Child> = rest.iter().take(READ_MAX).cloned().collect();
        let next = (rest.len() > READ_MAX).then(|| Cursor(Some((from + READ_MAX).to_string())));
        Ok(Some(Page { entries, next }))
    }

    fn entries_after(
        &self,
        index: &str,
        newest_first: bool,
        after: &Cursor,
    ) -> Option<Page<IndexEntry>> {
        let all = self.archived.indexes.get(index)?;
        let place = |entry: &IndexEntry| entry_text(entry.score, &entry.member);
        let mut entries: Vec<&IndexEntry> = all.iter().collect();
        if newest_first {
            entries.reverse();
        }
        if let Some(last) = &after.0 {
            entries.retain(|entry| {
                let place = place(entry);
                if newest_first {
                    place < *last
                } else {
                    place > *last
                }
            });
        }
        let more = entries.len() > READ_MAX;
        entries.truncate(READ_MAX);
        let next = entries.last().filter(|_| more);
        Some(Page {
            next: next.map(|last| Cursor(Some(place(last)))),
            entries: entries.into_iter().cloned().collect(),
        })
    }

    fn loaded(&self, id: LaneId, from: u64, state: &StoreState) -> Option<Loaded> {
        let lane = self.archived.lanes.get(&id)?;
        let version = lane.header.version;
        let snapshot = lane.snapshot.clone();
        let snapshot = snapshot.filter(|(at, _)| *at > from && *at <= version);
        let events_from = snapshot.as_ref().map_or(from, |(at, _)| *at).min(version);
        let skip = usize::try_from(events_from).unwrap_or(usize::MAX);
        let events = lane.events.iter().skip(skip).take(READ_MAX);
        Some(Loaded {
            header: lane.header.clone(),
            snapshot,
            events: events.cloned().collect(),
            events_from,
            inbox: Vec::new(),
            now_ms: state.now_ms,
            generation: state.generation,
        })
    }
}

#[async_trait]
impl Store for ArchiveView {
    async fn load(&self, lane: LaneId, from_version: u64) -> StoreResult<Option<Loaded>> {
        if self.archived.lanes.contains_key(&lane) {
            let state = self.below.state().await?;
            return Ok(self.loaded(lane, from_version, &state));
        }
        self.below.load(lane, from_version).await
    }

    async fn log(&self, lane: LaneId, from: u64) -> StoreResult<Vec<String>> {
        let Some(lane) = self.archived.lanes.get(&lane) else {
            return self.below.log(lane, from).await;
        };
        let skip = usize::try_from(from).unwrap_or(usize::MAX);
        let events = lane.events.iter().skip(skip).take(READ_MAX);
        Ok(events.cloned().collect())
    }

    async fn headers(&self, lanes: &[LaneId]) -> StoreResult<Vec<Option<Header>>> {
        let mut found = self.below.headers(lanes).await?;
        for (lane, header) in lanes.iter().zip(&mut found) {
            if let Some(archived) = self.archived.lanes.get(lane) {
                *header = Some(archived.header.clone());
            }
        }
        Ok(found)
    }

    async fn child_records(
        &self,
        lane: LaneId,
        keys: &[String],
    ) -> StoreResult<Vec<Option<Child>>> {
        let Some(archived) = self.archived.lanes.get(&lane) else {
            return self.below.child_records(lane, keys).await;
        };
        let record = |key: &String| archived.children.iter().find(|child| child.key == *key);
        Ok(keys.iter().map(|key| record(key).cloned()).collect())
    }

    async fn children(&self, lane: LaneId, after: Cursor) -> StoreResult<Page<Child>> {
        match self.children_after(lane, &after)? {
            Some(page) => Ok(page),
            None => self.below.children(lane, after).await,
        }
    }

    async fn query(
        &self,
        index: &str,
        newest_first: bool,
        after: Cursor,
    ) -> StoreResult<Page<IndexEntry>> {
        match self.entries_after(index, newest_first, &after) {
            Some(page) => Ok(page),
            None => self.below.query(index, newest_first, after).await,
        }
    }

    async fn blob(&self, digest: Digest) -> StoreResult<Option<Vec<u8>>> {
        match self.archived.blobs.get(&digest) {
            Some(bytes) => Ok(Some(bytes.clone())),
            None => self.below.blob(digest).await,
        }
    }

    // Everything else is the store's.
    async fn claim(&self, ask: &ClaimAsk) -> StoreResult<Vec<Claim>> {
        self.below.claim(ask).await
    }
    async fn commit(
        &self,
        lane: LaneId,
        fence: &Fence,
        expected_version: u64,
        batch: Batch,
    ) -> Result<Committed, CommitError> {
        self.below
            .commit(lane, fence, expected_version, batch)
            .await
    }
    async fn start(&self, start: Start) -> Result<Started, StartError> {
        self.below.start(start).await
    }
    async fn send(&self, lane: LaneId, command_id: Uuid, body: String) -> StoreResult<Sent> {
        self.below.send(lane, command_id, body).await
    }
    async fn renew(&self, held: &[(LaneId, Fence)], lease_ms: i64) -> StoreResult<Vec<LaneId>> {
        self.below.renew(held, lease_ms).await
    }
    async fn calm(&self, held: &[(LaneId, Fence)]) -> StoreResult<()> {
        self.below.calm(held).await
    }
    async fn tick(&self, max: usize, lease_ms: i64) -> StoreResult<Ticked> {
        self.below.tick(max, lease_ms).await
    }
    async fn confirm(&self, seq: Seq) -> StoreResult<Confirmed> {
        self.below.confirm(seq).await
    }
    async fn upkeep(&self, change: Upkeep) -> Result<Seq, CommitError> {
        self.below.upkeep(change).await
    }
    async fn state(&self) -> StoreResult<StoreState> {
        self.below.state().await
    }
    async fn begin_generation(&self, new: NewGeneration) -> StoreResult<Begun> {
        self.below.begin_generation(new).await
    }
    async fn view(&self) -> StoreResult<Option<View>> {
        self.below.view().await
    }
    async fn purge(&self, lane: LaneId, archive: Digest, max: usize) -> StoreResult<bool> {
        self.below.purge(lane, archive, max).await
    }
    async fn drop_own(&self, run: RunId, archive: Digest, own: &Own) -> StoreResult<()> {
        self.below.drop_own(run, archive, own).await
    }
    async fn trim_ledger(&self, below: u64, max: usize) -> StoreResult<bool> {
        self.below.trim_ledger(below, max).await
    }
    async fn now_ms(&self) -> StoreResult<i64> {
        self.below.now_ms().await
    }
    async fn documents(&self, keys: &[String]) -> StoreResult<Vec<Option<Document>>> {
        self.below.documents(keys).await
    }
    async fn lanes(&self, after: Cursor) -> StoreResult<Page<Header>> {
        self.below.lanes(after).await
    }
    async fn run_record(&self, run: RunId) -> StoreResult<Option<RunRecord>> {
        if run == self.archived.run {
            return Ok(Some(self.archived.record.clone()));
        }
        self.below.run_record(run).await
    }
    async fn run_summary(&self, run: RunId) -> StoreResult<Option<String>> {
        self.below.run_summary(run).await
    }
    async fn ledger(&self, from: u64) -> StoreResult<Vec<LedgerEntry>> {
        self.below.ledger(from).await
    }
    async fn feed(&self, after: Seq, wait_ms: u64) -> StoreResult<Vec<FeedEntry>> {
        self.below.feed(after, wait_ms).await
    }
    async fn resource(&self, key: &str) -> StoreResult<ResourceView> {
        self.below.resource(key).await
    }
    async fn counts(&self) -> StoreResult<Counts> {
        self.below.counts().await
    }
}
