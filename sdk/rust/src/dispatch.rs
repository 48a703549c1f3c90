//! A plugin as data: its actions by name, each entered with JSON and left with an answer.
//!
//! Not here: WASM. The guest side and the test kit both come through here.

use crate::action::{Action, Effect, Impact};
use crate::answer::{Answer, Observed, Outcome, Stop};
use crate::call::Call;
use crate::context::Context;
use crate::host::{Failure, FailureKind, Host};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::{Value, json};

/// A script that runs on a target. Its text is part of the package and never changes with a call.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Script {
    /// `scan.sh`.
    pub name: &'static str,
    /// POSIX shell, at most 96 KiB.
    pub text: &'static str,
    /// Whether it may change something: its runs are journalled.
    pub mutating: bool,
}

impl Script {
    #[must_use]
    pub const fn reads(name: &'static str, text: &'static str) -> Self {
        Self {
            name,
            text,
            mutating: false,
        }
    }

    #[must_use]
    pub const fn mutates(name: &'static str, text: &'static str) -> Self {
        Self {
            name,
            text,
            mutating: true,
        }
    }
}

/// What `describe` says of one action.
#[derive(Serialize)]
struct Described {
    name: &'static str,
    summary: &'static str,
    effect: Effect,
    impact: Impact,
    #[serde(skip_serializing_if = "Option::is_none")]
    inverse: Option<&'static str>,
    timeout_ms: u64,
    needs_asset: bool,
    input: Value,
    output: Value,
}

type Perform = fn(&Call, &mut dyn Host, &str) -> Answer;
type Resume = fn(&Call, &mut dyn Host, &str, &str) -> Answer;
type Observe = fn(&Call, &mut dyn Host, &str, Option<&str>) -> Observed<Value>;
type Cancel = fn(&Call, &mut dyn Host, &str, Option<&str>) -> Answer;
type Plan = fn(&Call, &mut dyn Host, &str) -> Result<Value, String>;

/// One action, ready to be entered with JSON.
pub struct Entry {
    name: &'static str,
    describe: fn() -> Described,
    perform: Perform,
    resume: Resume,
    observe: Observe,
    cancel: Cancel,
    plan: Plan,
}

impl Entry {
    #[must_use]
    pub const fn of<A: Action>() -> Self {
        Self {
            name: A::META.name,
            describe: describe::<A>,
            perform: perform::<A>,
            resume: resume::<A>,
            observe: observe::<A>,
            cancel: cancel::<A>,
            plan: plan::<A>,
        }
    }
}

/// A plugin's actions and scripts.
pub struct Plugin {
    pub name: &'static str,
    pub version: &'static str,
    pub actions: &'static [Entry],
    pub scripts: &'static [Script],
}

impl Plugin {
    /// The JSON of `describe`: `name`, `version`, `actions`, `scripts`.
    #[must_use]
    pub fn describe(&self) -> Value {
        let actions: Vec<Described> = self
            .actions
            .iter()
            .map(|entry| (entry.describe)())
            .collect();
        json!({ "name": self.name, "version": self.version, "actions": actions, "scripts": self.scripts })
    }

    pub fn perform(&self, call: &Call, host: &mut dyn Host, input: &str) -> Answer {
        self.find(call)
            .map_or_else(refused, |entry| (entry.perform)(call, host, input))
    }

    pub fn resume(
        &self,
        call: &Call,
        host: &mut dyn Host,
        input: &str,
        checkpoint: &str,
    ) -> Answer {
        self.find(call).map_or_else(refused, |entry| {
            (entry.resume)(call, host, input, checkpoint)
        })
    }

    pub fn observe(
        &self,
        call: &Call,
        host: &mut dyn Host,
        input: &str,
        checkpoint: Option<&str>,
    ) -> Observed<Value> {
        self.find(call).map_or_else(
            |why| Observed::Unknown { why },
            |entry| (entry.observe)(call, host, input, checkpoint),
        )
    }

    pub fn cancel(
        &self,
        call: &Call,
        host: &mut dyn Host,
        input: &str,
        checkpoint: Option<&str>,
    ) -> Answer {
        self.find(call).map_or_else(refused, |entry| {
            (entry.cancel)(call, host, input, checkpoint)
        })
    }

    /// # Errors
    /// Why the difference cannot be told.
    pub fn plan(&self, call: &Call, host: &mut dyn Host, input: &str) -> Result<Value, String> {
        self.find(call)
            .and_then(|entry| (entry.plan)(call, host, input))
    }

    fn find(&self, call: &Call) -> Result<&Entry, String> {
        self.actions
            .iter()
            .find(|entry| entry.name == call.action)
            .ok_or_else(|| {
                let known: Vec<&str> = self.actions.iter().map(|entry| entry.name).collect();
                format!(
                    "plugin {} has no action {}; it has {}",
                    self.name,
                    call.action,
                    known.join(", ")
                )
            })
    }
}

fn refused(reason: String) -> Answer {
    Answer::Reject {
        reason,
        output: Value::Null,
    }
}

fn schema<T: JsonSchema>() -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.remove("$schema");
    schema.to_value()
}

fn describe<A: Action>() -> Described {
    let meta = A::META;
    Described {
        name: meta.name,
        summary: meta.summary,
        effect: meta.effect,
        impact: meta.impact,
        inverse: meta.inverse,
        timeout_ms: meta.timeout_ms,
        needs_asset: meta.needs_asset,
        input: schema::<A::Input>(),
        output: schema::<A::Output>(),
    }
}

fn input<A: Action>(text: &str) -> Result<A::Input, Stop> {
    // A step without inputs hands over null; an empty object is the same to the action's type.
    let text = if text.trim() == "null" { "{}" } else { text };
    serde_json::from_str(text).map_err(|error| {
        Stop::reject(format!(
            "the input of {} does not have its shape: {error}",
            A::META.name
        ))
    })
}

fn perform<A: Action>(call: &Call, host: &mut dyn Host, text: &str) -> Answer {
    let outcome =
        input::<A>(text).and_then(|given| A::perform(&mut Context::new(call, host), given));
    answer::<A>(call, host, text, outcome)
}

fn resume<A: Action>(call: &Call, host: &mut dyn Host, text: &str, checkpoint: &str) -> Answer {
    let outcome = parsed(checkpoint).and_then(|checkpoint| {
        let given = input::<A>(text)?;
        A::resume(&mut Context::new(call, host), given, checkpoint)
    });
    answer::<A>(call, host, text, outcome)
}

fn cancel<A: Action>(
    call: &Call,
    host: &mut dyn Host,
    text: &str,
    checkpoint: Option<&str>,
) -> Answer {
    let outcome = checkpoint.map(parsed).transpose().and_then(|checkpoint| {
        let given = input::<A>(text)?;
        A::cancel(&mut Context::new(call, host), given, checkpoint)
    });
    answer::<A>(call, host, text, outcome)
}

fn observe<A: Action>(
    call: &Call,
    host: &mut dyn Host,
    text: &str,
    checkpoint: Option<&str>,
) -> Observed<Value> {
    let given = match (input::<A>(text), checkpoint.map(parsed).transpose()) {
        (Ok(given), Ok(checkpoint)) => (given, checkpoint),
        (Err(stop), _) | (_, Err(stop)) => return Observed::Unknown { why: reason(stop) },
    };
    match A::observe(&mut Context::new(call, host), given.0, given.1) {
        Ok(Observed::Done { output }) => match serde_json::to_value(output) {
            Ok(output) => Observed::Done { output },
            Err(error) => Observed::Unknown {
                why: error.to_string(),
            },
        },
        Ok(Observed::NotDone) => Observed::NotDone,
        Ok(Observed::Going { ask_after_ms }) => Observed::Going { ask_after_ms },
        Ok(Observed::Unknown { why }) => Observed::Unknown { why },
        Err(failure) => Observed::Unknown {
            why: failure.detail,
        },
    }
}

fn plan<A: Action>(call: &Call, host: &mut dyn Host, text: &str) -> Result<Value, String> {
    input::<A>(text)
        .and_then(|given| A::plan(&mut Context::new(call, host), given))
        .map_err(reason)
}

fn parsed(checkpoint: &str) -> Result<Value, Stop> {
    serde_json::from_str(checkpoint)
        .map_err(|error| Stop::reject(format!("the checkpoint is not JSON: {error}")))
}

fn reason(stop: Stop) -> String {
    match stop {
        Stop::Retry { reason, .. } | Stop::Reject { reason, .. } => reason,
        Stop::NeedsHuman { title, .. } => title,
        Stop::Pending { .. } => "it is still going on".to_owned(),
        Stop::Lost(failure) => failure.detail,
    }
}

fn answer<A: Action>(
    call: &Call,
    host: &mut dyn Host,
    text: &str,
    outcome: Outcome<A::Output>,
) -> Answer {
    match outcome {
        Ok(done) => match serde_json::to_value(done.output) {
            Ok(output) => Answer::Done {
                output,
                evidence: done.evidence,
            },
            Err(error) => refused(format!(
                "the output of {} is no JSON: {error}",
                A::META.name
            )),
        },
        Err(Stop::Pending {
            checkpoint,
            resume_after_ms,
        }) => Answer::Pending {
            checkpoint,
            resume_after_ms,
        },
        Err(Stop::Retry { reason, after_ms }) => Answer::Retry { reason, after_ms },
        Err(Stop::NeedsHuman { title, form }) => Answer::NeedsHuman { title, form },
        Err(Stop::Reject { reason, output }) => Answer::Reject { reason, output },
        Err(Stop::Lost(failure)) => lost::<A>(call, host, text, failure),
    }
}

/// A failed host call as an answer: what cannot have reached the platform, or may be repeated, is tried
/// again; a `once` action that may have reached it is looked at first, and else left to a person.
fn lost<A: Action>(call: &Call, host: &mut dyn Host, text: &str, failure: Failure) -> Answer {
    let again = |reason: String, after_ms| Answer::Retry { reason, after_ms };
    if failure.maybe_sent && A::META.effect == Effect::Once {
        return match observe::<A>(call, host, text, None) {
            Observed::Done { output } => Answer::Done {
                output,
                evidence: vec![format!("observed after: {failure}")],
            },
            Observed::NotDone => again(failure.detail, None),
            Observed::Going { ask_after_ms } => again(
                format!("still going on after: {failure}"),
                Some(ask_after_ms),
            ),
            Observed::Unknown { why } => doubt(A::META.name, &failure, &why),
        };
    }
    match failure.kind {
        FailureKind::Unreachable
        | FailureKind::Timeout
        | FailureKind::Broken
        | FailureKind::Cut => again(failure.detail, None),
        FailureKind::NotGranted
        | FailureKind::Refused
        | FailureKind::TooLarge
        | FailureKind::Unauthenticated => refused(failure.detail),
    }
}

fn doubt(action: &str, failure: &Failure, why: &str) -> Answer {
    Answer::NeedsHuman {
        title: format!("It is not known whether {action} was carried out: {failure} ({why})"),
        form: json!({
            "type": "object",
            "required": ["verdict"],
            "properties": {
                "verdict": { "enum": ["done", "retry", "fail"] },
                "evidence": { "type": "string" }
            },
            "additionalProperties": false
        }),
    }
}
