//! Declared fields: the inputs of a runbook and the forms that people fill in. Each becomes a JSON
//! Schema; what only a page needs (choices, a scanner) travels beside it as `x-…`.

use super::Reader;
use super::fields::Fields;
use crate::ast::{Expr, InputDecl, Text};
use crate::codes;
use crate::source::Span;
use crate::yaml::{Kind, Node};
use hostler_core::definition::InputKind;
use hostler_core::directory::List;
use serde_json::{Map, Value, json};

/// Longest text of a field that sets no limit of its own.
const FIELD_MAX_CHARS: u64 = 10_000;
/// Longest list of a field that sets no limit of its own.
const FIELD_MAX_ITEMS: u64 = 1_000;

/// Type, schema, kind as input. `None` for types that this engine cannot take yet.
fn base(kind: &str) -> Option<(Value, InputKind)> {
    let text = || json!({"type": "string", "maxLength": FIELD_MAX_CHARS});
    let id = || json!({"type": "string", "minLength": 1, "maxLength": 200});
    Some(match kind {
        "string" | "package" | "person" => (text(), InputKind::Data),
        "integer" => (json!({"type": "integer"}), InputKind::Data),
        "number" => (json!({"type": "number"}), InputKind::Data),
        "boolean" => (json!({"type": "boolean"}), InputKind::Data),
        "money" => (
            json!({"type": "integer", "minimum": 0, "description": "cents"}),
            InputKind::Data,
        ),
        "date" => (json!({"type": "string", "format": "date"}), InputKind::Data),
        "instant" => (
            json!({"type": "string", "format": "date-time"}),
            InputKind::Data,
        ),
        "duration" => (
            json!({"type": "string", "pattern": "^([0-9]{1,9}(w|d|h|m|s|ms))+$"}),
            InputKind::Data,
        ),
        "enum" => (json!({"type": "string"}), InputKind::Data),
        "object" => (json!({"type": "object"}), InputKind::Data),
        "contact" => (
            json!({"type": "object", "required": ["name", "mail"], "properties": {"name": text(), "mail": {"type": "string", "format": "email"}}}),
            InputKind::Data,
        ),
        "list" => (
            json!({"type": "array", "maxItems": FIELD_MAX_ITEMS}),
            InputKind::Data,
        ),
        "assets" => (
            json!({"type": "array", "items": id(), "uniqueItems": true, "maxItems": 10_000}),
            InputKind::Data,
        ),
        "selector" => (
            json!({"type": "string", "minLength": 1, "maxLength": 2_000}),
            InputKind::Selector,
        ),
        "asset" => (id(), InputKind::Asset),
        "customer" => (id(), InputKind::Customer),
        "window" => (id(), InputKind::Window),
        _ => return None,
    })
}

const TYPES: [&str; 17] = [
    "string", "integer", "number", "boolean", "money", "date", "instant", "duration", "enum",
    "object", "contact", "list", "assets", "selector", "asset", "customer", "window",
];
/// Types of the language that need an upload, which this engine does not take yet.
const UPLOADS: [&str; 2] = ["file", "photo"];

pub(super) struct Field {
    pub kind: InputKind,
    pub label: Option<String>,
    pub required: bool,
    pub default: Option<(Value, Span)>,
    pub schema: Value,
    pub exprs: Vec<Expr>,
    pub from: Option<(List, Span)>,
    pub must: Option<Expr>,
    /// What is answered here wants a reason.
    pub reason: bool,
}

/// A form as it was written: the schema of an answer, and the expressions in it.
pub(super) struct Form {
    pub schema: Value,
    /// `from` and `default`.
    pub exprs: Vec<Expr>,
    /// `must`, by field.
    pub musts: Vec<(String, Expr)>,
}

impl Form {
    pub(super) fn empty() -> Self {
        Self {
            schema: json!({"type": "object"}),
            exprs: Vec::new(),
            musts: Vec::new(),
        }
    }
}

impl Reader<'_, '_> {
    pub(super) fn input(&mut self, name: Text, node: &Node) -> Option<InputDecl> {
        let field = self.field(node, "an input", false)?;
        Some(InputDecl {
            name,
            kind: field.kind,
            label: field.label,
            required: field.required,
            default: field.default,
            schema: field.schema,
            from: field.from,
            must: field.must,
        })
    }

    pub(super) fn form(&mut self, node: &Node) -> Form {
        let mut form = Form::empty();
        let Kind::Map(entries) = &node.kind else {
            self.shape(node, "form", "a map of field names to types");
            return form;
        };
        let (mut properties, mut required, mut reasons) = (Map::new(), Vec::new(), Vec::new());
        for (key, value) in entries {
            let name = Text {
                value: key.text.clone(),
                span: key.span,
            };
            self.check_id(&name, "a field");
            let Some(field) = self.field(value, "a field of the form", true) else {
                continue;
            };
            if field.required {
                required.push(Value::String(key.text.clone()));
            }
            if field.reason {
                self.reason_of(&name, entries, &field, &mut properties);
                reasons.push(key.text.as_str());
            }
            properties.insert(key.text.clone(), field.schema);
            form.exprs.extend(field.exprs);
            form.musts
                .extend(field.must.map(|must| (key.text.clone(), must)));
        }
        form.schema = json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false});
        super::must::with_reasons(&mut form.schema, &reasons);
        form
    }

    fn field(&mut self, node: &Node, what: &'static str, in_form: bool) -> Option<Field> {
        let mut fields = Fields::of(self, node, what)?;
        let kind_node = fields.need(self, "type", "string")?;
        let kind = kind_node.text().unwrap_or_default();
        let Some((mut schema, input_kind)) = base(kind) else {
            self.unknown_type(kind_node, kind);
            return None;
        };
        let mut exprs = Vec::new();
        self.limits(&mut fields, &mut schema, kind);
        let label = fields
            .take("label")
            .and_then(|node| self.text(node, "label"))
            .map(|text| text.value);
        if let Some(label) = &label {
            schema["title"] = Value::String(label.clone());
        }
        let from = match in_form {
            true => {
                self.choices_from(&mut fields, &mut schema, &mut exprs);
                None
            }
            false => self.list(&mut fields, &mut schema, kind),
        };
        if fields.take("scan").and_then(|node| self.bool(node, "scan")) == Some(true) {
            schema["x-scan"] = Value::Bool(true);
        }
        let must = self.must(&mut fields, &mut schema, in_form);
        let reason = self.reason(&mut fields, in_form);
        fields.unenforced(self, "accept", codes::NE_FORM_RULE, "leave it out");
        fields.unenforced(
            self,
            "schema",
            codes::NE_CATALOG,
            "write the parts as inputs of their own",
        );
        let default = self.default(&mut fields, &mut schema, &mut exprs, in_form);
        let required = fields
            .take("required")
            .and_then(|node| self.bool(node, "required"))
            .unwrap_or(default.is_none());
        fields.finish(self);
        if let Some((value, span)) = &default {
            self.fits(&schema, value, *span);
        }
        if kind == "assets" || kind == "asset" {
            schema["x-kind"] = Value::String(kind.to_owned());
        }
        Some(Field {
            kind: input_kind,
            label,
            required,
            default,
            schema,
            exprs,
            from,
            must,
            reason,
        })
    }

    fn unknown_type(&mut self, node: &Node, kind: &str) {
        if UPLOADS.contains(&kind) {
            self.faults.add(
                codes::NE_FORM_RULE,
                node.span,
                format!("this engine does not take a {kind} yet"),
                "ask for a reference to it as a string",
            );
            return;
        }
        let near = super::fields::suggestion(kind, TYPES)
            .map(|near| format!("did you mean `{near}`? "))
            .unwrap_or_default();
        self.faults.add(
            codes::NOT_ONE_OF,
            node.span,
            format!("there is no type `{kind}`"),
            format!("{near}write one of {}", TYPES.join(", ")),
        );
    }

    fn limits(&mut self, fields: &mut Fields<'_>, schema: &mut Value, kind: &str) {
        let text = schema["type"] == "string";
        for (field, keyword, fits) in [
            ("min_length", "minLength", text),
            ("max_length", "maxLength", text),
            (
                "minimum",
                "minimum",
                matches!(kind, "integer" | "number" | "money"),
            ),
            (
                "maximum",
                "maximum",
                matches!(kind, "integer" | "number" | "money"),
            ),
            ("min_items", "minItems", schema["type"] == "array"),
            ("max_items", "maxItems", schema["type"] == "array"),
        ] {
            let Some((key, node)) = fields.entry(field) else {
                continue;
            };
            match node.scalar() {
                Some(number @ Value::Number(_)) if fits => schema[keyword] = number,
                Some(Value::Number(_)) => self.faults.add(
                    codes::WRONG_SHAPE,
                    key.span,
                    format!("`{field}` has no meaning for {kind}"),
                    "leave it out",
                ),
                _ => self.shape(node, field, "a number"),
            }
        }
        if let Some(text) = fields
            .take("pattern")
            .and_then(|node| self.text(node, "pattern"))
        {
            let candidate = json!({"type": "string", "pattern": text.value});
            if jsonschema::validator_for(&candidate).is_err() {
                self.faults.add(
                    codes::WRONG_SHAPE,
                    text.span,
                    "the pattern is no regular expression",
                    "write it as in ^[a-z][a-z0-9-]*$",
                );
            } else {
                schema["pattern"] = Value::String(text.value);
            }
        }
        if let Some(node) = fields.take("format") {
            let formats = [
                ("uri", "uri"),
                ("email", "email"),
                ("ip", "ip"),
                ("hostname", "hostname"),
            ];
            match self.word(node, "format", &formats) {
                // JSON Schema has one word for each kind of address.
                Some("ip") => schema["anyOf"] = json!([{"format": "ipv4"}, {"format": "ipv6"}]),
                Some(format) => schema["format"] = Value::String(format.to_owned()),
                None => {}
            }
        }
        if let Some(node) = fields.take("of") {
            self.items_of(node, schema, kind);
        }
        match fields.take("enum") {
            Some(node) => self.enumeration(node, schema),
            None if kind == "enum" => self.faults.add(
                codes::MISSING_FIELD,
                fields.head(),
                "an enum has no values",
                "add `enum: [a, b]`",
            ),
            None => {}
        }
    }

    fn items_of(&mut self, node: &Node, schema: &mut Value, kind: &str) {
        let item = node.text().unwrap_or_default();
        match base(item) {
            Some((items, InputKind::Data)) if kind == "list" && item != "list" => {
                schema["items"] = items
            }
            _ if kind == "list" => self.unknown_type(node, item),
            _ => self.faults.add(
                codes::WRONG_SHAPE,
                node.span,
                format!("`of` has no meaning for {kind}"),
                "write `type: list`",
            ),
        }
    }

    fn enumeration(&mut self, node: &Node, schema: &mut Value) {
        let values: Vec<Value> = self
            .items(node)
            .into_iter()
            .filter_map(Node::scalar)
            .collect();
        let wanted = schema["type"].as_str().unwrap_or_default().to_owned();
        for (item, value) in self.items(node).into_iter().zip(&values) {
            let fits = match wanted.as_str() {
                "integer" => value.is_i64(),
                "number" => value.is_number(),
                "boolean" => value.is_boolean(),
                _ => value.is_string(),
            };
            if !fits {
                self.faults.add(
                    codes::WRONG_SHAPE,
                    item.span,
                    format!("{value} is no {wanted}"),
                    if wanted == "string" {
                        "put quotes round it"
                    } else {
                        "write values of the field's type"
                    },
                );
            }
        }
        schema["enum"] = Value::Array(values);
    }

    fn default(
        &mut self,
        fields: &mut Fields<'_>,
        schema: &mut Value,
        exprs: &mut Vec<Expr>,
        in_form: bool,
    ) -> Option<(Value, crate::source::Span)> {
        let node = fields.take("default")?;
        if node.text().is_some_and(|text| text.contains("${{")) {
            if !in_form {
                self.faults.add(
                    codes::NE_COMPUTED,
                    node.span,
                    "this engine does not compute the default of an input yet",
                    "write a value",
                );
                return None;
            }
            let expr = self.expr(node, "default")?;
            schema["x-default"] = Value::String(expr.text.clone());
            exprs.push(expr);
            return None;
        }
        let value = node.json();
        schema["default"] = value.clone();
        Some((value, node.span))
    }

    fn fits(&mut self, schema: &Value, value: &Value, span: crate::source::Span) {
        if let Ok(validator) = jsonschema::validator_for(schema)
            && let Err(error) = validator.validate(value)
        {
            self.faults.add(
                codes::BAD_INPUT,
                span,
                format!("the default does not fit: {error}"),
                "write a value of the field's type and limits",
            );
        }
    }
}
