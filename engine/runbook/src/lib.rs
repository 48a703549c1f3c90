//! From the text of a runbook to a checked definition. Every fault has a code, a place and a remedy.
//!
//! Not here: files, clocks, the network, execution.
#![forbid(unsafe_code)]

pub mod codes;
pub mod expr;
pub mod fault;
pub mod source;
mod yaml;
