//! Everything around a rehearsed run: the memory twin, a clock that is pushed, the real worker.

use crate::host::ScriptedHost;
use crate::scenario::Scenario;
use async_trait::async_trait;
use hostler_api::catalogue::Runbooks;
use hostler_api::{Api, Problem};
use hostler_core::contract::Contract;
use hostler_core::directory::Directory;
use hostler_core::expression::Evaluate;
use hostler_ports::channel::{Channel, Compose, Delivery, Message};
use hostler_ports::clock::Clock as _;
use hostler_ports::store::memory::{CountedIds, ManualClock, MemoryStore};
use hostler_ports::store::{ClaimAsk, Queue, Store, StoreError};
use hostler_worker::{Driver, Links, Outbox, OutboxParts, Parts, Settings};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use thiserror::Error;

/// Between two ticks of a store that is awake.
const AWAKE_MS: i64 = 2_000;

/// Moves at one instant.
const SETTLE_MAX: u32 = 10_000;

/// Where the links of messages lead.
pub const LINKS: &str = "https://hostler.example";

/// What is the same for all scenarios of an estate and its runbooks.
#[derive(Clone)]
pub struct Stage {
    pub directory: Arc<dyn Directory>,
    pub evaluate: Arc<dyn Evaluate>,
    pub runbooks: Arc<dyn Runbooks>,
    pub compose: Arc<dyn Compose>,
    pub contracts: Arc<Vec<Contract>>,
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

/// A channel whose next hop takes everything but what is for these addresses, or ends of them.
pub struct NextHop {
    refuses: Mutex<Vec<String>>,
    taken: Mutex<Vec<Message>>,
}

impl NextHop {
    pub fn refuses(&self, address: &str) -> bool {
        let refuses = self.refuses.lock();
        let refuses = refuses.unwrap_or_else(PoisonError::into_inner);
        refuses.iter().any(|end| address.ends_with(end.as_str()))
    }

    /// From now on it takes nothing for anybody.
    pub fn refuse_all(&self) {
        let refuses = self.refuses.lock();
        refuses
            .unwrap_or_else(PoisonError::into_inner)
            .push(String::new());
    }

    /// What it has taken, in its order.
    pub fn taken(&self) -> Vec<Message> {
        self.messages().clone()
    }

    fn messages(&self) -> MutexGuard<'_, Vec<Message>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Channel for NextHop {
    async fn deliver(&self, message: &Message) -> Delivery {
        if self.refuses(&message.to_address) {
            let answer = "550 nobody of that name".to_owned();
            return Delivery::Refused { answer };
        }
        self.messages().push(message.clone());
        Delivery::Accepted {
            answer: "250 kept".to_owned(),
            sha256: message.message_id.clone(),
        }
    }
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
    outbox: Arc<Outbox>,
}

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
        let next_hop = Arc::new(NextHop {
            refuses: Mutex::new(scenario.unreachable.clone()),
            taken: Mutex::default(),
        });
        let outbox = OutboxParts {
            store: Arc::clone(&store) as _,
            channel: Arc::clone(&next_hop) as _,
            compose: Arc::clone(&stage.compose),
            links: Some(Links {
                base: LINKS.to_owned(),
                ids: Arc::new(CountedIds::default()),
            }),
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
        };
        Self {
            store,
            clock,
            host,
            api,
            next_hop,
            worker,
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
                    // Dropping the future is what becomes of a worker that is killed.
                    Queue::Run => tokio::select! {
                        () = self.worker.driver().drive(claim, asked_ms) => {}
                        () = self.host.killed() => {}
                    },
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

    async fn tick_after(&self, by_ms: i64) {
        self.clock.advance(by_ms);
        // A planned fault of the store: the next call looks again.
        let _ = self
            .store
            .tick(hostler_ports::store::READ_MAX, Settings::default().lease_ms)
            .await;
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
