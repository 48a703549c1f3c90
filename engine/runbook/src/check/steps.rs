//! Walks the steps in the order in which they run, with what can be seen at each.

use super::Checker;
use super::scope::{Known, Scope, facts};
use super::types::Ty;
use crate::ast::{Approve, Ask, Body, Step, Until, Verb};
use crate::codes;
use hostler_core::definition::offer;
use hostler_core::definition::{CLASSES, OnDeny, OnExpire, OnFailure};
use std::collections::BTreeSet;
use std::rc::Rc;

#[derive(Clone, Copy)]
pub(super) struct Place {
    pub in_round: bool,
}

impl Checker<'_, '_, '_> {
    /// The scope behind the last step.
    pub(super) fn body(&mut self, body: &Body, outer: &Scope, place: Place) -> Scope {
        let mut scope = outer.clone();
        scope.in_round = place.in_round;
        self.ids(body, outer);
        self.announce(body, &mut scope);
        let mut ended = false;
        for step in &body.steps {
            if ended {
                self.faults.add(
                    codes::UNREACHABLE,
                    step.id.span,
                    format!("`{}` is never reached", step.id.value),
                    "the step before it ends the lane: give that one an `if`, or remove this one",
                );
            }
            self.step(step, &mut scope);
            ended = matches!(step.verb, Verb::Finish { .. }) && step.condition.is_none();
        }
        self.always(body, &scope);
        scope
    }

    /// `always` runs whatever happened: any step before it may not have run.
    fn always(&mut self, body: &Body, after: &Scope) {
        let mut scope = after.clone();
        scope.facts.clear();
        for step in &body.steps {
            if let Some(known) = scope.steps.get_mut(&step.id.value) {
                known.uncertain = Some("may not have run: `always` runs whatever happened");
            }
        }
        for step in &body.always {
            self.step(step, &mut scope);
        }
    }

    /// Ids are unique in their lane and do not hide those of the lanes around it.
    fn ids(&mut self, body: &Body, outer: &Scope) {
        let mut seen: Vec<&Step> = Vec::new();
        for step in body.steps.iter().chain(&body.always) {
            let earlier = seen
                .iter()
                .find(|known| known.id.value == step.id.value)
                .map(|known| known.id.span);
            let hidden = outer.steps.get(&step.id.value).map(|known| known.span);
            if let Some(span) = earlier.or(hidden) {
                let message = if earlier.is_some() {
                    "a second step"
                } else {
                    "this hides the step"
                };
                self.faults.add(
                    codes::DUPLICATE_STEP,
                    step.id.span,
                    format!("{message} `{}`", step.id.value),
                    "give it another id",
                );
                self.faults.relate(span, "the first");
            }
            seen.push(step);
        }
    }

    /// Ids that come later or lie deeper: known, but not to be read here.
    fn announce(&mut self, body: &Body, scope: &mut Scope) {
        fn deep(body: &Body, scope: &mut Scope) {
            for step in body.steps.iter().chain(&body.always) {
                scope
                    .elsewhere
                    .entry(step.id.value.clone())
                    .or_insert(step.id.span);
                if let Some(inner) = step.verb.body() {
                    deep(inner, scope);
                }
            }
        }
        deep(body, scope);
    }

    fn step(&mut self, step: &Step, scope: &mut Scope) {
        let mut inner = scope.clone();
        let mut conditions = BTreeSet::new();
        if let Some(condition) = &step.condition {
            self.condition(condition, scope);
            inner.assume(condition, true);
            facts(&condition.tree, true, &mut conditions);
        }
        self.class(step, &inner);
        self.step_clock(step, &inner);
        let outputs = self.verb(step, &inner);
        self.again(step, scope);
        let outputs = with_state(outputs);
        let known = Known {
            outputs,
            span: step.id.span,
            conditions,
            uncertain: uncertain(step),
        };
        self.undo(step, &inner, &known);
        if let (Verb::Finish { .. }, Some(condition)) = (&step.verb, &step.condition) {
            scope.assume(condition, false);
        }
        if let (Some((_, span)), false) = (&step.notices, matches!(step.verb, Verb::Each(_))) {
            self.faults.add(
                codes::NE_NOTICE_CLOCK,
                *span,
                "this engine tells customers only about an `each` yet",
                "move the step into an `each` over the asset, or send a `notify`",
            );
        }
        scope.steps.insert(step.id.value.clone(), known);
    }

    /// What the verb gives, as `steps.<id>`.
    fn verb(&mut self, step: &Step, scope: &Scope) -> Ty {
        match &step.verb {
            Verb::Do { action, with } => self.do_step(step, action, with.as_ref(), scope),
            Verb::Approve(approve) => {
                self.approve(approve, scope, true);
                Ty::Any
            }
            Verb::Ask(ask) => self.ask(ask, scope),
            Verb::Notify { to, about, .. } => {
                for value in to.iter().chain(about) {
                    self.dynamic(value, scope);
                }
                Ty::object([])
            }
            Verb::Wait { until } => {
                let (Until::For(value) | Until::Instant(value)) = until;
                let ty = self.dynamic(value, scope);
                if matches!(value, crate::ast::Dyn::Expr(_))
                    && matches!(ty, Ty::Bool | Ty::List(_) | Ty::Object(_))
                {
                    self.faults.add(
                        codes::TYPES,
                        value.span(),
                        format!("{} is nothing to wait for", ty.what()),
                        "give a duration or an instant",
                    );
                }
                Ty::object([])
            }
            Verb::Each(each) => self.each(each, scope),
            Verb::Repeat(repeat) => self.repeat(repeat, scope),
            Verb::Call { with, runbook, .. } => {
                if let Some(with) = with {
                    self.dynamic(with, scope);
                }
                self.env
                    .runbooks
                    .get(&runbook.value)
                    .map_or(Ty::Any, |callee| {
                        Ty::object(
                            callee
                                .outputs
                                .iter()
                                .map(|name| (name.clone(), Ty::Any))
                                .chain([("run".to_owned(), Ty::Text)]),
                        )
                    })
            }
            Verb::Release { .. } => Ty::object([]),
            Verb::Finish { note, .. } => {
                if let Some(note) = note {
                    self.dynamic(note, scope);
                }
                Ty::object([])
            }
        }
    }

    pub(super) fn approve(&mut self, approve: &Approve, scope: &Scope, own_step: bool) {
        if let Some(condition) = &approve.condition {
            self.condition(condition, scope);
            if own_step {
                self.faults.add(
                    codes::WRONG_SHAPE,
                    condition.span,
                    "this `if` belongs to the step",
                    "move it out of `approve`",
                );
            }
        }
        self.shown(&approve.show, scope);
        for value in approve
            .who
            .iter()
            .map(|clause| &clause.who)
            .chain(&approve.title)
            .chain(&approve.rules.typed)
        {
            self.dynamic(value, scope);
        }
    }

    fn ask(&mut self, ask: &Ask, scope: &Scope) -> Ty {
        self.shown(&ask.show, scope);
        self.offered(ask, scope);
        self.rules_of_form(ask, scope);
        for value in ask.who.iter().map(|clause| &clause.who).chain(&ask.title) {
            self.dynamic(value, scope);
        }
        if let Some(over) = ask.debt.as_ref().and_then(|debt| debt.over.as_ref()) {
            self.dynamic(over, scope);
        }
        let properties = ask
            .form
            .get("properties")
            .and_then(serde_json::Value::as_object);
        Ty::object(
            properties
                .into_iter()
                .flatten()
                .map(|(name, schema)| (name.clone(), Ty::of_schema(schema))),
        )
    }

    fn class(&mut self, step: &Step, scope: &Scope) {
        let Some(class) = &step.class else { return };
        let ty = self.dynamic(class, scope);
        if matches!(ty, Ty::Bool | Ty::List(_) | Ty::Object(_)) {
            self.faults.add(
                codes::TYPES,
                class.span(),
                format!("{} is no class", ty.what()),
                format!("give one of {}", CLASSES.join(", ")),
            );
        }
    }

    /// What is displayed may be missing: the page leaves it out.
    fn shown(&mut self, show: &[crate::ast::Expr], scope: &Scope) {
        let lenient = lenient(scope);
        for expr in show {
            self.expr(expr, &lenient);
        }
    }

    /// What people choose from is a list.
    fn offered(&mut self, ask: &Ask, scope: &Scope) {
        let lenient = lenient(scope);
        let from: BTreeSet<&str> = offer::sources(&ask.form).map(|(_, text)| text).collect();
        for expr in &ask.form_exprs {
            let found = self.expr(expr, &lenient);
            let listed = matches!(found, Ty::Any | Ty::List(_));
            if !listed && from.contains(expr.text.as_str()) {
                let message = format!("choices are a list, this is {}", found.what());
                let remedy = "name a list, as in `steps.scan.done`, or write `enum: […]`";
                self.faults.add(codes::TYPES, expr.span, message, remedy);
            }
        }
    }

    /// `again` means the round: there must be one.
    fn again(&mut self, step: &Step, scope: &Scope) {
        if scope.in_round {
            return;
        }
        let place = match &step.verb {
            Verb::Finish {
                result,
                of_run: false,
                ..
            } if result.value == "again" => Some(result.span),
            Verb::Approve(approve) if approve.on_deny.0 == OnDeny::Again => Some(approve.on_deny.1),
            Verb::Approve(Approve {
                on_expire: (OnExpire::Again, span),
                ..
            })
            | Verb::Ask(Ask {
                on_expire: (OnExpire::Again, span),
                ..
            }) => Some(*span),
            _ => None,
        };
        let failure = step
            .on_failure
            .filter(|(word, _)| *word == OnFailure::Again)
            .map(|(_, span)| span);
        if let Some(span) = place.or(failure) {
            self.faults.add(
                codes::AGAIN_OUTSIDE,
                span,
                "there is no round that could begin again",
                "put the steps into a `repeat`",
            );
        }
    }

    fn undo(&mut self, step: &Step, scope: &Scope, known: &Known) {
        let mut inner = scope.clone();
        // What is undone was done.
        inner.steps.insert(
            step.id.value.clone(),
            Known {
                uncertain: None,
                conditions: BTreeSet::new(),
                ..known.clone()
            },
        );
        for way in &step.undo {
            let mut at = inner.clone();
            if let Some(condition) = &way.condition {
                self.condition(condition, &inner);
                at.assume(condition, true);
            }
            match &way.verb {
                Verb::Do { action, with } => {
                    self.undo_action(step, way, action, with.as_ref(), &at)
                }
                Verb::Approve(approve) => self.approve(approve, &at, true),
                Verb::Ask(ask) => {
                    self.ask(ask, &at);
                }
                _ => {}
            }
        }
    }
}

/// Why the outputs of a step may be missing although it was reached.
fn uncertain(step: &Step) -> Option<&'static str> {
    match (&step.verb, step.on_failure) {
        (Verb::Each(_) | Verb::Repeat(_), _) => None,
        (Verb::Ask(ask), _) if ask.later => {
            Some("may not be answered yet: it does not hold the lane")
        }
        (_, Some((OnFailure::Continue, _))) => Some("may have failed: the runbook goes on then"),
        (_, Some((OnFailure::Ask, _))) => Some("may have failed: a person may skip it"),
        (Verb::Approve(approve), _) if approve.on_deny.0 == OnDeny::Continue => {
            Some("may have been denied")
        }
        _ => None,
    }
}

fn with_state(outputs: Ty) -> Ty {
    match outputs {
        Ty::Object(fields) => {
            let mut fields = Rc::unwrap_or_clone(fields);
            let states = [
                "succeeded",
                "failed",
                "skipped",
                "undone",
                crate::expr::UNREACHED,
            ];
            fields.insert(
                "state".to_owned(),
                Ty::Enum(Rc::new(states.map(str::to_owned).to_vec())),
            );
            fields.insert("reason".to_owned(), Ty::Text);
            Ty::Object(Rc::new(fields))
        }
        other => other,
    }
}

/// Steps that may not have run are as if they had.
fn lenient(scope: &Scope) -> Scope {
    let mut lenient = scope.bind("plan", Ty::Any);
    for known in lenient.steps.values_mut() {
        known.uncertain = None;
        known.conditions.clear();
    }
    lenient
}
