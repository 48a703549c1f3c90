//! The host against real guests, real sockets and real files. One binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on says where it stopped"
)]

mod check;
mod component;
mod egress;
mod exchange;
mod limits;
mod pins;
mod script;
mod server;
mod watch;
