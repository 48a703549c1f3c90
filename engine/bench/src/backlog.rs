//! How long a claim takes while a million lanes wait. Beside it, the same claim among a thousand.

use crate::clock::{MachineClock, now};
use crate::peer::disk;
use crate::peer::redis_server::RedisServer;
use crate::rig;
use crate::{Figure, Wanted, bed};
use anyhow::{Context, bail};
use hostler_core::id::LaneId;
use hostler_host_wasmtime::WasmHost;
use hostler_ports::clock::Clock;
use hostler_ports::store::{
    Batch, Claim, ClaimAsk, Priority, Queue, SPAWN_MAX, Spawn, Store, Then,
};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

const FEW: usize = 1_000;
const MANY: usize = 1_000_000;
const CLAIMS: usize = 1_000;
/// Lanes asked for at once, as a worker with free places does.
const AT_ONCE: usize = 16;
const LEASE_MS: i64 = 600_000;

pub async fn measure(
    folder: &Path,
    host: &Arc<WasmHost>,
    what: &Wanted,
) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    if what.store("embedded") {
        let few = rig::embedded(&folder.join("few")).await?;
        let many = rig::embedded(&folder.join("many")).await?;
        figures.push(compared("embedded", [few, many], host).await?);
    }
    if what.store("redis-everysec") {
        let small = RedisServer::start(&folder.join("few-redis"), "everysec")?;
        let large = RedisServer::start(&folder.join("many-redis"), "everysec")?;
        let stores = [rig::redis(&small).await?, rig::redis(&large).await?];
        figures.push(compared("redis-everysec", stores, host).await?);
    }
    Ok(figures)
}

async fn compared(
    name: &str,
    [few, many]: [Arc<dyn Store>; 2],
    host: &Arc<WasmHost>,
) -> anyhow::Result<Figure> {
    let beside = claims_p99_ms(&*few, host, FEW).await?;
    let value = claims_p99_ms(&*many, host, MANY).await?;
    Ok(Figure {
        bench: "backlog",
        store: name.to_owned(),
        value,
        unit: "ms p99",
        beside: "a thousand",
        ratio: value / beside,
        note: format!(
            "a claim of {AT_ONCE} among {MANY} lanes; load {}",
            disk::load()
        ),
    })
}

/// Every lane that is handed out is another one, and there are as many as were asked for.
async fn claims_p99_ms(store: &dyn Store, host: &WasmHost, lanes: usize) -> anyhow::Result<f64> {
    fill(store, host, lanes).await?;
    let claims = CLAIMS.min(lanes / AT_ONCE);
    let (mut spent, mut seen) = (Vec::with_capacity(claims), HashSet::new());
    for _ in 0..claims {
        let began = now();
        let claimed = claim(store, AT_ONCE).await?;
        spent.push(began.elapsed().as_secs_f64() * 1e3);
        seen.extend(claimed.into_iter().map(|claim| claim.lane));
    }
    if seen.len() != claims * AT_ONCE {
        bail!("{} different lanes in {claims} claims", seen.len());
    }
    spent.sort_by(f64::total_cmp);
    Ok(spent[spent.len() * 99 / 100])
}

/// Makes so many ready lanes, as children of one that is held meanwhile.
async fn fill(store: &dyn Store, host: &WasmHost, lanes: usize) -> anyhow::Result<()> {
    let (_, definition) = bed::program(vec![bed::sequence(vec![bed::step(0)])]);
    let start = bed::start(&definition, host, 0, MachineClock::new().now_ms());
    let (run, event) = (start.run, start.root.events[0].clone());
    store.start(start).await?;
    let root = claim(store, 1).await?.pop().context("nothing to claim")?;
    let child = |number: usize| -> Spawn {
        let lane: LaneId = root.lane.child("all", 0, &number.to_string());
        Spawn {
            lane,
            run,
            parent: Some(root.lane),
            key: Some(format!("all/{number}")),
            queue: Queue::Run,
            priority: Priority::Operator,
            events: vec![event.clone()],
            summary: "{}".to_owned(),
        }
    };
    for first in (0..lanes).step_by(SPAWN_MAX) {
        let last = (first + SPAWN_MAX).min(lanes);
        let then = if last == lanes { Then::End } else { Then::Keep };
        let batch = Batch {
            spawn: (first..last).map(child).collect(),
            then,
            ..Batch::default()
        };
        let version = root.header.version;
        store.commit(root.lane, &root.fence, version, batch).await?;
    }
    Ok(())
}

async fn claim(store: &dyn Store, max: usize) -> anyhow::Result<Vec<Claim>> {
    let ask = ClaimAsk {
        queue: Queue::Run,
        worker: "bench".to_owned(),
        max,
        at_least: None,
        lease_ms: LEASE_MS,
        wait_ms: 0,
        until: None,
    };
    Ok(store.claim(&ask).await?)
}
