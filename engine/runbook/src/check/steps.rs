//! Walks the steps in the order in which they run, with what can be seen at each.

use super::Checker;
use super::scope::{Known, Scope, facts};
use super::types::Ty;
use crate::ast::{Approve, Ask, Body, Each, Over, Repeat, Step, Until, Verb};
use crate::codes;
use hostler_core::definition::{OnDeny, OnExpire, OnFailure};
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
                self.faults.add(codes::UNREACHABLE, step.id.span, format!("`{}` is never reached", step.id.value), "the step before it ends the lane: give that one an `if`, or remove this one");
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
            let earlier = seen.iter().find(|known| known.id.value == step.id.value).map(|known| known.id.span);
            let hidden = outer.steps.get(&step.id.value).map(|known| known.span);
            if let Some(span) = earlier.or(hidden) {
                let message = if earlier.is_some() { "a second step" } else { "this hides the step" };
                self.faults.add(codes::DUPLICATE_STEP, step.id.span, format!("{message} `{}`", step.id.value), "give it another id");
                self.faults.relate(span, "the first");
            }
            seen.push(step);
        }
    }

    /// Ids that come later or lie deeper: known, but not to be read here.
    fn announce(&mut self, body: &Body, scope: &mut Scope) {
        fn deep(body: &Body, scope: &mut Scope) {
            for step in body.steps.iter().chain(&body.always) {
                scope.elsewhere.entry(step.id.value.clone()).or_insert(step.id.span);
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
        let outputs = self.verb(step, &inner);
        self.again(step, scope);
        let outputs = with_state(outputs);
        let known = Known { outputs, span: step.id.span, conditions, uncertain: uncertain(step) };
        self.undo(step, &inner, &known);
        if let (Verb::Finish { .. }, Some(condition)) = (&step.verb, &step.condition) {
            scope.assume(condition, false);
        }
        if let (Some((_, span)), false) = (&step.notices, matches!(step.verb, Verb::Each(_))) {
            self.faults.add(codes::NE_NOTICE_CLOCK, *span, "this engine tells customers only about an `each` yet", "move the step into an `each` over the asset, or send a `notify`");
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
                if matches!(value, crate::ast::Dyn::Expr(_)) && matches!(ty, Ty::Bool | Ty::List(_) | Ty::Object(_)) {
                    self.faults.add(codes::TYPES, value.span(), format!("{} is nothing to wait for", ty.what()), "give a duration or an instant");
                }
                Ty::object([])
            }
            Verb::Each(each) => self.each(each, scope),
            Verb::Repeat(repeat) => self.repeat(repeat, scope),
            Verb::Call { with, runbook, .. } => {
                if let Some(with) = with {
                    self.dynamic(with, scope);
                }
                self.env.runbooks.get(&runbook.value).map_or(Ty::Any, |callee| {
                    Ty::object(callee.outputs.iter().map(|name| (name.clone(), Ty::Any)).chain([("run".to_owned(), Ty::Text)]))
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

    fn each(&mut self, each: &Each, scope: &Scope) -> Ty {
        let (items, item) = match &each.over {
            Over::List(value) => {
                let ty = self.dynamic(value, scope);
                if !matches!(ty, Ty::Any | Ty::List(_)) {
                    self.faults.add(codes::TYPES, value.span(), format!("`over` needs a list, this is {}", ty.what()), "use a list of assets or values, or `times`");
                }
                let item = match &ty {
                    Ty::List(of) => (**of).clone(),
                    _ => Ty::Any,
                };
                (ty, item)
            }
            Over::Times(value) => {
                let ty = self.dynamic(value, scope);
                if !matches!(ty, Ty::Any | Ty::Number) {
                    self.faults.add(codes::TYPES, value.span(), format!("`times` needs a number, this is {}", ty.what()), "use a number, or `over` for a list");
                }
                (Ty::list(Ty::Number), Ty::Number)
            }
        };
        let assets = items.items_are_assets() || each.binds.value == "asset";
        let item = if assets { Ty::Asset } else { item };
        let mut inner = scope.bind(&each.binds.value, item.clone());
        inner.asset_lane = assets || scope.asset_lane;
        if let Some(key) = &each.key {
            self.expr(key, &inner);
        }
        for wave in &each.waves {
            if let Some(soak) = &wave.soak {
                self.dynamic(soak, scope);
            }
        }
        if let Some(gate) = &each.gate {
            let counts = ["failed", "done", "held", "total"].map(|name| (name.to_owned(), Ty::Number));
            let wave = Ty::object([("name".to_owned(), Ty::Text)].into_iter().chain(counts));
            self.approve(gate, &scope.bind("wave", wave), false);
        }
        let after = self.body(&each.body, &inner, Place { in_round: false });
        let collected = self.collect(each, &after);
        let done = if assets { Ty::list(Ty::Asset) } else { Ty::list(collected.clone()) };
        Ty::object([
            ("done".to_owned(), done.clone()),
            ("failed".to_owned(), done.clone()),
            ("held".to_owned(), done),
            ("by".to_owned(), Ty::Lookup(Rc::new(collected))),
            ("total".to_owned(), Ty::Number),
            ("ended".to_owned(), Ty::Number),
            ("results".to_owned(), Ty::Lookup(Rc::new(Ty::Number))),
        ])
    }

    /// What a child hands back, as `steps.x.by[id]`.
    fn collect(&mut self, each: &Each, after: &Scope) -> Ty {
        let Some((_, paths, expr)) = &each.collect else { return Ty::object([]) };
        if let Some(expr) = expr {
            // A child hands back what it has: outputs of steps that did not run are left out.
            let mut lenient = after.clone();
            for known in lenient.steps.values_mut() {
                known.uncertain = None;
                known.conditions.clear();
            }
            let ty = self.expr(expr, &lenient);
            if !matches!(ty, Ty::Any | Ty::Object(_)) {
                self.faults.add(codes::TYPES, expr.span, format!("collect needs a map, this is {}", ty.what()), "write {'name': value}");
            }
            return ty;
        }
        let mut fields: Vec<(String, Ty)> = Vec::new();
        for path in paths {
            let mut parts = path.value.split('.');
            let (step, field) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            if field.is_empty() || parts.next().is_some() {
                self.faults.add(codes::WRONG_SHAPE, path.span, format!("`{}` is no step's output", path.value), "write step.field, as in look.set");
                continue;
            }
            let Some(known) = each.body.steps.iter().find(|known| known.id.value == step).and_then(|_| after.steps.get(step)) else {
                let near = crate::read::suggestion(step, each.body.steps.iter().map(|step| step.id.value.as_str()));
                let remedy = near.map_or_else(|| "name a step of this each".to_owned(), |near| format!("did you mean `{near}.{field}`?"));
                self.faults.add(codes::UNKNOWN_STEP, path.span, format!("there is no step `{step}` in it"), remedy);
                continue;
            };
            let ty = match &known.outputs {
                Ty::Object(outputs) => match outputs.get(field) {
                    Some(ty) => ty.clone(),
                    None => {
                        let near = crate::read::suggestion(field, outputs.keys().map(String::as_str));
                        let remedy = near.map_or_else(|| format!("it has: {}", outputs.keys().cloned().collect::<Vec<_>>().join(", ")), |near| format!("did you mean `{step}.{near}`?"));
                        self.faults.add(codes::UNKNOWN_OUTPUT, path.span, format!("`{step}` gives no `{field}`"), remedy);
                        Ty::Any
                    }
                },
                _ => Ty::Any,
            };
            if fields.iter().any(|(name, _)| name == field) {
                self.faults.add(codes::DUPLICATE_STEP, path.span, format!("`{field}` is collected twice"), "collect an expression: \"${{ {'a': steps.x.f, 'b': steps.y.f} }}\"");
            }
            fields.push((field.to_owned(), ty));
        }
        Ty::object(fields)
    }

    fn repeat(&mut self, repeat: &Repeat, scope: &Scope) -> Ty {
        let numbers = |names: &[&str]| Ty::object(names.iter().map(|name| ((*name).to_owned(), Ty::Number)));
        let mut inner = scope.bind("round", numbers(&["number"]));
        // Rounds before this one: the same steps, all of them maybe missing in the first.
        inner.names.insert("previous".to_owned(), Ty::Any);
        inner.names.insert("rounds".to_owned(), Ty::list(Ty::Any));
        let after = self.body(&repeat.body, &inner, Place { in_round: true });
        if let Some(until) = &repeat.until {
            self.condition(until, &after);
        }
        let last = repeat.body.steps.iter().filter_map(|step| Some((step.id.value.clone(), after.steps.get(&step.id.value)?.outputs.clone())));
        Ty::object([("last".to_owned(), Ty::object(last.collect::<Vec<_>>())), ("rounds".to_owned(), Ty::Number)])
    }

    pub(super) fn approve(&mut self, approve: &Approve, scope: &Scope, own_step: bool) {
        if let Some(condition) = &approve.condition {
            self.condition(condition, scope);
            if own_step {
                self.faults.add(codes::WRONG_SHAPE, condition.span, "this `if` belongs to the step", "move it out of `approve`");
            }
        }
        self.shown(&approve.show, scope);
        for value in approve.who.iter().map(|clause| &clause.who).chain(&approve.title) {
            self.dynamic(value, scope);
        }
    }

    fn ask(&mut self, ask: &Ask, scope: &Scope) -> Ty {
        self.shown(&ask.show, scope);
        self.shown(&ask.form_exprs, scope);
        for value in ask.who.iter().map(|clause| &clause.who).chain(&ask.title).chain(&ask.key) {
            self.dynamic(value, scope);
        }
        let properties = ask.form.get("properties").and_then(serde_json::Value::as_object);
        Ty::object(properties.into_iter().flatten().map(|(name, schema)| (name.clone(), Ty::of_schema(schema))))
    }

    /// What is displayed may be missing: the page leaves it out.
    fn shown(&mut self, show: &[crate::ast::Expr], scope: &Scope) {
        let mut lenient = scope.bind("plan", Ty::Any);
        for known in lenient.steps.values_mut() {
            known.uncertain = None;
            known.conditions.clear();
        }
        for expr in show {
            self.expr(expr, &lenient);
        }
    }

    /// `again` means the round: there must be one.
    fn again(&mut self, step: &Step, scope: &Scope) {
        if scope.in_round {
            return;
        }
        let place = match &step.verb {
            Verb::Finish { result, of_run: false, .. } if result.value == "again" => Some(result.span),
            Verb::Approve(approve) if approve.on_deny.0 == OnDeny::Again => Some(approve.on_deny.1),
            Verb::Approve(Approve { on_expire: (OnExpire::Again, span), .. }) | Verb::Ask(Ask { on_expire: (OnExpire::Again, span), .. }) => Some(*span),
            _ => None,
        };
        let failure = step.on_failure.filter(|(word, _)| *word == OnFailure::Again).map(|(_, span)| span);
        if let Some(span) = place.or(failure) {
            self.faults.add(codes::AGAIN_OUTSIDE, span, "there is no round that could begin again", "put the steps into a `repeat`");
        }
    }

    fn undo(&mut self, step: &Step, scope: &Scope, known: &Known) {
        let mut inner = scope.clone();
        // What is undone was done.
        inner.steps.insert(step.id.value.clone(), Known { uncertain: None, conditions: BTreeSet::new(), ..known.clone() });
        for way in &step.undo {
            let mut at = inner.clone();
            if let Some(condition) = &way.condition {
                self.condition(condition, &inner);
                at.assume(condition, true);
            }
            match &way.verb {
                Verb::Do { action, with } => self.undo_action(step, way, action, with.as_ref(), &at),
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
        (Verb::Ask(ask), _) if ask.later => Some("may not be answered yet: it does not hold the lane"),
        (_, Some((OnFailure::Continue, _))) => Some("may have failed: the runbook goes on then"),
        (_, Some((OnFailure::Ask, _))) => Some("may have failed: a person may skip it"),
        (Verb::Approve(approve), _) if approve.on_deny.0 == OnDeny::Continue => Some("may have been denied"),
        _ => None,
    }
}

fn with_state(outputs: Ty) -> Ty {
    match outputs {
        Ty::Object(fields) => {
            let mut fields = Rc::unwrap_or_clone(fields);
            let states = ["succeeded", "skipped", "failed", "nothing", "recovered", "held", "deferred", "rolled_back", "rejected", "denied", "expired", "cancelled", "again", "open"];
            fields.insert("state".to_owned(), Ty::Enum(Rc::new(states.map(str::to_owned).to_vec())));
            fields.insert("reason".to_owned(), Ty::Text);
            Ty::Object(Rc::new(fields))
        }
        other => other,
    }
}
