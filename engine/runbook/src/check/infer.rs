//! Walks an expression with what is known at its place: names, fields, types, guards.

use super::Checker;
use super::scope::Scope;
use super::types::Ty;
use crate::ast::{Dyn, Expr};
use crate::codes;
use crate::expr::{Kind, Loop, Node};
use crate::read::suggestion;
use std::rc::Rc;

impl Checker<'_, '_, '_> {
    pub(super) fn expr(&mut self, expr: &Expr, scope: &Scope) -> Ty {
        self.infer(expr, &expr.tree, scope)
    }

    /// All expressions of a value; the type of the whole.
    pub(super) fn dynamic(&mut self, value: &Dyn, scope: &Scope) -> Ty {
        match value {
            Dyn::Expr(expr) => self.expr(expr, scope),
            Dyn::Value(value, _) => match value {
                serde_json::Value::Bool(_) => Ty::Bool,
                serde_json::Value::Number(_) => Ty::Number,
                serde_json::Value::String(_) => Ty::Text,
                _ => Ty::Any,
            },
            Dyn::List(items, _) => {
                items.iter().for_each(|item| {
                    self.dynamic(item, scope);
                });
                Ty::list(Ty::Any)
            }
            Dyn::Map(entries, _) => Ty::object(
                entries
                    .iter()
                    .map(|(key, value)| (key.value.clone(), self.dynamic(value, scope)))
                    .collect::<Vec<_>>(),
            ),
            Dyn::Broken(_) => Ty::Any,
        }
    }

    /// A condition: true or false.
    pub(super) fn condition(&mut self, expr: &Expr, scope: &Scope) {
        let ty = self.expr(expr, scope);
        self.must_be(expr, &expr.tree, &ty, &Ty::Bool);
        if matches!(
            expr.tree.kind,
            Kind::Literal(serde_json::Value::Bool(false))
        ) {
            self.faults.add(
                codes::UNREACHABLE,
                expr.span,
                "this is never true",
                "remove the step, or say when it shall run",
            );
        }
    }

    pub(super) fn must_be(&mut self, expr: &Expr, node: &Node, found: &Ty, wanted: &Ty) {
        if !matches!(found, Ty::Any)
            && std::mem::discriminant(found) != std::mem::discriminant(wanted)
        {
            let message = format!("{} was expected, this is {}", wanted.what(), found.what());
            self.faults.add(
                codes::TYPES,
                expr.place(node_start(node)),
                message,
                "compare it with something, as in `… == 'yes'` or `size(…) > 0`",
            );
        }
    }

    pub(super) fn infer(&mut self, expr: &Expr, node: &Node, scope: &Scope) -> Ty {
        match &node.kind {
            Kind::Literal(value) => match value {
                serde_json::Value::Bool(_) => Ty::Bool,
                serde_json::Value::Number(_) => Ty::Number,
                serde_json::Value::String(text) => Ty::Enum(Rc::new(vec![text.clone()])),
                _ => Ty::Any,
            },
            Kind::Name(name) => self.name(expr, node, name, scope),
            Kind::Member(of, field) => self.member(expr, node, of, field, scope),
            Kind::Has(of, field) => {
                self.has(expr, node, of, field, scope);
                Ty::Bool
            }
            Kind::Index(of, by) => {
                let ty = self.infer(expr, of, scope);
                self.infer(expr, by, scope);
                match (&ty, &by.kind) {
                    (Ty::List(of) | Ty::Lookup(of), _) => (**of).clone(),
                    (Ty::Object(_), Kind::Literal(serde_json::Value::String(field))) => {
                        self.field(expr, by, &ty, field)
                    }
                    (Ty::Spend, _) => self.amount(expr.place(node.at), None),
                    (Ty::Bool | Ty::Number, _) => {
                        self.faults.add(
                            codes::TYPES,
                            expr.place(node.at),
                            format!("{} has no items", ty.what()),
                            "leave the brackets out",
                        );
                        Ty::Any
                    }
                    _ => Ty::Any,
                }
            }
            Kind::Not(of) => {
                let ty = self.infer(expr, of, scope);
                self.must_be(expr, of, &ty, &Ty::Bool);
                Ty::Bool
            }
            Kind::Negate(of) => self.infer(expr, of, scope),
            Kind::And(a, b) | Kind::Or(a, b) => {
                let ty = self.infer(expr, a, scope);
                self.must_be(expr, a, &ty, &Ty::Bool);
                let inner = scope.with(a, matches!(node.kind, Kind::And(..)));
                let ty = self.infer(expr, b, &inner);
                self.must_be(expr, b, &ty, &Ty::Bool);
                Ty::Bool
            }
            Kind::If(condition, yes, no) => {
                let ty = self.infer(expr, condition, scope);
                self.must_be(expr, condition, &ty, &Ty::Bool);
                let yes = self.infer(expr, yes, &scope.with(condition, true));
                let no = self.infer(expr, no, &scope.with(condition, false));
                match (yes, no) {
                    (Ty::Enum(a), Ty::Enum(b)) => {
                        Ty::Enum(Rc::new(a.iter().chain(b.iter()).cloned().collect()))
                    }
                    (yes, no) if yes == no => yes,
                    _ => Ty::Any,
                }
            }
            Kind::Binary(op, a, b) => {
                let (left, right) = (self.infer(expr, a, scope), self.infer(expr, b, scope));
                self.binary(expr, node, *op, &left, &right)
            }
            Kind::List(items) => {
                let types: Vec<Ty> = items
                    .iter()
                    .map(|item| self.infer(expr, item, scope))
                    .collect();
                Ty::list(
                    types
                        .into_iter()
                        .reduce(|a, b| {
                            if a == b {
                                a
                            } else if a.is_text() && b.is_text() {
                                Ty::Text
                            } else {
                                Ty::Any
                            }
                        })
                        .unwrap_or(Ty::Any),
                )
            }
            Kind::Map(entries) => self.map(expr, entries, scope),
            Kind::Loop {
                of,
                list,
                name,
                body,
            } => self.walk(expr, *of, list, name, body, scope),
            Kind::Call(function, arguments) => self.call(expr, *function, arguments, scope),
        }
    }

    fn name(&mut self, expr: &Expr, node: &Node, name: &str, scope: &Scope) -> Ty {
        if let Some(ty) = scope.names.get(name) {
            return ty.clone();
        }
        if name == "steps" {
            return Ty::Any;
        }
        let place = expr.place(node.at);
        let remedy = if scope.steps.contains_key(name) {
            format!("write steps.{name}")
        } else {
            let known: Vec<&str> = scope
                .names
                .keys()
                .map(String::as_str)
                .chain(["steps"])
                .collect();
            match suggestion(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("here there are: {}", known.join(", ")),
            }
        };
        self.faults.add(
            codes::UNKNOWN_NAME,
            place,
            format!("there is no `{name}` here"),
            remedy,
        );
        Ty::Any
    }

    fn member(&mut self, expr: &Expr, node: &Node, of: &Node, field: &str, scope: &Scope) -> Ty {
        if matches!(&of.kind, Kind::Name(name) if name == "steps" && !scope.names.contains_key("steps"))
        {
            return self.step_named(expr, node, field, scope);
        }
        if let Some(["steps", id]) = of.path().as_deref()
            && let Some(known) = scope.steps.get(*id)
            && !matches!(field, "state" | "reason")
            && let Some(doubt) = scope.doubt(id, known)
        {
            let remedy = format!(
                "guard it: `if: \"${{{{ steps.{id}.state == 'succeeded' }}}}\"`, or has(steps.{id}.{field})"
            );
            self.faults
                .add(codes::UNGUARDED, expr.place(node_start(of)), doubt, remedy);
            self.faults.relate(known.span, "the step");
        }
        let ty = self.infer(expr, of, scope);
        self.field(expr, node, &ty, field)
    }

    fn step_named(&mut self, expr: &Expr, node: &Node, id: &str, scope: &Scope) -> Ty {
        if let Some(known) = scope.steps.get(id) {
            return known.outputs.clone();
        }
        let place = expr.place(node_start(node));
        if let Some(span) = scope.elsewhere.get(id) {
            self.faults.add(
                codes::UNKNOWN_STEP,
                place,
                format!("step `{id}` has not run at this place"),
                "move this step behind it, or read it through the step that holds it",
            );
            self.faults.relate(*span, "the step");
            return Ty::Any;
        }
        let remedy = suggestion(id, scope.steps.keys().map(String::as_str)).map_or_else(
            || {
                format!(
                    "here there are: {}",
                    scope.steps.keys().cloned().collect::<Vec<_>>().join(", ")
                )
            },
            |near| format!("did you mean `{near}`?"),
        );
        self.faults.add(
            codes::UNKNOWN_STEP,
            place,
            format!("there is no step `{id}`"),
            remedy,
        );
        Ty::Any
    }

    fn has(&mut self, expr: &Expr, node: &Node, of: &Node, field: &str, scope: &Scope) {
        if let Some(["steps", id]) = of.path().as_deref() {
            if scope.steps.contains_key(*id) || scope.names.contains_key("steps") {
                let ty = self.step_named(expr, of, id, scope);
                self.field(expr, node, &ty, field);
                return;
            }
            self.step_named(expr, of, id, scope);
            return;
        }
        let ty = self.infer(expr, of, scope);
        self.field(expr, node, &ty, field);
    }

    fn field(&mut self, expr: &Expr, node: &Node, ty: &Ty, field: &str) -> Ty {
        match ty {
            Ty::Any | Ty::Asset => Ty::Any,
            // An input that names an asset is its record in expressions.
            Ty::AssetId => Ty::Any,
            Ty::Lookup(of) => (**of).clone(),
            Ty::Spend => self.amount(expr.place(field_start(expr, node, field)), Some(field)),
            Ty::Object(fields) => fields.get(field).cloned().unwrap_or_else(|| {
                let remedy = suggestion(field, fields.keys().map(String::as_str)).map_or_else(
                    || {
                        format!(
                            "it has: {}",
                            fields.keys().cloned().collect::<Vec<_>>().join(", ")
                        )
                    },
                    |near| format!("did you mean `{near}`?"),
                );
                self.faults.add(
                    codes::UNKNOWN_OUTPUT,
                    expr.place(field_start(expr, node, field)),
                    format!("there is no `{field}` in it"),
                    remedy,
                );
                Ty::Any
            }),
            other => {
                self.faults.add(
                    codes::UNKNOWN_OUTPUT,
                    expr.place(field_start(expr, node, field)),
                    format!("{} has no field `{field}`", other.what()),
                    "look at what the step gives",
                );
                Ty::Any
            }
        }
    }

    fn map(&mut self, expr: &Expr, entries: &[(Node, Node)], scope: &Scope) -> Ty {
        let mut fields = Vec::new();
        let mut literal = true;
        for (key, value) in entries {
            let ty = self.infer(expr, value, scope);
            match &key.kind {
                Kind::Literal(serde_json::Value::String(name)) => fields.push((name.clone(), ty)),
                _ => {
                    self.infer(expr, key, scope);
                    literal = false;
                }
            }
        }
        if literal {
            Ty::object(fields)
        } else {
            Ty::Lookup(Rc::new(Ty::Any))
        }
    }

    fn walk(
        &mut self,
        expr: &Expr,
        of: Loop,
        list: &Node,
        name: &str,
        body: &Node,
        scope: &Scope,
    ) -> Ty {
        let ty = self.infer(expr, list, scope);
        let item = match &ty {
            Ty::List(of) => (**of).clone(),
            Ty::Any => Ty::Any,
            Ty::Lookup(_) | Ty::Object(_) => Ty::Text,
            other => {
                self.faults.add(
                    codes::TYPES,
                    expr.place(node_start(list)),
                    format!("a list was expected, this is {}", other.what()),
                    "use a list",
                );
                Ty::Any
            }
        };
        let made = self.infer(expr, body, &scope.bind(name, item));
        if of != Loop::Map {
            self.must_be(expr, body, &made, &Ty::Bool);
        }
        match of {
            Loop::Filter => ty,
            Loop::Map => Ty::list(made),
            Loop::All | Loop::Exists | Loop::ExistsOne => Ty::Bool,
        }
    }
}

/// Where a node begins: the parser gives operators and dots as places of their nodes.
pub(super) fn node_start(node: &Node) -> usize {
    node.children()
        .first()
        .map_or(node.at, |child| node_start(child).min(node.at))
}

/// Where a field's name stands behind its dot.
fn field_start(expr: &Expr, node: &Node, field: &str) -> usize {
    let from = node.at.min(expr.text.len());
    expr.text
        .get(from..)
        .and_then(|rest| rest.find(field))
        .map_or(from, |found| from + found)
}
