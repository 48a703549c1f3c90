//! Programs that no file spells out: undo lanes, leases, questions that hold nobody.

use crate::definition::{
    Definition, Notify, OnFailure, Program, Recipient, Retry, Step, StepLease, Verb, Wait,
    WaitUntil,
};
use crate::expression::Dynamic;
use crate::lane::Origin;
use crate::mail::LEASE_ENDS;
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
        Origin::Lease { program, step } => {
            let lease = definition.find(*program, step)?.lease.as_ref()?;
            Some(Cow::Owned(ending(lease, &definition.owner)))
        }
        Origin::Later { program, step } => later(definition.find(*program, step)?),
    }
}

/// Wait, then end it; in between tell its owners that it will.
fn ending(lease: &StepLease, owner: &str) -> Program {
    let wait = |id, until| Step::bare(id, Verb::Wait(Wait { until }));
    let mut steps = match lease.warn_ms {
        None => {
            let until = WaitUntil::For(Dynamic::Literal(lease.for_ms.into()));
            vec![wait("held", until)]
        }
        // No step of a file has such an id: what the opener's steps gave stays to be seen.
        Some(warn_ms) => {
            let warned_ms = lease.for_ms.saturating_sub(warn_ms);
            let to = Dynamic::Literal(format!("role:{owner}").into());
            let notify = Notify {
                template: LEASE_ENDS.to_owned(),
                to: vec![Recipient(to)],
                about: None,
            };
            vec![
                wait("lease-held", WaitUntil::Opened(warned_ms)),
                Step::bare("lease-warning", Verb::Notify(notify)),
                wait("lease-ending", WaitUntil::Opened(lease.for_ms)),
            ]
        }
    };
    let mut end = Step::bare("end", Verb::Do(lease.end.action.clone()));
    end.retry = LEASE_END_RETRY;
    end.on_failure = OnFailure::Ask;
    steps.push(end);
    Program {
        steps,
        always: Vec::new(),
        binds: None,
    }
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
