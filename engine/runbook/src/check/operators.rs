//! Operators and functions: which types go together.

use super::Checker;
use super::infer::node_start;
use super::scope::Scope;
use super::types::Ty;
use crate::ast::Expr;
use crate::codes;
use crate::expr::{Function, Node, Op};
use crate::read::suggestion;
use std::rc::Rc;

impl Checker<'_, '_, '_> {
    pub(super) fn binary(&mut self, expr: &Expr, node: &Node, op: Op, a: &Ty, b: &Ty) -> Ty {
        let place = expr.place(node_start(node));
        match op {
            Op::Equal | Op::NotEqual => {
                if !a.comparable(b) {
                    self.faults.add(
                        codes::TYPES,
                        place,
                        format!("{} is never {}", a.what(), b.what()),
                        "compare values of one type",
                    );
                } else {
                    self.never_equal(expr, node, a, b);
                }
                Ty::Bool
            }
            Op::Less | Op::LessEqual | Op::Greater | Op::GreaterEqual => {
                let ordered = |ty: &Ty| {
                    !matches!(ty, Ty::List(_) | Ty::Object(_) | Ty::Lookup(_) | Ty::Asset)
                };
                if !ordered(a) || !ordered(b) || !a.comparable(b) {
                    self.faults.add(
                        codes::TYPES,
                        place,
                        format!("{} and {} have no order", a.what(), b.what()),
                        "compare values of one type; size(…) counts",
                    );
                }
                Ty::Bool
            }
            Op::In => {
                if matches!(b, Ty::Bool | Ty::Number) || b.is_text() {
                    self.faults.add(
                        codes::TYPES,
                        place,
                        format!("`in` needs a list or a map, this is {}", b.what()),
                        "write a list: ['a', 'b']",
                    );
                }
                if let (Ty::Enum(values), Ty::List(of)) = (a, b)
                    && let Ty::Enum(known) = &**of
                    && !values.iter().any(|value| known.contains(value))
                {
                    self.faults.add(
                        codes::NOT_ONE_OF,
                        place,
                        format!("`{}` is never in it", values.join(", ")),
                        format!("there are: {}", known.join(", ")),
                    );
                }
                Ty::Bool
            }
            Op::Add | Op::Subtract => self.sum(expr, node, op, a, b),
            Op::Multiply | Op::Divide | Op::Remainder => {
                for ty in [a, b] {
                    if !matches!(ty, Ty::Any | Ty::Number | Ty::Duration) {
                        self.faults.add(
                            codes::TYPES,
                            place,
                            format!("{} is no number", ty.what()),
                            "use int(…) where a text holds a number",
                        );
                    }
                }
                if matches!((a, b), (Ty::Number, Ty::Number)) {
                    Ty::Number
                } else {
                    Ty::Any
                }
            }
        }
    }

    fn sum(&mut self, expr: &Expr, node: &Node, op: Op, a: &Ty, b: &Ty) -> Ty {
        match (a, b) {
            (Ty::Any, _) | (_, Ty::Any) => Ty::Any,
            (Ty::Number, Ty::Number) => Ty::Number,
            (Ty::Duration, Ty::Duration) => Ty::Duration,
            (Ty::Time, Ty::Duration) => Ty::Time,
            (Ty::Time, Ty::Time) if op == Op::Subtract => Ty::Duration,
            (text, Ty::Duration) if text.is_text() => Ty::Time,
            (a, b) if a.is_text() && b.is_text() && op == Op::Add => Ty::Text,
            (Ty::List(x), Ty::List(y)) if op == Op::Add => {
                if x == y {
                    Ty::List(Rc::clone(x))
                } else {
                    Ty::list(Ty::Any)
                }
            }
            _ => {
                let remedy = if a.is_text() || b.is_text() {
                    "use string(…) to join a text and a number"
                } else {
                    "use values of one type"
                };
                self.faults.add(
                    codes::TYPES,
                    expr.place(node_start(node)),
                    format!("{} and {} do not go together here", a.what(), b.what()),
                    remedy,
                );
                Ty::Any
            }
        }
    }

    /// Two texts out of closed lists that have nothing in common: a slip of the pen.
    fn never_equal(&mut self, expr: &Expr, node: &Node, a: &Ty, b: &Ty) {
        let (Ty::Enum(left), Ty::Enum(right)) = (a, b) else {
            return;
        };
        if left.iter().any(|value| right.contains(value)) {
            return;
        }
        let (word, known) = if right.len() == 1 {
            (&right[0], left)
        } else {
            (&left[0], right)
        };
        let near = suggestion(word, known.iter().map(String::as_str))
            .map(|near| format!("did you mean '{near}'? "))
            .unwrap_or_default();
        self.faults.add(
            codes::NOT_ONE_OF,
            expr.place(node_start(node)),
            format!("it is never '{word}'"),
            format!("{near}there are: {}", known.join(", ")),
        );
    }

    pub(super) fn call(
        &mut self,
        expr: &Expr,
        function: Function,
        arguments: &[Node],
        scope: &Scope,
    ) -> Ty {
        let types: Vec<Ty> = arguments
            .iter()
            .map(|argument| self.infer(expr, argument, scope))
            .collect();
        if function == Function::Size && matches!(types.first(), Some(Ty::Bool | Ty::Number)) {
            self.faults.add(
                codes::TYPES,
                expr.place(arguments[0].at),
                "a number has no size",
                "compare it directly",
            );
        }
        match function {
            Function::Size | Function::Int | Function::Double | Function::DaysBetween => Ty::Number,
            Function::String => Ty::Text,
            Function::Timestamp | Function::EndOfDay => Ty::Time,
            Function::Duration | Function::Days | Function::BusinessDays => Ty::Duration,
            Function::Contains | Function::StartsWith | Function::EndsWith => Ty::Bool,
        }
    }
}
