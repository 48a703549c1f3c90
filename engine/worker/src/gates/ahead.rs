//! What lies ahead of a lane: whether its step disturbs or prepares that, of which class, and for how long.
//!
//! Not here: what follows from it.

use super::clock;
use crate::Trouble;
use crate::resolve::Fault;
use crate::scope::View;
use hostler_core::contract::Impact;
use hostler_core::definition::{CLASSES, Step, Verb};
use hostler_core::lane::Section;

/// The longest disturbing call from this step on, if the step is one or prepares one: what a lane changes
/// on the way there (a silence, a snapshot, the lock) does not wait for a window, it comes with it.
pub(super) fn disturbs_ms(view: &View<'_>, step: &Step) -> Option<u64> {
    let Verb::Do(action) = &step.verb else {
        return None;
    };
    let cursor = view.lane.cursor;
    let prepares = action.effect.mutates() || clock::lead_ms(view).is_some();
    if cursor.section != Section::Main || !prepares {
        return None;
    }
    let program = view.program()?;
    let ahead = program.steps.iter().skip(usize::from(cursor.index));
    let outages = ahead.filter_map(|step| match &step.verb {
        Verb::Do(action) if action.impact == Impact::Outage => Some(action.timeout_ms),
        _ => None,
    });
    outages.max()
}

/// The step's own class, or those of the disturbing steps that it prepares. Inside: why a step has none.
pub(super) async fn classes(view: &View<'_>, step: &Step) -> Result<Result<Vec<String>, String>, Trouble> {
    let of_runbook = || view.definition.policy.class.clone();
    if let Some(class) = &step.class {
        return Ok(match view.text(class).await {
            Ok(class) if CLASSES.contains(&class.as_str()) => Ok(vec![class]),
            Ok(class) => Err(format!(
                "`class` gave `{class}`, which is no class: give one of {}",
                CLASSES.join(", ")
            )),
            Err(Fault::Step(reason)) => Err(format!("`class` has no value: {reason}")),
            Err(Fault::Worker(trouble)) => return Err(trouble),
        });
    }
    let mut classes = Vec::new();
    let program = view.program();
    let ahead = program.iter().flat_map(|program| &program.steps);
    for step in ahead.skip(usize::from(view.lane.cursor.index)) {
        let Verb::Do(action) = &step.verb else {
            continue;
        };
        if action.impact != Impact::Outage {
            continue;
        }
        // What depends on a step before it is not known yet: then the runbook's own class holds.
        let class = match &step.class {
            Some(class) => match view.text(class).await {
                Ok(class) if CLASSES.contains(&class.as_str()) => class,
                Ok(_) | Err(Fault::Step(_)) => of_runbook(),
                Err(Fault::Worker(trouble)) => return Err(trouble),
            },
            None => of_runbook(),
        };
        if !classes.contains(&class) {
            classes.push(class);
        }
    }
    Ok(Ok(classes))
}

/// What a lane disturbs from its present step on.
pub(super) struct Ahead {
    /// The step itself is a disturbing one.
    pub at_once: bool,
    pub lasts_ms: u64,
    pub downtime_ms: u64,
}

/// Bounds of the steps up to the last disturbing one, and of the disturbing ones among them.
pub(super) fn disturbs_ahead(view: &View<'_>) -> Ahead {
    let program = view.program();
    let steps = program.iter().flat_map(|program| &program.steps);
    let mut calls = steps
        .skip(usize::from(view.lane.cursor.index))
        .filter_map(|step| match &step.verb {
            Verb::Do(action) => Some((action.impact == Impact::Outage, action.timeout_ms)),
            _ => None,
        })
        .peekable();
    let mut ahead = Ahead {
        at_once: calls.peek().is_some_and(|(outage, _)| *outage),
        lasts_ms: 0,
        downtime_ms: 0,
    };
    let mut passed_ms = 0_u64;
    for (outage, timeout_ms) in calls {
        passed_ms = passed_ms.saturating_add(timeout_ms);
        if outage {
            ahead.lasts_ms = passed_ms;
            ahead.downtime_ms = ahead.downtime_ms.saturating_add(timeout_ms);
        }
    }
    ahead
}
