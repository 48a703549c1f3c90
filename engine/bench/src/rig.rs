//! One worker process over a store, as production composes it, telling which lanes it has let go.

use crate::bed;
use crate::clock::{FreshIds, MachineClock, now};
use crate::peer::redis_server::RedisServer;
use crate::post;
use anyhow::{Context, bail};
use hostler_core::id::LaneId;
use hostler_host_wasmtime::WasmHost;
use hostler_ports::store::{Queue, READ_MAX, Start, Store};
use hostler_queue_apalis::{Drained, RunError, Settings};
use hostler_store_redis::{Endpoint, Options};
use hostler_worker::{Driver, Outbox};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

/// Lanes that the worker holds at the same time.
const PERMITS: usize = 128;
/// Longest measurement.
const TIME_MAX: Duration = Duration::from_secs(300);
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Starts under way at the same time.
const STARTING_MAX: usize = 256;

pub async fn embedded(folder: &Path) -> anyhow::Result<Arc<dyn Store>> {
    let path = folder.to_owned();
    std::fs::create_dir_all(&path)?;
    let open = move || {
        let options = hostler_store_embedded::Options::default();
        let (clock, ids) = (Arc::new(MachineClock::new()), Arc::new(FreshIds));
        hostler_store_embedded::open(&path, options, clock, ids)
    };
    Ok(Arc::new(tokio::task::spawn_blocking(open).await??))
}

pub async fn redis(server: &RedisServer) -> anyhow::Result<Arc<dyn Store>> {
    let options = Options::new(Endpoint::Server(server.url()), "bench");
    let store = hostler_store_redis::open(options, Arc::new(FreshIds)).await?;
    Ok(Arc::new(store))
}

pub struct Rig {
    pub store: Arc<dyn Store>,
    /// Lanes in the order in which they were let go.
    left: mpsc::UnboundedReceiver<LaneId>,
    shutdown: CancellationToken,
    queue: JoinHandle<Result<Drained, RunError>>,
    /// Only where messages are taken over.
    mail: Option<JoinHandle<Result<Drained, RunError>>>,
    background: JoinHandle<()>,
}

impl Rig {
    pub fn begin(store: Arc<dyn Store>, host: &Arc<WasmHost>) -> anyhow::Result<Self> {
        let driver = bed::driver(Arc::clone(&store), Arc::clone(host) as _, bed::estate()?);
        Ok(Self::of(store, driver))
    }

    /// The same where messages are taken over; `told`: whether anybody gets one who is asked.
    pub fn with_post(
        store: Arc<dyn Store>,
        host: &Arc<WasmHost>,
        told: bool,
    ) -> anyhow::Result<Self> {
        let estate = if told {
            bed::estate()?
        } else {
            bed::without_board()?
        };
        let driver = bed::driver(Arc::clone(&store), Arc::clone(host) as _, estate);
        let mut rig = Self::of(Arc::clone(&store), driver);
        let outbox = post::outbox(Arc::clone(&store));
        rig.mail = Some(tokio::spawn(mail(store, outbox, rig.shutdown.clone())));
        Ok(rig)
    }

    fn of(store: Arc<dyn Store>, driver: Arc<Driver>) -> Self {
        let shutdown = CancellationToken::new();
        let background = {
            let (driver, shutdown) = (Arc::clone(&driver), shutdown.clone());
            tokio::spawn(async move { driver.background(shutdown).await })
        };
        let (tell, left) = mpsc::unbounded_channel();
        let queue = tokio::spawn(work(Arc::clone(&store), driver, tell, shutdown.clone()));
        Self {
            store,
            left,
            shutdown,
            queue,
            mail: None,
            background,
        }
    }

    /// Accepts all runs, many at a time.
    pub fn submit(&self, starts: Vec<Start>) -> JoinHandle<anyhow::Result<()>> {
        let store = Arc::clone(&self.store);
        tokio::spawn(async move {
            let mut tasks = JoinSet::new();
            for start in starts {
                if tasks.len() >= STARTING_MAX {
                    tasks.join_next().await.context("nothing is starting")???;
                }
                let store = Arc::clone(&store);
                tasks.spawn(async move { store.start(start).await });
            }
            while let Some(started) = tasks.join_next().await {
                started??;
            }
            Ok(())
        })
    }

    /// Waits until the worker has let go of each of these lanes once.
    pub async fn let_go(&mut self, lanes: impl IntoIterator<Item = LaneId>) -> anyhow::Result<()> {
        let mut open: HashSet<_> = lanes.into_iter().collect();
        let deadline = now() + TIME_MAX;
        while !open.is_empty() {
            let next = tokio::time::timeout_at(deadline.into(), self.left.recv()).await;
            let lane = next.context("the measurement took too long")?;
            open.remove(&lane.context("the worker has ended")?);
        }
        Ok(())
    }

    pub async fn stop(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        self.queue.await??;
        if let Some(mail) = self.mail {
            mail.await??;
        }
        self.background.await?;
        Ok(())
    }
}

async fn work(
    store: Arc<dyn Store>,
    driver: Arc<Driver>,
    tell: mpsc::UnboundedSender<LaneId>,
    shutdown: CancellationToken,
) -> Result<Drained, RunError> {
    let drive = move |claim: hostler_ports::store::Claim, asked_ms| {
        let (driver, tell) = (Arc::clone(&driver), tell.clone());
        async move {
            let lane = claim.lane;
            driver.drive(claim, asked_ms).await;
            // At the end of a measurement nobody listens.
            let _ = tell.send(lane);
        }
    };
    let clock = Arc::new(MachineClock::new());
    hostler_queue_apalis::run(store, clock, settings(Queue::Run), drive, shutdown).await
}

async fn mail(
    store: Arc<dyn Store>,
    outbox: Arc<Outbox>,
    shutdown: CancellationToken,
) -> Result<Drained, RunError> {
    let drive = move |claim, _asked_ms| {
        let outbox = Arc::clone(&outbox);
        async move { outbox.drive(claim).await }
    };
    let clock = Arc::new(MachineClock::new());
    hostler_queue_apalis::run(store, clock, settings(Queue::Mail), drive, shutdown).await
}

fn settings(queue: Queue) -> Settings {
    Settings {
        queue,
        worker: "bench".to_owned(),
        permits: PERMITS,
        emergency_permits: 0,
        lease_ms: 30_000,
        wait_ms: 1_000,
        drain_ms: 5_000,
    }
}

/// Waits until this lane has ended.
pub async fn until_ended(store: &dyn Store, lane: LaneId) -> anyhow::Result<()> {
    let deadline = now() + TIME_MAX;
    while ended(store, &[lane]).await.is_err() {
        if now() > deadline {
            bail!("the measurement took too long");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// Waits until no lane is ready or held.
pub async fn until_quiet(store: &dyn Store) -> anyhow::Result<()> {
    let deadline = now() + TIME_MAX;
    loop {
        let counts = store.counts().await?;
        if counts.ready + counts.leased == 0 {
            return Ok(());
        }
        if now() > deadline {
            bail!("the measurement took too long");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// All of these lanes have ended.
pub async fn ended(store: &dyn Store, lanes: &[LaneId]) -> anyhow::Result<()> {
    for lanes in lanes.chunks(READ_MAX) {
        let headers = store.headers(lanes).await?;
        let is_open = |header: &&Option<hostler_ports::store::Header>| {
            !header.as_ref().is_some_and(|header| header.ended)
        };
        let open = headers.iter().filter(is_open).count();
        if open > 0 {
            bail!("{open} runs have not ended");
        }
    }
    Ok(())
}
