//! The shell around lanes: apalis's worker and monitor over `Store::claim`.
//!
//! The only crate that names apalis. Of its semantics, only running and watching are used: retries,
//! acknowledgements and timeouts of lanes belong to the engine. A job is a claim on a lane.
#![forbid(unsafe_code)]

mod backend;
mod backoff;
mod permits;
mod pump;
mod service;

use apalis::layers::WorkerBuilderExt;
use apalis::layers::tracing::TraceLayer;
use apalis_core::monitor::Monitor;
use apalis_core::task::Task;
use apalis_core::worker::builder::WorkerBuilder;
use apalis_core::worker::event::Event;
use apalis_core::worker::ext::parallelize::ParallelizeExt;
use backend::Claims;
use hostler_ports::clock::Clock;
use hostler_ports::store::{Claim, Queue, Store};
use permits::Permits;
use pump::{Job, Pump};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How this process takes part in one queue.
#[derive(Clone, Debug)]
pub struct Settings {
    pub queue: Queue,
    /// Name of the worker process, for people who look at leases.
    pub worker: String,
    /// Most lanes held at the same time, of any priority; at least 1.
    pub permits: usize,
    /// Further lanes, of priority `Emergency` only; 0 for none.
    pub emergency_permits: usize,
    pub lease_ms: i64,
    /// How long one claim waits in the store for a lane to become ready.
    pub wait_ms: u64,
    /// How long a stop waits for the lanes that are held.
    pub drain_ms: u64,
}

#[derive(Debug, Error)]
pub enum RunError {
    #[error("the queue needs at least one permit: raise `worker.permits`")]
    NoPermits,
    #[error("the worker ended by itself: {0}")]
    Worker(String),
}

/// How a stop went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Every lane that was held was let go.
    Empty,
    /// Lanes were still held at the end of `drain_ms`: their leases run out by themselves.
    TimedOut,
}

/// Claims lanes and hands each to `handler` until `shutdown`, then waits for those that are held. With
/// the claim comes the monotonic instant (of `clock`) before it was asked for: the lease is that old.
///
/// Never claims more lanes than there are free permits: a lane that waits in a buffer burns its
/// lease. A claim that says `alone` runs with nothing beside it. An unreachable store is asked again,
/// with growing pauses, for as long as it takes. A panic of the handler ends its lane's turn only.
///
/// # Errors
/// When there are no permits, or the worker cannot be kept alive.
pub async fn run<H, F>(
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    handler: H,
    shutdown: CancellationToken,
) -> Result<Drained, RunError>
where
    H: Fn(Claim, i64) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    if settings.permits == 0 {
        return Err(RunError::NoPermits);
    }
    // Capacity 1: a job is taken at once, because it came with a permit.
    let (sender, receiver) = mpsc::channel::<Job>(1);
    let permits = Permits::new(settings.permits, settings.emergency_permits, &shutdown);
    let pumps = Pump::all(&store, &clock, &settings, &permits, &sender, &shutdown);
    drop(sender);
    let pumps: Vec<_> = pumps
        .into_iter()
        .map(|pump| tokio::spawn(pump.run()))
        .collect();
    let claims = Claims::new(receiver);
    let dry = claims.dry();
    // apalis stops when there is nothing left to take, never with a claimed lane in the channel.
    let ends = async move {
        dry.cancelled().await;
        Ok(())
    };
    let worker = tokio::spawn(monitor(&settings, claims, handler).run_with_signal(ends));

    let name = settings.worker.clone();
    let ended = settle(worker, &shutdown, settings.drain_ms).await;
    for pump in pumps {
        pump.abort();
    }
    tracing::info!(worker = name, ended = ?ended.as_ref().ok(), "queue stopped");
    ended
}

/// Waits for the end of the monitor: for ever before a stop, for `drain_ms` after it.
async fn settle<E: std::fmt::Display>(
    mut worker: tokio::task::JoinHandle<Result<(), E>>,
    shutdown: &CancellationToken,
    drain_ms: u64,
) -> Result<Drained, RunError> {
    let ended = tokio::select! {
        ended = &mut worker => ended,
        () = shutdown.cancelled() => {
            match tokio::time::timeout(Duration::from_millis(drain_ms), &mut worker).await {
                Ok(ended) => ended,
                Err(_) => {
                    worker.abort();
                    return Ok(Drained::TimedOut);
                }
            }
        }
    };
    match ended {
        Ok(Ok(())) => Ok(Drained::Empty),
        Ok(Err(fault)) => Err(RunError::Worker(fault.to_string())),
        Err(fault) => Err(RunError::Worker(fault.to_string())),
    }
}

/// apalis's monitor with one worker. The layers from the outside: a task of its own, a bound on jobs
/// in flight, panics caught, a span around all of it.
fn monitor<H, F>(settings: &Settings, claims: Claims, handler: H) -> Monitor
where
    H: Fn(Claim, i64) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let at_once = settings.permits + settings.emergency_permits;
    let name = settings.worker.clone();
    Monitor::new()
        .register(move |_restarts| {
            let trace = TraceLayer::new()
                .make_span_with(|job: &Task<Job>| job.args.span())
                .on_request(|_: &Task<Job>, _: &tracing::Span| {})
                .on_response(|_: &(), _: Duration, _: &tracing::Span| {});
            WorkerBuilder::new(name.clone())
                .backend(claims.clone())
                .parallelize(tokio::spawn as fn(_) -> _)
                .concurrency(at_once)
                .catch_panic()
                .layer(trace)
                .build(service::Lanes::new(handler.clone()))
        })
        .should_restart(|_, _| true)
        .on_event(|worker, event| {
            if let Event::Error(fault) = event {
                tracing::error!(worker = worker.name(), %fault, "a lane's turn ended with a fault");
            }
        })
}
