//! Rules of inputs and of a form's fields: their names, their types, that a default keeps its own; and the lists from
//! which inputs are chosen.
//!
//! Not here: judging what people give (at the doors).

use super::Checker;
use super::scope::Scope;
use super::types::Ty;
use crate::ast::{Ask, Expr, InputDecl, Runbook};
use crate::codes;
use crate::environment::EstateFacts;
use crate::expr::{Evaluator, paths};
use crate::read::suggestion;
use crate::source::Span;
use hostler_core::definition::InputKind;
use hostler_core::definition::must::{Rule, VALUE};
use hostler_core::directory::List;
use hostler_core::expression::Scope as Values;
use std::collections::BTreeSet;

/// What expressions see of an input.
fn of_input(input: &InputDecl) -> Ty {
    match input.kind {
        InputKind::Selector => Ty::list(Ty::Asset),
        InputKind::Asset => Ty::AssetId,
        InputKind::Customer | InputKind::Window => Ty::Any,
        InputKind::Data => Ty::of_schema(&input.schema),
    }
}

pub(super) fn inputs(runbook: &Runbook) -> Ty {
    let inputs = runbook.inputs.iter();
    Ty::object(inputs.map(|input| (input.name.value.clone(), of_input(input))))
}

impl Checker<'_, '_, '_> {
    /// They are judged before there is a run: nothing but the inputs is there.
    pub(super) fn rules_of_inputs(&mut self, runbook: &Runbook) {
        let mut scope = Scope::default();
        scope.names.insert("inputs".to_owned(), inputs(runbook));
        for input in &runbook.inputs {
            self.list_of(input);
            if let Some(must) = &input.must {
                self.rule(must, of_input(input), &scope);
                self.default_keeps(input, must);
            }
        }
    }

    /// The list is there, and the default is in it.
    fn list_of(&mut self, input: &InputDecl) {
        let env = self.env;
        let (Some((list, span)), Some(estate)) = (&input.from, &env.estate) else {
            return;
        };
        let entries = match list {
            List::Catalog(name) => self.catalog(estate, name, *span),
            List::Triggers(class) => self.triggers(estate, class, *span),
        };
        if let (Some(entries), Some((default, span))) = (entries, &input.default)
            && !default.as_str().is_some_and(|id| entries.contains(id))
        {
            let message = format!("{default} is not in {list}");
            let remedy = "write an entry of it, or no default";
            self.faults.add(codes::BAD_INPUT, *span, message, remedy);
        }
    }

    fn catalog<'e>(
        &mut self,
        estate: &'e EstateFacts,
        name: &str,
        span: Span,
    ) -> Option<&'e BTreeSet<String>> {
        let found = estate.catalogs.get(name);
        if found.is_none() {
            let known = estate.catalogs.keys().map(String::as_str);
            let near = suggestion(name, known);
            let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
            let message = format!("the estate has no catalog `{name}`");
            let remedy = format!("{near}add it under `catalog` of the estate's files");
            self.faults
                .add(codes::UNKNOWN_CATALOG, span, message, remedy);
        }
        found
    }

    /// Without policies nothing is checked.
    fn triggers<'e>(
        &mut self,
        estate: &'e EstateFacts,
        class: &str,
        span: Span,
    ) -> Option<&'e BTreeSet<String>> {
        let found = estate.policies.as_ref()?.triggers.get(class);
        if found.is_none() {
            let message = format!("the policies have no trigger of the class `{class}`");
            let remedy = "add one to triggers.yaml of the policies";
            self.faults
                .add(codes::UNKNOWN_TRIGGERS, span, message, remedy);
        }
        found
    }

    /// They see what the step sees.
    pub(super) fn rules_of_form(&mut self, ask: &Ask, scope: &Scope) {
        for (field, must) in &ask.form_musts {
            let schema = ask
                .form
                .pointer("/properties")
                .and_then(|all| all.get(field));
            self.rule(must, schema.map_or(Ty::Any, Ty::of_schema), scope);
        }
    }

    fn rule(&mut self, must: &Expr, value: Ty, scope: &Scope) {
        let found = self.expr(must, &scope.bind(VALUE, value));
        self.must_be(must, &must.tree, &found, &Ty::Bool);
    }

    /// A default that breaks a rule about nothing but itself would never start.
    fn default_keeps(&mut self, input: &InputDecl, must: &Expr) {
        let Some((default, span)) = &input.default else {
            return;
        };
        let own = |path: &String| path.split('.').next() == Some(VALUE);
        // Other kinds become something else before they are judged: a filter becomes the list of its assets.
        let judged = input.kind == InputKind::Data && !default.is_null();
        if !judged || self.faults.any_errors() || !paths(&must.tree).iter().all(own) {
            return;
        }
        let rule = Rule {
            field: &input.name.value,
            label: None,
            rule: &must.core(),
        };
        let evaluate = Evaluator::default();
        if let Some(broken) = rule.broken(default.clone(), Values::new(), &evaluate) {
            self.faults.add(
                codes::BAD_INPUT,
                *span,
                format!("the default does not fit: {broken}"),
                "write a value that keeps the rule, or no default",
            );
        }
    }
}
