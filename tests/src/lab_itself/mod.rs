//! The lab tests itself: each server is real, behaves as its documentation says, and goes when it is dropped.
//!
//! Not here: anything of Hostler.

mod hosts;
mod services;
