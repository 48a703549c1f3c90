//! The pure lane under test: every small state, long random walks, named rules, old logs.
//!
//! Not here: stores, workers, plugins. Inputs are what those would hand to `decide`.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on says where it stopped"
)]

mod alternates;
mod approval;
mod ballots;
mod budgets;
mod consents;
mod contracts;
mod debts;
mod deferrals;
mod delegates;
mod ends;
mod faults;
mod gates;
mod golden;
mod leases;
mod lost;
mod notices;
mod openings;
mod overflows;
mod questions;
mod random;
mod reboots;
mod restored;
mod retried;
mod sessions;
mod small;
mod step_up;
mod support;
mod waves;
