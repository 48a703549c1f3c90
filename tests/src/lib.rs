//! What the tests of this repository share. `lab` starts and stops the real servers they talk to.
//!
//! Not here: tests (they are modules of `main.rs`), and nothing that a released crate may depend on.
#![forbid(unsafe_code)]

pub mod lab;
