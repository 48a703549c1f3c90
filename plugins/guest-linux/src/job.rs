//! Detached work on the server: started once a key, then only asked about.
//!
//! Not here: what the work does (`scripts/work.sh`).

use crate::patch::Changed;
use crate::said::{self, Said};
use crate::scripts;
use hostler_sdk::{Context, Failure, Stop};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Packages take seconds to minutes.
const POLL_MS: u64 = 5_000;
/// A server out of reach is asked again after this: a line comes back within minutes or not at all.
const MISSED_POLL_MS: u64 = 15_000;
/// As long as a slow server needs to reboot, and a little: 20 minutes of missed polls.
const MISSED_MAX: u32 = 80;

/// Where pending work stands; small, because the truth lies on the server.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    pub phase: Phase,
    /// Polls in a row that did not reach the server.
    #[serde(default)]
    pub missed: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Packages,
    Reboot,
}

/// What the work came to.
#[derive(Debug, Deserialize)]
pub struct Finished {
    pub changed: Vec<Changed>,
    pub reboot_needed: bool,
}

impl Checkpoint {
    pub fn at(phase: Phase) -> Self {
        Self { phase, missed: 0 }
    }

    /// # Errors
    /// When it is not one of this plugin's.
    pub fn read(value: Value) -> Result<Self, Stop> {
        serde_json::from_value(value)
            .map_err(|error| Stop::reject(format!("the checkpoint is not this plugin's: {error}")))
    }

    pub fn pending(self) -> Stop {
        let after_ms = if self.missed > 0 {
            MISSED_POLL_MS
        } else {
            POLL_MS
        };
        Stop::pending(json!(self), after_ms)
    }

    /// A poll failed. While the server may be rebooting or the line is down this is no trouble.
    pub fn missed(mut self, stop: Stop) -> Stop {
        match &stop {
            Stop::Lost(failure) if said::out_of_reach(failure) && self.missed < MISSED_MAX => {
                self.missed += 1;
                self.pending()
            }
            _ => stop,
        }
    }
}

/// Starts the work, or finds it started.
///
/// # Errors
/// As `said::run`.
pub fn start(ctx: &mut Context<'_>, mode: &str, set: Option<&str>) -> Result<Said, Stop> {
    let mut arguments = json!({
        "key": ctx.call.idempotency_key,
        "lane": ctx.call.lane,
        "attempt": ctx.call.attempt,
        "mode": mode,
    });
    if let Some(set) = set {
        arguments["set"] = json!(set);
    }
    said::run(ctx, &scripts::START, &arguments)
}

/// # Errors
/// As `said::run`.
pub fn status(ctx: &mut Context<'_>) -> Result<Said, Stop> {
    said::run(ctx, &scripts::STATUS, &key(ctx))
}

/// # Errors
/// As `said::run`.
pub fn cancel(ctx: &mut Context<'_>) -> Result<Said, Stop> {
    said::run(ctx, &scripts::CANCEL, &key(ctx))
}

pub fn key(ctx: &Context<'_>) -> Value {
    json!({ "key": ctx.call.idempotency_key })
}

/// Done as the result, everything else as a stop; pending asks again.
///
/// # Errors
/// Everything that is not done.
pub fn settle(said: Said, checkpoint: Checkpoint) -> Result<Finished, Stop> {
    match said {
        Said::Done { output, .. } => said::shaped(&scripts::STATUS, output),
        Said::Pending { .. } => Err(checkpoint.pending()),
        other => Err(other.stop()),
    }
}

/// What `observe` makes of a question that could not be asked or was not understood.
///
/// # Errors
/// When the host could not ask.
pub fn observed_stop<T>(stop: Stop) -> Result<hostler_sdk::Observed<T>, Failure> {
    match stop {
        Stop::Lost(failure) => Err(failure),
        Stop::Retry { reason, .. } | Stop::Reject { reason, .. } => {
            Ok(hostler_sdk::Observed::Unknown { why: reason })
        }
        Stop::Pending {
            resume_after_ms, ..
        } => Ok(hostler_sdk::Observed::Going {
            ask_after_ms: resume_after_ms,
        }),
        Stop::NeedsHuman { title, .. } => Ok(hostler_sdk::Observed::Unknown { why: title }),
    }
}
