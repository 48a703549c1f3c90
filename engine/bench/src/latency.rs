//! On an idle system: from the start of a one-step run to its end, and from step to step. Beside it one question to
//! the store, asked out of the same quiet: most of a short run is waking up for answers.

use crate::clock::{MachineClock, now};
use crate::peer::disk;
use crate::peer::redis_server::RedisServer;
use crate::rig::{self, Rig};
use crate::{Figure, Wanted, bed};
use hostler_core::contract::Effect;
use hostler_host_wasmtime::WasmHost;
use hostler_ports::clock::Clock;
use hostler_ports::store::Store;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Runs measured one after the other.
const RUNS: u64 = 300;
const WARM_UP: u64 = 20;
/// Steps of the longer run: what it takes more than a run of one step is from step to step.
const LONG: u32 = 50;
/// Quiet time before each start: the worker waits for a wake-up, as on an idle system.
const IDLE: Duration = Duration::from_millis(3);

pub async fn measure(
    folder: &Path,
    host: &Arc<WasmHost>,
    what: &Wanted,
) -> anyhow::Result<Vec<Figure>> {
    let sync_us = disk::fdatasync_us(folder)?;
    let mut figures = Vec::new();
    if what.store("embedded") {
        let store = rig::embedded(&folder.join("latency")).await?;
        figures.extend(of_store("embedded", store, host, sync_us).await?);
    }
    for appendfsync in ["everysec", "always"] {
        let name = format!("redis-{appendfsync}");
        if what.store(&name) {
            let place = folder.join(format!("latency-{appendfsync}"));
            let server = RedisServer::start(&place, appendfsync)?;
            let store = rig::redis(&server).await?;
            figures.extend(of_store(&name, store, host, sync_us).await?);
        }
    }
    Ok(figures)
}

async fn of_store(
    name: &str,
    store: Arc<dyn Store>,
    host: &Arc<WasmHost>,
    sync_us: f64,
) -> anyhow::Result<Vec<Figure>> {
    let mut rig = Rig::begin(store, host)?;
    let one = timed(&mut rig, host, 1, 0).await?;
    let long = timed(&mut rig, host, LONG, RUNS + WARM_UP).await?;
    let question = questions(&*rig.store).await?;
    rig.stop().await?;
    let step = (at(&long, 50) - at(&one, 50)) / f64::from(LONG - 1);
    let note = format!(
        "question {:.3} ms; fdatasync {sync_us:.0} us, load {}",
        at(&question, 50),
        disk::load()
    );
    let figure = |bench, value| Figure {
        bench,
        store: name.to_owned(),
        value,
        unit: "ms",
        beside: "one question",
        ratio: value / at(&question, 50),
        note: note.clone(),
    };
    Ok(vec![
        figure("run p50", at(&one, 50)),
        figure("run p99", at(&one, 99)),
        figure("step p50", step),
    ])
}

/// Milliseconds from start to end, sorted.
async fn timed(
    rig: &mut Rig,
    host: &Arc<WasmHost>,
    steps: u32,
    first: u64,
) -> anyhow::Result<Vec<f64>> {
    let (_, definition) = bed::definition(usize::try_from(steps)?, Effect::Read);
    let clock = MachineClock::new();
    let mut spent = Vec::new();
    let runs = if steps == 1 { RUNS } else { RUNS / 10 };
    for number in first..first + WARM_UP + runs {
        let start = bed::start(&definition, host, number, clock.now_ms());
        let lane = start.run.root();
        tokio::time::sleep(IDLE).await;
        let began = now();
        rig.store.start(start).await?;
        rig.let_go([lane]).await?;
        if number >= first + WARM_UP {
            spent.push(began.elapsed().as_secs_f64() * 1e3);
        }
        rig::ended(&*rig.store, &[lane]).await?;
    }
    spent.sort_by(f64::total_cmp);
    Ok(spent)
}

/// Milliseconds of the smallest question a store answers, sorted.
async fn questions(store: &dyn Store) -> anyhow::Result<Vec<f64>> {
    let mut spent = Vec::new();
    for _ in 0..RUNS {
        tokio::time::sleep(IDLE).await;
        let began = now();
        store.now_ms().await?;
        spent.push(began.elapsed().as_secs_f64() * 1e3);
    }
    spent.sort_by(f64::total_cmp);
    Ok(spent)
}

fn at(sorted: &[f64], percent: usize) -> f64 {
    let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or(f64::NAN)
}
