//! The port `Evaluate`, with a bounded cache of expressions that were already read.

use super::interpret::Interpreter;
use super::value::Val;
use super::{Node, UNREACHED, parse};
use hostler_core::expression::{Evaluate, EvaluationFailed, Expression, Scope};
use jiff::tz::TimeZone;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Expressions kept in each of two generations: all runbooks of an estate together have fewer.
const GENERATION_MAX: usize = 2_048;

/// Evaluates expressions. Cheap to share, never blocks for long.
pub struct Evaluator {
    /// Of the realm: what a day is where nothing else says so.
    zone: TimeZone,
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    young: HashMap<String, Arc<Node>>,
    old: HashMap<String, Arc<Node>>,
}

impl Default for Evaluator {
    fn default() -> Self {
        Self::new(TimeZone::UTC)
    }
}

impl Evaluator {
    #[must_use]
    pub fn new(zone: TimeZone) -> Self {
        Self {
            zone,
            cache: Mutex::default(),
        }
    }

    fn tree(&self, text: &str) -> Result<Arc<Node>, String> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = cache.young.get(text) {
            return Ok(Arc::clone(found));
        }
        let tree = match cache.old.remove(text) {
            Some(found) => found,
            None => {
                drop(cache);
                let tree = Arc::new(parse(text).map_err(|error| error.message)?);
                cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
                tree
            }
        };
        if cache.young.len() >= GENERATION_MAX {
            cache.old = std::mem::take(&mut cache.young);
        }
        cache.young.insert(text.to_owned(), Arc::clone(&tree));
        Ok(tree)
    }
}

impl Evaluate for Evaluator {
    fn evaluate(&self, expression: &Expression, scope: &Scope) -> Result<Value, EvaluationFailed> {
        let text = expression.0.trim();
        let fail = |why| EvaluationFailed {
            expression: text.to_owned(),
            why,
        };
        if is_path(text) {
            return path(text, scope).map_err(fail);
        }
        let tree = self.tree(text).map_err(fail)?;
        let mut interpreter = Interpreter {
            scope,
            zone: &self.zone,
            bound: Vec::new(),
            spent: 0,
        };
        interpreter.eval(&tree).map(Val::into_json).map_err(fail)
    }
}

/// Words of the grammar that look like names.
const RESERVED: [&str; 4] = ["true", "false", "null", "in"];

fn is_path(text: &str) -> bool {
    !text.is_empty()
        && text.split('.').all(|part| {
            part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                && !RESERVED.contains(&part)
        })
}

/// Most expressions are plain paths: they need no tree.
fn path(text: &str, scope: &Scope) -> Result<Value, String> {
    let parts: Vec<&str> = text.split('.').collect();
    if let ["steps", id, "state"] = parts.as_slice()
        && scope
            .get("steps")
            .is_some_and(|steps| steps.get(id).is_none())
    {
        return Ok(Value::from(UNREACHED));
    }
    let mut value = scope
        .get(parts[0])
        .ok_or_else(|| format!("there is no `{}` here", parts[0]))?;
    for part in &parts[1..] {
        value = match value {
            Value::Object(entries) => entries
                .get(*part)
                .ok_or_else(|| format!("there is no `{part}` in it"))?,
            other => {
                return Err(format!(
                    "{} has no field `{part}`",
                    Val::from_json(other).what()
                ));
            }
        };
    }
    Ok(value.clone())
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
