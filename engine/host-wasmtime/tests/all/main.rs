//! The host against real guests, real sockets and real files. One binary.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod check;
mod component;
mod egress;
mod exchange;
mod limits;
mod pins;
mod script;
mod server;
mod watch;
