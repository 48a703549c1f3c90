//! Another runbook as a child: its plan, made from the caller's.

use super::{Fault, Outcome, Resolved};
use crate::scope::View;
use hostler_core::command::{Entry, SpawnEntry};
use hostler_core::definition::{Call, InputKind};
use hostler_core::plan::Plan;
use hostler_ports::store::Blob;
use serde_json::{Map, Value};

pub async fn call(view: &View<'_>, call: &Call) -> Outcome<Resolved> {
    let missing = || {
        Fault::Step(format!(
            "the runbook {} was not known when the run was planned",
            call.runbook
        ))
    };
    let digest = *view.plan.calls.get(&call.runbook).ok_or_else(missing)?;
    let definition = view
        .driver
        .cache
        .definition(&*view.driver.parts.store, digest)
        .await?;
    let given = view.value(&call.with).await?;
    let mut inputs = Map::new();
    for (name, input) in &definition.inputs {
        let value = given.get(name).cloned().or_else(|| input.default.clone());
        match value {
            Some(value) if input.kind == InputKind::Selector => {
                inputs.insert(name.clone(), selected(view, &value)?);
            }
            Some(value) => {
                inputs.insert(name.clone(), value);
            }
            None if input.required => {
                return Err(Fault::Step(format!(
                    "{} needs the input {name}",
                    call.runbook
                )));
            }
            None => {}
        }
    }
    let plan = Plan {
        definition: digest,
        runbook: definition.runbook.clone(),
        version: definition.version,
        inputs: Value::Object(inputs),
        ..(*view.plan).clone()
    };
    let bytes = plan.to_json().into_bytes();
    let digest = plan.digest();
    view.driver.cache.keep_plan(digest, plan);
    let entry = Entry::Spawn(Box::new(SpawnEntry::Call { plan: digest }));
    Ok(Resolved {
        entry,
        blobs: vec![Blob { digest, bytes }],
    })
}

/// Assets of a filter that the caller's plan covers: a child never reaches further.
fn selected(view: &View<'_>, value: &Value) -> Outcome<Value> {
    let Value::String(selector) = value else {
        return Ok(value.clone());
    };
    let found = view.driver.parts.directory.select(selector);
    let found = found.map_err(|fault| Fault::Step(fault.to_string()))?;
    let covered = found
        .into_iter()
        .filter(|id| view.plan.assets.contains_key(id));
    Ok(Value::Array(covered.map(Value::String).collect()))
}
