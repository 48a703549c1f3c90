//! What holds when parts fail: real `hostler` processes and real Redis servers are killed, stopped, cut off and
//! filled up, while a target counts what reaches it.
//!
//! Not here: calls of the engine's crates. `HOSTLER_FAULT_ROUNDS` raises the number of rounds of every test,
//! `HOSTLER_FAULT_SEED` repeats a random one.

mod api;
mod audit;
mod bed;
mod chance;
mod crashes;
mod failover;
mod files;
mod full;
mod functions;
mod late;
mod network;
mod old_copy;
mod people;
mod poison;
mod power;
mod recovery;
mod rewind;
mod soak;
mod stalls;
mod target;
mod wide;
mod zombie;

use std::time::Duration;

/// Longest wait for one level on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

#[expect(
    clippy::disallowed_methods,
    reason = "the composition of these tests: the only settings that they have"
)]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// A fault that lasts so long: nothing is waited for but its end.
fn lasts(length: Duration) {
    let _: Option<()> = hostler_tests::lab::until(length, || None);
}

/// Rounds of a test: a few, unless somebody wants the whole figure.
fn rounds(usual: usize) -> usize {
    let asked = setting("HOSTLER_FAULT_ROUNDS").and_then(|rounds| rounds.try_into().ok());
    asked.unwrap_or(usual)
}
