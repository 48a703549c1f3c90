//! Values that may be computed: `${{ … }}` as a whole, or a bare name where only names are meant.

use super::Reader;
use crate::ast::{Dyn, Expr, Text};
use crate::codes;
use crate::expr::{self, Why};
use crate::source::Span;
use crate::yaml::{Kind, Node};
use serde_json::Value;

impl Reader<'_, '_> {
    /// Any value; texts that are `${{ … }}` as a whole become expressions.
    pub(super) fn dynamic(&mut self, node: &Node) -> Dyn {
        match &node.kind {
            Kind::List(items) => Dyn::List(
                items.iter().map(|item| self.dynamic(item)).collect(),
                node.span,
            ),
            Kind::Map(entries) => Dyn::Map(
                entries
                    .iter()
                    .map(|(key, value)| {
                        (
                            Text {
                                value: key.text.clone(),
                                span: key.span,
                            },
                            self.dynamic(value),
                        )
                    })
                    .collect(),
                node.span,
            ),
            Kind::Plain(text) | Kind::Text(text) => {
                if text.contains("${{") {
                    return self
                        .embedded(node, text)
                        .map_or(Dyn::Broken(node.span), Dyn::Expr);
                }
                if text.contains("{{") {
                    self.no_braces(node, text, "this");
                    return Dyn::Broken(node.span);
                }
                Dyn::Value(node.scalar().unwrap_or(Value::Null), node.span)
            }
        }
    }

    /// `${{ … }}`, or a fault.
    pub(super) fn expr(&mut self, node: &Node, what: &str) -> Option<Expr> {
        match node.text() {
            Some(text) if text.contains("${{") => self.embedded(node, text),
            _ => {
                self.faults.add(
                    codes::WRONG_SHAPE,
                    node.span,
                    format!("{what} is {}", node.what()),
                    "write an expression: \"${{ … }}\"",
                );
                None
            }
        }
    }

    /// A bare expression, as in `show: [steps.scan]`.
    pub(super) fn bare(&mut self, node: &Node, what: &str) -> Option<Expr> {
        match node.text() {
            Some(text) if text.contains("${{") => self.embedded(node, text),
            Some(text) => self.parse(node, text.to_owned()),
            None => {
                self.shape(node, what, "a name such as steps.scan");
                None
            }
        }
    }

    fn embedded(&mut self, node: &Node, text: &str) -> Option<Expr> {
        let trimmed = text.trim();
        let inner = trimmed
            .strip_prefix("${{")
            .and_then(|rest| rest.strip_suffix("}}"));
        match inner {
            Some(inner) if !inner.contains("${{") => self.parse(node, inner.trim().to_owned()),
            _ if matches!(node.kind, Kind::Plain(_))
                && trimmed.starts_with("${{")
                && !trimmed.contains("}}") =>
            {
                self.faults.add(
                    codes::QUOTES,
                    node.span,
                    "YAML cuts this expression short, as a rule at ` #`",
                    "put quotes round it: \"${{ … }}\"",
                );
                None
            }
            _ => {
                self.faults.add(
                    codes::TWO_EXPRESSIONS,
                    node.span,
                    "an expression must be the whole text",
                    "join texts inside it: \"${{ 'id=' + inputs.asset.id }}\"",
                );
                None
            }
        }
    }

    fn parse(&mut self, node: &Node, text: String) -> Option<Expr> {
        let source = self
            .faults
            .source()
            .text
            .get(node.span.start..node.span.end)
            .unwrap_or("");
        let (span, exact) = match source.find(&text) {
            Some(found) => (
                Span::new(
                    node.span.start + found,
                    node.span.start + found + text.len(),
                ),
                true,
            ),
            None => (node.span, false),
        };
        match expr::parse(&text) {
            Ok(tree) => Some(Expr {
                text,
                span,
                exact,
                tree,
            }),
            Err(refused) => {
                let at = if exact {
                    Span::new((span.start + refused.at).min(span.end), span.end)
                } else {
                    span
                };
                let (code, remedy) = match refused.why {
                    Why::Bounds => (
                        codes::EXPRESSION_BOUNDS,
                        "split the work over steps, or filter earlier".to_owned(),
                    ),
                    Why::Function => (
                        codes::UNKNOWN_FUNCTION,
                        format!(
                            "there are {}, and has, filter, map, all, exists, exists_one",
                            expr::Function::names().collect::<Vec<_>>().join(", ")
                        ),
                    ),
                    Why::Syntax => (
                        codes::EXPRESSION,
                        "look at the brackets, quotes and operators: == != < > && || ! in ? :"
                            .to_owned(),
                    ),
                };
                self.faults.add(code, at, refused.message, remedy);
                None
            }
        }
    }
}
