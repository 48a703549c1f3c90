//! What can be seen at a place of the runbook, and what is certain there.

use super::types::Ty;
use crate::ast::Expr;
use crate::expr::{Kind, Node, Op, Writer};
use crate::source::Span;
use std::collections::{BTreeMap, BTreeSet};

/// A step whose result can be read.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub outputs: Ty,
    pub span: Span,
    /// It runs only when all of these hold. Empty: always.
    pub conditions: BTreeSet<String>,
    /// Why its outputs may be missing although it was reached.
    pub uncertain: Option<&'static str>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    pub names: BTreeMap<String, Ty>,
    pub steps: BTreeMap<String, Known>,
    /// Ids that come later in this lane, or in another one, with where they stand.
    pub elsewhere: BTreeMap<String, Span>,
    /// What is certain to hold, in normal form.
    pub facts: BTreeSet<String>,
    /// The lane has an asset of its own.
    pub asset_lane: bool,
    /// Directly in a round of `repeat`.
    pub in_round: bool,
}

impl Scope {
    pub fn assume(&mut self, condition: &Expr, holds: bool) {
        facts(&condition.tree, holds, &mut self.facts);
    }

    pub fn with(&self, condition: &Node, holds: bool) -> Self {
        let mut scope = self.clone();
        facts(condition, holds, &mut scope.facts);
        scope
    }

    pub fn bind(&self, name: &str, ty: Ty) -> Self {
        let mut scope = self.clone();
        scope.names.insert(name.to_owned(), ty);
        scope
    }

    /// Why the outputs of a step may be missing here; none when they are there.
    pub fn doubt(&self, id: &str, known: &Known) -> Option<String> {
        let mentioned = [format!("steps.{id}."), format!("steps.{id})")];
        if self
            .facts
            .iter()
            .any(|fact| mentioned.iter().any(|text| fact.contains(text)))
        {
            return None;
        }
        if !known.conditions.is_subset(&self.facts) {
            return Some(format!("`{id}` may have been skipped: it has an `if`"));
        }
        known.uncertain.map(|why| format!("`{id}` {why}"))
    }
}

/// Collects what follows from a condition that holds (or does not).
pub(super) fn facts(node: &Node, holds: bool, into: &mut BTreeSet<String>) {
    match (&node.kind, holds) {
        (Kind::And(a, b), true) | (Kind::Or(a, b), false) => {
            facts(a, holds, into);
            facts(b, holds, into);
        }
        (Kind::Not(of), _) => facts(of, !holds, into),
        (Kind::Binary(op @ (Op::Equal | Op::NotEqual), a, b), _) => {
            let sign = if (*op == Op::Equal) == holds {
                "=="
            } else {
                "!="
            };
            let (a, b) = (Writer(a).to_string(), Writer(b).to_string());
            let (a, b) = if a <= b { (a, b) } else { (b, a) };
            into.insert(format!("{a} {sign} {b}"));
        }
        _ => {
            into.insert(if holds {
                Writer(node).to_string()
            } else {
                format!("!({})", Writer(node))
            });
        }
    }
}
