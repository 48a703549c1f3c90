//! `from` of a field: where its choices come from.
//!
//! Not here: values that are written out (`enum`, in `form`), and whether a list is there (the checks).

use super::Reader;
use super::fields::Fields;
use super::fields::suggestion;
use crate::ast::Expr;
use crate::codes;
use crate::source::Span;
use hostler_core::directory::{List, TRIGGERED};
use serde_json::Value;

/// Before the name of a catalog of the estate.
const CATALOG: &str = "catalog.";
/// Before the name of a list of the policies; the second is a slip of the pen.
const POLICIES: [&str; 2] = ["policies.", "policy."];

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

    /// `from: catalog.os` or `policies.emergency.triggers` of an input: one entry of this list, and nothing else.
    pub(super) fn list(
        &mut self,
        fields: &mut Fields<'_>,
        schema: &mut Value,
        kind: &str,
    ) -> Option<(List, Span)> {
        let (key, node) = fields.entry("from")?;
        let text = node.text().unwrap_or_default();
        let list = self.list_named(key.span, node.span, text)?;
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
        Some((list, node.span))
    }

    fn list_named(&mut self, key: Span, span: Span, text: &str) -> Option<List> {
        if let Some(name) = text.strip_prefix(CATALOG).filter(|name| is_id(name)) {
            return Some(List::Catalog(name.to_owned()));
        }
        if !POLICIES.iter().any(|prefix| text.starts_with(prefix)) {
            self.elsewhere(key, text);
            return None;
        }
        let lists = TRIGGERED.map(|class| List::Triggers(class.to_owned()));
        let names = lists.each_ref().map(List::to_string);
        if let Some(place) = names.iter().position(|name| name == text) {
            return lists.into_iter().nth(place);
        }
        let near = suggestion(text, names.iter().map(String::as_str));
        let remedy = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write one of {}", names.join(", ")),
        };
        let message = format!("the policies have no list `{text}`");
        self.faults
            .add(codes::UNKNOWN_TRIGGERS, span, message, remedy);
        None
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
