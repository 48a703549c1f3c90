//! When things take place: schedules, windows, freezes, business days, deadlines. Instants in,
//! occurrences out.
//!
//! Pure. Not here: the present time, files, who is told, what is started. Zones come from the table
//! that is compiled in, so that every machine gives the same answer.
#![forbid(unsafe_code)]

pub mod announced;
pub mod business;
pub mod deadline;
pub mod due;
pub mod fault;
pub mod feed;
pub mod firing;
pub mod freeze;
pub mod holiday;
pub mod interval;
mod occurrence;
pub mod progress;
mod recurrence;
pub mod schedule;
mod walk;
pub mod when;
pub mod window;
mod words;
pub mod zone;

pub use fault::TextFault;
pub use occurrence::{Change, Occurrence};
pub use schedule::{Schedule, ScheduleFault, Scheduled};
pub use walk::{Found, OCCURRENCES_MAX, occurrences};
