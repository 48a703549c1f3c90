//! Measurements. Every run checks that each step was done exactly once, and prints what the machine
//! could do at that moment beside the figure: absolute times on shared machines are noise.
//!
//! Not here: assertions about time.
#![forbid(unsafe_code)]

mod bed;
mod clock;
mod disk;
mod redis_server;
mod steps;

use serde_json::json;

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
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let as_json = arguments.iter().any(|argument| argument == "--json");
    let names: Vec<_> = arguments
        .iter()
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| *wanted == name);
    if let Some(unknown) = names.iter().find(|name| name.as_str() != "steps") {
        anyhow::bail!("there is no bench {unknown}: steps");
    }
    if wanted("steps") {
        print(&steps::measure().await?, as_json);
    }
    Ok(())
}
