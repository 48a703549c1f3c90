//! The smallest value that a JSON Schema describes: what an unscripted call gives.

use serde_json::{Map, Value, json};

/// How deep a sample goes.
const DEPTH_MAX: usize = 8;

pub fn of(schema: &Value) -> Value {
    sample(schema, DEPTH_MAX)
}

fn sample(schema: &Value, depth: usize) -> Value {
    if let Some(first) = schema.get("enum").and_then(|values| values.get(0)) {
        return first.clone();
    }
    if let Some(value) = schema.get("const").or_else(|| schema.get("default")) {
        return value.clone();
    }
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str),
        kind => kind.and_then(Value::as_str),
    };
    match kind {
        Some("object") if depth > 0 => object(schema, depth),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| json!(0)),
        Some("boolean") => json!(true),
        Some("array") => json!([]),
        Some("string") => json!("sample"),
        _ => Value::Null,
    }
}

fn object(schema: &Value, depth: usize) -> Value {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return json!({});
    };
    let sampled: Map<_, _> = properties
        .iter()
        .map(|(name, part)| (name.clone(), sample(part, depth - 1)))
        .collect();
    Value::Object(sampled)
}
