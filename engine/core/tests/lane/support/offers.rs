//! Every input that a worker, the clock or a person could give in a state, with its instant.
//!
//! Not here: judgement. Inputs that ought to be refused are offered too.

use super::build::BEGIN_MS;
use super::drive::*;
use super::letters::*;
use super::watch::Watch;
use hostler_core::command::*;
use hostler_core::definition::{Spawn, Verb};
use hostler_core::effect::holding;
use hostler_core::event::Journal;
use hostler_core::gate::{Closed, GateKind};
use hostler_core::lane::*;
use hostler_core::result::LaneResult;
use serde_json::{Value, json};
use std::sync::Arc;

/// How far repeated things are followed.
#[derive(Clone, Copy)]
pub struct Bounds {
    pub attempts: u32,
    pub visits: u32,
    pub pauses: bool,
    /// Also what is rare: broken guests, questions of plugins, faults, poison.
    pub rare: bool,
    /// The store is restored from a copy, once.
    pub copies: bool,
    /// Windows pass until people are asked, and have been so often.
    pub slots: u32,
}

pub const NARROW: Bounds = Bounds {
    attempts: 1,
    visits: 0,
    pauses: false,
    rare: false,
    copies: false,
    slots: 0,
};
/// With retries by people, and nothing else that is rare.
pub const RETRIES: Bounds = Bounds {
    visits: 1,
    ..NARROW
};
pub const WIDE: Bounds = Bounds {
    attempts: 2,
    visits: 1,
    pauses: true,
    rare: true,
    copies: false,
    slots: 0,
};
/// With windows that pass, and people who are asked what then.
pub const SLOTS: Bounds = Bounds { slots: 2, ..NARROW };
/// With a copy that is restored at any moment.
pub const COPIES: Bounds = Bounds {
    copies: true,
    ..NARROW
};

pub type Offer = (Input, i64);

pub fn offers(
    world: &World,
    lane: &Lane,
    watch: &Watch,
    now_ms: i64,
    bounds: Bounds,
) -> Vec<Offer> {
    let mut offers = people(bounds);
    offers.extend(by_phase(world, lane, now_ms, bounds));
    if bounds.visits > 0 {
        offers.extend(retry_items(lane, watch));
    }
    let mut offers: Vec<Offer> = offers.into_iter().map(|input| (input, now_ms)).collect();
    if bounds.copies && lane.restored.is_none() {
        offers.push((restored(now_ms), now_ms + 1));
    }
    for (name, at_ms) in holding::timers(lane) {
        let due_ms = at_ms.max(now_ms);
        let name = name.to_owned();
        offers.push((Input::Command(Command::Timer { name }), due_ms));
        if let Phase::Checking(checking) = &lane.phase {
            offers.extend(
                observations(checking)
                    .into_iter()
                    .map(|seen| (seen, due_ms)),
            );
        }
    }
    offers
}

/// The realm goes on from a copy that was taken just now.
pub fn restored(taken_ms: i64) -> Input {
    let restored_ms = taken_ms + 1;
    Input::Restored {
        taken_ms,
        restored_ms,
    }
}

fn people(bounds: Bounds) -> Vec<Input> {
    let mut commands = vec![cancel()];
    if bounds.pauses {
        let by = "ada".to_owned();
        commands.push(Command::Pause { by: by.clone() });
        commands.push(Command::Resume { by });
    }
    commands.into_iter().map(Input::Command).collect()
}

fn by_phase(world: &World, lane: &Lane, now_ms: i64, bounds: Bounds) -> Vec<Input> {
    match &lane.phase {
        Phase::At | Phase::Gated(_) => {
            let mut all = entering(world, lane, now_ms, bounds);
            if matches!(lane.opening.origin, Origin::Lease { .. }) {
                all.push(release());
            }
            all
        }
        Phase::Running(_) => answers(lane, bounds),
        // Too early: an answer about a call that may still land.
        Phase::Checking(_) => vec![Input::Observed(Seen::NotDone)],
        Phase::Person(person) => deciding(lane, person, bounds),
        Phase::Children => children(world, lane, now_ms, bounds),
        Phase::Waiting { .. } => [release()].into_iter().chain(extend(lane)).collect(),
        Phase::Pending(_) | Phase::Backoff { .. } | Phase::Ended => Vec::new(),
    }
}

fn release() -> Input {
    Input::Command(Command::Release {
        by: "ada".to_owned(),
        reason: None,
    })
}

/// Once: a lease may live longer and longer.
fn extend(lane: &Lane) -> Option<Input> {
    (lane.extended_ms == 0).then(|| {
        Input::Command(Command::Extend {
            by: "ada".to_owned(),
            reason: "not yet".to_owned(),
            by_ms: 1,
        })
    })
}

fn entering(world: &World, lane: &Lane, now_ms: i64, bounds: Bounds) -> Vec<Input> {
    let Some(entry) = world.entry(lane, now_ms) else {
        return Vec::new();
    };
    let fault = Entry::Fault("no such target".to_owned());
    let mut inputs = vec![Input::Enter(entry)];
    if bounds.rare {
        inputs.push(Input::Enter(fault));
    }
    let program = lane.program(&world.definition).unwrap().into_owned();
    let step = lane.step(&program);
    if step.is_some_and(|step| step.condition.is_some()) {
        inputs.push(Input::Enter(Entry::Skip));
    }
    if bounds.rare && step.is_some_and(|step| matches!(step.verb, Verb::Do(_))) {
        inputs.push(Input::Blocked {
            resource: "slot:c".to_owned(),
        });
        inputs.extend(held(&inputs[0]));
    }
    if given(lane) < bounds.slots {
        inputs.extend(missed(&inputs[0]));
    }
    inputs
}

fn given(lane: &Lane) -> u32 {
    lane.granted.map_or(0, |granted| granted.times)
}

fn closed(until_ms: Option<i64>) -> Box<Closed> {
    Box::new(Closed {
        gate: GateKind::Window,
        rule: "night".to_owned(),
        why: "closed".to_owned(),
        remedy: "wait".to_owned(),
        until_ms,
        document: None,
        never: until_ms.is_none(),
    })
}

/// The same call behind a closed gate.
fn held(entry: &Input) -> Option<Input> {
    let Input::Enter(Entry::Do(call)) = entry else {
        return None;
    };
    let (call, closed) = (Arc::clone(call), closed(Some(BEGIN_MS + 10)));
    Some(Input::Enter(Entry::Held { call, closed }))
}

/// The same call when as many windows have passed as its item may miss.
pub fn missed(entry: &Input) -> Option<Input> {
    let Input::Enter(Entry::Do(call)) = entry else {
        return None;
    };
    let (call, closed) = (Arc::clone(call), closed(None));
    Some(Input::Enter(Entry::Missed { call, closed }))
}

fn answers(lane: &Lane, bounds: Bounds) -> Vec<Input> {
    let mut inputs = vec![
        Input::Answered(done()),
        Input::Answered(pending()),
        Input::Answered(reject()),
        cut(),
    ];
    if lane.attempt < bounds.attempts {
        inputs.push(Input::Answered(again()));
    }
    if !bounds.rare {
        return inputs;
    }
    let reason = "memory".to_owned();
    inputs.push(Input::Answered(needs_human()));
    inputs.push(Input::Orphaned);
    inputs.push(Input::Broken {
        reason: reason.clone(),
    });
    inputs.push(Input::Quarantine { reason });
    if lane.journal.is_empty() {
        let (number, attempt, what) = (1, lane.attempt, "post".to_owned());
        inputs.push(Input::Journaled(Journal {
            number,
            attempt,
            what,
            outcome: None,
        }));
    }
    inputs
}

fn observations(checking: &Checking) -> Vec<Input> {
    let mut seen = vec![
        Seen::Done(json!({ "seen": true })),
        Seen::NotDone,
        Seen::Unknown("no trace".to_owned()),
    ];
    if checking.asked < 1 {
        seen.push(Seen::Going { ask_after_ms: 10 });
    }
    seen.into_iter().map(Input::Observed).collect()
}

fn deciding(lane: &Lane, person: &Person, bounds: Bounds) -> Vec<Input> {
    let mut commands = vec![
        vote("ada", "board", true),
        vote("bob", "board", true),
        vote("bob", "board", false),
        vote("starter", "board", true),
        vote("eve", "guest", true),
        Command::Answer {
            actor: actor("olga", "operator"),
            signs: person.signs,
            answer: json!({ "it": 1 }),
        },
        Command::Answer {
            actor: actor("ada", "board"),
            signs: person.signs,
            answer: json!({ "it": 1 }),
        },
    ];
    // Said once of a lane; then it is settled.
    let settles = lane.may_have_gone_on() && person.kind == PersonKind::InDoubt;
    let choices = [
        Choice::Retry,
        Choice::Skip,
        Choice::Fail,
        Choice::Done,
        Choice::Next,
        Choice::Leave,
        Choice::Stop,
    ];
    let followed = choices
        .into_iter()
        .filter(|choice| *choice != Choice::Retry || lane.visit < bounds.visits || settles);
    commands.extend(followed.map(|choice| Command::Choose {
        actor: actor("olga", "operator"),
        choice,
        comment: None,
        signs: Some(person.signs),
        output: Value::Null,
    }));
    commands.into_iter().map(Input::Command).collect()
}

fn children(world: &World, lane: &Lane, now_ms: i64, bounds: Bounds) -> Vec<Input> {
    let Some(children) = lane.children.as_deref() else {
        return Vec::new();
    };
    let mut results = vec![LaneResult::Succeeded, LaneResult::Failed];
    if bounds.rare {
        results.push(LaneResult::Held);
    }
    if children.kind == ChildrenKind::Rounds {
        results.push(LaneResult::Again);
    }
    if lane.is_stopping() {
        results.push(LaneResult::Cancelled);
    }
    let mut inputs = vec![Input::Continue];
    for (key, live) in &children.live {
        for result in &results {
            let ends_open = *result == LaneResult::Succeeded && children.kind != ChildrenKind::Each;
            let end = end_of(key, live, *result, ends_open);
            inputs.push(Input::ChildrenEnded(vec![end]));
        }
    }
    if children.gate_due {
        inputs.push(Input::EnterGate(world.gate(lane, now_ms)));
        inputs.push(Input::EnterGate(None));
    }
    if waits_for_judgement(world, lane) {
        inputs.push(Input::RoundJudged { until: true });
        inputs.push(Input::RoundJudged { until: false });
    }
    inputs
}

fn waits_for_judgement(world: &World, lane: &Lane) -> bool {
    let program = lane.program(&world.definition).unwrap().into_owned();
    lane.step(&program)
        .is_some_and(|step| matches!(step.verb, Verb::Spawn(Spawn::Repeat(_))))
}

/// Each ended item once, with the result that its record shows.
fn retry_items(lane: &Lane, watch: &Watch) -> Vec<Input> {
    let Some(children) = lane.children.as_deref() else {
        return Vec::new();
    };
    let ended = watch.ended.iter().filter_map(|(key, result)| {
        let index = key.strip_prefix('i')?.parse().ok()?;
        let (key, result) = (key.clone(), *result);
        Some(RetryItem { key, index, result })
    });
    ended
        .filter(|item| !children.iterations.contains_key(&item.index))
        .map(|item| {
            let (by, items) = ("ada".to_owned(), vec![item]);
            Input::Command(Command::RetryItems { by, items })
        })
        .collect()
}
