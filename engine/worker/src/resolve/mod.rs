//! The step under the cursor, evaluated: what `decide` is told when a step is entered.
//!
//! A fault in an expression or a missing target is not an error of the worker: it fails the step
//! with a reason that people can read.

mod action;
mod called;
mod debt;
mod handed;
mod items;
mod lease;
mod must;
mod offer;
mod person;
mod rules;

use crate::Trouble;
use crate::scope::View;
pub use action::{asset_lock, asset_meant};
use hostler_core::command::{Entry, SpawnEntry};
use hostler_core::definition::{Finish, Notify, Spawn, Step, Verb, Wait, WaitUntil};
use hostler_core::duration;
use hostler_core::expression::{Dynamic, Expression};
use hostler_core::result::{LaneResult, Verdict};
use hostler_ports::store::Blob;
pub use person::resolve_gate;
use serde_json::Value;

/// What entering the step means, and what must be stored with it.
pub struct Resolved {
    pub entry: Entry,
    pub blobs: Vec<Blob>,
}

impl From<Entry> for Resolved {
    fn from(entry: Entry) -> Self {
        Self {
            entry,
            blobs: Vec::new(),
        }
    }
}

/// Why a step cannot be entered: its own fault, or the worker's trouble.
pub enum Fault {
    Step(String),
    Worker(Trouble),
}

impl From<Trouble> for Fault {
    fn from(trouble: Trouble) -> Self {
        Self::Worker(trouble)
    }
}

type Outcome<T> = Result<T, Fault>;

/// Evaluates the step that the lane stands before.
pub async fn resolve(view: &View<'_>, step: &Step) -> Result<Resolved, Trouble> {
    match enter(view, step).await {
        Ok(resolved) => Ok(resolved),
        Err(Fault::Step(reason)) => Ok(Entry::Fault(reason).into()),
        Err(Fault::Worker(trouble)) => Err(trouble),
    }
}

async fn enter(view: &View<'_>, step: &Step) -> Outcome<Resolved> {
    if let Some(condition) = &step.condition {
        match view.evaluate(condition).await? {
            Value::Bool(true) => {}
            Value::Bool(false) => return Ok(Entry::Skip.into()),
            other => return Err(Fault::Step(format!("`if` gave {other}, not true or false"))),
        }
    }
    match &step.verb {
        Verb::Do(action) => {
            let meant = action::meant(view, action).await?;
            match handed::off(view, step, action, &meant).await? {
                Some(handed) => Ok(handed),
                None => Ok(action::call(view, action, meant)?.into()),
            }
        }
        Verb::Approve(approve) => person::approve(view, approve).await,
        Verb::Ask(ask) if ask.later => Ok(Entry::Detach.into()),
        Verb::Ask(ask) => person::ask(view, ask).await,
        Verb::Notify(notify) => match lease::ends(view, notify).await? {
            Some(entry) => Ok(entry.into()),
            None => Ok(report(view, notify).await?.into()),
        },
        Verb::Wait(wait) => Ok(until(view, wait).await?.into()),
        Verb::Spawn(Spawn::Each(each)) => items::each(view, step, each).await,
        Verb::Spawn(Spawn::Repeat(_)) => Ok(Entry::Spawn(Box::new(SpawnEntry::Rounds)).into()),
        Verb::Spawn(Spawn::Call(call)) if !call.wait => Ok(Entry::Detach.into()),
        Verb::Spawn(Spawn::Call(call)) => called::call(view, call).await,
        Verb::Release { .. } => Ok(Entry::Release {
            output: Value::Null,
        }
        .into()),
        Verb::Finish(finish) => Ok(end(view, step, finish).await?.into()),
    }
}

impl View<'_> {
    pub async fn evaluate(&self, expression: &Expression) -> Outcome<Value> {
        let scope = self.scope(&[expression]).await?;
        let value = self.driver.parts.evaluate.evaluate(expression, &scope);
        value.map_err(|fault| Fault::Step(fault.to_string()))
    }

    pub async fn value(&self, dynamic: &Dynamic) -> Outcome<Value> {
        let mut named = Vec::new();
        expressions(dynamic, &mut named);
        let scope = self.scope(&named).await?;
        let value = self.driver.parts.evaluate.resolve(dynamic, &scope);
        value.map_err(|fault| Fault::Step(fault.to_string()))
    }

    pub async fn text(&self, dynamic: &Dynamic) -> Outcome<String> {
        Ok(match self.value(dynamic).await? {
            Value::String(text) => text,
            other => other.to_string(),
        })
    }
}

/// All expressions inside a value.
pub fn expressions<'a>(dynamic: &'a Dynamic, into: &mut Vec<&'a Expression>) {
    match dynamic {
        Dynamic::Expression(expression) => into.push(expression),
        Dynamic::Literal(_) => {}
        Dynamic::List(items) => items.iter().for_each(|item| expressions(item, into)),
        Dynamic::Map(entries) => entries.values().for_each(|item| expressions(item, into)),
    }
}

/// Milliseconds from a number of them or a text such as `90m`.
pub fn milliseconds(value: &Value) -> Outcome<u64> {
    let ms = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => duration::parse_ms(text),
        _ => None,
    };
    ms.ok_or_else(|| Fault::Step(format!("{value} is not a duration such as 90m or 7d")))
}

async fn until(view: &View<'_>, wait: &Wait) -> Outcome<Entry> {
    let until_ms = match &wait.until {
        WaitUntil::For(dynamic) => view
            .now_ms
            .saturating_add_unsigned(milliseconds(&view.value(dynamic).await?)?),
        WaitUntil::Opened(after_ms) => {
            let after_ms = after_ms.saturating_add(view.lane.extended_ms);
            view.lane.opened_ms.saturating_add_unsigned(after_ms)
        }
        WaitUntil::Instant(dynamic) => {
            let text = view.text(dynamic).await?;
            let instant: Result<jiff::Timestamp, _> = text.parse();
            instant
                .map_err(|fault| Fault::Step(format!("{text} is not an instant: {fault}")))?
                .as_millisecond()
        }
    };
    Ok(Entry::Wait { until_ms })
}

async fn report(view: &View<'_>, notify: &Notify) -> Outcome<Entry> {
    let mut to = Vec::new();
    for recipient in &notify.to {
        let who = view.text(&recipient.0).await?;
        to.push(person::qualification(view, &who).await?);
    }
    let about = match &notify.about {
        Some(about) => view.value(about).await?,
        None => Value::Null,
    };
    Ok(Entry::Notify {
        template: notify.template.clone(),
        to,
        about,
    })
}

async fn end(view: &View<'_>, step: &Step, finish: &Finish) -> Outcome<Entry> {
    let result = LaneResult::named(&finish.result).unwrap_or(LaneResult::Succeeded);
    let note = match &finish.note {
        Some(note) => Some(view.text(note).await?),
        None => None,
    };
    let verdict = Verdict {
        result,
        note,
        step: Some(step.id.to_string()),
    };
    Ok(Entry::Finish {
        verdict,
        of_run: finish.of_run,
    })
}
