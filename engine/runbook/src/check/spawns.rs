//! `each` and `repeat`: what their lanes see, and what they hand back.

use super::Checker;
use super::scope::Scope;
use super::steps::Place;
use super::types::Ty;
use crate::ast::{Each, Over, Repeat};
use crate::codes;
use std::rc::Rc;

impl Checker<'_, '_, '_> {
    pub(super) fn each(&mut self, each: &Each, scope: &Scope) -> Ty {
        let (items, item) = match &each.over {
            Over::List(value) => {
                let ty = self.dynamic(value, scope);
                if !matches!(ty, Ty::Any | Ty::List(_)) {
                    self.faults.add(
                        codes::TYPES,
                        value.span(),
                        format!("`over` needs a list, this is {}", ty.what()),
                        "use a list of assets or values, or `times`",
                    );
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
                    self.faults.add(
                        codes::TYPES,
                        value.span(),
                        format!("`times` needs a number, this is {}", ty.what()),
                        "use a number, or `over` for a list",
                    );
                }
                (Ty::list(Ty::Number), Ty::Number)
            }
        };
        let assets = items.items_are_assets() || each.binds.value == "asset";
        let item = if assets { Ty::Asset } else { item };
        let mut inner = scope.bind(&each.binds.value, item.clone());
        if !each.waves.is_empty() {
            inner = inner.bind("wave", Ty::object([("name".to_owned(), Ty::Text)]));
        }
        inner.asset_lane = assets || scope.asset_lane;
        if let Some(key) = &each.key {
            self.expr(key, &inner);
        }
        for wave in &each.waves {
            if let Some(soak) = &wave.soak {
                self.dynamic(soak, scope);
            }
        }
        self.clocks(each, scope, &inner);
        if let Some(gate) = &each.gate {
            let counts =
                ["failed", "done", "held", "ended"].map(|name| (name.to_owned(), Ty::Number));
            let wave = Ty::object([("name".to_owned(), Ty::Text)].into_iter().chain(counts));
            self.approve(gate, &scope.bind("wave", wave), false);
        }
        let after = self.body(&each.body, &inner, Place { in_round: false });
        let collected = self.collect(each, &after);
        // Of values only records can carry what was collected beside them.
        let done = match item {
            Ty::Object(_) => Ty::list(Ty::Any),
            item => Ty::list(item),
        };
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
        let Some((_, paths, expr)) = &each.collect else {
            return Ty::object([]);
        };
        if let Some(expr) = expr {
            // A child hands back what it has: outputs of steps that did not run are left out.
            let mut lenient = after.clone();
            for known in lenient.steps.values_mut() {
                known.uncertain = None;
                known.conditions.clear();
            }
            let ty = self.expr(expr, &lenient);
            if !matches!(ty, Ty::Any | Ty::Object(_)) {
                self.faults.add(
                    codes::TYPES,
                    expr.span,
                    format!("collect needs a map, this is {}", ty.what()),
                    "write {'name': value}",
                );
            }
            return ty;
        }
        let mut fields: Vec<(String, Ty)> = Vec::new();
        for path in paths {
            let mut parts = path.value.split('.');
            let (step, field) = (
                parts.next().unwrap_or_default(),
                parts.next().unwrap_or_default(),
            );
            if field.is_empty() || parts.next().is_some() {
                self.faults.add(
                    codes::WRONG_SHAPE,
                    path.span,
                    format!("`{}` is no step's output", path.value),
                    "write step.field, as in look.set",
                );
                continue;
            }
            let Some(known) = each
                .body
                .steps
                .iter()
                .find(|known| known.id.value == step)
                .and_then(|_| after.steps.get(step))
            else {
                let near = crate::read::suggestion(
                    step,
                    each.body.steps.iter().map(|step| step.id.value.as_str()),
                );
                let remedy = near.map_or_else(
                    || "name a step of this each".to_owned(),
                    |near| format!("did you mean `{near}.{field}`?"),
                );
                self.faults.add(
                    codes::UNKNOWN_STEP,
                    path.span,
                    format!("there is no step `{step}` in it"),
                    remedy,
                );
                continue;
            };
            let ty = match &known.outputs {
                Ty::Object(outputs) => match outputs.get(field) {
                    Some(ty) => ty.clone(),
                    None => {
                        let near =
                            crate::read::suggestion(field, outputs.keys().map(String::as_str));
                        let remedy = near.map_or_else(
                            || {
                                format!(
                                    "it has: {}",
                                    outputs.keys().cloned().collect::<Vec<_>>().join(", ")
                                )
                            },
                            |near| format!("did you mean `{step}.{near}`?"),
                        );
                        self.faults.add(
                            codes::UNKNOWN_OUTPUT,
                            path.span,
                            format!("`{step}` gives no `{field}`"),
                            remedy,
                        );
                        Ty::Any
                    }
                },
                _ => Ty::Any,
            };
            if fields.iter().any(|(name, _)| name == field) {
                self.faults.add(
                    codes::DUPLICATE_STEP,
                    path.span,
                    format!("`{field}` is collected twice"),
                    "collect an expression: \"${{ {'a': steps.x.f, 'b': steps.y.f} }}\"",
                );
            }
            fields.push((field.to_owned(), ty));
        }
        Ty::object(fields)
    }

    pub(super) fn repeat(&mut self, repeat: &Repeat, scope: &Scope) -> Ty {
        let numbers =
            |names: &[&str]| Ty::object(names.iter().map(|name| ((*name).to_owned(), Ty::Number)));
        let mut inner = scope.bind("round", numbers(&["number"]));
        // Rounds before this one: the same steps, all of them maybe missing in the first.
        inner.names.insert("previous".to_owned(), Ty::Any);
        inner.names.insert("rounds".to_owned(), Ty::list(Ty::Any));
        let after = self.body(&repeat.body, &inner, Place { in_round: true });
        if let Some(until) = &repeat.until {
            self.condition(until, &after);
        }
        let last = repeat.body.steps.iter().filter_map(|step| {
            Some((
                step.id.value.clone(),
                after.steps.get(&step.id.value)?.outputs.clone(),
            ))
        });
        Ty::object([
            ("last".to_owned(), Ty::object(last.collect::<Vec<_>>())),
            ("rounds".to_owned(), Ty::Number),
        ])
    }
}
