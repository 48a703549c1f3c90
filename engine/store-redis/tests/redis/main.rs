//! The Redis adapter against real servers that the tests start for themselves.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod conformance;
mod durability;
mod faults;
mod generations;
mod ledger;
mod sentinel;
mod server;
