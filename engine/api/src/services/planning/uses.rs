//! Which actions a definition may perform, and which of them for certain.

use hostler_core::definition::{Definition, Do, Program, Spawn, Step, Verb};
use std::collections::{BTreeMap, BTreeSet};

/// How an action is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    pub needs_asset: bool,
    /// No `if` stands before it: without a way to perform it the run cannot succeed.
    pub certain: bool,
}

/// By `contract.action`.
pub type Uses = BTreeMap<String, Use>;

/// Uses of all these definitions together.
pub fn of(definitions: &[&Definition]) -> Uses {
    let mut uses = Uses::new();
    for definition in definitions {
        let conditional = conditional_programs(definition);
        for (index, program) in definition.programs.iter().enumerate() {
            let certain = !conditional.contains(&index);
            for step in steps(program) {
                note(&mut uses, step, certain);
            }
        }
    }
    uses
}

/// Runbooks that a definition calls.
pub fn calls(definition: &Definition) -> BTreeSet<String> {
    let steps = definition.programs.iter().flat_map(steps);
    steps
        .filter_map(|step| match &step.verb {
            Verb::Spawn(Spawn::Call(call)) => Some(call.runbook.clone()),
            _ => None,
        })
        .collect()
}

fn steps(program: &Program) -> impl Iterator<Item = &Step> {
    program.steps.iter().chain(&program.always)
}

/// Bodies of `each` and `repeat` that are entered only under a condition, also of a step around.
fn conditional_programs(definition: &Definition) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    // A body stands behind the program that spawns it at most as deep as there are programs.
    for _ in 0..definition.programs.len() {
        let before = found.len();
        for (index, program) in definition.programs.iter().enumerate() {
            for step in steps(program) {
                if let Some(body) = body(step)
                    && (step.condition.is_some() || found.contains(&index))
                {
                    found.insert(body);
                }
            }
        }
        if found.len() == before {
            break;
        }
    }
    found
}

fn body(step: &Step) -> Option<usize> {
    match &step.verb {
        Verb::Spawn(Spawn::Each(each)) => Some(usize::from(each.body)),
        Verb::Spawn(Spawn::Repeat(repeat)) => Some(usize::from(repeat.body)),
        _ => None,
    }
}

fn note(uses: &mut Uses, step: &Step, certain: bool) {
    let certain = certain && step.condition.is_none();
    if let Verb::Do(action) = &step.verb {
        add(uses, action, certain);
    }
    if let Some(lease) = &step.lease {
        add(uses, &lease.end.action, certain);
    }
    for undo in &step.undo {
        note(uses, undo, certain);
    }
}

fn add(uses: &mut Uses, action: &Do, certain: bool) {
    let entry = uses.entry(action.action.clone()).or_insert(Use {
        needs_asset: action.needs_asset,
        certain,
    });
    entry.certain |= certain;
}
