//! A small run with a child, a lease and a message, and a store that it lies in.

use hostler_archive::{Keeper, Settings};
use hostler_core::id::{Digest, LaneId, RunId};
use hostler_core::view::index;
use hostler_ports::archive::{Archive, MemoryArchive};
use hostler_ports::store::memory::{ManualClock, MemoryStore};
use hostler_ports::store::{
    Batch, Blob, Child, Claim, ClaimAsk, IndexChange, Queue, Spawn, Start, Store, Then,
};
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

pub const DAY_MS: i64 = 24 * 3_600_000;

pub struct World {
    pub store: Arc<MemoryStore>,
    pub clock: Arc<ManualClock>,
    pub archive: Arc<MemoryArchive>,
}

pub fn run(number: u128) -> RunId {
    RunId(Uuid::from_u128(number))
}

pub fn child(number: u128) -> LaneId {
    run(number).root().child("patch", 0, "web1")
}

pub fn lease(number: u128) -> LaneId {
    run(number).root().child("hold:lease", 0, "lease")
}

/// A blob that belongs to one run.
pub fn plan_text(number: u128) -> String {
    format!("plan of run {}", run(number))
}

pub fn plan(number: u128) -> Digest {
    Digest::of(plan_text(number).as_bytes())
}

/// A blob of all runs.
pub const DEFINITION: &[u8] = b"definition of these tests";

pub fn definition() -> Digest {
    Digest::of(DEFINITION)
}

fn row(number: u128, started_ms: i64, ended_ms: Option<i64>) -> String {
    json!({
        "run": run(number), "runbook": "touch", "version": 1, "title": "Touch", "state": "running",
        "starter": "olga", "reason": null, "started_ms": started_ms, "ended_ms": ended_ms,
        "step": null, "note": null, "definition": definition(), "plan": plan(number), "targets": 1,
    })
    .to_string()
}

fn put(index: &str, member: String, score: i64, body: &str) -> IndexChange {
    IndexChange::Put {
        index: index.to_owned(),
        member,
        score,
        body: body.to_owned(),
    }
}

fn spawn(number: u128, lane: LaneId, parent: Option<LaneId>) -> Spawn {
    Spawn {
        lane,
        run: run(number),
        parent,
        key: parent.map(|_| "patch/web1".to_owned()),
        queue: Queue::Run,
        priority: hostler_ports::store::Priority::Scheduled,
        events: vec!["born".to_owned()],
        summary: format!("summary of {lane}"),
    }
}

impl World {
    pub fn new() -> Self {
        let (store, clock) = MemoryStore::with_manual_clock();
        Self {
            store: Arc::new(store),
            clock,
            archive: Arc::default(),
        }
    }

    pub fn keeper(&self, settings: Settings) -> Keeper {
        self.keeper_with(Arc::clone(&self.archive) as _, settings)
    }

    pub fn keeper_with(&self, archive: Arc<dyn Archive>, settings: Settings) -> Keeper {
        Keeper::new(Arc::clone(&self.store) as _, archive, settings)
    }

    pub async fn now_ms(&self) -> i64 {
        self.store.now_ms().await.unwrap()
    }

    pub async fn claim(&self) -> Claim {
        let ask = ClaimAsk {
            queue: Queue::Run,
            worker: "w".into(),
            max: 1,
            at_least: None,
            lease_ms: 30_000,
            wait_ms: 0,
            until: None,
        };
        self.store.claim(&ask).await.unwrap().remove(0)
    }

    pub fn asked(number: u128, now_ms: i64) -> Start {
        let row = row(number, now_ms, None);
        Start {
            run: run(number),
            body: Digest::of(b"asked"),
            root: spawn(number, run(number).root(), None),
            blobs: vec![
                Blob {
                    digest: plan(number),
                    bytes: plan_text(number).into(),
                },
                Blob {
                    digest: definition(),
                    bytes: DEFINITION.into(),
                },
            ],
            plan: Some(plan(number)),
            index: vec![put(index::RUNS, run(number).to_string(), now_ms, &row)],
            ledger: Vec::new(),
            run_summary: row,
        }
    }

    /// A run with a child, a lease and a message that was queued; its root is held.
    pub async fn begun(&self, number: u128) -> Claim {
        let now_ms = self.now_ms().await;
        self.store.start(Self::asked(number, now_ms)).await.unwrap();
        let root = self.claim().await;
        let batch = Batch {
            events: (0..700)
                .map(|event| format!("event {event}"))
                .take(400)
                .collect(),
            snapshot: Some("a cache".into()),
            spawn: vec![
                spawn(number, child(number), Some(root.lane)),
                spawn(number, lease(number), None),
            ],
            index: vec![put(&index::notices(run(number)), "m1".into(), now_ms, "{}")],
            ..Batch::default()
        };
        self.store
            .commit(root.lane, &root.fence, 1, batch)
            .await
            .unwrap();
        root
    }

    /// Ends a lane that is ready, with what it leaves beside its parent.
    pub async fn end_next(&self) -> LaneId {
        let claim = self.claim().await;
        let record = Child {
            lane: claim.lane,
            key: "patch/web1".into(),
            record: Some(json!({ "definition": definition() }).to_string()),
        };
        let batch = Batch {
            events: vec!["ended".into()],
            collect: claim.header.parent.map(|_| record),
            then: Then::End,
            ..Batch::default()
        };
        let done = self.store.commit(claim.lane, &claim.fence, 1, batch).await;
        done.unwrap();
        claim.lane
    }

    pub async fn end_root(&self, root: &Claim, number: u128) {
        self.end_at(root, number, 401).await;
    }

    /// A root that has done nothing.
    pub async fn end_bare(&self, root: &Claim, number: u128) {
        self.end_at(root, number, 1).await;
    }

    async fn end_at(&self, root: &Claim, number: u128, version: u64) {
        let now_ms = self.now_ms().await;
        let row = row(number, now_ms, Some(now_ms));
        let batch = Batch {
            events: vec!["ended".into()],
            index: vec![put(index::RUNS, run(number).to_string(), now_ms, &row)],
            run_summary: Some(row),
            then: Then::End,
            ..Batch::default()
        };
        let done = self
            .store
            .commit(root.lane, &root.fence, version, batch)
            .await;
        done.unwrap();
    }

    /// A run that has ended with all its lanes.
    pub async fn ended(&self, number: u128) {
        let root = self.begun(number).await;
        self.end_next().await;
        self.end_next().await;
        self.end_root(&root, number).await;
    }
}
