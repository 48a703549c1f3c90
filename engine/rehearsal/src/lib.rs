//! Plays a runbook's scenarios in simulated time on the memory twin of the store: no network, no
//! plugins, no waiting. The scaffolds fail each step, repeat each call and crash after each commit
//! of a scenario without a line written for it.
//!
//! Not here: reading runbook or estate files, and any other way to move a lane than the worker's.
#![forbid(unsafe_code)]

mod blow;
pub mod doors;
mod host;
mod people;
mod play;
pub mod proof;
pub mod reindex;
mod sample;
pub mod scaffold;
mod scenario;
mod trace;
mod world;

pub use blow::Blow;
pub use play::{Ended, Outcome, play, side_by_side};
pub use scenario::{Answer, Expect, Person, Scenario, ScenarioFault};
pub use trace::StepName;
pub use world::{Stage, Trouble};
