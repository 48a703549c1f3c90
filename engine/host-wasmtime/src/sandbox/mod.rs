//! The engine that guests run in: its switches, its pool, its clock, and what ends a guest.
//!
//! Not here: anything that a guest may call.

mod engine;
mod limiter;
mod stubs;

pub use engine::{Ticker, engine};
pub use limiter::{Guard, LimitHit, hit};
pub use stubs::{refuse_ambient, stub_language_imports};
