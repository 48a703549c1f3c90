//! The services and their routes over the store's twin in memory, without a worker.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stopped"
)]

mod bouncing;
mod choosing;
mod codes;
mod deciding;
mod durations;
mod freezing;
mod mutes;
mod owning;
mod planning;
mod proving;
mod routes;
mod ruling;
mod scheduling;
mod sealing;
mod spending;
mod starting;
mod storing;
mod support;
mod triggering;
