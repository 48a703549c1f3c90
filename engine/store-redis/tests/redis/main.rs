//! The Redis adapter against real servers that the tests start for themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on says where it stopped"
)]

mod blobs;
mod conformance;
mod durability;
mod faults;
mod first_version;
mod generations;
mod ledger;
mod record;
mod sentinel;
mod server;
