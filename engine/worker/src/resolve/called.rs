//! Another runbook as a child: its plan, made from the caller's.

use super::{Fault, Outcome, Resolved};
use crate::scope::View;
use hostler_core::command::{Entry, SpawnEntry};
use hostler_core::definition::must::Broken;
use hostler_core::definition::{Call, Definition, InputKind};
use hostler_core::directory::{Chosen, List};
use hostler_core::plan::Plan;
use hostler_ports::store::Blob;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Most rules of one call that are told as broken.
const BROKEN_MAX: usize = 5;

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
    let inputs = Value::Object(inputs);
    keep_rules(view, &definition, &inputs)?;
    let chosen = chosen(view, &definition, &inputs)?;
    let plan = Plan {
        definition: digest,
        runbook: definition.runbook.clone(),
        version: definition.version,
        inputs,
        chosen,
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

/// What the child's inputs are chosen from: an entry that is not there is none.
fn chosen(
    view: &View<'_>,
    definition: &Definition,
    inputs: &Value,
) -> Outcome<BTreeMap<String, Chosen>> {
    let mut chosen = BTreeMap::new();
    for (name, input) in &definition.inputs {
        let id = inputs.get(name).filter(|value| !value.is_null());
        let (Some(list), Some(id)) = (&input.from, id) else {
            continue;
        };
        let entry = entry(view, list, id, worked_on(view, definition, inputs));
        let told = |why: String| format!("{} does not start: {name}: {why}", definition.runbook);
        chosen.insert(name.clone(), entry.map_err(|why| Fault::Step(told(why)))?);
    }
    Ok(chosen)
}

fn entry(
    view: &View<'_>,
    list: &List,
    id: &Value,
    assets: Vec<(&String, &Value)>,
) -> Result<Chosen, String> {
    let absent = || format!("{id} is not in {list}");
    let text = id.as_str().ok_or_else(absent)?;
    // What a run was started for stays its reason, whatever is agreed upon since then.
    let is_trigger = matches!(list, List::Triggers(_));
    let is = |chosen: &&Chosen| is_trigger && chosen.from == *list && chosen.choice.id == text;
    if let Some(given) = view.plan.chosen.values().find(is) {
        return Ok(given.clone());
    }
    let directory = &*view.driver.parts.directory;
    let entry = Chosen::of(directory, list, text).ok_or_else(absent)?;
    let trigger = entry.trigger(directory);
    match trigger.and_then(|trigger| trigger.fault(assets)) {
        Some(why) => Err(why),
        None => Ok(entry),
    }
}

/// Assets that a child's inputs name, with their records.
fn worked_on<'a>(
    view: &'a View<'_>,
    definition: &Definition,
    inputs: &'a Value,
) -> Vec<(&'a String, &'a Value)> {
    let mut found = Vec::new();
    for (name, input) in &definition.inputs {
        let ids: &[Value] = match (input.kind, inputs.get(name)) {
            (InputKind::Selector, Some(Value::Array(ids))) => ids,
            (InputKind::Asset, Some(id)) => std::slice::from_ref(id),
            _ => &[],
        };
        for id in ids {
            if let Value::String(id) = id {
                found.push((id, view.plan.assets.get(id).unwrap_or(&Value::Null)));
            }
        }
    }
    found
}

/// A child whose inputs break a rule does not begin.
fn keep_rules(view: &View<'_>, definition: &Definition, inputs: &Value) -> Outcome<()> {
    let evaluate = &*view.driver.parts.evaluate;
    let broken = definition.broken_inputs(inputs, &view.plan.assets, evaluate);
    if broken.is_empty() {
        return Ok(());
    }
    let told: Vec<_> = broken
        .iter()
        .take(BROKEN_MAX)
        .map(Broken::to_string)
        .collect();
    Err(Fault::Step(format!(
        "{} does not start: {}",
        definition.runbook,
        told.join("; ")
    )))
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
