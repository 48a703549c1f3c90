//! Faults for people and programs: a code frame, JSON, annotations.

mod frame;
mod github;
mod json;

pub use frame::frame;
pub use github::github;
pub use json::json;
