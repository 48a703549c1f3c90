//! Runs leave a store for an archive: over the twin in memory, with its faults, and a real folder.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stopped"
)]

mod desk;
mod exporting;
mod folder;
mod leaving;
mod rereading;
mod sealing;
mod support;
mod trimming;
mod trouble;
