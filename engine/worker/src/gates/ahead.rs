//! What lies ahead of a lane: whether its step disturbs or prepares that, of which class, for how long, and whether that
//! fits.
//!
//! Not here: what is measured and added up (core), what windows say (estate), and what follows from it.

use super::{Disturbs, clock};
use crate::resolve::Fault;
use crate::scope::View;
use crate::{Driver, Trouble};
use hostler_core::contract::Impact;
use hostler_core::definition::{CLASSES, Program, Step, Verb};
use hostler_core::fit::{Lengths, Need, history_document, need};
use hostler_core::gate::{Closed, GateKind};
use hostler_core::lane::Section;
use hostler_core::result::StepState;
use hostler_ports::store::{Expect, histories};

/// What must fit into the rest of a window, and the versions of the histories that say so.
pub(super) struct Needs {
    need: Need,
    read: Vec<Expect>,
    /// A disturbing call of the lane has begun.
    begun: bool,
}

impl Needs {
    pub fn total_ms(&self) -> u64 {
        self.need.total_ms()
    }

    /// What a customer says now comes too late for it.
    pub fn has_begun(&self) -> bool {
        self.begun
    }
}

/// What fits into no opening is looked at again so often: the files may say something else by then.
const LOOKED_EVERY_MS: i64 = 86_400_000;

/// The same for all looks of a day, so that nothing new is recorded in between.
pub(super) fn next_day_ms(now_ms: i64) -> i64 {
    let days = now_ms.div_euclid(LOOKED_EVERY_MS);
    days.saturating_add(1).saturating_mul(LOOKED_EVERY_MS)
}

/// Whether this step disturbs or prepares a disturbing one: what a lane changes on the way there (a silence, a
/// snapshot, the lock) does not wait for a window, it comes with it.
fn prepares(view: &View<'_>, step: &Step) -> bool {
    let Verb::Do(action) = &step.verb else {
        return false;
    };
    let changes = action.effect.mutates() || clock::lead_ms(view).is_some();
    view.lane.cursor.section == Section::Main && changes
}

/// A disturbing call of this lane has begun: half of a change is worse than work that cannot be taken back in time, and
/// what takes back is never held.
fn has_disturbed(view: &View<'_>, program: &Program) -> bool {
    let place = usize::from(view.lane.cursor.index);
    let begun = |step: &Step| {
        let result = view.lane.results.get(&step.id);
        result.is_some_and(|result| result.state != StepState::Skipped)
    };
    let mut behind = program.steps.iter().take(place);
    behind.any(|step| step.disturbs() && begun(step))
}

impl Driver {
    /// What is ahead of a step that disturbs or prepares that, with what takes it back; none: nothing disturbs.
    pub(super) async fn needs(
        &self,
        view: &View<'_>,
        step: &Step,
        asset: &str,
    ) -> Result<Option<Needs>, Trouble> {
        let Some(program) = view.program().filter(|_| prepares(view, step)) else {
            return Ok(None);
        };
        let place = usize::from(view.lane.cursor.index);
        if !program.steps.iter().skip(place).any(Step::disturbs) {
            return Ok(None);
        }
        let directory = &*self.parts.directory;
        let none = Default::default();
        let names = Lengths::of(directory, asset, &none).documents(&program);
        let (known, read) = histories::read(&*self.parts.store, &names).await?;
        let lengths = Lengths::of(directory, asset, &known);
        let found = need(&program, place, &view.lane.undo, &lengths);
        Ok(found.map(|mut need| {
            let begun = has_disturbed(view, &program);
            if begun {
                need.back.clear();
            }
            Needs { need, read, begun }
        }))
    }

    /// A closed window says what does not fit. Where none is ever long enough, only other lengths open it: the lane
    /// watches the history that weighs most and looks at the files each day; an item that may miss its windows ends as
    /// held.
    pub(super) fn unfit(
        &self,
        view: &View<'_>,
        disturbs: &Disturbs<'_>,
        mut closed: Closed,
    ) -> (Closed, Option<Expect>) {
        if closed.gate != GateKind::Window {
            return (closed, None);
        }
        let (directory, needs) = (&self.parts.directory, &disturbs.needs);
        let closes_ms = directory.closes_ms(disturbs.asset, &disturbs.windows, view.now_ms);
        let left_ms = closes_ms.and_then(|closes_ms| u64::try_from(closes_ms - view.now_ms).ok());
        closed.why = format!("{}; {}", needs.need.says(left_ms), closed.why);
        if closed.until_ms.is_some() || closed.never || !self.opens(view, disturbs) {
            return (closed, None);
        }
        closed.never = clock::each(view).is_some_and(|each| each.overflow.is_some());
        let longest = needs.need.longest();
        let document = longest.map(|part| history_document(&part.action, &part.kind));
        let read = needs.read.iter();
        let mut expect = read.filter(|expect| Some(&expect.document) == document.as_ref());
        let expect = expect.next().cloned();
        closed.document = document;
        closed.until_ms = (!closed.never).then(|| next_day_ms(view.now_ms));
        (closed, expect)
    }

    /// The windows will open for a moment, now or later.
    fn opens(&self, view: &View<'_>, disturbs: &Disturbs<'_>) -> bool {
        let (asset, windows) = (disturbs.asset, &disturbs.windows);
        let directory = &self.parts.directory;
        disturbs.classes.iter().all(|class| {
            let closed = directory.closed_within(asset, class, windows, 1, view.now_ms);
            closed.is_none_or(|closed| closed.until_ms.is_some())
        })
    }
}

/// The step's own class, or those of the disturbing steps that it prepares. Inside: why a step has none.
pub(super) async fn classes(
    view: &View<'_>,
    step: &Step,
) -> Result<Result<Vec<String>, String>, Trouble> {
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
