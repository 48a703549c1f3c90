//! The whole way, as a user goes it: the program `hostler` as a child process, its command line, files in a
//! folder, and behind it real hosts with apt and dnf, a real Alertmanager, Prometheus, mail server and Redis.
//!
//! Not here: calls of the engine's crates. What a test knows it has read from the command line, from the hosts
//! themselves or from the servers beside them.

mod command_line;
mod crashes;
mod cycle;
mod engine;
mod failures;
mod files;
mod fleet;
mod patching;
mod proof;
mod stopping;

use std::time::Duration;

/// Longest wait for one level: half of a cycle's time on an idle machine would do.
const LIMIT: Duration = Duration::from_secs(150);
