//! apalis-redis alone: chained tasks, no state of a run, no plugin. Each task pushes the next one.

use crate::clock::now;
use anyhow::Context;
use apalis::layers::WorkerBuilderExt;
use apalis_core::backend::TaskSink;
use apalis_core::backend::ext::BackendExt;
use apalis_core::error::BoxDynError;
use apalis_core::task::data::Data;
use apalis_core::worker::builder::WorkerBuilder;
use apalis_core::worker::ext::parallelize::ParallelizeExt;
use apalis_redis::{Config, RedisStorage};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// Tasks fetched at a time, and in work at a time.
const BATCH: usize = 128;
/// How often it looks for tasks: it has no wake-up.
const POLL: Duration = Duration::from_millis(5);
/// Longest measurement.
const TIME_MAX: Duration = Duration::from_secs(120);

/// One link of a chain.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Link {
    run: u64,
    left: u64,
}

/// What the handlers share.
#[derive(Clone)]
struct Chain {
    storage: RedisStorage<Link>,
    /// Chains that have not ended.
    open: Arc<AtomicU64>,
    done: Arc<Notify>,
    /// Links that were handled, to be compared with those asked for.
    handled: Arc<AtomicU64>,
}

async fn handle(link: Link, chain: Data<Chain>) -> Result<(), BoxDynError> {
    chain.handled.fetch_add(1, Ordering::SeqCst);
    let next = Link {
        run: link.run,
        left: link.left - 1,
    };
    if next.left > 0 {
        chain.storage.clone().push(next).await?;
    } else if chain.open.fetch_sub(1, Ordering::SeqCst) == 1 {
        chain.done.notify_one();
    }
    Ok(())
}

/// Links a second of `runs` chains of `length` links, from the first push to the last end.
///
/// # Errors
/// When a link was lost or handled twice, or it took too long.
pub async fn links_per_s(url: &str, runs: u64, length: u64) -> anyhow::Result<f64> {
    let connection = apalis_redis::connect(url).await?;
    // The fastest that it offers for short tasks.
    let config = Config::default()
        .batch_size(BATCH)
        .lock_tasks(false)
        .persist_results(false)
        .emit_events(false)
        .queue("links");
    let storage = RedisStorage::<Link>::new(connection).with_config(config);
    let chain = Chain {
        storage: storage.clone(),
        open: Arc::new(AtomicU64::new(runs)),
        done: Arc::new(Notify::new()),
        handled: Arc::default(),
    };
    let worker = WorkerBuilder::new("peer")
        .backend(storage.clone().poll_with_interval(POLL))
        .data(chain.clone())
        .parallelize(tokio::spawn as fn(_) -> _)
        .concurrency(BATCH)
        .build(handle);
    let working = tokio::spawn(worker.run());
    let began = now();
    let mut pushing = storage;
    for run in 0..runs {
        pushing.push(Link { run, left: length }).await?;
    }
    tokio::time::timeout(TIME_MAX, chain.done.notified())
        .await
        .context("apalis-redis did not come to an end")?;
    let seconds = began.elapsed().as_secs_f64();
    working.abort();
    let handled = chain.handled.load(Ordering::SeqCst);
    anyhow::ensure!(
        handled == runs * length,
        "apalis-redis handled {handled} of {} links",
        runs * length
    );
    #[allow(clippy::cast_precision_loss, reason = "ten thousand links")]
    Ok(handled as f64 / seconds)
}
