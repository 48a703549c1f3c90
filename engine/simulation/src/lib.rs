//! Deterministic simulation by seed: the real core, worker and memory store under stalls, crashes,
//! lost answers, failovers, late effects, skewed clocks and people, with the invariants checked on
//! every commit and every effect. Nothing else in the tree is built with this.
//!
//! Not here: runbook files, plugins, networks, real time.
#![forbid(unsafe_code)]

mod bodies;
mod chance;
mod clockwork;
mod estate;
mod flight;
mod host;
mod link;
mod people;
mod play;
mod process;
mod runbooks;
mod shape;
mod sim;
mod target;
mod watch;
mod weather;

pub use chance::Chance;
pub use play::{Outcome, play, runtime, shrink};
pub use shape::{Sabotage, Shape, Trouble};
pub use sim::Counts;
pub use watch::name_of;
