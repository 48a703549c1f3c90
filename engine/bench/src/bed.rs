//! A store, a worker and the practice plugin, as a production process has them.

use crate::clock::MachineClock;
use anyhow::Context;
use hostler_core::contract::{Effect, Impact};
use hostler_core::definition::{Definition, Do, Policy, Program, Step, Verb};
use hostler_core::directory::{Directory, Route};
use hostler_core::event::{Event, Recorded};
use hostler_core::expression::{Dynamic, Expression};
use hostler_core::id::{Digest, RunId};
use hostler_core::lane::Opening;
use hostler_core::plan::{Plan, Starter};
use hostler_estate::{Known, practice as estates};
use hostler_host_wasmtime::{HostConfig, SystemResolver, WasmHost};
use hostler_ports::connection::ConnectionConfig;
use hostler_ports::plugin::{Description, PluginHost};
use hostler_ports::store::{Blob, Priority, Queue, Spawn, Start, Store};
use hostler_worker::{Driver, Parts, Settings};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

/// The bench's calls reach nothing.
type NoConnections = BTreeMap<String, Arc<ConnectionConfig>>;

/// The practice component and its host.
pub async fn host(folder: &Path) -> anyhow::Result<Arc<WasmHost>> {
    let lock = Path::new("target/plugins/plugins.lock");
    let cache = folder.join("compiled");
    std::fs::create_dir_all(&cache)?;
    let config = HostConfig {
        cache,
        connections: Arc::new(NoConnections::new()),
        resolver: Arc::new(SystemResolver),
        secret_root: None,
    };
    let host = WasmHost::load(config, lock)
        .await
        .context("run `cargo xtask plugins` first")?;
    Ok(Arc::new(host))
}

pub fn driver(
    store: Arc<dyn Store>,
    host: Arc<dyn PluginHost>,
    directory: Arc<dyn Directory>,
) -> Arc<Driver> {
    Driver::new(Parts {
        store,
        host,
        directory,
        evaluate: Arc::new(hostler_runbook::Evaluator::default()),
        clock: Arc::new(MachineClock::new()),
        settings: Settings {
            worker: "bench".to_owned(),
            ..Settings::default()
        },
    })
}

/// The practice estate.
pub fn estate() -> anyhow::Result<Arc<dyn Directory>> {
    read(&estates::files(1))
}

/// The same with nobody on its change board, so that whoever is asked gets no message.
pub fn without_board() -> anyhow::Result<Arc<dyn Directory>> {
    let mut files = estates::files(1);
    for (_, text) in &mut files {
        *text = text.replace("[change-board, ", "[");
    }
    read(&files)
}

fn read(files: &[(&'static str, String)]) -> anyhow::Result<Arc<dyn Directory>> {
    let known = Known {
        contracts: None,
        plugins: None,
    };
    let estate = estates::of(files, &known);
    Ok(Arc::new(
        estate.map_err(|faults| anyhow::anyhow!("{faults}"))?,
    ))
}

/// The practice component, if it is loaded.
pub fn practice(host: &WasmHost) -> Option<(Digest, Arc<Description>)> {
    let mut all = host.plugins().into_iter();
    all.find(|(_, described)| described.name == "practice")
}

/// A step that hands a number on, by a plugin call that does nothing else.
pub fn step(number: usize) -> Step {
    step_of(number, Effect::Read)
}

fn step_of(number: usize, effect: Effect) -> Step {
    let before = Dynamic::Expression(Expression(format!("steps.s{}.n", number.saturating_sub(1))));
    let n = if number == 0 {
        Dynamic::Literal(json!(1))
    } else {
        before
    };
    let verb = Verb::Do(Do {
        action: "practice.noop".to_owned(),
        with: Dynamic::Map(BTreeMap::from([("n".to_owned(), n)])),
        effect,
        impact: Impact::None,
        needs_asset: false,
        timeout_ms: 60_000,
    });
    Step::bare(&format!("s{number}"), verb)
}

/// A runbook of sequential steps, each handing a number to the next. What is no `Read` is confirmed
/// before its call and entered into the ledger.
pub fn definition(steps: usize, effect: Effect) -> (Definition, Blob) {
    let steps = (0..steps).map(|number| step_of(number, effect));
    program(vec![sequence(steps.collect())])
}

pub fn sequence(steps: Vec<Step>) -> Program {
    Program {
        steps,
        always: Vec::new(),
        binds: None,
    }
}

/// A runbook of these programs.
pub fn program(programs: Vec<Program>) -> (Definition, Blob) {
    let definition = Definition {
        format: 1,
        runbook: "bench".to_owned(),
        version: 1,
        title: "Sequential steps".to_owned(),
        owner: "bench".to_owned(),
        source: Digest::of(b"bench"),
        policy: Policy {
            class: "request".to_owned(),
            start: vec!["operator".to_owned()],
            four_eyes: false,
            withdraw: Vec::new(),
        },
        needs: BTreeMap::from([("practice".to_owned(), 1)]),
        inputs: BTreeMap::new(),
        outputs: BTreeMap::new(),
        spend: BTreeSet::new(),
        programs,
        templates: BTreeMap::new(),
    };
    let bytes = serde_json::to_vec(&definition).unwrap_or_default();
    (
        definition,
        Blob {
            digest: Digest::of(&bytes),
            bytes,
        },
    )
}

/// The start of one run.
pub fn start(definition: &Blob, host: &WasmHost, number: u64, now_ms: i64) -> Start {
    let run = RunId(Uuid::from_u128(u128::from(number) + 1));
    let route = Route {
        connection: "practice".to_owned(),
        plugin: "practice".to_owned(),
        address: None,
        reference: None,
        host_key: None,
        handles: BTreeMap::new(),
    };
    let plan = Plan {
        format: Plan::FORMAT,
        run,
        definition: definition.digest,
        runbook: "bench".to_owned(),
        version: 1,
        starter: Starter {
            who: "bench".to_owned(),
            via: "bench".to_owned(),
            reason: None,
        },
        started_ms: now_ms,
        inputs: Value::Object(serde_json::Map::new()),
        assets: BTreeMap::new(),
        routes: BTreeMap::new(),
        ambient: BTreeMap::from([("practice".to_owned(), route)]),
        limits: BTreeMap::new(),
        calls: BTreeMap::new(),
        plugins: practice(host)
            .map(|(digest, _)| ("practice".to_owned(), digest))
            .into_iter()
            .collect(),
        hand_offs: Vec::new(),
        windows: BTreeMap::new(),
        connections: BTreeMap::new(),
        policies: None,
        chosen: BTreeMap::new(),
        spend: BTreeMap::new(),
        requester_owns: false,
        retry_of: None,
    };
    let bytes = plan.to_json().into_bytes();
    let digest = plan.digest();
    let opening = Opening::root(run, definition.digest, digest);
    let opened = Recorded::new(
        Event::LaneOpened {
            opening: Box::new(opening),
        },
        now_ms,
    );
    Start {
        run,
        body: digest,
        root: Spawn {
            lane: run.root(),
            run,
            parent: None,
            key: None,
            queue: Queue::Run,
            priority: Priority::Operator,
            events: vec![opened.to_json()],
            summary: "{}".to_owned(),
        },
        blobs: vec![definition.clone(), Blob { digest, bytes }],
        plan: Some(digest),
        index: Vec::new(),
        ledger: Vec::new(),
        run_summary: "{}".to_owned(),
    }
}
