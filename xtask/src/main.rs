//! What developers and CI run: `cargo xtask <task>`.
//!
//! Not here: knowledge of Hostler. A task builds, starts or checks; what it starts does the work.
#![forbid(unsafe_code)]

mod groups;
mod plugins;
mod programs;
mod setup;
mod shell;
mod test;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask <task>
  dev [ARGUMENT…]         build the plugins and start `hostler dev` (the practice estate)
  test [GROUP…]           everything that has to hold before a change lands; or only these groups
  plugins                 build the plugins and pin them in target/plugins/plugins.lock
  bench [NAME…] [--json]  measure, with optimised programs
  release-build           an optimised program and its plugins, packed, with checksums";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let rest = words.get(1..).unwrap_or_default();
    let outcome = match words.first().map(String::as_str) {
        Some("dev") => programs::dev(rest),
        Some("test") => test::run(rest),
        Some("plugins") => plugins::build().map(drop),
        Some("bench") => programs::bench(rest),
        Some("release-build") => programs::release(),
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}
