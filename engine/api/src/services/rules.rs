//! `must` of inputs and of a form's fields: judged at every door, before anything is recorded.
//!
//! Not here: what a rule means (core), and what a form's rules see (the worker keeps it with the question).

use super::planning::validate;
use crate::Api;
use crate::problem::{Code, Problem};
use crate::read::{self, Reading};
use hostler_core::definition::Definition;
use hostler_core::definition::must::{Broken, Rule, expanded};
use hostler_core::definition::offer::{beside, completed, sources};
use hostler_core::expression::Scope;
use hostler_core::lane::{Person, Phase};
use hostler_core::plan::Plan;
use hostler_runbook::Evaluator;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::collections::BTreeMap;

/// As the workers do it: days are those of the realm.
fn evaluator(api: &Api) -> Evaluator {
    let zone = api.directory.zone(None);
    let zone = zone.and_then(|zone| TimeZone::get(&zone).ok());
    Evaluator::new(zone.unwrap_or(TimeZone::UTC))
}

fn problem(code: Code, about: &str, broken: &[Broken]) -> Problem {
    let faults: Vec<String> = broken.iter().map(Broken::to_string).collect();
    Problem::new(code, format!("{about}: {}", faults.join("; ")))
        .remedy("give values that keep the rules")
        .with("faults", faults)
}

/// The rules of a runbook's inputs, all of them together.
///
/// # Errors
/// `input-invalid`, with the name, the label and the rule of each input that breaks one.
pub(super) fn inputs(
    api: &Api,
    definition: &Definition,
    values: &Value,
    assets: &BTreeMap<String, Value>,
) -> Result<(), Problem> {
    match &definition.broken_inputs(values, assets, &evaluator(api))[..] {
        [] => Ok(()),
        broken => Err(problem(Code::InputInvalid, &definition.runbook, broken)),
    }
}

/// Whether an answer fits the form that a lane asks: its schema, the choices that were offered, then the rules of its fields.
///
/// # Errors
/// `answer-invalid`, the store's.
pub async fn answer(api: &Api, reading: &Reading, answer: &Value) -> Result<(), Problem> {
    let Phase::Person(person) = &reading.lane.phase else {
        return Ok(());
    };
    let answer = &completed(&person.form, answer.clone());
    if !person.form.is_null() {
        validate("answer", &person.form, answer)
            .map_err(|fault| Problem::new(Code::AnswerInvalid, fault))?;
        chosen(api, person, answer).await?;
    }
    if person.rules.must.is_empty() {
        return Ok(());
    }
    let plan = read::plan(api, reading.lane.opening.plan).await?;
    match &broken(api, person, &plan, answer, reading.now_ms)[..] {
        [] => Ok(()),
        broken => Err(problem(Code::AnswerInvalid, "answer", broken)),
    }
}

/// Of fields with choices, only what was displayed when the form was asked.
async fn chosen(api: &Api, person: &Person, answer: &Value) -> Result<(), Problem> {
    let Some(shown) = person
        .shown
        .filter(|_| sources(&person.form).next().is_some())
    else {
        return Ok(());
    };
    let display: Value = read::blob(api, "display", shown).await?;
    match &beside(&display, answer)[..] {
        [] => Ok(()),
        strays => Err(Problem::new(
            Code::AnswerInvalid,
            format!("answer: {}", strays.join("; ")),
        )
        .remedy("give what is offered under `choices`")
        .with("faults", strays)),
    }
}

/// Fields that are not given keep their rule; `required` is there for those that must be.
fn broken(api: &Api, person: &Person, plan: &Plan, answer: &Value, now_ms: i64) -> Vec<Broken> {
    let evaluator = evaluator(api);
    let now = jiff::Timestamp::from_millisecond(now_ms).map(|now| now.to_string());
    let judged = person.rules.must.iter().filter_map(|(field, must)| {
        let value = answer.get(field).filter(|value| !value.is_null())?;
        let fields = person.form.get("properties");
        let schema = fields.and_then(|fields| fields.get(field));
        let text = |name: &str| schema.and_then(|schema| schema.get(name)?.as_str());
        let value = match text("x-kind") {
            Some(_) => expanded(value, &plan.assets),
            None => value.clone(),
        };
        let mut scope: Scope = must.sees.clone();
        if let Ok(now) = &now {
            scope.insert("now".to_owned(), now.clone().into());
        }
        let rule = Rule {
            field,
            label: text("title"),
            rule: &must.rule,
        };
        rule.broken(value, scope, &evaluator)
    });
    judged.collect()
}
