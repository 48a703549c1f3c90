//! The language in which the scripts answer, and how it becomes an action's outcome.
//!
//! Not here: what any script does.

use hostler_sdk::{Context, Done, ExecOutcome, Failure, FailureKind, Outcome, Script, Stop};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Characters of a script's errors that people are shown.
const EXCERPT_CHARS: usize = 300;
/// A script that a signal ended (the server shuts down, or its memory ran out) is tried again after this.
const KILLED_RETRY_MS: u64 = 30_000;

/// The last line of a script's standard output.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", tag = "say", deny_unknown_fields)]
pub enum Said {
    Done {
        output: Value,
        evidence: Vec<String>,
    },
    /// It goes on at the server.
    Pending {
        reason: String,
    },
    Retry {
        reason: String,
        after_ms: u64,
    },
    Reject {
        reason: String,
        output: Value,
    },
    /// Nothing was begun under this key.
    Absent {
        reason: String,
    },
    /// It was begun, and its worker is gone without a result.
    Dead {
        reason: String,
    },
}

/// Runs a script on the asset.
///
/// # Errors
/// When the host could not run it, or when it did not speak the language above.
pub fn run(ctx: &mut Context<'_>, script: &Script, arguments: &Value) -> Result<Said, Stop> {
    let outcome = ctx.exec("target", script.name, arguments)?;
    heard(script, &outcome)
}

/// As `run`, for a script whose answer is the action's own.
///
/// # Errors
/// As `run`, and every answer that is not `done`.
pub fn finish<T: DeserializeOwned>(
    ctx: &mut Context<'_>,
    script: &Script,
    arguments: &Value,
) -> Outcome<T> {
    match run(ctx, script, arguments)? {
        Said::Done { output, evidence } => Ok(Done {
            output: shaped(script, output)?,
            evidence,
        }),
        other => Err(other.stop()),
    }
}

/// # Errors
/// When the output is not of that shape.
pub fn shaped<T: DeserializeOwned>(script: &Script, output: Value) -> Result<T, Stop> {
    serde_json::from_value(output).map_err(|error| {
        Stop::reject(format!(
            "{} answered in a shape that is not its own: {error}",
            script.name
        ))
    })
}

impl Said {
    /// What is not `done`, as the end of an action that cannot go on.
    pub fn stop(self) -> Stop {
        match self {
            Self::Retry { reason, after_ms } => Stop::Retry {
                reason,
                after_ms: Some(after_ms),
            },
            Self::Reject { reason, output } => Stop::Reject { reason, output },
            Self::Done { .. } => Stop::reject("the work is done and was expected not to be"),
            Self::Pending { reason } | Self::Absent { reason } | Self::Dead { reason } => {
                Stop::reject(reason)
            }
        }
    }
}

fn heard(script: &Script, outcome: &ExecOutcome) -> Result<Said, Stop> {
    let last = outcome
        .stdout
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty());
    match outcome.exit_code {
        None => {
            let reason = format!("{} was ended by a signal on the server", script.name);
            Err(Stop::Retry {
                reason,
                after_ms: Some(KILLED_RETRY_MS),
            })
        }
        Some(0) if !outcome.truncated => last
            .and_then(|line| serde_json::from_str(line).ok())
            .ok_or_else(|| {
                Stop::reject(format!(
                    "{} gave no answer. {}",
                    script.name,
                    excerpt(&outcome.stderr)
                ))
            }),
        Some(0) => Err(Stop::reject(format!(
            "{} said more than the connection lets through",
            script.name
        ))),
        Some(code) => Err(Stop::reject(format!(
            "{} ended with {code}. {}",
            script.name,
            excerpt(&outcome.stderr)
        ))),
    }
}

/// The end of what a script complained about, on one line.
fn excerpt(text: &str) -> String {
    let line: String = text
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let skip = line.chars().count().saturating_sub(EXCERPT_CHARS);
    line.chars().skip(skip).collect()
}

/// Whether the server was merely not to be had: while it reboots or the line is down.
pub fn out_of_reach(failure: &Failure) -> bool {
    matches!(
        failure.kind,
        FailureKind::Unreachable | FailureKind::Timeout | FailureKind::Broken
    )
}
