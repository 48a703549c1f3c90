//! JSON Schema for editors: the language, with the actions of the contracts that are there. It
//! completes and underlines; what is right is decided by `check` alone.

use crate::environment::Environment;
use hostler_core::definition::CLASSES;
use hostler_core::lease::BLOCKS_MAX;
use serde_json::{Map, Value, json};

const DURATION: &str = "^([0-9]{1,9}(w|d|h|m|s|ms))+$";
const ID: &str = "^[a-z][a-z0-9_]{0,47}$";

/// The schema of a runbook file.
#[must_use]
pub fn editor(env: &Environment) -> Value {
    let newest: Vec<_> = env
        .contracts
        .values()
        .filter_map(|versions| versions.values().next_back())
        .collect();
    let needs: Vec<String> = env
        .contracts
        .iter()
        .flat_map(|(name, versions)| versions.keys().map(move |major| format!("{name}@{major}")))
        .collect();
    let actions: Vec<&str> = newest
        .iter()
        .flat_map(|contract| contract.actions.iter().map(|action| action.name.as_str()))
        .collect();
    let inputs: Vec<Value> = newest
        .iter()
        .flat_map(|contract| &contract.actions)
        .map(action_inputs)
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A Hostler runbook",
        "type": "object",
        "required": ["runbook", "version", "title", "owner", "policy", "steps"],
        "additionalProperties": false,
        "properties": {
            "runbook": { "type": "string" }, "version": { "type": "integer", "minimum": 1 },
            "title": { "type": "string" }, "owner": { "type": "string" },
            "needs": { "type": "array", "items": { "enum": needs } },
            "inputs": { "type": "object", "additionalProperties": { "$ref": "#/$defs/field" } },
            "outputs": { "type": "object" },
            "policy": policy(),
            "steps": { "$ref": "#/$defs/steps" }, "always": { "$ref": "#/$defs/steps" },
        },
        "$defs": {
            "steps": { "type": "array", "minItems": 1, "maxItems": crate::STEPS_MAX, "items": { "$ref": "#/$defs/step" } },
            "step": step(&actions, &inputs),
            "undo": { "type": "object" },
            "approve": person(&["quorum", "say", "if", "on_deny", "typed", "may_waive"]),
            "ask": person(&["form", "later"]),
            "field": field(),
            "duration": { "type": "string", "anyOf": [{ "pattern": DURATION }, { "pattern": "^\\s*\\$\\{\\{" }] },
            "expression": { "type": "string", "pattern": "^\\s*\\$\\{\\{[\\s\\S]*\\}\\}\\s*$" },
        },
    })
}

fn policy() -> Value {
    json!({
        "type": "object", "required": ["class", "start"], "additionalProperties": false,
        "properties": {
            "class": { "enum": CLASSES },
            "start": { "type": "array", "items": { "type": "string" }, "minItems": 1 },
            "four_eyes": { "type": "boolean" },
            "withdraw": { "type": "array", "items": { "type": "string" } },
        },
    })
}

fn step(actions: &[&str], inputs: &[Value]) -> Value {
    let verbs = [
        "do", "approve", "ask", "notify", "wait", "each", "repeat", "call", "release", "finish",
    ];
    let one_of: Vec<Value> = verbs
        .iter()
        .map(|verb| json!({ "required": [verb] }))
        .collect();
    let each_fields = [
        "over",
        "times",
        "as",
        "key",
        "at_once",
        "take",
        "on_failure",
        "collect",
        "order",
        "stop_at",
        "gate",
        "window",
        "lead",
        "overflow",
    ];
    let each: Map<String, Value> = each_fields
        .iter()
        .map(|name| ((*name).to_owned(), json!({})))
        .collect();
    json!({
        "type": "object", "required": ["id"], "oneOf": one_of, "allOf": inputs, "additionalProperties": false,
        "properties": {
            "id": { "type": "string", "pattern": ID }, "name": { "type": "string" },
            "if": { "$ref": "#/$defs/expression" },
            "do": { "enum": actions }, "with": { "type": "object" },
            "approve": { "$ref": "#/$defs/approve" }, "ask": { "$ref": "#/$defs/ask" },
            "notify": { "type": "object", "required": ["template"], "additionalProperties": false, "properties": { "template": { "type": "string" }, "to": {}, "about": {} } },
            "wait": { "type": "object", "additionalProperties": false, "properties": { "for": { "$ref": "#/$defs/duration" }, "until": { "type": "string" } } },
            "each": { "type": "object", "additionalProperties": false, "properties": each },
            "repeat": { "type": "object", "additionalProperties": false, "properties": { "at_most": { "type": "integer", "minimum": 1 }, "for": { "$ref": "#/$defs/duration" }, "every": { "$ref": "#/$defs/duration" }, "until": { "$ref": "#/$defs/expression" }, "on_exhausted": { "enum": ["stop", "ask"] } } },
            "call": { "type": "object", "required": ["runbook"], "additionalProperties": false, "properties": { "runbook": { "type": "string" }, "with": { "type": "object" }, "wait": { "type": "boolean" } } },
            "release": { "type": "string" },
            "finish": { "type": "object", "required": ["result"], "additionalProperties": false, "properties": { "result": { "type": "string" }, "of": { "enum": ["run", "lane"] }, "note": { "type": "string" } } },
            "steps": { "$ref": "#/$defs/steps" }, "always": { "$ref": "#/$defs/steps" },
            "timeout": { "$ref": "#/$defs/duration" }, "effect": { "enum": ["read", "repeatable", "once"] },
            "retry": { "type": "object", "required": ["times", "wait"], "additionalProperties": false, "properties": { "times": { "type": "integer", "minimum": 1, "maximum": 20 }, "wait": { "$ref": "#/$defs/duration" } } },
            "on_failure": { "enum": ["stop", "undo", "hold", "continue", "ask", "again"] },
            "undo": { "anyOf": [{ "$ref": "#/$defs/undo" }, { "type": "array", "items": { "$ref": "#/$defs/undo" } }] },
            "lease": lease(actions),
            "no_return": { "type": "boolean" },
            "notices": notices(),
            "window": { "type": "string" },
            "class": { "anyOf": [{ "enum": CLASSES }, { "$ref": "#/$defs/expression" }] },
            "duty": { "enum": ["platform", "customer", "network", "security", "finance"] },
        },
    })
}

/// What must end later.
fn lease(actions: &[&str]) -> Value {
    let duration = json!({ "$ref": "#/$defs/duration" });
    let blocks = json!({ "type": "array", "items": { "enum": actions }, "minItems": 1, "maxItems": BLOCKS_MAX });
    json!({
        "type": "object",
        "required": ["for", "end"],
        "additionalProperties": false,
        "properties": { "for": duration, "end": { "enum": actions }, "warn": duration, "blocks": blocks },
    })
}

/// What customers are told of an `each`.
fn notices() -> Value {
    json!({ "type": "object", "required": ["template"], "additionalProperties": false, "properties": { "template": { "type": "string" }, "invite": { "type": "boolean" }, "remind": {}, "floor": { "$ref": "#/$defs/duration" }, "unproven": { "enum": ["hold"] }, "every": { "$ref": "#/$defs/duration" }, "channels": {}, "alternate_contact": { "type": "boolean" } } })
}

/// `with` by action: names and what each is for. Values may be expressions.
fn action_inputs(action: &hostler_core::contract::Action) -> Value {
    let closed = action.input.get("additionalProperties") == Some(&Value::Bool(false));
    let mut properties: Map<String, Value> = Map::new();
    for (name, schema) in action
        .input
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        properties.insert(name.clone(), json!({ "anyOf": [schema, { "$ref": "#/$defs/expression" }, { "type": ["array", "object"] }] }));
    }
    properties.insert("asset".to_owned(), json!({ "type": "string" }));
    json!({
        "if": { "properties": { "do": { "const": action.name } }, "required": ["do"] },
        "then": { "properties": { "with": { "properties": properties, "additionalProperties": !closed, "description": action.summary } } },
    })
}

fn person(own: &[&str]) -> Value {
    let common = [
        "who",
        "title",
        "show",
        "expires",
        "on_expire",
        "ladder",
        "terms",
        "remind",
    ];
    let properties: Map<String, Value> = common
        .iter()
        .chain(own)
        .map(|name| ((*name).to_owned(), json!({})))
        .collect();
    json!({ "type": "object", "required": ["who"], "additionalProperties": false, "properties": properties })
}

fn field() -> Value {
    json!({ "type": "object", "required": ["type"], "properties": { "type": { "type": "string" }, "label": { "type": "string" }, "required": { "type": "boolean" }, "must": { "$ref": "#/$defs/expression" }, "reason": { "enum": ["required"] } } })
}
