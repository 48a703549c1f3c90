//! Values as expressions see them.

use hostler_core::definition::Definition;
use hostler_core::lane::Lane;
use hostler_core::plan::Plan;
use hostler_core::result::StepResult;
use hostler_core::view::ChildRecord;
use serde_json::{Map, Value, json};

/// RFC 3339 in UTC.
pub fn instant_text(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms)
        .map_or_else(|_| String::new(), |instant| instant.to_string())
}

/// The asset that a lane works on: the nearest bound item that names one, else the run's input.
pub fn asset_of(lane: &Lane, plan: &Plan) -> Option<String> {
    let named = |value: &Value| {
        value
            .as_str()
            .filter(|id| plan.assets.contains_key(*id))
            .map(str::to_owned)
    };
    let locals = &lane.opening.locals;
    locals
        .get("asset")
        .and_then(named)
        .or_else(|| locals.values().find_map(named))
        .or_else(|| plan.inputs.get("asset").and_then(named))
}

/// An asset's id becomes its record; all else stays.
pub fn expand(value: &Value, plan: &Plan) -> Value {
    match value {
        Value::String(id) => plan
            .assets
            .get(id)
            .cloned()
            .unwrap_or_else(|| value.clone()),
        other => other.clone(),
    }
}

pub fn inputs(plan: &Plan, definition: &Definition) -> Value {
    Value::Object(definition.seen_inputs(&plan.inputs, &plan.assets))
}

pub fn run(lane: &Lane, plan: &Plan, now_ms: i64) -> Value {
    let id = plan.run.to_string();
    json!({
        "id": id,
        "reference": id.get(..8).unwrap_or_default(),
        "runbook": plan.runbook,
        "version": plan.version,
        "starter": plan.starter.who,
        "requester": plan.starter.who,
        "requester_owns": plan.requester_owns,
        "reason": plan.starter.reason,
        "started": instant_text(plan.started_ms),
        "elapsed": hostler_core::duration::write_ms(now_ms.abs_diff(plan.started_ms)),
        "result": lane.verdict.as_ref().map(|verdict| verdict.result.name()),
        "note": lane.verdict.as_ref().and_then(|verdict| verdict.note.clone()),
    })
}

/// A step's output with its state beside it.
pub fn result(result: &StepResult) -> Value {
    let mut value = match &result.output {
        Value::Object(output) => output.clone(),
        Value::Null => Map::new(),
        other => Map::from_iter([("value".to_owned(), other.clone())]),
    };
    value.insert("state".to_owned(), result.state.name().into());
    if let Some(reason) = &result.reason {
        value
            .entry("reason")
            .or_insert_with(|| reason.clone().into());
    }
    Value::Object(value)
}

/// `.done`, `.failed`, `.held`, `.by`.
pub fn entries(records: Vec<(String, ChildRecord)>, plan: &Plan) -> Value {
    let (mut done, mut failed, mut held) = (Vec::new(), Vec::new(), Vec::new());
    let mut by = Map::new();
    let mut records = records;
    records.sort_by_key(|(_, record)| record.index);
    for (key, record) in records {
        let mut item = expand(&record.item, plan);
        if let (Value::Object(item), Value::Object(collected)) = (&mut item, &record.collect) {
            for (name, value) in collected {
                item.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        if record.result.is_done() {
            done.push(item);
        } else if record.result.is_held() {
            held.push(item);
        } else if record.result.is_failure() {
            if let Value::Object(item) = &mut item {
                item.insert("result".to_owned(), record.result.name().into());
                item.insert(
                    "why".to_owned(),
                    record.note.clone().unwrap_or_default().into(),
                );
            }
            failed.push(item);
        }
        by.insert(key, record.collect);
    }
    json!({ "done": done, "failed": failed, "held": held, "by": by })
}

/// Fields of an answer that name assets (`x-kind` in the form's schema) become their records.
pub fn expand_form(answer: &mut Value, form: &Value, plan: &Plan) {
    let fields = form.get("properties").and_then(Value::as_object);
    let (Value::Object(answer), Some(fields)) = (answer, fields) else {
        return;
    };
    for (name, schema) in fields {
        let Some(value) = answer.get_mut(name) else {
            continue;
        };
        match (schema.get("x-kind").and_then(Value::as_str), &*value) {
            (Some("asset"), _) => *value = expand(value, plan),
            (Some("assets"), Value::Array(ids)) => {
                *value = ids.iter().map(|id| expand(id, plan)).collect();
            }
            _ => {}
        }
    }
}
