//! Programs that no file spells out: undo lanes, leases, questions that hold nobody.

use crate::definition::{Definition, OnFailure, Program, Retry, Step, Verb, Wait, WaitUntil};
use crate::expression::Dynamic;
use crate::lane::Origin;
use std::borrow::Cow;

/// How often the end of a lease is tried before people are asked, and how long between.
const LEASE_END_RETRY: Retry = Retry {
    times: 5,
    wait_ms: 10 * 60 * 1000,
};

/// The program that a lane of this origin runs; none when it points outside the definition.
pub fn program_of<'a>(origin: &Origin, definition: &'a Definition) -> Option<Cow<'a, Program>> {
    match origin {
        Origin::Program(index) => definition.program(*index).map(Cow::Borrowed),
        Origin::Undo { program, .. } => {
            let steps = definition.program(*program)?.steps.clone();
            Some(Cow::Owned(Program {
                steps,
                always: Vec::new(),
                binds: None,
            }))
        }
        Origin::Lease { program, step } => lease(definition.find(*program, step)?),
        Origin::Later { program, step } => later(definition.find(*program, step)?),
    }
}

/// Wait, then end it.
fn lease<'a>(opener: &Step) -> Option<Cow<'a, Program>> {
    let lease = opener.lease.as_ref()?;
    let until = WaitUntil::For(Dynamic::Literal(lease.for_ms.into()));
    let held = Step::bare("held", Verb::Wait(Wait { until }));
    let mut end = Step::bare("end", Verb::Do(lease.end.action.clone()));
    end.retry = LEASE_END_RETRY;
    end.on_failure = OnFailure::Ask;
    Some(Cow::Owned(Program {
        steps: vec![held, end],
        always: Vec::new(),
        binds: None,
    }))
}

/// The same step, but its lane waits for it.
fn later<'a>(asker: &Step) -> Option<Cow<'a, Program>> {
    let mut step = asker.clone();
    step.condition = None;
    match &mut step.verb {
        Verb::Ask(ask) => ask.later = false,
        Verb::Spawn(crate::definition::Spawn::Call(call)) => call.wait = true,
        _ => return None,
    }
    Some(Cow::Owned(Program {
        steps: vec![step],
        always: Vec::new(),
        binds: None,
    }))
}
