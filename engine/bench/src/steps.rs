//! Steps a second: 1,000 runs in flight, each of 10 sequential steps, each step a plugin call, one
//! worker process, from the first start to the last end. Beside it, in the same run: apalis-redis
//! with chained tasks, a script of the same writes, and what the disk can do.

use crate::clock::{MachineClock, now};
use crate::peer::redis_server::RedisServer;
use crate::peer::{apalis, disk};
use crate::rig::{self, Rig};
use crate::rounds::Rounds;
use crate::{Figure, Wanted, bed};
use anyhow::{Context, bail};
use hostler_core::contract::Effect;
use hostler_core::event::{Event, Recorded};
use hostler_core::id::RunId;
use hostler_host_wasmtime::WasmHost;
use hostler_ports::clock::Clock;
use hostler_ports::store::Store;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

const RUNS: u64 = 1_000;
const STEPS: u64 = 10;
/// Steps that change nothing, and steps that are confirmed before their call and enter the ledger.
const KINDS: [(&str, Effect); 2] = [("steps", Effect::Read), ("ledger", Effect::Repeatable)];
/// Runs whose logs are read back step by step.
const AUDITED: usize = 50;

pub async fn measure(
    folder: &Path,
    host: &Arc<WasmHost>,
    what: &Wanted,
) -> anyhow::Result<Vec<Figure>> {
    let sync_us = disk::fdatasync_us(folder)?;
    let mut figures = Vec::new();
    if what.store("embedded") {
        figures.extend(embedded(folder, host, sync_us, what.rounds).await?);
    }
    for appendfsync in ["everysec", "always"] {
        if what.store(&format!("redis-{appendfsync}")) {
            figures.extend(redis(folder, host, appendfsync, sync_us, what).await?);
        }
    }
    Ok(figures)
}

fn figure(store: &str, value: f64, beside: &'static str, limit: f64, note: String) -> Figure {
    Figure {
        bench: "steps",
        store: store.to_owned(),
        value,
        unit: "steps/s",
        beside,
        ratio: value / limit,
        note,
    }
}

async fn embedded(
    folder: &Path,
    host: &Arc<WasmHost>,
    sync_us: f64,
    rounds: usize,
) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (bench, effect) in KINDS {
        let mut per_s = Rounds::default();
        for round in 0..rounds {
            let store = rig::embedded(&folder.join(format!("embedded-{bench}-{round}"))).await?;
            per_s.add(run(store, host, effect).await?);
        }
        let note = format!("{per_s}; fdatasync {sync_us:.0} us, load {}", disk::load());
        let syncs = 1e6 / sync_us;
        figures.push(Figure {
            bench,
            ..figure("embedded", per_s.median(), "fdatasync/s", syncs, note)
        });
    }
    Ok(figures)
}

async fn redis(
    folder: &Path,
    host: &Arc<WasmHost>,
    appendfsync: &str,
    sync_us: f64,
    what: &Wanted,
) -> anyhow::Result<Vec<Figure>> {
    let name = format!("redis-{appendfsync}");
    let mut turns = Turns::default();
    for round in 0..what.rounds {
        let folder = folder.join(format!("{appendfsync}-{round}"));
        turns.take(&folder, host, appendfsync, what.alone).await?;
    }
    let Turns {
        own,
        entered,
        peer,
        script,
        piped,
    } = turns;
    if what.alone {
        let note = format!("{own}; load {}", disk::load());
        return Ok(vec![figure(
            &name,
            own.median(),
            "nothing",
            own.median(),
            note,
        )]);
    }
    let note = format!(
        "{own} beside {peer}/s; fdatasync {sync_us:.0} us, load {}",
        disk::load()
    );
    let bare = format!("script {script}/s with 64 clients, {piped}/s pipelined by 16");
    Ok(vec![
        figure(&name, own.median(), "apalis-redis", peer.median(), note),
        figure(
            &name,
            own.median(),
            "the script alone",
            script.median(),
            bare,
        ),
        Figure {
            bench: KINDS[1].0,
            ..figure(
                &name,
                entered.median(),
                "apalis-redis",
                peer.median(),
                entered.to_string(),
            )
        },
    ])
}

/// What is measured upon Redis, in turns, each upon a server of its own.
#[derive(Default)]
struct Turns {
    own: Rounds,
    entered: Rounds,
    peer: Rounds,
    script: Rounds,
    piped: Rounds,
}

impl Turns {
    async fn take(
        &mut self,
        folder: &Path,
        host: &Arc<WasmHost>,
        appendfsync: &str,
        alone: bool,
    ) -> anyhow::Result<()> {
        let server = RedisServer::start(&folder.join("steps"), appendfsync)?;
        self.own
            .add(run(rig::redis(&server).await?, host, Effect::Read).await?);
        drop(server);
        if alone {
            return Ok(());
        }
        let server = RedisServer::start(&folder.join("peer"), appendfsync)?;
        self.peer
            .add(apalis::links_per_s(&server.url(), RUNS, STEPS).await?);
        self.script.add(server.script_per_s(1)?);
        self.piped.add(server.script_per_s(16)?);
        drop(server);
        let server = RedisServer::start(&folder.join("ledger"), appendfsync)?;
        self.entered
            .add(run(rig::redis(&server).await?, host, Effect::Repeatable).await?);
        Ok(())
    }
}

/// Steps a second over all runs, from the first start to the last end.
async fn run(store: Arc<dyn Store>, host: &Arc<WasmHost>, effect: Effect) -> anyhow::Result<f64> {
    let (_, definition) = bed::definition(usize::try_from(STEPS)?, effect);
    let clock = MachineClock::new();
    let starts: Vec<_> = (0..RUNS)
        .map(|number| bed::start(&definition, host, number, clock.now_ms()))
        .collect();
    let runs: Vec<_> = starts.iter().map(|start| start.run).collect();
    let mut rig = Rig::begin(Arc::clone(&store), host)?;
    let began = now();
    let submitting = rig.submit(starts);
    // These lanes wait for nothing: one claim takes a lane to its end.
    rig.let_go(runs.iter().map(|run| run.root())).await?;
    let seconds = began.elapsed().as_secs_f64();
    submitting.await??;
    rig.stop().await?;
    audit(&*store, &runs).await?;
    #[allow(clippy::cast_precision_loss, reason = "ten thousand steps")]
    Ok((RUNS * STEPS) as f64 / seconds)
}

/// Every run has ended; of some, every step was started once and succeeded once.
async fn audit(store: &dyn Store, runs: &[RunId]) -> anyhow::Result<()> {
    let lanes: Vec<_> = runs.iter().map(|run| run.root()).collect();
    rig::ended(store, &lanes).await?;
    for run in runs.iter().take(AUDITED) {
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
