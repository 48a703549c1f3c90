//! A process's connection to the store: calls travel on their own, arrive late or not at all, lose
//! their answers, and notice when another server answers.
//!
//! Not here: the store's rules, which are the memory twin's; what is right (see `watch`).

mod journey;

use crate::clockwork::{Owner, locked};
use crate::shape::{Sabotage, Trouble};
use crate::sim::{OwnClock, Sim};
use crate::watch::refused;
use async_trait::async_trait;
use hostler_core::id::{Digest, LaneId, RunId};
use hostler_ports::clock::Clock;
use hostler_ports::store::generation::{Begun, NewGeneration, StoreState};
use hostler_ports::store::{
    Batch, Child, Claim, ClaimAsk, CommitError, Committed, Confirmed, Counts, Cursor, Document,
    FeedEntry, Fence, Header, IndexEntry, LedgerEntry, Loaded, Own, Page, ResourceView, RunRecord,
    Sent, Seq, Start, StartError, Started, Store, StoreError, StoreResult, Ticked, Upkeep, View,
};
use std::sync::Arc;
use uuid::Uuid;

/// What a process knows of the server behind its connection.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// Largest seq that an answer bore.
    pub seen: u64,
    /// Commits up to here were answered by an earlier server.
    pub floor: u64,
    /// Another server answers, and it has lost commits; nobody has accepted that yet.
    pub regressed: Option<u64>,
    /// The process has heard so.
    pub heard: bool,
    /// Counts servers.
    pub life: u64,
    /// How often a loss was accepted here: what was read before may never have happened.
    pub generation: u64,
}

pub struct Link {
    pub sim: Arc<Sim>,
    pub owner: Owner,
    pub clock: Arc<OwnClock>,
}

/// A store that does not look at fences: the newest one is put in place of whatever came.
async fn forged(sim: &Sim, lane: LaneId, fence: &Fence, version: u64) -> (Fence, u64) {
    let current = locked(&sim.watch).fence_of(lane);
    let header = sim.store.headers(&[lane]).await.unwrap_or_default();
    match (current, header.into_iter().flatten().next()) {
        (Some(current), Some(header)) if current != fence.0 => (Fence(current), header.version),
        _ => (fence.clone(), version),
    }
}

#[async_trait]
impl Store for Link {
    async fn claim(&self, ask: &ClaimAsk) -> StoreResult<Vec<Claim>> {
        let (sim, ask, owner) = (Arc::clone(&self.sim), ask.clone(), self.owner);
        let asked_ms = self.clock.monotonic_ms();
        let mut claims = self
            .carry(true, async move {
                let claims = sim.store.claim(&ask).await?;
                sim.judge(|watch| watch.claimed(&sim, owner, &claims));
                Ok::<_, StoreError>(claims)
            })
            .await?;
        let generation = self.sim.generation_of(self.owner);
        let mut watch = locked(&self.sim.watch);
        for claim in &mut claims {
            watch.took(self.owner, claim.lane, &claim.fence.0, asked_ms);
            if let Some(carried) = &mut claim.carried {
                carried.lane.generation.number = generation;
            }
        }
        Ok(claims)
    }

    async fn load(&self, lane: LaneId, from_version: u64) -> StoreResult<Option<Loaded>> {
        let read = self.read(|store| async move { store.load(lane, from_version).await });
        let mut loaded = read.await?;
        if let Some(loaded) = &mut loaded {
            loaded.generation.number = self.sim.generation_of(self.owner);
        }
        Ok(loaded)
    }

    async fn commit(
        &self,
        lane: LaneId,
        fence: &Fence,
        expected_version: u64,
        batch: Batch,
    ) -> Result<Committed, CommitError> {
        let (sim, fence, owner) = (Arc::clone(&self.sim), fence.clone(), self.owner);
        let committed = self
            .carry(true, async move {
                let (mut used, mut version) = (fence.clone(), expected_version);
                if sim.sabotages(Sabotage::IgnoreFence) {
                    (used, version) = forged(&sim, lane, &fence, version).await;
                }
                let told = batch.clone();
                let outcome = sim.store.commit(lane, &used, version, batch).await;
                match &outcome {
                    Ok(done) => {
                        sim.judge(|watch| {
                            watch.committed(&sim, owner, lane, &fence.0, version, &told, done)
                        });
                        crate::watch::locks_hold(&sim, lane, &told).await;
                    }
                    Err(fault) => {
                        sim.count(refused(fault));
                        sim.note(|| format!("w{owner} {} refused: {fault}", short(lane)));
                    }
                }
                outcome
            })
            .await?;
        self.saw(committed.seq.0);
        Ok(committed)
    }

    async fn start(&self, start: Start) -> Result<Started, StartError> {
        let sim = Arc::clone(&self.sim);
        let started = self
            .carry(true, async move {
                let root = start.root.clone();
                let started = sim.store.start(start).await?;
                sim.judge(|watch| watch.spawned(&root));
                Ok::<_, StartError>(started)
            })
            .await?;
        if let Started::New(seq) = started {
            self.saw(seq.0);
        }
        Ok(started)
    }

    async fn send(&self, lane: LaneId, command: Uuid, body: String) -> StoreResult<Sent> {
        let store = Arc::clone(&self.sim.store);
        self.carry(true, async move { store.send(lane, command, body).await })
            .await
    }

    async fn renew(&self, held: &[(LaneId, Fence)], lease_ms: i64) -> StoreResult<Vec<LaneId>> {
        if held.is_empty() {
            return Ok(Vec::new());
        }
        let asked_ms = self.clock.monotonic_ms();
        let (store, asked) = (Arc::clone(&self.sim.store), held.to_vec());
        let lost = self
            .carry(true, async move { store.renew(&asked, lease_ms).await })
            .await?;
        let mut watch = locked(&self.sim.watch);
        for (lane, fence) in held.iter().filter(|(lane, _)| !lost.contains(lane)) {
            watch.confirmed(self.owner, *lane, &fence.0, asked_ms);
        }
        Ok(lost)
    }

    async fn calm(&self, held: &[(LaneId, Fence)]) -> StoreResult<()> {
        let (store, held) = (Arc::clone(&self.sim.store), held.to_vec());
        self.carry(true, async move { store.calm(&held).await })
            .await
    }

    async fn tick(&self, max: usize, lease_ms: i64) -> StoreResult<Ticked> {
        let sim = Arc::clone(&self.sim);
        self.carry(true, async move {
            let ticked = sim.store.tick(max, lease_ms).await?;
            if ticked.leases_expired > 0 {
                sim.count("lease expired");
                sim.note(|| format!("{} leases expired", ticked.leases_expired));
            }
            Ok::<_, StoreError>(ticked)
        })
        .await
    }

    async fn confirm(&self, seq: Seq) -> StoreResult<Confirmed> {
        let (sim, owner) = (Arc::clone(&self.sim), self.owner);
        self.carry(false, async move {
            let unsure = sim.strikes(Trouble::Unconfirmed, &mut locked(&sim.wire), 4);
            let line = locked(&sim.lines).get(&owner).cloned().unwrap_or_default();
            if sim.sabotages(Sabotage::ConfirmBlindly) {
                return Ok(Confirmed::Durable);
            }
            if unsure || seq.0 <= line.floor || seq.0 > line.seen {
                sim.count("unconfirmed");
                return Ok(Confirmed::Unknown);
            }
            sim.store.replicated(seq);
            Ok::<_, StoreError>(Confirmed::Durable)
        })
        .await
    }

    async fn upkeep(&self, change: Upkeep) -> Result<Seq, CommitError> {
        self.sim.store.upkeep(change).await
    }
    async fn state(&self) -> StoreResult<StoreState> {
        self.sim.store.state().await
    }
    async fn begin_generation(&self, new: NewGeneration) -> StoreResult<Begun> {
        self.sim.store.begin_generation(new).await
    }
    async fn view(&self) -> StoreResult<Option<View>> {
        self.sim.store.view().await
    }
    async fn purge(&self, lane: LaneId, archive: Digest, max: usize) -> StoreResult<bool> {
        self.sim.store.purge(lane, archive, max).await
    }
    async fn drop_own(&self, run: RunId, archive: Digest, own: &Own) -> StoreResult<()> {
        self.sim.store.drop_own(run, archive, own).await
    }
    async fn trim_ledger(&self, below: u64, max: usize) -> StoreResult<bool> {
        self.sim.store.trim_ledger(below, max).await
    }
    async fn log(&self, lane: LaneId, from: u64) -> StoreResult<Vec<String>> {
        self.sim.store.log(lane, from).await
    }
    async fn lanes(&self, after: Cursor) -> StoreResult<Page<Header>> {
        self.sim.store.lanes(after).await
    }
    async fn run_record(&self, run: RunId) -> StoreResult<Option<RunRecord>> {
        self.sim.store.run_record(run).await
    }
    async fn now_ms(&self) -> StoreResult<i64> {
        self.read(|store| async move { store.now_ms().await }).await
    }
    async fn blob(&self, digest: Digest) -> StoreResult<Option<Vec<u8>>> {
        self.read(|store| async move { store.blob(digest).await })
            .await
    }
    async fn headers(&self, lanes: &[LaneId]) -> StoreResult<Vec<Option<Header>>> {
        let lanes = lanes.to_vec();
        self.read(|store| async move { store.headers(&lanes).await })
            .await
    }
    async fn documents(&self, keys: &[String]) -> StoreResult<Vec<Option<Document>>> {
        let keys = keys.to_vec();
        self.read(|store| async move { store.documents(&keys).await })
            .await
    }
    async fn child_records(
        &self,
        lane: LaneId,
        keys: &[String],
    ) -> StoreResult<Vec<Option<Child>>> {
        let keys = keys.to_vec();
        self.read(|store| async move { store.child_records(lane, &keys).await })
            .await
    }
    async fn children(&self, lane: LaneId, after: Cursor) -> StoreResult<Page<Child>> {
        self.read(|store| async move { store.children(lane, after).await })
            .await
    }
    async fn query(
        &self,
        index: &str,
        newest_first: bool,
        after: Cursor,
    ) -> StoreResult<Page<IndexEntry>> {
        self.sim.store.query(index, newest_first, after).await
    }
    async fn run_summary(&self, run: RunId) -> StoreResult<Option<String>> {
        self.sim.store.run_summary(run).await
    }
    async fn ledger(&self, from: u64) -> StoreResult<Vec<LedgerEntry>> {
        self.sim.store.ledger(from).await
    }
    async fn feed(&self, after: Seq, wait_ms: u64) -> StoreResult<Vec<FeedEntry>> {
        self.sim.store.feed(after, wait_ms).await
    }
    async fn resource(&self, key: &str) -> StoreResult<ResourceView> {
        self.sim.store.resource(key).await
    }
    async fn counts(&self) -> StoreResult<Counts> {
        self.sim.store.counts().await
    }
}

/// The beginning of a lane's id, for people who read a trace.
pub fn short(lane: LaneId) -> String {
    lane.to_string().chars().take(8).collect()
}
