//! `call`: the called runbook must be there, take what it is given, and not call back.

use super::Checker;
use super::actions::{describe, literal};
use crate::ast::{Body, Dyn, Runbook, Text, Verb};
use crate::codes;
use std::collections::BTreeSet;

impl Checker<'_, '_, '_> {
    pub(super) fn calls(&mut self, runbook: &Runbook) {
        self.calls_in(&runbook.body, runbook);
    }

    fn calls_in(&mut self, body: &Body, runbook: &Runbook) {
        for step in body.steps.iter().chain(&body.always) {
            if let Verb::Call {
                runbook: callee,
                with,
                ..
            } = &step.verb
            {
                self.call_of(callee, with.as_ref(), runbook);
            }
            if let Some(inner) = step.verb.body() {
                self.calls_in(inner, runbook);
            }
        }
    }

    fn call_of(&mut self, name: &Text, with: Option<&Dyn>, caller: &Runbook) {
        if name.value == caller.name.value {
            self.faults.add(
                codes::CALL_CYCLE,
                name.span,
                "the runbook calls itself",
                "use `repeat` for rounds",
            );
            return;
        }
        let env = self.env;
        let Some(callee) = env.runbooks.get(&name.value) else {
            let near =
                crate::read::suggestion(&name.value, env.runbooks.keys().map(String::as_str));
            let remedy = near.map_or_else(
                || format!("write workflows/{}/v1.yaml first", name.value),
                |near| format!("did you mean `{near}`?"),
            );
            self.faults.add(
                codes::UNKNOWN_RUNBOOK,
                name.span,
                format!("there is no runbook `{}`", name.value),
                remedy,
            );
            return;
        };
        if self.reaches(&name.value, &caller.name.value, &mut BTreeSet::new()) {
            self.faults.add(
                codes::CALL_CYCLE,
                name.span,
                format!("`{}` calls `{}` in turn", name.value, caller.name.value),
                "take one of the calls out",
            );
        }
        if !callee.callable {
            self.faults.add(
                codes::CALL_INPUT,
                name.span,
                format!("`{}` may not be started by a runbook", name.value),
                "add `runbook` to its `policy.start`",
            );
        }
        if let Some(Dyn::Map(entries, _)) = with {
            for (key, value) in entries {
                let Some(input) = callee.inputs.get(&key.value) else {
                    let near = crate::read::suggestion(
                        &key.value,
                        callee.inputs.keys().map(String::as_str),
                    );
                    let remedy = near.map_or_else(
                        || {
                            format!(
                                "it takes: {}",
                                callee.inputs.keys().cloned().collect::<Vec<_>>().join(", ")
                            )
                        },
                        |near| format!("did you mean `{near}`?"),
                    );
                    self.faults.add(
                        codes::CALL_INPUT,
                        key.span,
                        format!("`{}` has no input `{}`", name.value, key.value),
                        remedy,
                    );
                    continue;
                };
                let Some(literal) = literal(value) else {
                    continue;
                };
                if let Ok(validator) = jsonschema::validator_for(&input.schema)
                    && let Err(error) = validator.validate(&literal)
                {
                    self.faults.add(
                        codes::CALL_INPUT,
                        value.span(),
                        format!("`{}` does not fit: {error}", key.value),
                        describe(&input.schema),
                    );
                }
            }
        }
        for (missing, _) in callee.inputs.iter().filter(|(key, input)| {
            input.required && with.is_none_or(|with| with.get(key).is_none())
        }) {
            self.faults.add(
                codes::CALL_INPUT,
                name.span,
                format!("`{}` needs the input `{missing}`", name.value),
                format!("add `with: {{ {missing}: … }}`"),
            );
        }
    }

    fn reaches(&self, from: &str, to: &str, seen: &mut BTreeSet<String>) -> bool {
        let Some(callee) = self.env.runbooks.get(from) else {
            return false;
        };
        callee
            .calls
            .iter()
            .any(|next| next == to || (seen.insert(next.clone()) && self.reaches(next, to, seen)))
    }
}
