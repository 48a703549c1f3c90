//! The pure heart of Hostler: what a run is, which commands it accepts, which events follow, which
//! effects those ask for.
//!
//! Not here: clocks, randomness, network, files, Redis, WASM, async. Time and ids come in as values.
#![forbid(unsafe_code)]

pub mod answer;
pub mod contract;
pub mod definition;
pub mod directory;
pub mod expression;
pub mod id;
