//! The ledger: published vectors, proofs of random trees, and every way of tampering.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stopped"
)]

mod attacks;
mod checkpoints;
mod entries;
mod receipts;
mod support;
mod tiles;
mod trees;
