//! The twin in memory: the full semantics, a clock that tests set, and faults on demand.
//!
//! Not here: durability. It is for tests and simulation only.

use super::copy::restore::{self, Restoring};
use super::copy::{CopyFault, Manifest};
use super::verbs::kv::{Journaled, Kv};
use super::verbs::{Keeper, KvStore, Signals, Tx};
use super::{Seq, StoreError, StoreResult, View};
use crate::clock::{Clock, Ids};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// A store in memory.
pub type MemoryStore = KvStore<Memory>;

/// What a fault does to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The call never reaches the store.
    Unreached,
    /// The call is carried out, and its answer is lost.
    AnswerLost,
    /// The store refuses growth.
    Full,
}

/// Asked before every call: the verb's name and the number of the call, from 1.
pub type FaultPlan = Box<dyn Fn(&'static str, u64) -> Option<Fault> + Send + Sync>;

pub struct Memory {
    map: Mutex<Journaled>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    signals: Signals,
    faults: Mutex<Option<Arc<FaultPlan>>>,
    calls: AtomicU64,
    /// Another server answers than at the last tick.
    restarted: AtomicBool,
}

impl MemoryStore {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Self {
        Self(Memory {
            map: Mutex::default(),
            clock,
            ids,
            signals: Signals::default(),
            faults: Mutex::default(),
            calls: AtomicU64::new(0),
            restarted: AtomicBool::new(false),
        })
    }

    /// A store with a clock of its own that stands at 2026-01-01T00:00:00Z.
    #[must_use]
    pub fn with_manual_clock() -> (Self, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(1_767_225_600_000));
        (
            Self::new(Arc::clone(&clock) as _, Arc::new(CountedIds::default())),
            clock,
        )
    }

    /// From now on every call asks `plan`.
    pub fn set_faults(&self, plan: FaultPlan) {
        *self.0.faults.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(plan));
    }

    pub fn clear_faults(&self) {
        *self.0.faults.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Copies.
impl MemoryStore {
    /// A store that goes on from a copy, as `hostler restore` makes one.
    ///
    /// # Errors
    /// For a copy that is damaged.
    pub fn restored(
        copy: &[u8],
        why: &Restoring,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<(Self, Manifest), CopyFault> {
        let store = Self::new(clock, ids);
        let fill = |pairs| {
            let mut map = store.0.map();
            for (key, value) in pairs {
                map.seed(key, value);
            }
            Ok(())
        };
        let (manifest, _) = super::copy::read(copy, |_| Ok(()), fill)?;
        while store.0.transact(restore::prepare)? {}
        store
            .0
            .transact(|tx| restore::declare(tx, &manifest, why))?;
        Ok((store, manifest))
    }
}

/// A failover to a replica that lags behind.
impl MemoryStore {
    /// From now on, the newest `transactions` may be lost by `fail_over`.
    pub fn replicate_late(&self, transactions: usize) {
        self.0.map().remember(transactions);
    }

    /// The replica has everything up to `seq`.
    pub fn replicated(&self, seq: Seq) {
        self.0.map().settle(seq.0);
    }

    /// Goes on without the newest `transactions`, as far as the replica lacks them; their number.
    pub fn fail_over(&self, transactions: usize) -> usize {
        self.0.restarted.store(true, Ordering::SeqCst);
        self.0.map().lose(transactions)
    }
}

impl Memory {
    fn map(&self) -> MutexGuard<'_, Journaled> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fault(&self, verb: &'static str) -> Option<Fault> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let plan = faults.clone();
        // The plan itself may call the store.
        drop(faults);
        plan.and_then(|plan| plan(verb, number))
    }

    fn transact<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut map = self.map();
        map.begin();
        let done = Tx::begin(&mut *map, self.clock.now_ms())
            .map_err(E::from)
            .and_then(|mut tx| {
                let answer = work(&mut tx)?;
                let seq = tx.meta.seq;
                Ok((answer, tx.flush()?, seq))
            });
        match &done {
            Ok((_, _, seq)) => map.keep(*seq),
            Err(_) => map.rollback(),
        }
        drop(map);
        let (answer, woke, _) = done?;
        if woke {
            self.signals.ready.notify_waiters();
        }
        self.signals.changed.notify_waiters();
        Ok(answer)
    }
}

impl Keeper for Memory {
    async fn write<T, E, F>(&self, verb: &'static str, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        match self.fault(verb) {
            None => self.transact(work),
            Some(Fault::Unreached) => Err(StoreError::Unavailable("not reached".into()).into()),
            Some(Fault::Full) => Err(StoreError::Full("as planned".into()).into()),
            Some(Fault::AnswerLost) => {
                self.transact(work)?;
                Err(StoreError::Unavailable("the answer was lost".into()).into())
            }
        }
    }

    async fn read<T, F>(&self, verb: &'static str, work: F) -> StoreResult<T>
    where
        F: FnOnce(&dyn Kv) -> StoreResult<T> + Send + 'static,
        T: Send + 'static,
    {
        match self.fault(verb) {
            Some(Fault::Unreached | Fault::AnswerLost) => {
                Err(StoreError::Unavailable("not reached".into()))
            }
            _ => work(&*self.map()),
        }
    }

    fn view(&self) -> View {
        Box::new(self.map().frozen())
    }
    fn kind(&self) -> &'static str {
        "memory"
    }
    fn signals(&self) -> &Signals {
        &self.signals
    }
    fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }
    fn fresh(&self) -> Uuid {
        self.ids.fresh()
    }
    fn has_restarted(&self) -> bool {
        self.restarted.swap(false, Ordering::SeqCst)
    }
}

/// A clock that goes when it is told to.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    #[must_use]
    pub fn at(now_ms: i64) -> Self {
        Self(AtomicI64::new(now_ms))
    }
    pub fn advance(&self, by_ms: i64) {
        self.0.fetch_add(by_ms, Ordering::SeqCst);
    }
    pub fn set(&self, now_ms: i64) {
        self.0.store(now_ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
    fn monotonic_ms(&self) -> i64 {
        self.now_ms()
    }
}

/// Ids 1, 2, 3 and so on.
#[derive(Debug, Default)]
pub struct CountedIds(AtomicU64);

impl Ids for CountedIds {
    fn fresh(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.0.fetch_add(1, Ordering::SeqCst) + 1))
    }
}

#[cfg(all(test, feature = "conformance"))]
mod tests {
    use super::*;
    use crate::store::conformance::{Effort, Subject, all};
    use crate::store::{Batch, ClaimAsk, Store};

    struct InMemory(MemoryStore, Arc<ManualClock>);

    #[async_trait::async_trait]
    impl Subject for InMemory {
        fn store(&self) -> &dyn Store {
            &self.0
        }
        async fn advance(&self, by_ms: i64) {
            self.1.advance(by_ms);
        }
    }

    #[tokio::test]
    async fn the_memory_twin_conforms() {
        let make = |_| async {
            let (store, clock) = MemoryStore::with_manual_clock();
            InMemory(store, clock)
        };
        let effort = Effort {
            model_steps: 100_000,
            lock_steps: 20_000,
            seed: 7,
        };
        assert!(all(make, effort).await > 80);
    }

    #[tokio::test]
    async fn a_lost_answer_leaves_the_call_carried_out() {
        use crate::store::conformance::Kit;
        let (store, clock) = MemoryStore::with_manual_clock();
        let subject = InMemory(store, clock);
        let claim = Kit::new(&subject).held(1).await;
        let store = &subject.0;
        store.set_faults(Box::new(|verb, _| {
            (verb == "commit").then_some(Fault::AnswerLost)
        }));
        let batch = Batch {
            events: vec!["a".into()],
            ..Batch::default()
        };
        assert!(
            store
                .commit(claim.lane, &claim.fence, 1, batch.clone())
                .await
                .is_err()
        );
        store.set_faults(Box::new(|_, _| Some(Fault::Unreached)));
        assert!(
            store
                .commit(claim.lane, &claim.fence, 2, batch)
                .await
                .is_err()
        );
        let ask = ClaimAsk {
            queue: crate::store::Queue::Run,
            worker: "w".into(),
            max: 1,
            at_least: None,
            lease_ms: 1_000,
            wait_ms: 0,
            until: None,
        };
        assert!(store.claim(&ask).await.is_err());
        store.clear_faults();
        assert_eq!(
            store.load(claim.lane, 0).await.unwrap().unwrap().events,
            ["born", "a"]
        );
    }
}
