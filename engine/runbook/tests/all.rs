//! One binary for the tests that read files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot read its data has failed"
)]

mod common;
mod corpus;
mod drafts;
mod products;
mod terms;
mod workflows;
