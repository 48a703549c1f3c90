//! Links of messages from the question to the decision, through the real outbox and over HTTP: what counts, and
//! what does not whoever tries it. The same refusals at the doors of programs and of the command line; and that no
//! customer ever sees what is another's. And the way out of messages that people need not have.
//!
//! Not here: how a message is rendered.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stopped"
)]

mod coded;
mod consent_beside;
mod consenting;
mod contracts;
mod customers;
mod deciding;
mod deferring;
mod leaving;
mod muting;
mod overtaking;
#[path = "../common/plain.rs"]
mod plain;
mod step_up;
mod support;
