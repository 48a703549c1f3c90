//! The one integration binary. A new group of tests is a new module here.
//!
//! Modules that need the lab (root, real servers) are named in `xtask/src/groups.rs`, so that a machine
//! without root still runs all the others.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on says where it stopped"
)]

mod architecture;
mod faults;
mod keeping;
mod lab_itself;
mod real;
mod scenarios;
