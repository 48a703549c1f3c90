//! guest-patch@1.
//!
//! Not here: the state of a set; it is its own text and travels with the step.

mod apply;
mod freeze;
mod question;
mod set;
mod undo;

pub use apply::Apply;
pub use freeze::Freeze;
pub use question::{AutoUpdateOff, Preflight, Scan, Verify};
pub use undo::Undo;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetInput {
    /// The frozen set: `name=from>to`, sorted by name, joined by one blank.
    set: String,
}

/// One package that is different now.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Changed {
    name: String,
    /// Empty when it was not there.
    from: String,
    /// Empty when it is gone.
    to: String,
}

const MINUTE_MS: u64 = 60_000;
/// A mirror may be slow; a scan or a check takes seconds on a healthy server.
const QUESTION_TIMEOUT_MS: u64 = 5 * MINUTE_MS;
/// Hundreds of packages on a slow disk, and a reboot.
const WORK_TIMEOUT_MS: u64 = 90 * MINUTE_MS;
