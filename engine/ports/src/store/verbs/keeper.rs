//! `Store` for whatever keeps an ordered map: verbs go to the keeper as functions over it.
//!
//! Not here: rules. Only waiting and the way in and out.

use super::kv::Kv;
use super::record::Tx;
use super::{commit, generation, inbox, ledger, queue, read, start, tick, upkeep};
use crate::store::generation::{Begun, NewGeneration, StoreState};
use crate::store::{
    Batch, Child, Claim, ClaimAsk, CommitError, Committed, Confirmed, Counts, Cursor, Document,
    FeedEntry, Fence, Header, IndexEntry, LedgerEntry, Loaded, Own, Page, Post, ResourceView,
    RunRecord, Sent, Seq, Start, StartError, Started, Store, StoreError, StoreResult, Ticked,
    Upkeep, View,
};
use async_trait::async_trait;
use hostler_core::id::{Digest, LaneId, RunId};
use std::future::Future;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

/// Wakes those who wait inside this process.
#[derive(Debug, Default)]
pub struct Signals {
    /// A lane became ready.
    pub ready: Notify,
    /// Something was committed.
    pub changed: Notify,
}

/// Keeps an ordered map and runs functions over it, one writer at a time.
pub trait Keeper: Send + Sync + 'static {
    /// Runs `work` in a transaction of its own: kept when it answers `Ok`, gone otherwise. Answers
    /// after it is durable. `verb` is the name of the store's verb, for faults and metrics.
    fn write<T, E, F>(
        &self,
        verb: &'static str,
        work: F,
    ) -> impl Future<Output = Result<T, E>> + Send
    where
        F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static;

    /// Runs `work` over one consistent, durable state.
    fn read<T, F>(
        &self,
        verb: &'static str,
        work: F,
    ) -> impl Future<Output = StoreResult<T>> + Send
    where
        F: FnOnce(&dyn Kv) -> StoreResult<T> + Send + 'static,
        T: Send + 'static;

    /// All that is durable now, as it stays from now on. Reading it may block.
    fn view(&self) -> View;
    /// What `StoreState::kind` says.
    fn kind(&self) -> &'static str;
    fn signals(&self) -> &Signals;
    fn now_ms(&self) -> i64;
    fn fresh(&self) -> Uuid;
    /// Whether another server answers than at the last tick; told once.
    fn has_restarted(&self) -> bool {
        false
    }
}

/// A keeper with the port's verbs.
#[derive(Debug)]
pub struct KvStore<K>(pub K);

/// Whole milliseconds since then: never more than it was.
fn waited_ms(begun: Instant) -> i64 {
    i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX)
}

impl<K: Keeper> KvStore<K> {
    async fn claim_once(&self, ask: &ClaimAsk) -> StoreResult<Vec<Claim>> {
        let (ask, nonce) = (ask.clone(), self.0.fresh());
        self.0
            .write("claim", move |tx| queue::claim(tx, &ask, nonce))
            .await
    }

    async fn feed_once(&self, after: Seq) -> StoreResult<Vec<FeedEntry>> {
        self.0.read("feed", move |kv| read::feed(kv, after)).await
    }
}

#[async_trait]
impl<K: Keeper> Store for KvStore<K> {
    async fn claim(&self, ask: &ClaimAsk) -> StoreResult<Vec<Claim>> {
        let begun = Instant::now();
        let patience = tokio::time::sleep(Duration::from_millis(ask.wait_ms));
        tokio::pin!(patience);
        loop {
            let rung = self.0.signals().ready.notified();
            tokio::pin!(rung);
            rung.as_mut().enable();
            let waited_ms = waited_ms(begun);
            let mut claims = self.claim_once(ask).await?;
            for carried in claims.iter_mut().filter_map(|claim| claim.carried.as_mut()) {
                carried.waited_ms = waited_ms;
            }
            if !claims.is_empty() || ask.max == 0 || ask.wait_ms == 0 {
                return Ok(claims);
            }
            tokio::select! {
                () = rung => {}
                () = &mut patience => return Ok(Vec::new()),
                () = ask.given_up() => return Ok(Vec::new()),
            }
        }
    }

    async fn load(&self, lane: LaneId, from_version: u64) -> StoreResult<Option<Loaded>> {
        let now_ms = self.0.now_ms();
        self.0
            .read("load", move |kv| read::load(kv, lane, from_version, now_ms))
            .await
    }

    async fn commit(
        &self,
        lane: LaneId,
        fence: &Fence,
        expected_version: u64,
        batch: Batch,
    ) -> Result<Committed, CommitError> {
        let fence = fence.clone();
        let work =
            move |tx: &mut Tx<'_>| commit::commit(tx, lane, &fence, expected_version, &batch);
        self.0.write("commit", work).await
    }

    async fn start(&self, start: Start) -> Result<Started, StartError> {
        self.0
            .write("start", move |tx| start::start(tx, &start))
            .await
    }

    async fn send(&self, lane: LaneId, command: Uuid, body: String) -> StoreResult<Sent> {
        self.0
            .write("send", move |tx| {
                inbox::send(
                    tx,
                    &Post {
                        lane,
                        command,
                        body,
                    },
                )
            })
            .await
    }

    async fn renew(&self, held: &[(LaneId, Fence)], lease_ms: i64) -> StoreResult<Vec<LaneId>> {
        let held = held.to_vec();
        self.0
            .write("renew", move |tx| queue::renew(tx, &held, lease_ms))
            .await
    }

    async fn calm(&self, held: &[(LaneId, Fence)]) -> StoreResult<()> {
        let held = held.to_vec();
        self.0.write("calm", move |tx| queue::calm(tx, &held)).await
    }

    async fn tick(&self, max: usize, lease_ms: i64) -> StoreResult<Ticked> {
        let restarted = self.0.has_restarted();
        self.0
            .write("tick", move |tx| tick::tick(tx, max, lease_ms, restarted))
            .await
    }

    /// A write answers only when it is durable.
    async fn confirm(&self, _seq: Seq) -> StoreResult<Confirmed> {
        Ok(Confirmed::Durable)
    }

    async fn upkeep(&self, change: Upkeep) -> Result<Seq, CommitError> {
        self.0
            .write("upkeep", move |tx| upkeep::upkeep(tx, &change))
            .await
    }

    async fn state(&self) -> StoreResult<StoreState> {
        let (kind, now_ms) = (self.0.kind(), self.0.now_ms());
        self.0
            .read("state", move |kv| generation::state(kv, kind, now_ms))
            .await
    }

    async fn begin_generation(&self, new: NewGeneration) -> StoreResult<Begun> {
        self.0
            .write("begin_generation", move |tx| generation::begin(tx, &new))
            .await
    }

    async fn view(&self) -> StoreResult<Option<View>> {
        Ok(Some(self.0.view()))
    }

    async fn purge(&self, lane: LaneId, archive: Digest, max: usize) -> StoreResult<bool> {
        self.0
            .write("purge", move |tx| start::purge(tx, lane, archive, max))
            .await
    }

    async fn drop_own(&self, run: RunId, archive: Digest, own: &Own) -> StoreResult<()> {
        let own = own.clone();
        self.0
            .write("drop_own", move |tx| {
                start::drop_own(tx, run, archive, &own)
            })
            .await
    }

    async fn trim_ledger(&self, below: u64, max: usize) -> StoreResult<bool> {
        self.0
            .write("trim_ledger", move |tx| ledger::trim(tx, below, max))
            .await
    }

    async fn now_ms(&self) -> StoreResult<i64> {
        Ok(self.0.now_ms())
    }

    async fn blob(&self, digest: Digest) -> StoreResult<Option<Vec<u8>>> {
        self.0.read("blob", move |kv| read::blob(kv, digest)).await
    }

    async fn headers(&self, lanes: &[LaneId]) -> StoreResult<Vec<Option<Header>>> {
        let lanes = lanes.to_vec();
        self.0
            .read("headers", move |kv| read::headers(kv, &lanes))
            .await
    }

    async fn documents(&self, keys: &[String]) -> StoreResult<Vec<Option<Document>>> {
        let keys = keys.to_vec();
        self.0
            .read("documents", move |kv| read::documents(kv, &keys))
            .await
    }

    async fn child_records(
        &self,
        lane: LaneId,
        keys: &[String],
    ) -> StoreResult<Vec<Option<Child>>> {
        let keys = keys.to_vec();
        self.0
            .read("child_records", move |kv| {
                read::child_records(kv, lane, &keys)
            })
            .await
    }

    async fn children(&self, lane: LaneId, after: Cursor) -> StoreResult<Page<Child>> {
        self.0
            .read("children", move |kv| read::children(kv, lane, &after))
            .await
    }

    async fn query(
        &self,
        index: &str,
        newest_first: bool,
        after: Cursor,
    ) -> StoreResult<Page<IndexEntry>> {
        let index = index.to_owned();
        self.0
            .read("query", move |kv| {
                read::query(kv, &index, newest_first, &after)
            })
            .await
    }

    async fn log(&self, lane: LaneId, from: u64) -> StoreResult<Vec<String>> {
        self.0
            .read("log", move |kv| read::log(kv, lane, from))
            .await
    }

    async fn lanes(&self, after: Cursor) -> StoreResult<Page<Header>> {
        self.0
            .read("lanes", move |kv| read::lanes(kv, &after))
            .await
    }

    async fn run_record(&self, run: RunId) -> StoreResult<Option<RunRecord>> {
        self.0
            .read("run_record", move |kv| upkeep::run_record(kv, run))
            .await
    }

    async fn run_summary(&self, run: RunId) -> StoreResult<Option<String>> {
        self.0
            .read("run_summary", move |kv| {
                Ok(read::run(kv, run)?.map(|run| run.summary))
            })
            .await
    }

    async fn ledger(&self, from: u64) -> StoreResult<Vec<LedgerEntry>> {
        self.0
            .read("ledger", move |kv| read::ledger(kv, from))
            .await
    }

    async fn feed(&self, after: Seq, wait_ms: u64) -> StoreResult<Vec<FeedEntry>> {
        let patience = tokio::time::sleep(Duration::from_millis(wait_ms));
        tokio::pin!(patience);
        loop {
            let changed = self.0.signals().changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let entries = self.feed_once(after).await?;
            if !entries.is_empty() || wait_ms == 0 {
                return Ok(entries);
            }
            tokio::select! {
                () = changed => {}
                () = &mut patience => return Ok(Vec::new()),
            }
        }
    }

    async fn resource(&self, key: &str) -> StoreResult<ResourceView> {
        let key = key.to_owned();
        self.0
            .read("resource", move |kv| read::resource(kv, &key))
            .await
    }

    async fn counts(&self) -> StoreResult<Counts> {
        self.0.read("counts", read::counts).await
    }
}
