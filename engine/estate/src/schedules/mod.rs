//! Schedules from a file: which runbook when, with the calendars and windows that they need.
//!
//! Not here: when they fire (the calendar's business), and what they start.

mod build;
pub(crate) mod choice;
mod file;
mod policy;

use crate::build::ReadFile;
use crate::fault::{Collector, Faults};
use crate::{at::Position, read};
use hostler_calendar::Scheduled;
use hostler_calendar::window::Window;

/// Schedules of one file; more of them are a generator's work.
pub const SCHEDULES_MAX: usize = 1_000;

/// One file of schedules, checked.
#[derive(Clone, Debug, Default)]
pub struct Schedules {
    /// In the order of the file.
    pub schedules: Vec<Scheduled>,
    pub windows: Vec<Window>,
}

/// Reads the file at this path, and the calendar files that it names.
///
/// # Errors
/// All faults found, each with file, line, column and remedy.
pub fn load(path: &str, read: ReadFile<'_>) -> Result<Schedules, Faults> {
    let mut out = Collector {
        files: vec![path.to_owned()],
        faults: Vec::new(),
    };
    let text = match read(path) {
        Ok(text) => text,
        Err(why) => {
            let message = format!("the file cannot be read: {why}");
            out.add(
                0,
                Position::default(),
                "HE060",
                message,
                "check path and permissions",
            );
            return Err(Faults(out.faults));
        }
    };
    let parsed = read::parse::<file::File>(0, &text, &mut out, "examples/schedules.yaml");
    let schedules = match &parsed {
        Some(parsed) => build::Builder::new(&text, read, &mut out).build(parsed),
        None => Schedules::default(),
    };
    if out.faults.is_empty() {
        Ok(schedules)
    } else {
        Err(Faults(out.faults))
    }
}
