//! Plays a runbook's scenarios in simulated time on the memory twin of the store: no network, no
//! plugins, no waiting. The scaffolds fail each step, repeat each call and crash after each commit
//! of a scenario without a line written for it.
//!
//! Not here: reading runbook or estate files, and any other way to move a lane than the worker's.
#![forbid(unsafe_code)]

pub mod again;
pub mod between;
mod blow;
mod customers;
pub mod deferring;
pub mod doors;
pub mod fitting;
mod forms;
mod host;
pub mod leasing;
mod next_hop;
pub mod owing;
mod people;
mod play;
pub mod proof;
pub mod races;
pub mod reindex;
mod sample;
pub mod scaffold;
mod scenario;
pub mod spending;
mod trace;
mod world;

pub use blow::Blow;
pub use customers::Spoken;
pub use host::Seen;
pub use next_hop::NextHop;
pub use play::{Ended, Outcome, begin, play, side_by_side};
pub use scenario::{Answer, Expect, Person, Says, Scenario, ScenarioFault};
pub use trace::StepName;
pub use world::{LEAVE, LINKS, Stage, Trouble, World};
