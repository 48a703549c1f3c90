//! Steps a second: 1,000 runs in flight, each of 10 sequential steps, each step a plugin call, one
//! worker process, from the first start on. Beside it the plain SET of the same Redis, or the disk.

use crate::clock::{FreshIds, MachineClock, now};
use crate::redis_server::RedisServer;
use crate::{Figure, bed, disk};
use anyhow::{Context, bail};
use hostler_core::event::{Event, Recorded};
use hostler_host_wasmtime::WasmHost;
use hostler_ports::clock::Clock;
use hostler_ports::store::{Queue, Store};
use hostler_queue_apalis::Settings as QueueSettings;
use hostler_store_redis::{Endpoint, Options};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const RUNS: u64 = 1_000;
const STEPS: u64 = 10;
/// Lanes that the worker holds at the same time.
const PERMITS: usize = 128;
/// Longest measurement.
const TIME_MAX: Duration = Duration::from_secs(300);
/// Runs whose logs are read back step by step.
const AUDITED: u64 = 50;

pub async fn measure() -> anyhow::Result<Vec<Figure>> {
    let folder = tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in("target")?;
    let host = bed::host(folder.path()).await?;
    let sync_us = disk::fdatasync_us(folder.path())?;
    let mut figures = vec![embedded(folder.path(), &host, sync_us).await?];
    for appendfsync in ["everysec", "always"] {
        figures.push(redis(folder.path(), &host, appendfsync, sync_us).await?);
    }
    Ok(figures)
}

async fn embedded(
    folder: &std::path::Path,
    host: &Arc<WasmHost>,
    sync_us: f64,
) -> anyhow::Result<Figure> {
    let path = folder.join("embedded");
    std::fs::create_dir_all(&path)?;
    let (clock, ids) = (Arc::new(MachineClock::new()), Arc::new(FreshIds));
    let open = move || {
        hostler_store_embedded::open(
            &path,
            hostler_store_embedded::Options::default(),
            clock,
            ids,
        )
    };
    let store: Arc<dyn Store> = Arc::new(tokio::task::spawn_blocking(open).await??);
    let per_s = run(store, host).await?;
    Ok(Figure {
        bench: "steps",
        store: "embedded".to_owned(),
        value: per_s,
        unit: "steps/s",
        beside: "fdatasync/s of this disk",
        ratio: per_s * sync_us / 1e6,
        note: format!("fdatasync {sync_us:.0} us, load {}", disk::load()),
    })
}

async fn redis(
    folder: &std::path::Path,
    host: &Arc<WasmHost>,
    appendfsync: &str,
    sync_us: f64,
) -> anyhow::Result<Figure> {
    let path = folder.join(appendfsync);
    std::fs::create_dir_all(&path)?;
    let server = RedisServer::start(&path, appendfsync)?;
    let limit = server.set_per_s(1)?;
    let piped = server.set_per_s(16)?;
    let options = Options::new(Endpoint::Server(server.url()), "bench");
    let store: Arc<dyn Store> =
        Arc::new(hostler_store_redis::open(options, Arc::new(FreshIds)).await?);
    let per_s = run(store, host).await?;
    Ok(Figure {
        bench: "steps",
        store: format!("redis-{appendfsync}"),
        value: per_s,
        unit: "steps/s",
        beside: "plain SET, 64 clients",
        ratio: per_s / limit,
        note: format!(
            "SET {limit:.0}/s, pipelined {piped:.0}/s; fdatasync {sync_us:.0} us, load {}",
            disk::load()
        ),
    })
}

/// Steps a second over all runs, from the first start to the last end.
async fn run(store: Arc<dyn Store>, host: &Arc<WasmHost>) -> anyhow::Result<f64> {
    let (_, definition) = bed::definition(usize::try_from(STEPS)?);
    let clock = MachineClock::new();
    let starts: Vec<_> = (0..RUNS)
        .map(|number| bed::start(&definition, host, number, clock.now_ms()))
        .collect();
    let runs: Vec<_> = starts.iter().map(|start| start.run).collect();
    let driver = bed::driver(Arc::clone(&store), Arc::clone(host) as _)?;
    let shutdown = CancellationToken::new();
    let left = Arc::new(AtomicU64::new(RUNS));
    let background = tokio::spawn({
        let (driver, shutdown) = (Arc::clone(&driver), shutdown.clone());
        async move { driver.background(shutdown).await }
    });
    let queue = QueueSettings {
        queue: Queue::Run,
        worker: "bench".to_owned(),
        permits: PERMITS,
        emergency_permits: 0,
        lease_ms: 30_000,
        wait_ms: 1_000,
        drain_ms: 5_000,
    };
    let (ended, done) = (Arc::clone(&left), shutdown.clone());
    let drive = move |claim, asked_ms| {
        let (driver, ended, done) = (Arc::clone(&driver), Arc::clone(&ended), done.clone());
        async move {
            driver.drive(claim, asked_ms).await;
            // These lanes wait for nothing: one claim takes a lane to its end.
            if ended.fetch_sub(1, Ordering::SeqCst) == 1 {
                done.cancel();
            }
        }
    };
    let began = now();
    let starting = async {
        futures_all(&store, starts).await?;
        anyhow::Ok(())
    };
    let working = hostler_queue_apalis::run(
        Arc::clone(&store),
        Arc::new(MachineClock::new()),
        queue,
        drive,
        shutdown.clone(),
    );
    let both = async { tokio::join!(starting, working) };
    let (started, worked) = tokio::time::timeout(TIME_MAX, both)
        .await
        .context("the measurement took too long")?;
    let seconds = began.elapsed().as_secs_f64();
    started?;
    worked?;
    shutdown.cancel();
    background.await?;
    audit(&*store, &runs).await?;
    #[allow(clippy::cast_precision_loss, reason = "ten thousand steps")]
    Ok((RUNS * STEPS) as f64 / seconds)
}

async fn futures_all(
    store: &Arc<dyn Store>,
    starts: Vec<hostler_ports::store::Start>,
) -> anyhow::Result<()> {
    let mut tasks = tokio::task::JoinSet::new();
    for start in starts {
        let store = Arc::clone(store);
        tasks.spawn(async move { store.start(start).await });
    }
    while let Some(started) = tasks.join_next().await {
        started??;
    }
    Ok(())
}

/// Every run has ended; of some, every step was started once and succeeded once.
async fn audit(store: &dyn Store, runs: &[hostler_core::id::RunId]) -> anyhow::Result<()> {
    for runs in runs.chunks(500) {
        let lanes: Vec<_> = runs.iter().map(|run| run.root()).collect();
        let headers = store.headers(&lanes).await?;
        let open = headers
            .iter()
            .filter(|header| !header.as_ref().is_some_and(|header| header.ended))
            .count();
        if open > 0 {
            bail!("{open} runs have not ended");
        }
    }
    for run in runs.iter().take(usize::try_from(AUDITED)?) {
        let loaded = store.load(run.root(), 0).await?.context("a run is gone")?;
        let mut started = Vec::new();
        let mut succeeded = BTreeSet::new();
        for text in &loaded.events {
            match Recorded::read(text)?.event {
                Event::StepStarted { step, .. } => started.push(step),
                Event::StepSucceeded { step, .. } => {
                    succeeded.insert(step);
                }
                _ => {}
            }
        }
        if started.len() as u64 != STEPS || succeeded.len() as u64 != STEPS {
            bail!(
                "run {run}: {} starts and {} ends of {STEPS} steps",
                started.len(),
                succeeded.len()
            );
        }
    }
    Ok(())
}
