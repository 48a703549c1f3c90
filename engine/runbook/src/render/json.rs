//! Faults as JSON, the same in the API and on the command line.

use crate::fault::Fault;
use serde_json::{Value, json};

/// `{ "faults": […] }`
#[must_use]
pub fn json(faults: &[Fault]) -> Value {
    json!({ "faults": faults })
}
