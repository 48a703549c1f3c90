//! Everything around a rehearsed run: the memory twin, a clock that is pushed, the real worker.

use crate::host::ScriptedHost;
use crate::next_hop::NextHop;
use crate::scenario::Scenario;
use hostler_api::catalogue::Runbooks;
use hostler_api::{Api, Problem};
use hostler_core::contract::{Contract, Effect};
use hostler_core::directory::Directory;
use hostler_core::expression::Evaluate;
use hostler_ports::channel::Compose;
use hostler_ports::clock::Clock as _;
use hostler_ports::store::memory::{CountedIds, ManualClock, MemoryStore};
use hostler_ports::store::{Claim, ClaimAsk, Queue, READ_MAX, Store, StoreError};
use hostler_worker::{Driver, Links, Outbox, OutboxParts, Parts, Settings};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use thiserror::Error;

/// Between two ticks of a store that is awake.
const AWAKE_MS: i64 = 2_000;

/// Moves at one instant.
const SETTLE_MAX: u32 = 10_000;

/// Where the links of messages lead.
pub const LINKS: &str = "https://hostler.example";
/// Where people write who want no more.
pub const LEAVE: &str = "bounces@hostler.example";

/// What is the same for all scenarios of an estate and its runbooks.
#[derive(Clone)]
pub struct Stage {
    pub directory: Arc<dyn Directory>,
    pub evaluate: Arc<dyn Evaluate>,
    pub runbooks: Arc<dyn Runbooks>,
    pub compose: Arc<dyn Compose>,
    pub contracts: Arc<Vec<Contract>>,
}

impl Stage {
    /// How each action of the contracts may be repeated, by the action's name.
    #[must_use]
    pub fn effects(&self) -> BTreeMap<String, Effect> {
        let contracts = self.contracts.iter();
        let actions = contracts.flat_map(|contract| &contract.actions);
        actions
            .map(|action| (action.name.clone(), action.effect))
            .collect()
    }
}

#[derive(Debug, Error)]
pub enum Trouble {
    #[error("the run was not accepted: {0:?}")]
    NotStarted(Box<Problem>),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Stuck(String),
    #[error("a record cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
}

/// The worker that claims lanes now. Copies name the same one.
#[derive(Clone)]
pub struct Worker(Arc<Mutex<Arc<Driver>>>);

impl Worker {
    fn over(
        store: &Arc<MemoryStore>,
        clock: &Arc<ManualClock>,
        host: &Arc<ScriptedHost>,
        stage: &Stage,
    ) -> Self {
        let driver = Driver::new(Parts {
            store: Arc::clone(store) as _,
            host: Arc::clone(host) as _,
            directory: Arc::clone(&stage.directory),
            evaluate: Arc::clone(&stage.evaluate),
            clock: Arc::clone(clock) as _,
            settings: Settings::default(),
        });
        Self(Arc::new(Mutex::new(driver)))
    }

    fn driver(&self) -> Arc<Driver> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on another one claims.
    pub fn is_succeeded_by(&self, other: &Self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = other.driver();
    }
}

pub struct World {
    pub store: Arc<MemoryStore>,
    pub clock: Arc<ManualClock>,
    pub host: Arc<ScriptedHost>,
    pub api: Api,
    pub next_hop: Arc<NextHop>,
    pub worker: Worker,
    /// Another worker, with a memory of its own.
    stand_in: Arc<Driver>,
    /// A worker that sleeps in the middle of a call, with the calls that were seen before.
    asleep: Mutex<Option<Asleep>>,
    outbox: Arc<Outbox>,
}

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;
type Asleep = (Work, usize);

impl World {
    pub fn new(stage: &Stage, scenario: &Scenario) -> Self {
        let (store, clock) = MemoryStore::with_manual_clock();
        let store = Arc::new(store);
        let host = Arc::new(ScriptedHost::new(
            &stage.contracts,
            &plugins(stage),
            &scenario.answers,
        ));
        let worker = Worker::over(&store, &clock, &host, stage);
        let stand_in = Worker::over(&store, &clock, &host, stage).driver();
        let next_hop = Arc::new(NextHop::refusing(scenario.unreachable.clone()));
        let outbox = OutboxParts {
            store: Arc::clone(&store) as _,
            channel: Arc::clone(&next_hop) as _,
            compose: Arc::clone(&stage.compose),
            links: Some(Links {
                base: LINKS.to_owned(),
                leave: Some(LEAVE.to_owned()),
                ids: Arc::new(CountedIds::default()),
            }),
            tags: Some(Arc::new(CountedIds::default())),
        };
        let api = Api {
            store: Arc::clone(&store) as _,
            directory: Arc::clone(&stage.directory),
            plugins: Arc::clone(&host) as _,
            runbooks: Arc::clone(&stage.runbooks),
            compose: Arc::clone(&stage.compose),
            ids: Arc::new(CountedIds::default()),
            archive: None,
            sealed: None,
            schedules: Arc::default(),
            step_up: Arc::default(),
        };
        Self {
            store,
            clock,
            host,
            api,
            next_hop,
            worker,
            stand_in,
            asleep: Mutex::default(),
            outbox: Outbox::new(outbox),
        }
    }

    /// A worker over the same store and targets that has read this stage's files.
    pub fn successor(&self, stage: &Stage) -> Worker {
        Worker::over(&self.store, &self.clock, &self.host, stage)
    }

    /// The engine is started anew over the same store, with what this stage's files say now, and perhaps with
    /// another build of one plugin.
    pub fn restarted(mut self, stage: &Stage, scenario: &Scenario, rebuilt: Option<&str>) -> Self {
        let host = ScriptedHost::new(&stage.contracts, &plugins(stage), &scenario.answers);
        self.host = Arc::new(match rebuilt {
            Some(plugin) => host.rebuilt(plugin),
            None => host,
        });
        self.worker = self.successor(stage);
        self.stand_in = self.successor(stage).driver();
        self.api = Api {
            directory: Arc::clone(&stage.directory),
            plugins: Arc::clone(&self.host) as _,
            runbooks: Arc::clone(&stage.runbooks),
            ..self.api
        };
        self
    }

    /// Moves one ready lane or message; false when nothing is ready.
    pub async fn step(&self) -> Result<bool, Trouble> {
        for queue in [Queue::Run, Queue::Mail] {
            let asked_ms = self.clock.monotonic_ms();
            let claims = self.store.claim(&claim_one(queue)).await;
            // A planned fault of the store: the claim is repeated later.
            let Ok(claims) = claims else { return Ok(true) };
            if let Some(claim) = claims.into_iter().next() {
                match queue {
                    Queue::Run => self.drive(claim, asked_ms).await,
                    Queue::Mail => Arc::clone(&self.outbox).drive(claim).await,
                }
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Moves whatever is ready, until nothing is.
    ///
    /// # Errors
    /// When there is no end of it.
    pub async fn settle(&self) -> Result<(), Trouble> {
        for _ in 0..SETTLE_MAX {
            if !self.step().await? {
                return Ok(());
            }
        }
        Err(Trouble::Stuck(format!(
            "{SETTLE_MAX} moves, and more to come"
        )))
    }

    async fn drive(&self, claim: Claim, asked_ms: i64) {
        let calls = self.host.seen().len();
        let sleeper = self.sleeper().take();
        let driver = match sleeper {
            Some(_) => &self.stand_in,
            None => &self.worker.driver(),
        };
        let mut work: Work = Box::pin(Arc::clone(driver).drive(claim, asked_ms));
        tokio::select! {
            () = &mut work => {}
            // Dropping the future is what becomes of a worker that is killed.
            () = self.host.killed() => {}
            () = self.host.slept() => *self.sleeper() = Some((work, self.host.seen().len())),
        }
        match sleeper {
            // The one that took over has called, or asked, the target: now the late one goes on.
            Some((late, before)) if self.repeats(before, calls) => {
                self.host.wake();
                late.await;
            }
            None => {}
            still => *self.sleeper() = still,
        }
    }

    /// Whether one of the calls from `calls` on bears the key of the last one before `before`.
    fn repeats(&self, before: usize, calls: usize) -> bool {
        let seen = self.host.seen();
        let key = before.checked_sub(1).and_then(|last| seen.get(last));
        let key = key.map(|seen| seen.key);
        seen.iter().skip(calls).any(|seen| Some(seen.key) == key)
    }

    fn sleeper(&self) -> MutexGuard<'_, Option<Asleep>> {
        self.asleep.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A worker sleeps for whom nobody has taken over.
    pub fn has_a_sleeper(&self) -> bool {
        self.sleeper().is_some()
    }

    /// Whether nothing came of it.
    async fn tick_after(&self, by_ms: i64) -> bool {
        self.clock.advance(by_ms);
        let lease_ms = Settings::default().lease_ms;
        let ticked = self.store.tick(READ_MAX, lease_ms).await;
        // A planned fault of the store: the next call looks again.
        ticked.is_ok_and(|ticked| {
            ticked.timers_fired == 0 && ticked.leases_expired == 0 && !ticked.more
        })
    }

    /// Lets so much time pass, and as much again, at most so many times, while no timer fires. To be called
    /// only where nobody but the clock can move anything.
    pub async fn pass_on(&self, by_ms: i64, times: u32) -> Result<(), Trouble> {
        let held = self.store.counts().await?.leased > 0;
        for _ in 1..times {
            if held {
                break;
            }
            if !self.tick_after(by_ms).await {
                return Ok(());
            }
        }
        self.pass(by_ms).await
    }

    /// Lets time pass; leases that nobody renews expire.
    pub async fn pass(&self, by_ms: i64) -> Result<(), Trouble> {
        self.tick_after(by_ms).await;
        // A gap between ticks looks like a stall of the store: leases are taken back only while
        // it is seen to be awake.
        let lease_ms = Settings::default().lease_ms;
        let mut waited_ms = 0;
        while self.store.counts().await?.leased > 0 && waited_ms <= 2 * lease_ms {
            self.tick_after(AWAKE_MS).await;
            waited_ms += AWAKE_MS;
        }
        Ok(())
    }
}

fn claim_one(queue: Queue) -> ClaimAsk {
    ClaimAsk {
        queue,
        worker: "rehearsal".to_owned(),
        max: 1,
        at_least: None,
        lease_ms: Settings::default().lease_ms,
        wait_ms: 0,
        until: None,
    }
}

/// Names of the plugins that the estate's connections use.
fn plugins(stage: &Stage) -> Vec<String> {
    let names: BTreeSet<_> = stage
        .directory
        .connections()
        .iter()
        .map(|connection| connection.plugin.clone())
        .collect();
    names.into_iter().collect()
}
