//! Measurements. Every run checks that each step was done exactly once, and prints what the machine
//! could do at that moment beside the figure: absolute times on shared machines are noise.
//!
//! Not here: assertions about time.
#![forbid(unsafe_code)]

mod backlog;
mod bed;
mod call;
mod clock;
mod growth;
mod latency;
mod ledger;
mod peer;
mod post;
mod ready;
mod rig;
mod room;
mod rounds;
mod steps;

use anyhow::Context;
use serde_json::json;

/// A step makes and drops hundreds of small pieces; a quarter of its time went into the system's
/// allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const NAMES: [&str; 8] = [
    "steps", "latency", "call", "ready", "growth", "backlog", "room", "ledger",
];

/// What the arguments leave in.
pub struct Wanted {
    names: Vec<String>,
    stores: Vec<String>,
    /// Without the peers beside it: for a profile.
    pub alone: bool,
    /// How often `steps` is measured, in turns with its peers.
    pub rounds: usize,
    as_json: bool,
}

impl Wanted {
    fn of(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut wanted = Self {
            names: Vec::new(),
            stores: Vec::new(),
            alone: false,
            rounds: rounds::ROUNDS,
            as_json: false,
        };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--json" => wanted.as_json = true,
                "--alone" => wanted.alone = true,
                "--rounds" => wanted.rounds = rounds(arguments.next())?,
                "--store" => wanted.stores.extend(arguments.next()),
                name if NAMES.contains(&name) => wanted.names.push(argument),
                other => anyhow::bail!(
                    "there is no bench {other}: {}; and --store NAME, --rounds N, --alone, --json",
                    NAMES.join(", ")
                ),
            }
        }
        Ok(wanted)
    }

    fn bench(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|wanted| wanted == name)
    }

    pub fn store(&self, name: &str) -> bool {
        self.stores.is_empty() || self.stores.iter().any(|wanted| wanted == name)
    }
}

fn rounds(text: Option<String>) -> anyhow::Result<usize> {
    let number = text.and_then(|text| text.parse().ok());
    let possible = number.filter(|number| (1..=rounds::ROUNDS_MAX).contains(number));
    possible.with_context(|| format!("--rounds takes 1 to {}", rounds::ROUNDS_MAX))
}

/// One line of the table.
pub struct Figure {
    pub bench: &'static str,
    pub store: String,
    pub value: f64,
    pub unit: &'static str,
    /// What it is compared with, measured in the same run.
    pub beside: &'static str,
    pub ratio: f64,
    pub note: String,
}

fn print(figures: &[Figure], as_json: bool) {
    if !as_json {
        println!(
            "{:<8} {:<16} {:>12} {:<10} {:>7}  beside",
            "bench", "store", "value", "unit", "ratio"
        );
    }
    for figure in figures {
        if as_json {
            println!(
                "{}",
                json!({
                    "bench": figure.bench, "store": figure.store, "value": figure.value,
                    "unit": figure.unit, "beside": figure.beside, "ratio": figure.ratio, "note": figure.note,
                })
            );
        } else {
            println!(
                "{:<8} {:<16} {:>12.1} {:<10} {:>7.3}  {} ({})",
                figure.bench,
                figure.store,
                figure.value,
                figure.unit,
                figure.ratio,
                figure.beside,
                figure.note
            );
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let wanted = Wanted::of(std::env::args().skip(1))?;
    let folder = tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in("target")?;
    let host = bed::host(folder.path()).await?;
    for name in NAMES {
        if !wanted.bench(name) {
            continue;
        }
        let figures = match name {
            "latency" => latency::measure(folder.path(), &host, &wanted).await?,
            "call" => call::measure(&host).await?,
            "ready" => ready::measure(folder.path())?,
            "growth" => growth::measure(folder.path(), &host, &wanted).await?,
            "backlog" => backlog::measure(folder.path(), &host, &wanted).await?,
            "ledger" => ledger::measure(folder.path())?,
            "room" => room::measure(folder.path(), &host).await?,
            _ => steps::measure(folder.path(), &host, &wanted).await?,
        };
        print(&figures, wanted.as_json);
    }
    Ok(())
}
