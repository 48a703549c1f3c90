//! What a runbook itself says about the time of its outages, beside what their class promises: further windows, checks
//! that begin shortly before the slot.
//!
//! Not here: what is open at an instant (calendar and estate), how many windows may pass unused (`overflow`), and the
//! opening of waves (core).

use super::Disturbs;
use crate::resolve::Fault;
use crate::scope::View;
use crate::spawn::{each_of, program_index};
use crate::{Driver, Trouble};
use hostler_core::definition::{Each, Step, Verb};
use hostler_core::duration;
use hostler_core::gate::{Closed, FREEZES, Freezes, GateKind};
use hostler_core::plan::WindowRule;
use serde_json::Value;

/// Gates behind each other that are looked through for one slot.
const GATES_MAX: usize = 64;

/// The `each` whose item this lane is.
pub(super) fn each<'a>(view: &'a View<'_>) -> Option<&'a Each> {
    each_of(&view.definition, program_index(view.lane)?)
}

/// How long before its slot an item begins with what it only looks at; none: at once, or it has changed something.
pub(super) fn lead_ms(view: &View<'_>) -> Option<u64> {
    let lead_ms = each(view)?.lead_ms?;
    let program = view.program()?;
    let mut behind = program
        .steps
        .iter()
        .take(usize::from(view.lane.cursor.index));
    let changes = |step: &Step| matches!(&step.verb, Verb::Do(call) if call.effect.mutates());
    (!behind.any(changes)).then_some(lead_ms)
}

/// The windows that the outages from here on name. Inside: why one has none.
pub(super) async fn windows(view: &View<'_>) -> Result<Result<Vec<String>, String>, Trouble> {
    let mut names = Vec::new();
    let program = view.program();
    let steps = program.iter().flat_map(|program| &program.steps);
    for step in steps.skip(usize::from(view.lane.cursor.index)) {
        let Some(window) = step.window.as_ref().filter(|_| step.disturbs()) else {
            continue;
        };
        match view.value(window).await {
            Ok(Value::Null) => {}
            Ok(Value::String(name)) if view.driver.parts.directory.window(&name).is_some() => {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            Ok(other) => {
                return Ok(Err(format!(
                    "`window` of {} gave {other}, which is no window of the estate",
                    step.id
                )));
            }
            Err(Fault::Step(reason)) => {
                return Ok(Err(format!(
                    "`window` of {} has no value: {reason}",
                    step.id
                )));
            }
            Err(Fault::Worker(trouble)) => return Err(trouble),
        }
    }
    Ok(Ok(names))
}

/// One of them was signed and opens otherwise today: nothing that was signed covers the call any more.
pub(super) fn unsigned(view: &View<'_>, windows: &[String]) -> Option<Closed> {
    let directory = &*view.driver.parts.directory;
    windows.iter().find_map(|name| {
        let was = view.plan.windows.get(name)?;
        let is = WindowRule::of(directory, name);
        if is.as_ref() == Some(was) {
            return None;
        }
        let is = is.map_or_else(|| "nothing".to_owned(), |is| is.to_string());
        Some(Closed {
            gate: GateKind::Signed,
            rule: name.clone(),
            why: format!("not what was signed: the window {name} was {was}, is {is}"),
            remedy:
                "put the estate's files back and run what was held again, or start the rest again"
                    .to_owned(),
            until_ms: None,
            document: None,
            never: true,
        })
    })
}

impl Driver {
    /// What holds a lane at a closed gate: of an item that only looks so far, until its checks begin.
    pub(super) async fn before_checks(
        &self,
        view: &View<'_>,
        disturbs: &Disturbs<'_>,
        closed: Closed,
    ) -> Result<Option<Closed>, Trouble> {
        let changes = view.program().is_some_and(|program| {
            let step = view.step(&program);
            step.is_some_and(|step| matches!(&step.verb, Verb::Do(it) if it.effect.mutates()))
        });
        let (Some(lead_ms), Some(until_ms)) = (lead_ms(view), closed.until_ms) else {
            return Ok(Some(closed));
        };
        if changes {
            return Ok(Some(closed));
        }
        let (_, freezes) = self.document::<Freezes>(FREEZES).await?;
        let slot_ms = self.slot_ms(disturbs, &freezes.unwrap_or_default(), until_ms);
        let begins_ms = slot_ms.unwrap_or(until_ms).saturating_sub_unsigned(lead_ms);
        if begins_ms <= view.now_ms {
            return Ok(None);
        }
        let lead = duration::write_ms(lead_ms);
        Ok(Some(Closed {
            until_ms: Some(begins_ms),
            why: format!("{}; its checks begin {lead} before its slot", closed.why),
            ..closed
        }))
    }

    /// The first instant from then on at which neither calendar nor freezes hold it; none: nobody can say.
    pub(super) fn slot_ms(
        &self,
        disturbs: &Disturbs<'_>,
        freezes: &Freezes,
        from_ms: i64,
    ) -> Option<i64> {
        let mut at_ms = from_ms;
        for _ in 0..GATES_MAX {
            let Some(closed) = self.frozen(disturbs, freezes, at_ms) else {
                return Some(at_ms);
            };
            at_ms = closed.until_ms.filter(|until_ms| *until_ms > at_ms)?;
        }
        None
    }
}
