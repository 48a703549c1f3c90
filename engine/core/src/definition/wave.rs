//! When waves open and how long they soak, as people read it before a run has come to them.
//!
//! Not here: laying waves out and the instants at which they open (worker), and holding one back (decide).

use super::{Definition, Opens, Spawn, Step, Verb, Wave};
use crate::duration::write_ms;
use crate::expression::{Dynamic, Evaluate, Scope};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// What a wave says of time. Empty: its turn comes when the wave before it is over, and it does not soak.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaveTerms {
    /// Days after that of the start (`9d`), an instant (RFC 3339), or the expression where inputs alone do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens: Option<String>,
    /// For how long it is watched (`5d`), or the expression, as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soak: Option<String>,
}

impl WaveTerms {
    /// As the runbook says it.
    #[must_use]
    pub fn written(wave: &Wave) -> Self {
        Self::of(wave, |_| None)
    }

    /// With what a scope of inputs gives.
    #[must_use]
    pub fn known(wave: &Wave, evaluate: &dyn Evaluate, scope: &Scope) -> Self {
        Self::of(wave, |dynamic| evaluate.resolve(dynamic, scope).ok())
    }

    fn of(wave: &Wave, resolve: impl Fn(&Dynamic) -> Option<Value>) -> Self {
        let text = |dynamic: &Dynamic| match dynamic {
            Dynamic::Literal(value) => said(dynamic, Some(value.clone())),
            other => said(dynamic, resolve(other)),
        };
        Self {
            opens: wave.opens.as_ref().map(|opens| match opens {
                Opens::AnchorDays(days) => format!("{days}d"),
                Opens::At(at) => text(at),
            }),
            soak: wave.soak.as_ref().map(text),
        }
    }
}

fn said(dynamic: &Dynamic, value: Option<Value>) -> String {
    match (value, dynamic) {
        (Some(Value::String(text)), _) => text,
        (Some(Value::Number(number)), _) => {
            let ms = number.as_u64();
            ms.map_or_else(|| number.to_string(), write_ms)
        }
        (_, Dynamic::Expression(expression)) => expression.0.clone(),
        (Some(value), _) => value.to_string(),
        (None, _) => "a computed value".to_owned(),
    }
}

impl fmt::Display for WaveTerms {
    /// `opens 9d after the start, soaks 5d`; nothing where it is empty.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let opens = self.opens.as_ref().map(|opens| match Opens::days(opens) {
            Some(0) => "opens at once".to_owned(),
            Some(days) => format!("opens {days}d after the start"),
            None => format!("opens {opens}"),
        });
        let soak = self.soak.as_ref().map(|soak| format!("soaks {soak}"));
        let terms: Vec<String> = opens.into_iter().chain(soak).collect();
        f.write_str(&terms.join(", "))
    }
}

/// What expressions see before a run has begun.
#[must_use]
pub fn scope_of(inputs: &Value) -> Scope {
    Scope::from_iter([("inputs".to_owned(), inputs.clone())])
}

impl Definition {
    /// The waves of the run's own steps, each a line: `canary (patch): opens at once, soaks 5d`.
    #[must_use]
    pub fn wave_lines(&self, evaluate: &dyn Evaluate, inputs: &Value) -> Vec<String> {
        let scope = scope_of(inputs);
        let steps = self.program(0).into_iter().flat_map(|it| &it.steps);
        let waves = steps.flat_map(|step| waves(step).iter().map(move |wave| (step, wave)));
        let line = |(step, wave): (&Step, &Wave)| {
            let terms = WaveTerms::known(wave, evaluate, &scope);
            let says = match terms == WaveTerms::default() {
                true => "when its turn comes".to_owned(),
                false => terms.to_string(),
            };
            format!("{} ({}): {says}", wave.name, step.id)
        };
        waves.map(line).collect()
    }
}

fn waves(step: &Step) -> &[Wave] {
    match &step.verb {
        Verb::Spawn(Spawn::Each(each)) => &each.waves,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::{EvaluationFailed, Expression};

    /// Knows inputs alone: `inputs.NAME`.
    struct Inputs;

    impl Evaluate for Inputs {
        fn evaluate(
            &self,
            expression: &Expression,
            scope: &Scope,
        ) -> Result<Value, EvaluationFailed> {
            let name = expression.0.strip_prefix("inputs.");
            let found = name.and_then(|name| scope.get("inputs")?.get(name));
            found.cloned().ok_or_else(|| EvaluationFailed {
                expression: expression.0.clone(),
                why: "nothing has this name".to_owned(),
            })
        }
    }

    fn dynamic(text: &str) -> Dynamic {
        Dynamic::Expression(Expression(text.to_owned()))
    }

    #[test]
    fn a_wave_says_what_inputs_give_and_else_what_the_runbook_says() {
        let inputs = serde_json::json!({ "others": "9d", "now": "0d", "watch": 7_200_000, "at": "2026-12-01T00:00:00Z" });
        let none = (None, None);
        let five = Dynamic::Literal(Value::from(432_000_000));
        for ((opens, soak), known, written) in [
            (none, "", ""),
            (
                (Some(Opens::AnchorDays(2)), Some(five)),
                "opens 2d after the start, soaks 5d",
                "opens 2d after the start, soaks 5d",
            ),
            (
                (
                    Some(Opens::At(dynamic("inputs.others"))),
                    Some(dynamic("inputs.watch")),
                ),
                "opens 9d after the start, soaks 2h",
                "opens inputs.others, soaks inputs.watch",
            ),
            (
                (Some(Opens::At(dynamic("inputs.now"))), None),
                "opens at once",
                "opens inputs.now",
            ),
            (
                (Some(Opens::At(dynamic("inputs.at"))), None),
                "opens 2026-12-01T00:00:00Z",
                "opens inputs.at",
            ),
            (
                (Some(Opens::At(dynamic("steps.look.day"))), None),
                "opens steps.look.day",
                "opens steps.look.day",
            ),
        ] {
            let wave = Wave {
                name: "rest".to_owned(),
                matches: None,
                take: None,
                soak,
                opens,
            };
            let with = WaveTerms::known(&wave, &Inputs, &scope_of(&inputs));
            assert_eq!(with.to_string(), known);
            assert_eq!(WaveTerms::written(&wave).to_string(), written);
        }
    }
}
