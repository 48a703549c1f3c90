//! Amounts of the policies that the runbooks of a run compare with: found, or missed, before its first step.
//!
//! Not here: comparing.

use crate::problem::{Code, Problem};
use hostler_core::definition::Definition;
use hostler_core::directory::Directory;
use std::collections::BTreeMap;

/// # Errors
/// `runbook-invalid`: the policies lack one, or there are none.
pub fn amounts(
    directory: &dyn Directory,
    definitions: &[&Definition],
) -> Result<BTreeMap<String, u64>, Problem> {
    let configured = directory.amounts();
    let known = configured.as_ref();
    let used = definitions.iter().flat_map(|definition| {
        let names = definition.spend.iter();
        names.map(|name| (&definition.runbook, name))
    });
    let mut found = BTreeMap::new();
    for (runbook, name) in used {
        let Some(cents) = known.and_then(|known| known.get(name)) else {
            let why = match known {
                Some(_) => "the policies do not have it",
                None => "no policies are configured",
            };
            let detail = format!("{runbook} compares with policy.spend.{name}, and {why}");
            let remedy = "say it under `limits` in spend.yaml of the policies, in the folder that `[policies]` of the configuration names";
            return Err(Problem::new(Code::RunbookInvalid, detail).remedy(remedy));
        };
        found.insert(name.clone(), *cents);
    }
    Ok(found)
}
