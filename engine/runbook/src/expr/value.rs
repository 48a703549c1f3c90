//! Values while an expression is evaluated: borrowed from the scope where that is possible.

use jiff::Timestamp;
use serde_json::{Map, Number, Value};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::rc::Rc;

#[derive(Clone, Debug)]
pub(super) enum Val<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Cow<'a, str>),
    /// A list or a map of the scope.
    Json(&'a Value),
    /// A map that the scope itself is.
    List(Rc<Vec<Val<'a>>>),
    Map(Rc<Vec<(String, Val<'a>)>>),
    Time(Timestamp),
    /// Milliseconds.
    Span(i64),
    BusinessDays(i64),
}

impl<'a> Val<'a> {
    pub fn from_json(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => from_number(number),
            Value::String(text) => Self::Text(Cow::Borrowed(text)),
            Value::Array(_) | Value::Object(_) => Self::Json(value),
        }
    }

    pub fn into_json(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::from(value),
            Self::Float(value) => Number::from_f64(value).map_or(Value::Null, Value::Number),
            Self::Text(text) => Value::String(text.into_owned()),
            Self::Json(value) => value.clone(),
            Self::List(items) => Value::Array(items.iter().cloned().map(Val::into_json).collect()),
            Self::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(key, value)| (key.clone(), value.clone().into_json()))
                    .collect::<Map<_, _>>(),
            ),
            Self::Time(time) => Value::String(time.to_string()),
            Self::Span(ms) if ms >= 0 => {
                Value::String(hostler_core::duration::write_ms(ms.unsigned_abs()))
            }
            Self::Span(ms) => Value::from(ms),
            Self::BusinessDays(days) => Value::String(format!("{days}bd")),
        }
    }

    /// What people call it.
    pub fn what(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) | Self::Json(Value::Array(_)) => "a list",
            Self::Map(_) | Self::Json(_) => "a map",
            Self::Time(_) => "an instant",
            Self::Span(_) | Self::BusinessDays(_) => "a duration",
        }
    }

    pub fn size(&self) -> Option<usize> {
        match self {
            Self::Text(text) => Some(text.chars().count()),
            Self::List(items) => Some(items.len()),
            Self::Map(entries) => Some(entries.len()),
            Self::Json(Value::Array(items)) => Some(items.len()),
            Self::Json(Value::Object(entries)) => Some(entries.len()),
            _ => None,
        }
    }

    /// The items of a list; the keys of a map.
    pub fn items(&self) -> Option<Vec<Val<'a>>> {
        match self {
            Self::List(items) => Some(items.as_ref().clone()),
            Self::Map(entries) => Some(
                entries
                    .iter()
                    .map(|(key, _)| Val::Text(Cow::Owned(key.clone())))
                    .collect(),
            ),
            Self::Json(Value::Array(items)) => Some(items.iter().map(Val::from_json).collect()),
            Self::Json(Value::Object(entries)) => Some(
                entries
                    .keys()
                    .map(|key| Val::Text(Cow::Borrowed(key.as_str())))
                    .collect(),
            ),
            _ => None,
        }
    }

    pub fn field(&self, name: &str) -> Option<Val<'a>> {
        match self {
            Self::Json(Value::Object(entries)) => entries.get(name).map(Val::from_json),
            Self::Map(entries) => entries
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.clone()),
            _ => None,
        }
    }

    pub fn item(&self, index: usize) -> Option<Val<'a>> {
        match self {
            Self::Json(Value::Array(items)) => items.get(index).map(Val::from_json),
            Self::List(items) => items.get(index).cloned(),
            _ => None,
        }
    }

    /// An instant, also where it is written as RFC 3339.
    pub fn instant(&self) -> Option<Timestamp> {
        match self {
            Self::Time(time) => Some(*time),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// Values of different kinds differ; records with the same id are the same, and equal their id.
    pub fn equals(&self, other: &Val<'a>) -> bool {
        match (self, other) {
            (Self::Null, Val::Null) => true,
            (Self::Bool(a), Val::Bool(b)) => a == b,
            (Self::Text(a), Val::Text(b)) => a == b,
            (Self::Time(_), Val::Time(_) | Val::Text(_)) | (Self::Text(_), Val::Time(_)) => {
                self.instant().is_some() && self.instant() == other.instant()
            }
            (Self::Span(a), Val::Span(b)) => a == b,
            (Self::BusinessDays(a), Val::BusinessDays(b)) => a == b,
            (Self::Int(_) | Self::Float(_), Val::Int(_) | Val::Float(_)) => {
                self.compare(other) == Some(Ordering::Equal)
            }
            (Self::Text(id), record) | (record, Val::Text(id)) => {
                matches!(record.field("id"), Some(Val::Text(own)) if own == *id)
            }
            _ => match (self.field("id"), other.field("id")) {
                // Records of one asset may carry different extras: what a step collected.
                (Some(Val::Text(a)), Some(Val::Text(b))) => a == b,
                _ => {
                    self.size().is_some()
                        && self.size() == other.size()
                        && self.clone().into_json() == other.clone().into_json()
                }
            },
        }
    }

    /// None when the two have no order.
    pub fn compare(&self, other: &Val<'_>) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Val::Int(b)) => Some(a.cmp(b)),
            (Self::Int(a), Val::Float(b)) => (*a as f64).partial_cmp(b),
            (Self::Float(a), Val::Int(b)) => a.partial_cmp(&(*b as f64)),
            (Self::Float(a), Val::Float(b)) => a.partial_cmp(b),
            (Self::Text(a), Val::Text(b)) => Some(match (self.instant(), other.instant()) {
                // Two instants may be written with different offsets.
                (Some(a), Some(b)) => a.cmp(&b),
                _ => a.cmp(b),
            }),
            (Self::Time(a), _) => other.instant().map(|b| a.cmp(&b)),
            (_, Val::Time(b)) => self.instant().map(|a| a.cmp(b)),
            (Self::Span(a), Val::Span(b)) => Some(a.cmp(b)),
            (Self::Bool(a), Val::Bool(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

/// JSON knows one kind of integer; what does not fit into 64 bits with a sign becomes a float.
fn from_number<'a>(number: &Number) -> Val<'a> {
    number
        .as_i64()
        .map_or_else(|| Val::Float(number.as_f64().unwrap_or(f64::NAN)), Val::Int)
}
