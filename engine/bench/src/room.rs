//! Memory of Redis for a run that waits for an approval, with and without the messages to whom it asks, and for one
//! that has ended and is not yet archived.

use crate::clock::MachineClock;
use crate::peer::disk;
use crate::peer::redis_server::RedisServer;
use crate::rig::{self, Rig};
use crate::{Figure, bed};
use hostler_core::definition::{
    Approve, AskRules, OnDeny, OnExpire, Program, Step, Verb, Who, WhoClause,
};
use hostler_core::expression::{Dynamic, Expression};
use hostler_core::view::index;
use hostler_host_wasmtime::WasmHost;
use hostler_ports::clock::Clock;
use hostler_ports::store::{Cursor, Store};
use std::path::Path;
use std::sync::Arc;

const PARKED: u64 = 100_000;
/// Of those whose two people of the change board have had their message.
const TOLD: u64 = 20_000;
const ENDED: u64 = 20_000;
/// Runs started before it is waited for them.
const CHUNK: u64 = 5_000;
/// What a waiting run may take.
const PARKED_MAX: f64 = 2_048.0;

pub async fn measure(folder: &Path, host: &Arc<WasmHost>) -> anyhow::Result<Vec<Figure>> {
    let waits = || vec![bed::sequence(vec![approval()])];
    let bytes = async |name: &str, told: bool, runs: u64, programs: Vec<Program>| {
        bytes_a_run(&folder.join(name), (host, told), runs, programs).await
    };
    let parked = bytes("parked", false, PARKED, waits()).await?;
    let told = bytes("told", true, TOLD, waits()).await?;
    let ends = vec![bed::sequence(vec![bed::step(0)])];
    let ended = bytes("ended", false, ENDED, ends).await?;
    let figure = |store: &str, value: f64, runs: u64| Figure {
        bench: "room",
        store: store.to_owned(),
        value,
        unit: "bytes/run",
        beside: "2 KiB",
        ratio: value / PARKED_MAX,
        note: format!("{runs} runs in Redis; load {}", disk::load()),
    };
    Ok(vec![
        figure("parked", parked, PARKED),
        figure("parked, two told", told, TOLD),
        figure("ended", ended, ENDED),
    ])
}

fn approval() -> Step {
    let who = WhoClause {
        who: Dynamic::Literal("role:change-board".into()),
        at_least: 1,
    };
    let approve = Approve {
        who: Who { clauses: vec![who] },
        quorum: 1,
        title: Some(Dynamic::Literal("Go on?".into())),
        show: vec![Expression("inputs".to_owned())],
        say: None,
        condition: None,
        expires_ms: Some(604_800_000),
        on_expire: OnExpire::Deny,
        on_deny: OnDeny::Stop,
        rules: AskRules::default(),
    };
    Step::bare("board", Verb::Approve(approve))
}

async fn bytes_a_run(
    folder: &Path,
    (host, told): (&Arc<WasmHost>, bool),
    runs: u64,
    programs: Vec<Program>,
) -> anyhow::Result<f64> {
    let server = RedisServer::start(folder, "everysec")?;
    let store = rig::redis(&server).await?;
    let before = server.used_memory()?;
    let (_, definition) = bed::program(programs);
    let clock = MachineClock::new();
    let rig = Rig::with_post(Arc::clone(&store), host, told)?;
    for first in (0..runs).step_by(usize::try_from(CHUNK)?) {
        let numbers = first..(first + CHUNK).min(runs);
        let starts = numbers.map(|number| bed::start(&definition, host, number, clock.now_ms()));
        rig.submit(starts.collect()).await??;
        rig::until_quiet(&*store).await?;
    }
    rig.stop().await?;
    audit(&*store, runs).await?;
    #[allow(clippy::cast_precision_loss, reason = "some hundred megabytes")]
    Ok((server.used_memory()? - before) as f64 / runs as f64)
}

/// The list of runs has each of them.
async fn audit(store: &dyn Store, runs: u64) -> anyhow::Result<()> {
    let (mut after, mut found) = (Cursor::default(), 0);
    loop {
        let page = store.query(index::RUNS, false, after).await?;
        found += page.entries.len() as u64;
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    anyhow::ensure!(found == runs, "{found} of {runs} runs are listed");
    Ok(())
}
