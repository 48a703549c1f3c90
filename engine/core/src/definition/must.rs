//! Rules that values must keep: `must` of an input, and of a field of a form.
//!
//! A rule that gives anything but true is broken, also where it cannot be computed.
//! Not here: types and limits of a value (its schema), and evaluating (behind `Evaluate`).

use super::{Definition, InputKind};
use crate::expression::{Evaluate, Expression, Scope};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// The name under which a rule sees the value that it judges.
pub const VALUE: &str = "value";

/// The rule of a form's field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldRule {
    pub rule: Expression,
    /// What it looks at beside the value and `now`: paths such as `inputs.why`, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sees: Vec<String>,
}

/// A rule that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub field: String,
    pub label: Option<String>,
    /// The rule's text.
    pub rule: String,
    /// Why it could not be computed; none: it is false.
    pub why: Option<String>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.field)?;
        if let Some(label) = &self.label {
            write!(f, " ({label})")?;
        }
        write!(f, " breaks its rule `{}`", self.rule)?;
        match &self.why {
            Some(why) => write!(f, ", which cannot be computed: {why}"),
            None => Ok(()),
        }
    }
}

/// A rule with the name and the label of what it judges.
#[derive(Clone, Copy, Debug)]
pub struct Rule<'a> {
    pub field: &'a str,
    pub label: Option<&'a str>,
    pub rule: &'a Expression,
}

impl Rule<'_> {
    /// None when the value keeps the rule. `scope`: all that it sees beside the value.
    #[must_use]
    pub fn broken(self, value: Value, mut scope: Scope, evaluate: &dyn Evaluate) -> Option<Broken> {
        scope.insert(VALUE.to_owned(), value);
        let why = match evaluate.evaluate(self.rule, &scope) {
            Ok(Value::Bool(true)) => return None,
            Ok(Value::Bool(false)) => None,
            Ok(_) => Some("it gives neither true nor false".to_owned()),
            Err(fault) => Some(fault.why),
        };
        Some(Broken {
            field: self.field.to_owned(),
            label: self.label.map(str::to_owned),
            rule: self.rule.0.clone(),
            why,
        })
    }
}

/// An asset's id becomes its record, a list of ids one of records; all else stays.
#[must_use]
pub fn expanded(value: &Value, assets: &BTreeMap<String, Value>) -> Value {
    match value {
        Value::String(id) => assets.get(id).unwrap_or(value).clone(),
        Value::Array(items) => items.iter().map(|item| expanded(item, assets)).collect(),
        other => other.clone(),
    }
}

impl Definition {
    /// `inputs` as expressions see them: what names assets is their records.
    #[must_use]
    pub fn seen_inputs(&self, given: &Value, assets: &BTreeMap<String, Value>) -> Scope {
        let given = given.as_object().into_iter().flatten();
        let seen = given.map(|(name, value)| {
            let kind = self.inputs.get(name).map(|input| input.kind);
            let value = match (kind, value) {
                (Some(InputKind::Asset), Value::String(_))
                | (Some(InputKind::Selector), Value::Array(_)) => expanded(value, assets),
                (_, value) => value.clone(),
            };
            (name.clone(), value)
        });
        seen.collect()
    }

    /// The inputs whose rule does not hold, by name. One that is not given is null to the others, and keeps its own.
    #[must_use]
    pub fn broken_inputs(
        &self,
        given: &Value,
        assets: &BTreeMap<String, Value>,
        evaluate: &dyn Evaluate,
    ) -> Vec<Broken> {
        if self.inputs.values().all(|input| input.must.is_none()) {
            return Vec::new();
        }
        let mut seen = self.seen_inputs(given, assets);
        for name in self.inputs.keys() {
            seen.entry(name.clone()).or_insert(Value::Null);
        }
        let judged = self.inputs.iter().filter_map(|(name, input)| {
            let value = seen.get(name).filter(|value| !value.is_null())?.clone();
            let rule = Rule {
                field: name,
                label: input.label.as_deref(),
                rule: input.must.as_ref()?,
            };
            let scope = Scope::from_iter([("inputs".to_owned(), Value::Object(seen.clone()))]);
            rule.broken(value, scope, evaluate)
        });
        judged.collect()
    }
}
