//! A strict YAML tree in which every node knows its place. No anchors, tags, duplicate keys or
//! second documents; `no` is a string. Nothing here knows runbooks.

mod build;
mod traps;

pub(crate) use build::parse;

use crate::source::Span;
use serde_json::{Map, Number, Value};

/// Largest runbook file in bytes: over a hundred times the largest that people wrote by hand.
pub const FILE_MAX_BYTES: usize = 256 * 1024;
/// Deepest nesting of lists and maps.
pub const DEPTH_MAX: usize = 32;
/// Most nodes in a file.
pub const NODES_MAX: usize = 50_000;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub span: Span,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// Without quotes: may be null, a boolean or a number.
    Plain(String),
    /// Quoted or block: always text.
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub span: Span,
    pub text: String,
}

impl Node {
    /// The text of a scalar, whatever it looks like.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Plain(text) | Kind::Text(text) => Some(text),
            Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// A scalar as JSON; none for lists and maps.
    pub fn scalar(&self) -> Option<Value> {
        match &self.kind {
            Kind::Plain(text) => Some(plain(text)),
            Kind::Text(text) => Some(Value::String(text.clone())),
            Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// The whole tree as JSON, expressions as text.
    pub fn json(&self) -> Value {
        match &self.kind {
            Kind::Plain(text) => plain(text),
            Kind::Text(text) => Value::String(text.clone()),
            Kind::List(items) => Value::Array(items.iter().map(Node::json).collect()),
            Kind::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(key, node)| (key.text.clone(), node.json()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }

    /// What people call such a value.
    pub fn what(&self) -> &'static str {
        match &self.kind {
            Kind::Map(_) => "a map",
            Kind::List(_) => "a list",
            Kind::Text(_) => "a text",
            Kind::Plain(text) => match plain(text) {
                Value::Null => "nothing",
                Value::Bool(_) => "true or false",
                Value::Number(_) => "a number",
                _ => "a text",
            },
        }
    }
}

/// What a scalar without quotes means. Only `true` and `false` are booleans.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" => return Value::Null,
        "true" => return Value::Bool(true),
        "false" => return Value::Bool(false),
        _ => {}
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let looks_numeric = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || c == '.')
        // 007 is a name, not a number.
        && !(digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0."));
    if looks_numeric {
        if let Ok(number) = text.parse::<i64>() {
            return Value::Number(number.into());
        }
        if digits.matches('.').count() == 1
            && let Some(number) = text.parse::<f64>().ok().and_then(Number::from_f64)
        {
            return Value::Number(number);
        }
    }
    Value::String(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::plain;
    use serde_json::json;

    #[test]
    fn only_true_and_false_are_booleans_and_names_stay_names() {
        for (text, value) in [
            ("no", json!("no")),
            ("on", json!("on")),
            ("true", json!(true)),
            ("007", json!("007")),
            ("0.5", json!(0.5)),
            ("-3", json!(-3)),
            ("1.2.3", json!("1.2.3")),
            ("12:30", json!("12:30")),
            ("0x10", json!("0x10")),
            ("~", json!(null)),
        ] {
            assert_eq!(plain(text), value, "{text}");
        }
    }
}
