//! The pure heart of Hostler: what a run is, which commands it accepts, which events follow, which
//! effects those ask for.
//!
//! Not here: clocks, randomness, network, files, Redis, WASM, async. Time and ids come in as values.
#![forbid(unsafe_code)]

pub mod answer;
pub mod apply;
pub mod budget;
pub mod command;
pub mod concern;
pub mod consent;
pub mod contract;
pub mod debt;
pub mod decide;
pub mod deferral;
pub mod definition;
pub mod difference;
pub mod directory;
pub mod duration;
pub mod duty;
pub mod effect;
pub mod event;
pub mod expression;
pub mod fit;
pub mod gate;
pub mod id;
pub mod lane;
pub mod lease;
pub mod mail;
pub mod plan;
pub mod refusal;
pub mod result;
pub mod sight;
mod spoken;
mod synthetic;
pub mod view;
