//! Short words for what nearly every case does.
//!
//! Not here: facts.

use super::Subject;
use crate::store::{
    Batch, Claim, ClaimAsk, CommitError, Committed, Fence, Loaded, Post, Priority, Queue, Resource,
    Sent, Spawn, Start, Started, Store, Take, Then, Ticked,
};
use hostler_core::id::{Digest, LaneId, RunId};
use uuid::Uuid;

pub const LEASE_MS: i64 = 30_000;

pub struct Kit<'a> {
    subject: &'a dyn Subject,
}

pub fn run(number: u32) -> RunId {
    RunId(Uuid::from_u128(0xabc0_0000 + u128::from(number)))
}

/// First lane of run `number`.
pub fn lane(number: u32) -> LaneId {
    run(number).root()
}

pub fn command(number: u64) -> Uuid {
    Uuid::from_u128(0xc0_0000_0000 + u128::from(number))
}

pub fn spawn(run: RunId, lane: LaneId) -> Spawn {
    Spawn {
        lane,
        run,
        parent: None,
        key: None,
        queue: Queue::Run,
        priority: Priority::Scheduled,
        events: vec!["born".into()],
        summary: "{}".into(),
    }
}

pub fn start(number: u32) -> Start {
    Start {
        run: run(number),
        body: Digest::of(b"asked"),
        root: spawn(run(number), lane(number)),
        blobs: vec![],
        plan: None,
        index: vec![],
        ledger: vec![],
        run_summary: format!("{{\"run\":{number}}}"),
    }
}

pub fn ask(max: usize) -> ClaimAsk {
    ClaimAsk {
        queue: Queue::Run,
        worker: "w1".into(),
        max,
        at_least: None,
        lease_ms: LEASE_MS,
        wait_ms: 0,
        until: None,
    }
}

pub fn park() -> Batch {
    then(Then::Park)
}

pub fn then(then: Then) -> Batch {
    Batch {
        then,
        ..Batch::default()
    }
}

pub fn events(events: &[&str]) -> Batch {
    Batch {
        events: events.iter().map(ToString::to_string).collect(),
        ..Batch::default()
    }
}

pub fn locks(keys: &[&str]) -> Vec<Resource> {
    slots(keys, 1)
}

pub fn slots(keys: &[&str], capacity: u32) -> Vec<Resource> {
    keys.iter()
        .map(|key| Resource {
            key: (*key).into(),
            capacity,
        })
        .collect()
}

pub fn post(lane: LaneId, number: u64) -> Post {
    Post {
        lane,
        command: command(number),
        body: format!("command {number}"),
    }
}

impl<'a> Kit<'a> {
    pub fn new(subject: &'a dyn Subject) -> Self {
        Self { subject }
    }

    pub fn store(&self) -> &dyn Store {
        self.subject.store()
    }

    pub async fn advance(&self, by_ms: i64) {
        self.subject.advance(by_ms).await;
    }

    /// Lets time pass with a tick a second, as a worker does.
    pub async fn pass(&self, by_ms: i64) -> Ticked {
        let mut left = by_ms;
        let mut last = self.tick().await;
        while left > 0 {
            let step = left.min(1_000);
            self.advance(step).await;
            left -= step;
            let ticked = self.tick().await;
            last = Ticked {
                timers_fired: last.timers_fired + ticked.timers_fired,
                leases_expired: last.leases_expired + ticked.leases_expired,
                ..ticked
            };
        }
        last
    }

    pub async fn tick(&self) -> Ticked {
        self.store().tick(500, LEASE_MS).await.unwrap()
    }

    /// Starts run `number` and returns its lane.
    pub async fn start(&self, number: u32) -> LaneId {
        assert!(matches!(
            self.store().start(start(number)).await,
            Ok(Started::New(_))
        ));
        lane(number)
    }

    pub async fn claim(&self, max: usize) -> Vec<Claim> {
        self.store().claim(&ask(max)).await.unwrap()
    }

    /// Claims the one lane that is ready, and no other.
    pub async fn claim_only(&self, lane: LaneId) -> Claim {
        let mut claims = self.claim(9).await;
        assert_eq!(
            claims.iter().map(|claim| claim.lane).collect::<Vec<_>>(),
            [lane]
        );
        claims.remove(0)
    }

    pub async fn nothing_is_ready(&self) {
        assert_eq!(self.claim(9).await, []);
    }

    /// Starts run `number` and claims its lane.
    pub async fn held(&self, number: u32) -> Claim {
        let lane = self.start(number).await;
        self.claim_only(lane).await
    }

    pub async fn commit(&self, claim: &Claim, version: u64, batch: Batch) -> Committed {
        self.try_commit(claim, version, batch).await.unwrap()
    }

    pub async fn try_commit(
        &self,
        claim: &Claim,
        version: u64,
        batch: Batch,
    ) -> Result<Committed, CommitError> {
        self.store()
            .commit(claim.lane, &claim.fence, version, batch)
            .await
    }

    /// Starts run `number` and parks its lane at version 1.
    pub async fn parked(&self, number: u32) -> LaneId {
        let claim = self.held(number).await;
        self.commit(&claim, 1, park()).await;
        claim.lane
    }

    pub async fn send(&self, lane: LaneId, number: u64) -> Sent {
        self.store()
            .send(lane, command(number), format!("command {number}"))
            .await
            .unwrap()
    }

    pub async fn load(&self, lane: LaneId) -> Loaded {
        self.store().load(lane, 0).await.unwrap().unwrap()
    }

    pub async fn letters(&self, lane: LaneId) -> Vec<String> {
        self.load(lane)
            .await
            .inbox
            .into_iter()
            .map(|letter| letter.body)
            .collect()
    }

    /// Unread letters, without the log up to `version`.
    pub async fn letters_after(&self, lane: LaneId, version: u64) -> Vec<String> {
        let loaded = self.store().load(lane, version).await.unwrap().unwrap();
        assert!(loaded.events.is_empty());
        loaded.inbox.into_iter().map(|letter| letter.body).collect()
    }

    /// Tells, in a commit of its own, whether a host call is in flight.
    pub async fn mark(&self, claim: &Claim, in_call: bool) {
        let batch = Batch {
            in_call: Some(in_call),
            ..Batch::default()
        };
        self.commit(claim, claim.header.version, batch).await;
    }

    pub async fn renew(&self, claim: &Claim) -> bool {
        let held = [(claim.lane, claim.fence.clone())];
        self.store()
            .renew(&held, LEASE_MS)
            .await
            .unwrap()
            .is_empty()
    }

    pub async fn take(
        &self,
        claim: &Claim,
        version: u64,
        keys: &[&str],
    ) -> Result<(), CommitError> {
        let batch = Batch {
            take: Some(Take::Now(locks(keys))),
            ..Batch::default()
        };
        self.try_commit(claim, version, batch).await.map(|_| ())
    }

    /// Queues a ticket and parks.
    pub async fn wait_for(&self, claim: &Claim, version: u64, keys: &[&str]) {
        let batch = Batch {
            take: Some(Take::Wait(locks(keys))),
            then: Then::Park,
            ..Batch::default()
        };
        self.commit(claim, version, batch).await;
    }

    pub async fn holders(&self, key: &str) -> Vec<LaneId> {
        let view = self.store().resource(key).await.unwrap();
        view.holders.into_iter().map(|(lane, _)| lane).collect()
    }

    pub async fn waiters(&self, key: &str) -> Vec<LaneId> {
        self.store().resource(key).await.unwrap().waiters
    }
}

/// A fence that no claim ever gave out.
pub fn foreign_fence() -> Fence {
    Fence("1:00000000000000000000000000000000".into())
}

/// Numbers that look random and are the same for the same seed.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(0x9e37_79b9_7f4a_7c15))
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}
