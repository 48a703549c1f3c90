//! The program `hostler`. Everything is in the modules; here only the beginning and the end.
#![forbid(unsafe_code)]

mod cli;
mod client;
mod clock;
mod compose;
mod config;
mod dev;
mod failure;
mod output;
mod scaffold;
mod times;

use std::process::ExitCode;

/// A step makes and drops hundreds of small pieces; a quarter of its time went into the system's
/// allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // reqwest brings no cryptography of its own: it takes what the process has chosen.
    let _ = rustls::crypto::ring::default_provider().install_default();
    cli::run()
}
