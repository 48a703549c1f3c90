//! The closed language in which an action answers.
//!
//! Not here: any guess from an error's text whether to try again.

use crate::host::Failure;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An action's end: done, or a reason to stop. `?` works on host calls.
pub type Outcome<T> = Result<Done<T>, Stop>;

/// What `observe` gives back; a failed host call becomes `Unknown`.
pub type Observation<T> = Result<Observed<T>, Failure>;

/// The effect is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Done<T> {
    pub output: T,
    /// What proves it, a line each for people.
    pub evidence: Vec<String>,
}

impl<T> Done<T> {
    #[must_use]
    pub fn because(mut self, evidence: impl Into<String>) -> Self {
        self.evidence.push(evidence.into());
        self
    }
}

/// The effect is there, with this output.
///
/// # Errors
/// Never; it is an `Outcome` so that it can stand at the end of an action.
pub fn done<T>(output: T) -> Outcome<T> {
    Ok(Done {
        output,
        evidence: Vec::new(),
    })
}

/// It will not work by trying again.
///
/// # Errors
/// Always.
pub fn reject<T>(reason: impl Into<String>) -> Outcome<T> {
    Err(Stop::reject(reason))
}

/// Nothing was changed, or a repeat with the same key is safe.
///
/// # Errors
/// Always.
pub fn retry<T>(reason: impl Into<String>, after_ms: Option<u64>) -> Outcome<T> {
    Err(Stop::Retry {
        reason: reason.into(),
        after_ms,
    })
}

/// Why an action is not done.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// It goes on at the platform; `resume` is entered with the checkpoint (≤ 4 KiB).
    Pending {
        checkpoint: Value,
        resume_after_ms: u64,
    },
    /// Nothing was changed, or a repeat with the same key is safe.
    Retry {
        reason: String,
        after_ms: Option<u64>,
    },
    /// A person must decide; `form` is a JSON Schema of the answer.
    NeedsHuman { title: String, form: Value },
    /// It will not work by trying again; `output` is kept as evidence.
    Reject { reason: String, output: Value },
    /// A host call failed. The SDK makes an answer of it that fits the action's effect class.
    Lost(Failure),
}

impl Stop {
    #[must_use]
    pub fn reject(reason: impl Into<String>) -> Self {
        Self::Reject {
            reason: reason.into(),
            output: Value::Null,
        }
    }

    #[must_use]
    pub fn pending(checkpoint: Value, resume_after_ms: u64) -> Self {
        Self::Pending {
            checkpoint,
            resume_after_ms,
        }
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Lost(failure)
    }
}

/// What `observe` can say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "observed")]
pub enum Observed<T> {
    Done {
        output: T,
    },
    NotDone,
    /// Still going on: ask again after this many milliseconds.
    Going {
        ask_after_ms: u64,
    },
    Unknown {
        why: String,
    },
}

/// An action's answer as it leaves the plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum Answer {
    Done {
        output: Value,
        evidence: Vec<String>,
    },
    Pending {
        checkpoint: Value,
        resume_after_ms: u64,
    },
    Retry {
        reason: String,
        after_ms: Option<u64>,
    },
    NeedsHuman {
        title: String,
        form: Value,
    },
    Reject {
        reason: String,
        output: Value,
    },
}
