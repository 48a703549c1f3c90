//! A forecast for machines, terminals, eyes and calendars.
//!
//! Not here: what it says.

pub mod ics;
mod json;
mod places;
mod svg;
mod table;

pub use json::json;
pub use svg::svg;
pub use table::table;
