//! What one more asset costs: the time of a wave a child, for a hundred children and for ten thousand.

use crate::clock::{MachineClock, now};
use crate::peer::disk;
use crate::peer::redis_server::RedisServer;
use crate::rig::{self, Rig};
use crate::{Figure, Wanted, bed};
use anyhow::bail;
use hostler_core::definition::{AtOnce, Each, OnFailure, Over, Program, Ramp, Spawn, Step, Verb};
use hostler_core::expression::Dynamic;
use hostler_core::id::LaneId;
use hostler_core::result::LaneResult;
use hostler_core::view::ChildRecord;
use hostler_host_wasmtime::WasmHost;
use hostler_ports::clock::Clock;
use hostler_ports::store::{Cursor, Store};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;

const SMALL: u32 = 100;
const LARGE: u32 = 10_000;
/// Small waves are measured so often, one after the other.
const SMALL_RUNS: u32 = 10;
const AT_ONCE: u32 = 64;

pub async fn measure(
    folder: &Path,
    host: &Arc<WasmHost>,
    what: &Wanted,
) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    if what.store("embedded") {
        let store = rig::embedded(&folder.join("growth")).await?;
        figures.push(of_store("embedded", store, host).await?);
    }
    if what.store("redis-everysec") {
        let server = RedisServer::start(&folder.join("growth-redis"), "everysec")?;
        figures.push(of_store("redis-everysec", rig::redis(&server).await?, host).await?);
    }
    Ok(figures)
}

async fn of_store(
    name: &str,
    store: Arc<dyn Store>,
    host: &Arc<WasmHost>,
) -> anyhow::Result<Figure> {
    let mut small = 0.0;
    for number in 0..SMALL_RUNS {
        small += wave(&store, host, SMALL, u64::from(number)).await? / f64::from(SMALL_RUNS);
    }
    let large = wave(&store, host, LARGE, u64::from(SMALL_RUNS)).await?;
    Ok(Figure {
        bench: "growth",
        store: name.to_owned(),
        value: large,
        unit: "us/asset",
        beside: "a wave of 100",
        ratio: large / small,
        note: format!(
            "{LARGE} children; {small:.0} us in a wave of {SMALL}; load {}",
            disk::load()
        ),
    })
}

/// Microseconds a child, from the start of the run to its end.
async fn wave(
    store: &Arc<dyn Store>,
    host: &Arc<WasmHost>,
    children: u32,
    number: u64,
) -> anyhow::Result<f64> {
    let (_, definition) = bed::program(programs(children));
    let start = bed::start(&definition, host, number, MachineClock::new().now_ms());
    let root = start.run.root();
    let rig = Rig::begin(Arc::clone(store), host)?;
    let began = now();
    store.start(start).await?;
    rig::until_ended(&**store, root).await?;
    let seconds = began.elapsed().as_secs_f64();
    rig.stop().await?;
    audit(&**store, root, children).await?;
    Ok(seconds * 1e6 / f64::from(children))
}

fn programs(children: u32) -> Vec<Program> {
    let each = Each {
        over: Over::Times(Dynamic::Literal(json!(children))),
        binds: "item".to_owned(),
        key: None,
        body: 1,
        at_once: AtOnce {
            ramp: Ramp::Fixed(AT_ONCE),
            per: Vec::new(),
        },
        take: None,
        on_failure: OnFailure::Stop,
        collect: None,
        waves: Vec::new(),
        stop_at: None,
        gate: None,
        lead_ms: None,
        overflow: None,
    };
    let root = Step::bare("all", Verb::Spawn(Spawn::Each(Box::new(each))));
    vec![bed::sequence(vec![root]), bed::sequence(vec![bed::step(0)])]
}

/// Each child is there once and has succeeded.
async fn audit(store: &dyn Store, root: LaneId, children: u32) -> anyhow::Result<()> {
    let (mut after, mut found) = (Cursor::default(), 0);
    loop {
        let page = store.children(root, after).await?;
        for child in page.entries {
            let record: ChildRecord = serde_json::from_str(&child.record.unwrap_or_default())?;
            if record.result != LaneResult::Succeeded {
                bail!("child {} ended {:?}", child.key, record.result);
            }
            found += 1;
        }
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    if found != children {
        bail!("{found} of {children} children were found");
    }
    Ok(())
}
