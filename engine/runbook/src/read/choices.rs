//! `from` of a field: where its choices come from.
//!
//! Not here: values that are written out (`enum`, in `form`), and whether a catalog is there (the checks).

use super::Reader;
use super::fields::Fields;
use crate::ast::{Expr, Text};
use crate::codes;
use crate::source::Span;
use serde_json::Value;

/// Before the name of a catalog of the estate.
const CATALOG: &str = "catalog.";

impl Reader<'_, '_> {
    /// `from: steps.scan.done` of a form offers choices on the page; other sources are gates that are not there.
    pub(super) fn choices_from(
        &mut self,
        fields: &mut Fields<'_>,
        schema: &mut Value,
        exprs: &mut Vec<Expr>,
    ) {
        let Some((key, node)) = fields.entry("from") else {
            return;
        };
        let text = node.text().unwrap_or_default();
        if !text.starts_with("steps.") && !text.starts_with("inputs.") {
            return self.elsewhere(key.span, text);
        }
        if let Some(expr) = self.bare(node, "from") {
            schema["x-from"] = Value::String(expr.text.clone());
            exprs.push(expr);
        }
    }

    /// `from: catalog.os` of an input: one entry of a list of the estate, and nothing else.
    pub(super) fn catalog(
        &mut self,
        fields: &mut Fields<'_>,
        schema: &mut Value,
        kind: &str,
    ) -> Option<Text> {
        let (key, node) = fields.entry("from")?;
        let text = node.text().unwrap_or_default();
        let Some(name) = text.strip_prefix(CATALOG).filter(|name| is_id(name)) else {
            self.elsewhere(key.span, text);
            return None;
        };
        if kind != "string" {
            self.faults.add(
                codes::WRONG_SHAPE,
                key.span,
                format!("`from` has no meaning for {kind}"),
                "write `type: string`: an entry is chosen by its id",
            );
            return None;
        }
        schema["x-from"] = Value::String(text.to_owned());
        Some(Text {
            value: name.to_owned(),
            span: node.span,
        })
    }

    fn elsewhere(&mut self, span: Span, text: &str) {
        self.faults.add(
            codes::NE_CATALOG,
            span,
            format!("this engine does not read choices from `{text}` yet"),
            "write the values as `enum: […]`",
        );
    }
}

/// As the estate writes ids.
fn is_id(name: &str) -> bool {
    let inner =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    !name.is_empty() && name.bytes().all(inner)
}
