//! The traits behind which everything outside the pure core lives, their twins in memory, and the
//! conformance suites that every adapter runs.
//!
//! Not here: any technology (no Redis, no file, no network, no WASM), and any rule of a runbook.
#![forbid(unsafe_code)]

pub mod archive;
pub mod channel;
pub mod clock;
pub mod connection;
pub mod leave;
pub mod plugin;
pub mod returned;
pub mod sealed;
pub mod store;
