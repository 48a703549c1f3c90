//! `do` and `undo`: actions against their contracts.

use super::Checker;
use super::scope::Scope;
use super::types::Ty;
use crate::ast::{Dyn, Step, Text};
use crate::codes;
use hostler_core::contract::{Action, Effect};
use hostler_core::expression::{Dynamic, Expression};
use serde_json::Value;
use std::collections::BTreeMap;

impl Checker<'_, '_, '_> {
    pub(super) fn do_step(
        &mut self,
        step: &Step,
        action: &Text,
        with: Option<&Dyn>,
        scope: &Scope,
    ) -> Ty {
        let given = self.given(with, scope);
        let Some(known) = self.resolve(action) else {
            return Ty::Any;
        };
        self.inputs(known, action, with, &given, &[]);
        self.needs_asset(known, action, with, scope);
        self.around(step, known);
        if let Some(lease) = &step.lease {
            self.lease(lease, known, with);
        }
        match Ty::of_schema(&known.output) {
            Ty::Any => Ty::object([]),
            ty => ty,
        }
    }

    fn given(&mut self, with: Option<&Dyn>, scope: &Scope) -> BTreeMap<String, Ty> {
        match with {
            Some(Dyn::Map(entries, _)) => entries
                .iter()
                .map(|(key, value)| (key.value.clone(), self.dynamic(value, scope)))
                .collect(),
            Some(other) => {
                self.dynamic(other, scope);
                BTreeMap::new()
            }
            None => BTreeMap::new(),
        }
    }

    /// Names, literal values and types of the inputs; `besides` are given by other means.
    fn inputs(
        &mut self,
        action: &Action,
        place: &Text,
        with: Option<&Dyn>,
        types: &BTreeMap<String, Ty>,
        besides: &[String],
    ) {
        let empty = serde_json::Map::new();
        let properties = action
            .input
            .get("properties")
            .and_then(Value::as_object)
            .unwrap_or(&empty);
        let closed = action.input.get("additionalProperties") == Some(&Value::Bool(false));
        if let Some(Dyn::Map(entries, _)) = with {
            for (key, value) in entries.iter().filter(|(key, _)| key.value != "asset") {
                match properties.get(&key.value) {
                    Some(schema) => self.input_value(schema, key, value, types.get(&key.value)),
                    None if closed => {
                        let names: Vec<&str> = properties.keys().map(String::as_str).collect();
                        let remedy = crate::read::suggestion(&key.value, names.iter().copied())
                            .map_or_else(
                                || {
                                    if names.is_empty() {
                                        "it takes no inputs".to_owned()
                                    } else {
                                        format!("it takes: {}", names.join(", "))
                                    }
                                },
                                |near| format!("did you mean `{near}`?"),
                            );
                        self.faults.add(
                            codes::UNKNOWN_INPUT,
                            key.span,
                            format!("{} has no input `{}`", action.name, key.value),
                            remedy,
                        );
                    }
                    None => {}
                }
            }
        }
        for name in required(action) {
            let there = with.is_some_and(|with| with.get(name).is_some())
                || besides.iter().any(|given| given == name);
            if !there {
                self.faults.add(
                    codes::MISSING_INPUT,
                    place.span,
                    format!("{} needs the input `{name}`", action.name),
                    format!("add `with: {{ {name}: … }}`"),
                );
            }
        }
    }

    fn input_value(&mut self, schema: &Value, key: &Text, value: &Dyn, ty: Option<&Ty>) {
        if let Some(literal) = literal(value) {
            let text = key.value.as_str();
            let Ok(validator) = jsonschema::validator_for(schema) else {
                return;
            };
            if let Err(error) = validator.validate(&literal) {
                self.faults.add(
                    codes::BAD_INPUT,
                    value.span(),
                    format!("`{text}` does not fit: {error}"),
                    describe(schema),
                );
            }
        } else if let (Dyn::Expr(expr), Some(ty)) = (value, ty) {
            if !ty.fits(schema) {
                self.faults.add(
                    codes::BAD_INPUT,
                    expr.span,
                    format!("`{}` would be {}", key.value, ty.what()),
                    describe(schema),
                );
            } else if let (Ty::Enum(values), Some(known)) =
                (ty, schema.get("enum").and_then(Value::as_array))
                && let Some(wrong) = values.iter().find(|value| {
                    !known
                        .iter()
                        .any(|known| known.as_str() == Some(value.as_str()))
                })
            {
                self.faults.add(
                    codes::BAD_INPUT,
                    expr.span,
                    format!("`{}` may be '{wrong}'", key.value),
                    describe(schema),
                );
            }
        }
    }

    fn needs_asset(&mut self, action: &Action, place: &Text, with: Option<&Dyn>, scope: &Scope) {
        let given = with.is_some_and(|with| with.get("asset").is_some());
        if action.needs_asset && !given && !scope.asset_lane {
            self.faults.add(
                codes::NO_ASSET,
                place.span,
                format!("{} works on an asset, and this lane has none", action.name),
                "put the step into an `each` over assets, or add `with: { asset: … }`",
            );
        }
    }

    /// What stands around the action, against what the action says of itself.
    fn around(&mut self, step: &Step, action: &Action) {
        let effect = match step.effect {
            Some((narrowed, span)) if narrowed < action.effect => {
                self.faults.add(
                    codes::BAD_INPUT,
                    span,
                    format!("{} is stricter about repeats than this", action.name),
                    "a runbook can narrow an effect, not widen it: leave `effect` out",
                );
                action.effect
            }
            Some((narrowed, _)) => narrowed,
            None => action.effect,
        };
        if let (Effect::Once, Some((_, span))) = (effect, &step.retry) {
            self.faults.add(
                codes::ONCE_RETRY,
                *span,
                format!("{} must never be repeated blindly", action.name),
                "remove `retry`; `on_failure: ask` lets a person decide",
            );
        }
        if let Some((ms, span)) = step.timeout
            && ms > action.timeout_ms.saturating_mul(10)
        {
            let most = hostler_core::duration::write_ms(action.timeout_ms.saturating_mul(10));
            self.faults.add(
                codes::OUT_OF_RANGE,
                span,
                format!(
                    "{} is cut off after {}",
                    action.name,
                    hostler_core::duration::write_ms(action.timeout_ms)
                ),
                format!("write at most {most}"),
            );
        }
    }

    pub(super) fn undo_action(
        &mut self,
        step: &Step,
        way: &Step,
        action: &Text,
        with: Option<&Dyn>,
        scope: &Scope,
    ) {
        let types = self.given(with, scope);
        let Some(back) = self.resolve(action) else {
            return;
        };
        let forth = match &step.verb {
            crate::ast::Verb::Do { action, with } => self
                .action(&action.value)
                .map(|known| (known, with.as_ref())),
            _ => None,
        };
        let asset_of_forth = with.is_none()
            && forth
                .is_some_and(|(_, given)| given.is_some_and(|given| given.get("asset").is_some()));
        if !asset_of_forth {
            self.needs_asset(back, action, with, scope);
        }
        if let (Effect::Once, Some((_, span))) = (back.effect, &way.retry) {
            self.faults.add(
                codes::ONCE_RETRY,
                *span,
                format!("{} must never be repeated blindly", back.name),
                "remove `retry`",
            );
        }
        let Some((known, given)) = forth else {
            self.inputs(back, action, with, &types, &[]);
            return;
        };
        let deliberate = with.is_some() || way.condition.is_some();
        if known.inverse.as_deref() != Some(back.name.as_str()) && !deliberate {
            let remedy = match &known.inverse {
                Some(inverse) => {
                    format!("write `undo: {{ do: {inverse} }}`, or say `with` what it shall do")
                }
                None => format!(
                    "{} has no inverse: say `with` what the undo shall do",
                    known.name
                ),
            };
            self.faults.add(
                codes::WRONG_INVERSE,
                action.span,
                format!("{} is not the inverse of {}", back.name, known.name),
                remedy,
            );
            return;
        }
        let besides = if with.is_none() {
            defaults(back, known, given, &step.id.value)
                .into_keys()
                .collect()
        } else {
            Vec::new()
        };
        self.inputs(back, action, with, &types, &besides);
    }
}

pub(super) fn required(action: &Action) -> Vec<&str> {
    action
        .input
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default()
}

/// Inputs of the way back where it says none: what the way forth gave or was given.
pub(crate) fn defaults(
    back: &Action,
    forth: &Action,
    given: Option<&Dyn>,
    id: &str,
) -> BTreeMap<String, Dynamic> {
    let Some(wanted) = back.input.get("properties").and_then(Value::as_object) else {
        return BTreeMap::new();
    };
    let outputs = forth.output.get("properties").and_then(Value::as_object);
    wanted
        .keys()
        .filter_map(|name| {
            if outputs.is_some_and(|outputs| outputs.contains_key(name)) {
                return Some((
                    name.clone(),
                    Dynamic::Expression(Expression(format!("steps.{id}.{name}"))),
                ));
            }
            given
                .and_then(|given| given.get(name))
                .map(|value| (name.clone(), value.core()))
        })
        .collect()
}

/// The value, when no part of it is computed.
pub(super) fn literal(value: &Dyn) -> Option<Value> {
    match value {
        Dyn::Value(value, _) => Some(value.clone()),
        Dyn::List(items, _) => items
            .iter()
            .map(literal)
            .collect::<Option<Vec<_>>>()
            .map(Value::Array),
        Dyn::Map(entries, _) => entries
            .iter()
            .map(|(key, value)| Some((key.value.clone(), literal(value)?)))
            .collect::<Option<serde_json::Map<_, _>>>()
            .map(Value::Object),
        Dyn::Expr(_) | Dyn::Broken(_) => None,
    }
}

pub(super) fn describe(schema: &Value) -> String {
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return format!(
            "write one of {}",
            values
                .iter()
                .map(|value| value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned))
                .collect::<Vec<_>>()
                .join(", ")
        );
    }
    let kind = match schema.get("type").and_then(Value::as_str) {
        Some("integer") => "a whole number",
        Some("number") => "a number",
        Some("string") => "a string",
        Some("boolean") => "true or false",
        Some("array") => "a list",
        Some("object") => "a map",
        _ => "another value",
    };
    match schema.get("description").and_then(Value::as_str) {
        Some(description) => format!("it takes {kind}: {description}"),
        None => format!("it takes {kind}"),
    }
}
