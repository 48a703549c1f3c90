//! The closed language in which a plugin answers. Nobody guesses from an error's text whether to
//! try again.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Longest output of a step in bytes of JSON; what is larger goes to the blob store.
pub const OUTPUT_MAX_BYTES: usize = 16 * 1024;
/// Longest checkpoint of a pending step in bytes of JSON.
pub const CHECKPOINT_MAX_BYTES: usize = 4 * 1024;

/// What became of one call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum Answer {
    /// The effect is there.
    Done {
        output: Value,
        /// What proves it, for people: a line each.
        #[serde(default)]
        evidence: Vec<String>,
    },
    /// It goes on at the target; ask again with the checkpoint.
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
    /// It will not work by trying again. `output` is kept as evidence.
    Reject {
        reason: String,
        #[serde(default)]
        output: Value,
    },
}
