//! Conditions that treat an enum like a switch should treat all of its values.

use super::Checker;
use crate::ast::{Body, Expr, Runbook, Verb};
use crate::codes;
use crate::expr::{Kind, Node, Op};
use crate::source::Span;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
struct Use {
    equal: BTreeSet<String>,
    span: Option<Span>,
    other: bool,
}

impl Checker<'_, '_, '_> {
    pub(super) fn branches(&mut self, runbook: &Runbook) {
        let mut enums: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for input in &runbook.inputs {
            if let Some(values) = texts(&input.schema) {
                enums.insert(format!("inputs.{}", input.name.value), values);
            }
        }
        let mut uses: BTreeMap<String, Use> = BTreeMap::new();
        gather(&runbook.body, &mut enums, &mut uses);
        for (path, seen) in uses {
            let Some(values) = enums.get(&path) else {
                continue;
            };
            let missing: Vec<&String> = values
                .iter()
                .filter(|value| !seen.equal.contains(*value))
                .collect();
            // One value against the rest has the rest as its branch.
            if seen.equal.len() < 2 || missing.is_empty() || seen.other {
                continue;
            }
            let names: Vec<String> = missing.iter().map(|value| format!("'{value}'")).collect();
            self.faults.add(
                codes::NO_BRANCH,
                seen.span.unwrap_or_default(),
                format!("nothing happens for {path} == {}", names.join(", ")),
                "add a step for it, or a `finish` that says why not",
            );
        }
    }
}

fn texts(schema: &Value) -> Option<Vec<String>> {
    schema
        .get("enum")?
        .as_array()?
        .iter()
        .map(|value| value.as_str().map(str::to_owned))
        .collect()
}

fn gather(
    body: &Body,
    enums: &mut BTreeMap<String, Vec<String>>,
    uses: &mut BTreeMap<String, Use>,
) {
    for step in body.steps.iter().chain(&body.always) {
        if let Verb::Ask(ask) = &step.verb {
            for (name, schema) in ask
                .form
                .get("properties")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                if let Some(values) = texts(schema) {
                    enums.insert(format!("steps.{}.{name}", step.id.value), values);
                }
            }
        }
        if let Some(condition) = &step.condition {
            note(condition, &condition.tree, uses);
        }
        if let Some(inner) = step.verb.body() {
            gather(inner, enums, uses);
        }
    }
}

fn note(expr: &Expr, node: &Node, uses: &mut BTreeMap<String, Use>) {
    if let Kind::Binary(op, a, b) = &node.kind {
        let pair = match (&a.kind, &b.kind) {
            (_, Kind::Literal(Value::String(text))) => a.path().map(|path| (path.join("."), text)),
            (Kind::Literal(Value::String(text)), _) => b.path().map(|path| (path.join("."), text)),
            _ => None,
        };
        if let Some((path, text)) = pair {
            let seen = uses.entry(path).or_default();
            seen.span.get_or_insert(expr.span);
            if *op == Op::Equal {
                seen.equal.insert(text.clone());
            } else {
                seen.other = true;
            }
        } else if *op == Op::In
            && let Some(path) = a.path()
        {
            uses.entry(path.join(".")).or_default().other = true;
        }
    }
    if let Kind::Not(_) = &node.kind {
        node.walk(&mut |inner| {
            if let Some(path) = inner.path() {
                uses.entry(path.join(".")).or_default().other = true;
            }
        });
        return;
    }
    for child in node.children() {
        note(expr, child, uses);
    }
}
