//! What one call costs: `practice.noop` over and over, a fresh instance each, 64 in flight.
//!
//! `cargo run --release -p hostler-host-wasmtime --example call_cost -- <practice.wasm> [calls]`

use futures::StreamExt;
use hostler_core::id::{LaneId, RunId};
use hostler_host_wasmtime::{HostConfig, SystemResolver, WasmHost};
use hostler_ports::plugin::{Call, CallWatch, Entry, JournalEntry, LeaseLost, PluginHost};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const IN_FLIGHT: usize = 64;

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

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("give the path of practice.wasm")?;
    let calls: usize = arguments.next().map_or(Ok(200_000), |text| text.parse())?;
    let cache = std::env::temp_dir().join(format!("call-cost-{}", std::process::id()));
    let mut host = WasmHost::new(HostConfig {
        cache: cache.clone(),
        connections: Arc::new(BTreeMap::new()),
        resolver: Arc::new(SystemResolver),
        secret_root: None,
    })?;
    let plugin = host.add("practice", &std::fs::read(file)?).await?;
    let host = Arc::new(host);
    let watch: Arc<dyn CallWatch> = Arc::new(Nobody);
    let call = move |n: usize| Call {
        plugin,
        action: "practice.noop".into(),
        input: json!({ "n": n }),
        asset: Value::Null,
        grants: Vec::new(),
        run: RunId(Uuid::from_u128(1)),
        lane: LaneId(Uuid::from_u128(2)),
        step: "noop".into(),
        attempt: 1,
        idempotency_key: Uuid::from_u128(n as u128),
        now_ms: 0,
        timeout_ms: 60_000,
        dry_run: false,
        journal: Vec::new(),
        watch: watch.clone(),
    };
    for (name, in_flight) in [
        ("warm-up", IN_FLIGHT),
        ("one at a time", 1),
        ("64 in flight", IN_FLIGHT),
    ] {
        let spent = measure(&host, &call, calls, in_flight).await;
        println!(
            "{name}: {:.1} µs a call",
            spent.as_secs_f64() * 1e6 / calls as f64
        );
    }
    std::fs::remove_dir_all(cache)?;
    Ok(())
}

async fn measure(
    host: &Arc<WasmHost>,
    call: &(impl Fn(usize) -> Call + Clone + Send + 'static),
    calls: usize,
    in_flight: usize,
) -> Duration {
    let begun = tokio::time::Instant::now();
    // As many tasks as may be in flight: each makes its share of the calls, one after the other.
    let share = calls / in_flight;
    let tasks = (0..in_flight).map(|task| {
        let (host, call) = (host.clone(), call.clone());
        tokio::spawn(async move {
            for n in 0..share {
                let reply = host.call(Entry::Perform, call(task * share + n)).await;
                assert!(reply.is_ok(), "{reply:?}");
            }
        })
    });
    let ended: Vec<_> = futures::stream::iter(tasks)
        .buffer_unordered(in_flight)
        .collect()
        .await;
    assert!(ended.iter().all(Result::is_ok));
    begun.elapsed()
}
