//! New lanes: children of a step, and lanes that hold nobody.

use crate::scope::View;
use crate::turn::{Hold, Turn, read_lane};
use crate::{Driver, Trouble};
use hostler_core::deferral::PutOff;
use hostler_core::definition::{Definition, ProgramIndex, Spawn as SpawnVerb, Verb};
use hostler_core::event::{Admitted, Event, Recorded};
use hostler_core::id::LaneId;
use hostler_core::lane::{ChildrenKind, Item, Lane, Opening, Origin, Parent};
use hostler_core::view::rows;
use hostler_ports::store::{Priority, Queue, Spawn};
use serde_json::json;
use std::sync::Arc;

/// What a lane that nobody waits for does.
pub(crate) enum Apart {
    /// The step itself.
    Step,
    /// It ends the step's lease, which keeps something off this asset (none: off nothing).
    Lease { keeps_off: Option<String> },
}

impl Driver {
    /// The lanes of an admission.
    pub(crate) async fn children(
        &self,
        hold: &Hold,
        turn: &Turn,
        admitted: &[Admitted],
    ) -> Result<Vec<Spawn>, Trouble> {
        let lane = &turn.lane;
        // A later event of the same turn may have ended the step; then the children are void.
        let Some(children) = lane.children.as_deref() else {
            return Ok(Vec::new());
        };
        let view = View::of(self, lane, hold.now_ms).await?;
        let items = self.items(lane).await?;
        let program = view.program();
        let verb = program
            .as_deref()
            .and_then(|program| view.step(program))
            .map(|step| step.verb.clone());
        let step = rows::present_step(lane, &view.definition).unwrap_or_else(|| Arc::from("undo"));
        let mut spawns = Vec::new();
        for child in admitted {
            let opening = match children.kind {
                ChildrenKind::Undo => self.undo_opening(lane, &step, child).await?,
                kind => child_opening(
                    &view,
                    kind,
                    verb.as_ref(),
                    children.items,
                    &items,
                    parent_of(lane, &step, child),
                    child,
                ),
            };
            // Left out, its parent would wait for it for ever.
            let opening = opening.ok_or_else(|| {
                Trouble::Unreadable(format!("child {} of {step} cannot be opened", child.key))
            })?;
            let store = &*self.parts.store;
            let definition = self.cache.definition(store, opening.definition).await?;
            let begun = Lane::open(opening.clone(), hold.now_ms);
            let summary = serde_json::to_string(&rows::lane_row(&begun, &definition));
            spawns.push(Spawn {
                lane: child.lane,
                run: lane.opening.run,
                parent: Some(lane.id()),
                key: Some(rows::record_key(&step, &child.key)),
                queue: Queue::Run,
                priority: hold.header.priority,
                events: vec![opened(opening, hold.now_ms)],
                summary: summary.unwrap_or_default(),
            });
        }
        Ok(spawns)
    }

    /// A lane that takes back what an ended child left open.
    async fn undo_opening(
        &self,
        lane: &Lane,
        step: &Arc<str>,
        child: &Admitted,
    ) -> Result<Option<Opening>, Trouble> {
        let Ok(of) = child.key.parse::<LaneId>() else {
            return Ok(None);
        };
        // Its own log, not what it left beside its parent: a later round may have the same number.
        let ended = read_lane(&*self.parts.store, of, None, None).await?.lane;
        let from = &ended.opening;
        Ok(Some(Opening {
            lane: child.lane,
            parent: Some(parent_of(lane, step, child)),
            origin: Origin::Undo {
                program: program_index(&ended).unwrap_or_default(),
                of,
            },
            locals: from.locals.clone(),
            inherited: ended.results.clone(),
            undo: ended.undo_left().to_vec(),
            locks: held_locks(lane),
            lands_ms: ended.lands_ms.max(lane.lands_ms),
            restored: lane.open_copy().or(ended.open_copy()),
            ..Opening::root(lane.opening.run, from.definition, from.plan)
        }))
    }

    /// A lane for the present step that nobody waits for: a question, a call, the end of a lease.
    pub(crate) async fn detached(
        &self,
        hold: &Hold,
        lane: &Lane,
        step: &Arc<str>,
        apart: Apart,
    ) -> Result<Option<Spawn>, Trouble> {
        let definition = self
            .cache
            .definition(&*self.parts.store, lane.opening.definition)
            .await?;
        let Some(program) = program_index(lane) else {
            return Ok(None);
        };
        let step_id = Arc::clone(step);
        let (origin, id, keeps_off) = match apart {
            Apart::Lease { keeps_off } => (
                Origin::Lease {
                    program,
                    step: step_id,
                },
                lease_lane(lane.id(), step),
                keeps_off,
            ),
            Apart::Step => (
                Origin::Later {
                    program,
                    step: step_id,
                },
                lane.id().child(step, lane.visit, "later"),
                None,
            ),
        };
        let opening = Opening {
            keeps_off,
            ..opening_of(lane, id, origin)
        };
        let begun = Lane::open(opening.clone(), hold.now_ms);
        if begun.program(&definition).is_none() {
            return Ok(None);
        }
        let summary = serde_json::to_string(&rows::lane_row(&begun, &definition));
        Ok(Some(Spawn {
            lane: id,
            run: lane.opening.run,
            parent: None,
            key: None,
            queue: Queue::Run,
            priority: Priority::Housekeeping,
            events: vec![opened(opening, hold.now_ms)],
            summary: summary.unwrap_or_default(),
        }))
    }
}

/// The lane that ends the lease which a step of another lane opened.
pub fn lease_lane(opener: LaneId, step: &str) -> LaneId {
    opener.child(&format!("{step}:lease"), 0, "lease")
}

fn opening_of(lane: &Lane, id: LaneId, origin: Origin) -> Opening {
    let from = &lane.opening;
    Opening {
        lane: id,
        origin,
        locals: from.locals.clone(),
        inherited: lane.results.clone(),
        restored: lane.open_copy(),
        opener: Some(lane.id()),
        ..Opening::root(from.run, from.definition, from.plan)
    }
}

fn opened(opening: Opening, at_ms: i64) -> String {
    Recorded::new(
        Event::LaneOpened {
            opening: Box::new(opening),
        },
        at_ms,
    )
    .to_json()
}

pub fn program_index(lane: &Lane) -> Option<ProgramIndex> {
    match &lane.opening.origin {
        Origin::Program(index) | Origin::Undo { program: index, .. } => Some(*index),
        Origin::Lease { program, .. } | Origin::Later { program, .. } => Some(*program),
    }
}

fn parent_of(lane: &Lane, step: &Arc<str>, child: &Admitted) -> Parent {
    Parent {
        lane: lane.id(),
        step: Arc::clone(step),
        key: child.key.clone(),
        iteration: child.iteration,
        index: child.index,
    }
}

fn held_locks(lane: &Lane) -> Vec<String> {
    lane.opening
        .locks
        .iter()
        .chain(&lane.locks)
        .cloned()
        .collect()
}

fn child_opening(
    view: &View<'_>,
    kind: ChildrenKind,
    verb: Option<&Verb>,
    blob: Option<hostler_core::id::Digest>,
    items: &[Item],
    parent: Parent,
    child: &Admitted,
) -> Option<Opening> {
    let lane = view.lane;
    let mut locals = lane.opening.locals.clone();
    let (mut definition, mut plan) = (lane.opening.definition, lane.opening.plan);
    let program = match (kind, verb?) {
        (ChildrenKind::Each, Verb::Spawn(SpawnVerb::Each(each))) => {
            let item = items.get(child.index as usize)?;
            locals.insert(each.binds.clone(), item.value.clone());
            if let Some(wave) = wave_of(lane, child.index) {
                locals.insert("wave".to_owned(), json!({ "name": wave }));
            }
            each.body
        }
        (ChildrenKind::Rounds, Verb::Spawn(SpawnVerb::Repeat(repeat))) => {
            let number: u32 = child.key.parse().ok()?;
            locals.insert("round".to_owned(), json!({ "number": number }));
            repeat.body
        }
        (ChildrenKind::Call, Verb::Spawn(SpawnVerb::Call(call))) => {
            definition = *view.plan.calls.get(&call.runbook)?;
            plan = blob?;
            locals.clear();
            0
        }
        _ => return None,
    };
    Some(Opening {
        lane: child.lane,
        parent: Some(parent),
        origin: Origin::Program(program),
        locals,
        locks: held_locks(lane),
        restored: lane.open_copy(),
        since_ms: since_ms(lane, verb?),
        put_off: put_off(lane, child.index),
        ..Opening::root(lane.opening.run, definition, plan)
    })
}

/// What the item waited for until now, where it was put off.
fn put_off(lane: &Lane, index: u32) -> Option<PutOff> {
    let item = lane.children.as_deref()?.put_off.get(&index)?;
    item.back.then(|| item.put_off.clone())
}

/// Since when windows that pass unused count for the items of the present wave; none: they do not.
fn since_ms(lane: &Lane, verb: &Verb) -> Option<i64> {
    let Verb::Spawn(SpawnVerb::Each(each)) = verb else {
        return None;
    };
    each.overflow?;
    let children = lane.children.as_deref()?;
    let began_ms = children.wave_began_ms.unwrap_or(children.began_ms);
    let opens_ms = children.present_wave().and_then(|wave| wave.opens_ms);
    Some(began_ms.max(opens_ms.unwrap_or(began_ms)))
}

/// Name of the wave to which an item belongs.
pub fn wave_of(lane: &Lane, index: u32) -> Option<String> {
    let children = lane.children.as_deref()?;
    let wave = children
        .waves
        .iter()
        .find(|wave| (wave.from..wave.to).contains(&index))?;
    Some(wave.name.clone())
}

/// Where an `each` says what its children hand back, found from the child's program.
pub fn each_of(
    definition: &Definition,
    body: ProgramIndex,
) -> Option<&hostler_core::definition::Each> {
    definition
        .programs
        .iter()
        .flat_map(|program| program.steps.iter().chain(&program.always))
        .find_map(|step| match &step.verb {
            Verb::Spawn(SpawnVerb::Each(each)) if each.body == body => Some(&**each),
            _ => None,
        })
}
