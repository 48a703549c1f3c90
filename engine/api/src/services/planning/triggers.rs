//! Triggers that are a reason for some assets only.
//!
//! Not here: whether a trigger is agreed upon at all (`inputs`).

use crate::problem::{Code, Problem};
use hostler_core::definition::Definition;
use hostler_core::directory::{Chosen, Directory};
use serde_json::Value;
use std::collections::BTreeMap;

/// # Errors
/// `input-invalid`: a reason that was chosen does not hold for all assets of the run.
pub fn check(
    directory: &dyn Directory,
    definition: &Definition,
    chosen: &BTreeMap<String, Chosen>,
    assets: &BTreeMap<String, Value>,
) -> Result<(), Problem> {
    let faults = chosen.iter().filter_map(|(input, chosen)| {
        let fault = chosen.trigger(directory)?.fault(assets)?;
        Some(format!("{input}: {fault}"))
    });
    let faults: Vec<String> = faults.collect();
    if faults.is_empty() {
        return Ok(());
    }
    let detail = format!("{}: {}", definition.runbook, faults.join("; "));
    let remedy = "leave these servers out, or give another reason";
    Err(Problem::new(Code::InputInvalid, detail)
        .remedy(remedy)
        .with("faults", faults))
}
