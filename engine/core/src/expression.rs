//! Expressions of a runbook as data, and the port through which they are evaluated.
//!
//! `decide` never evaluates: values come to it inside commands and are recorded in events.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use thiserror::Error;

/// The text between `${{` and `}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Expression(pub String);

/// A value in which parts are expressions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dynamic {
    Expression(Expression),
    Literal(Value),
    List(Vec<Dynamic>),
    Map(BTreeMap<String, Dynamic>),
}

impl Dynamic {
    #[must_use]
    pub fn null() -> Self {
        Self::Literal(Value::Null)
    }
}

/// What an expression can see: a JSON object with `inputs`, `steps`, `asset`, `wave`, `round`,
/// `run`, `now` (RFC 3339), and whatever `as:` names.
pub type Scope = serde_json::Map<String, Value>;

#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{expression}: {why}")]
pub struct EvaluationFailed {
    pub expression: String,
    pub why: String,
}

/// Evaluates expressions within bounds of size and time. Pure: the same scope, the same value.
pub trait Evaluate: Send + Sync + 'static {
    /// # Errors
    /// When the text does not parse, a name is missing, types do not fit, or a bound is reached.
    fn evaluate(&self, expression: &Expression, scope: &Scope) -> Result<Value, EvaluationFailed>;

    /// # Errors
    /// As `evaluate`, for the first expression inside that fails.
    fn resolve(&self, dynamic: &Dynamic, scope: &Scope) -> Result<Value, EvaluationFailed> {
        Ok(match dynamic {
            Dynamic::Expression(expression) => self.evaluate(expression, scope)?,
            Dynamic::Literal(value) => value.clone(),
            Dynamic::List(items) => Value::Array(
                items
                    .iter()
                    .map(|item| self.resolve(item, scope))
                    .collect::<Result<_, _>>()?,
            ),
            Dynamic::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(key, item)| Ok((key.clone(), self.resolve(item, scope)?)))
                    .collect::<Result<_, _>>()?,
            ),
        })
    }
}
