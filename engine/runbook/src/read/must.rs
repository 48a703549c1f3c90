//! `must` and `reason` of a field: what a value must keep beside its type, and what must be said with it.
//!
//! Not here: names and types in a rule (the checks).

use super::Reader;
use super::fields::Fields;
use super::form::Field;
use crate::ast::{Expr, Text};
use crate::codes;
use crate::yaml::{Key, Node};
use serde_json::{Map, Value, json};

/// Behind the name of a field: the name under which its reason is given.
const REASON: &str = "_reason";
/// Longest reason, in characters.
const REASON_MAX_CHARS: u64 = 2_000;

impl Reader<'_, '_> {
    /// A page shows the rule of a form's field: it travels beside the type.
    pub(super) fn must(
        &mut self,
        fields: &mut Fields<'_>,
        schema: &mut Value,
        in_form: bool,
    ) -> Option<Expr> {
        let must = self.expr(fields.take("must")?, "must")?;
        if in_form {
            schema["x-must"] = Value::String(must.text.clone());
        }
        Some(must)
    }

    /// Whether an answer in this field wants a reason.
    pub(super) fn reason(&mut self, fields: &mut Fields<'_>, in_form: bool) -> bool {
        if !in_form {
            fields.unenforced(
                self,
                "reason",
                codes::NE_FORM_RULE,
                "add an input of its own for the reason",
            );
            return false;
        }
        let node = fields.take("reason");
        node.and_then(|node| self.word(node, "reason", &[("required", ())]))
            .is_some()
    }

    /// The field that takes the reason, beside its own.
    pub(super) fn reason_of(
        &mut self,
        of: &Text,
        entries: &[(Key, Node)],
        field: &Field,
        properties: &mut Map<String, Value>,
    ) {
        let name = format!("{}{REASON}", of.value);
        if let Some((key, _)) = entries.iter().find(|(key, _)| key.text == name) {
            self.faults.add(
                codes::DUPLICATE_KEY,
                key.span,
                format!("`{name}` is where the reason of `{}` is given", of.value),
                "give this field another name, or leave `reason` out",
            );
        }
        let title = field.label.as_deref().unwrap_or(&of.value);
        let schema = json!({
            "type": "string", "minLength": 1, "maxLength": REASON_MAX_CHARS, "pattern": "\\S",
            "title": format!("Reason: {title}"), "x-reason-of": of.value,
        });
        properties.insert(name, schema);
    }
}

/// Whoever answers more than nothing in one of these fields says why.
pub(super) fn with_reasons(schema: &mut Value, of: &[&str]) {
    if of.is_empty() {
        return;
    }
    let nothing = json!([null, false, "", []]);
    let wanted = of.iter().map(|field| {
        json!({
            "if": { "required": [field], "properties": { *field: { "not": { "enum": nothing } } } },
            "then": { "required": [format!("{field}{REASON}")] },
        })
    });
    schema["allOf"] = wanted.collect();
}
