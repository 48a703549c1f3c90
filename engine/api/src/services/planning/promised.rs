//! Ladders and texts of the policies that the questions of a run need: found, or missed, before its first step.

use crate::problem::{Code, Problem};
use hostler_core::definition::{AskRules, Definition, Spawn, Step, Verb};
use hostler_core::directory::Directory;
use std::collections::BTreeSet;

/// # Errors
/// `runbook-invalid`: the policies lack a ladder or a text, or there are none. The ladder of an emergency is always there.
pub fn check(directory: &dyn Directory, definitions: &[&Definition]) -> Result<(), Problem> {
    for &definition in definitions {
        let programs = definition.programs.iter();
        let steps = programs.flat_map(|program| program.steps.iter().chain(&program.always));
        for step in steps.flat_map(|step| std::iter::once(step).chain(&step.undo)) {
            if let Some(rules) = rules(step) {
                let (ladders, texts) = (directory.ladders(), directory.texts());
                let configured = texts.is_some();
                let at = (definition, step, configured);
                has(ladders, rules.ladder.iter(), at, "ladder")?;
                has(texts, rules.terms.iter(), at, "text")?;
            }
        }
    }
    Ok(())
}

fn rules(step: &Step) -> Option<&AskRules> {
    match &step.verb {
        Verb::Approve(approve) => Some(&approve.rules),
        Verb::Ask(ask) => Some(&ask.rules),
        Verb::Spawn(Spawn::Each(each)) => each.gate.as_ref().map(|gate| &gate.approve.rules),
        _ => None,
    }
}

fn has<'a>(
    known: Option<BTreeSet<String>>,
    mut wanted: impl Iterator<Item = &'a String>,
    (definition, step, configured): (&Definition, &Step, bool),
    what: &str,
) -> Result<(), Problem> {
    let is_known = |name: &&String| known.as_ref().is_some_and(|known| known.contains(*name));
    let Some(missing) = wanted.find(|name| !is_known(name)) else {
        return Ok(());
    };
    let (runbook, step) = (&definition.runbook, &step.id);
    let detail = format!("{runbook}: {step} needs the {what} `{missing}`");
    let (why, remedy) = match known.filter(|_| configured) {
        Some(_) => (
            "the policies do not have it",
            format!(
                "add it to {what}s.yaml of the policies: `hostler policy show` lists what there is"
            ),
        ),
        None => (
            "no policies are configured",
            "name their folder under `[policies]` `folder` of the configuration".to_owned(),
        ),
    };
    Err(Problem::new(Code::RunbookInvalid, format!("{detail}, and {why}")).remedy(remedy))
}
