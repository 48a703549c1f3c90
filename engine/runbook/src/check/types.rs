//! What is known about a value before the run: enough to find a slip of the pen, never more than is
//! certain.

use serde_json::Value;
use std::collections::BTreeMap;
use std::rc::Rc;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ty {
    Any,
    Bool,
    Number,
    Text,
    /// A text out of a closed list.
    Enum(Rc<Vec<String>>),
    Time,
    Duration,
    /// An asset's record; its attributes are the estate's.
    Asset,
    /// The id of an asset, which `each` turns into the record.
    AssetId,
    List(Rc<Ty>),
    /// Values by a key that is not known before the run.
    Lookup(Rc<Ty>),
    Object(Rc<BTreeMap<String, Ty>>),
    /// `policy.spend`: the policies' amounts, each by the name that is written out.
    Spend,
}

impl Ty {
    pub fn list(of: Self) -> Self {
        Self::List(Rc::new(of))
    }

    pub fn object(fields: impl IntoIterator<Item = (String, Ty)>) -> Self {
        Self::Object(Rc::new(fields.into_iter().collect()))
    }

    /// What a JSON Schema says; `Any` where it says too little.
    pub fn of_schema(schema: &Value) -> Self {
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            let texts: Option<Vec<String>> = values
                .iter()
                .map(|value| value.as_str().map(str::to_owned))
                .collect();
            if let Some(texts) = texts {
                return Self::Enum(Rc::new(texts));
            }
        }
        match schema.get("x-kind").and_then(Value::as_str) {
            Some("assets") => return Self::list(Self::AssetId),
            Some("asset") => return Self::AssetId,
            _ => {}
        }
        match schema.get("type").and_then(Value::as_str) {
            Some("boolean") => Self::Bool,
            Some("integer" | "number") => Self::Number,
            Some("string") => Self::Text,
            Some("array") => Self::list(schema.get("items").map_or(Self::Any, Self::of_schema)),
            Some("object") => match schema.get("properties").and_then(Value::as_object) {
                Some(properties)
                    if schema.get("additionalProperties") != Some(&Value::Bool(true)) =>
                {
                    Self::object(
                        properties
                            .iter()
                            .map(|(name, schema)| (name.clone(), Self::of_schema(schema))),
                    )
                }
                _ => Self::Any,
            },
            _ => Self::Any,
        }
    }

    /// What people call it.
    pub fn what(&self) -> &'static str {
        match self {
            Self::Any => "a value",
            Self::Bool => "true or false",
            Self::Number => "a number",
            Self::Text | Self::Enum(_) => "a text",
            Self::Time => "an instant",
            Self::Duration => "a duration",
            Self::Asset | Self::AssetId => "an asset",
            Self::List(_) => "a list",
            Self::Lookup(_) | Self::Object(_) | Self::Spend => "a map",
        }
    }

    pub fn is_text(&self) -> bool {
        matches!(self, Self::Text | Self::Enum(_) | Self::AssetId)
    }

    /// Whether two values may be compared for being the same.
    pub fn comparable(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => true,
            // Instants are written as texts; an asset equals its id.
            (a, b) if a.is_text() => b.is_text() || matches!(b, Self::Time | Self::Asset),
            (a, b) if b.is_text() => matches!(a, Self::Time | Self::Asset),
            (Self::List(_), Self::List(_))
            | (Self::Object(_) | Self::Lookup(_), Self::Object(_) | Self::Lookup(_)) => true,
            (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
        }
    }

    /// Whether such a value can satisfy a JSON Schema's `type`.
    pub fn fits(&self, schema: &Value) -> bool {
        let Some(wanted) = schema.get("type").and_then(Value::as_str) else {
            return true;
        };
        match self {
            Self::Any => true,
            Self::Bool => wanted == "boolean",
            Self::Number => matches!(wanted, "integer" | "number"),
            Self::Text | Self::Enum(_) | Self::Time | Self::Duration | Self::AssetId => {
                wanted == "string"
            }
            Self::Asset => matches!(wanted, "string" | "object"),
            Self::List(_) => wanted == "array",
            Self::Lookup(_) | Self::Object(_) => wanted == "object",
            // Only its amounts are values.
            Self::Spend => false,
        }
    }

    /// The items of a list that an `each` makes lanes of are assets.
    pub fn items_are_assets(&self) -> bool {
        matches!(self, Self::List(of) if matches!(**of, Self::Asset | Self::AssetId))
    }
}
