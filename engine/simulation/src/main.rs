//! Plays many seeds, or one with its trace. A seed that fails is made smaller and told.
//!
//! Not here: anything that happens in a play.
#![forbid(unsafe_code)]

use clap::Parser;
use hostler_simulation::{Counts, Outcome, Shape, play, runtime, shrink};
use std::io::{self, Write};
use std::process::ExitCode;

/// Failing seeds after which the search ends.
const FAILURES_MAX: u64 = 20;

#[derive(Parser)]
#[command(about = "Simulates workers, stores, plugins and people by seed")]
struct Arguments {
    /// How many seeds to play.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first one.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Plays this seed alone.
    #[arg(long)]
    seed: Option<u64>,
    /// Prints everything that happens in it.
    #[arg(long)]
    trace: bool,
    /// Tells failing seeds without making them smaller.
    #[arg(long)]
    plain: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let runtime = runtime()?;
    let _inside = runtime.enter();
    let failed = match arguments.seed {
        Some(seed) => one(seed, arguments.trace)?,
        None => many(&arguments)?,
    };
    Ok(ExitCode::from(u8::from(failed)))
}

fn one(seed: u64, traced: bool) -> anyhow::Result<bool> {
    let shape = Shape::of(seed);
    let outcome = play(&shape, traced);
    tell(&shape, &outcome)?;
    Ok(outcome.breach.is_some())
}

fn tell(shape: &Shape, outcome: &Outcome) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{shape:?}")?;
    for line in &outcome.trace {
        writeln!(out, "{line}")?;
    }
    match &outcome.breach {
        Some(breach) => writeln!(out, "hostler-simulate --seed {}: {breach}", shape.seed),
        None => writeln!(out, "seed {}: nothing wrong", shape.seed),
    }
}

fn many(arguments: &Arguments) -> anyhow::Result<bool> {
    let mut counts = Counts::new();
    let (mut failed, mut played, mut lasted_ms) = (0, 0, 0);
    for seed in arguments.from..arguments.from + arguments.seeds {
        let outcome = play(&Shape::of(seed), false);
        played += 1;
        lasted_ms += outcome.lasted_ms;
        for (what, count) in outcome.counts {
            *counts.entry(what).or_default() += count;
        }
        if let Some(breach) = outcome.breach {
            failed += 1;
            writeln!(io::stdout(), "hostler-simulate --seed {seed}: {breach}")?;
            if !arguments.plain {
                let small = shrink(&Shape::of(seed));
                tell(&small, &play(&small, true))?;
            }
        }
        if failed >= FAILURES_MAX {
            break;
        }
    }
    let mut out = io::stdout().lock();
    for (what, count) in &counts {
        writeln!(out, "{count:>9}  {what}")?;
    }
    writeln!(
        out,
        "{played} seeds, {failed} failed, {} simulated hours",
        lasted_ms / 3_600_000
    )?;
    Ok(failed > 0)
}
