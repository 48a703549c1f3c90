//! What one call of a plugin costs: a fresh instance and an action that does nothing. Beside it, a
//! process of its own, which is what a step costs where steps are isolated by processes.

use crate::clock::now;
use crate::peer::disk;
use crate::{Figure, bed};
use anyhow::{Context, bail};
use hostler_core::id::{LaneId, RunId};
use hostler_host_wasmtime::WasmHost;
use hostler_ports::plugin::{Call, CallWatch, Entry, JournalEntry, LeaseLost, PluginHost, Reply};
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::sync::Arc;
use tokio::task::JoinSet;
use uuid::Uuid;

const CALLS: u64 = 100_000;
const WARM_UP: u64 = 5_000;
const IN_FLIGHT: u64 = 64;
const PROCESSES: u32 = 200;

struct Nobody;

#[async_trait::async_trait]
impl CallWatch for Nobody {
    async fn journal(&self, _entry: JournalEntry) -> Result<(), LeaseLost> {
        Ok(())
    }
    fn may_begin(&self) -> bool {
        true
    }
    async fn cut(&self) {
        std::future::pending().await
    }
    fn log(&self, _level: &str, _line: &str) {}
    fn progress(&self, _percent: u8, _note: &str) {}
}

pub async fn measure(host: &Arc<WasmHost>) -> anyhow::Result<Vec<Figure>> {
    let template = call(host)?;
    made(host, &template, WARM_UP, IN_FLIGHT).await?;
    let alone = made(host, &template, CALLS, 1).await?;
    let many = made(host, &template, CALLS, IN_FLIGHT).await?;
    let process = process_us()?;
    let figure = |store: &str, value: f64| Figure {
        bench: "call",
        store: store.to_owned(),
        value,
        unit: "us",
        beside: "a process",
        ratio: value / process,
        note: format!("process {process:.0} us, load {}", disk::load()),
    };
    Ok(vec![
        figure("one at a time", alone),
        figure("64 in flight", many),
    ])
}

fn call(host: &WasmHost) -> anyhow::Result<Call> {
    let (plugin, _) = bed::practice(host).context("the practice plugin is not loaded")?;
    Ok(Call {
        plugin,
        action: "practice.noop".into(),
        input: json!({ "n": 1 }),
        asset: Value::Null,
        grants: Vec::new(),
        run: RunId(Uuid::from_u128(1)),
        lane: LaneId(Uuid::from_u128(2)),
        step: "noop".into(),
        attempt: 1,
        idempotency_key: Uuid::from_u128(3),
        now_ms: 0,
        timeout_ms: 60_000,
        dry_run: false,
        journal: Vec::new(),
        watch: Arc::new(Nobody),
    })
}

/// Microseconds a call; every answer is looked at.
async fn made(
    host: &Arc<WasmHost>,
    template: &Call,
    calls: u64,
    in_flight: u64,
) -> anyhow::Result<f64> {
    let began = now();
    let mut tasks = JoinSet::new();
    for _ in 0..in_flight {
        let (host, template) = (Arc::clone(host), template.clone());
        tasks.spawn(async move {
            for _ in 0..calls / in_flight {
                match host.call(Entry::Perform, template.clone()).await {
                    Ok(Reply::Answer(_)) => {}
                    other => bail!("the call gave {other:?}"),
                }
            }
            Ok(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    #[allow(clippy::cast_precision_loss, reason = "a hundred thousand calls")]
    Ok(began.elapsed().as_secs_f64() * 1e6 / calls as f64)
}

/// Microseconds to start the smallest process and wait for its end.
fn process_us() -> anyhow::Result<f64> {
    let began = now();
    for _ in 0..PROCESSES {
        let status = Command::new("true").stdin(Stdio::null()).status()?;
        if !status.success() {
            bail!("`true` failed");
        }
    }
    Ok(began.elapsed().as_secs_f64() * 1e6 / f64::from(PROCESSES))
}
