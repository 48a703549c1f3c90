//! Breadth first over all states of a lane, the invariants on every edge, and a way out of each.
//!
//! Instants are compared as distances from now, so that time does not make new states for ever.

use super::build::{BEGIN_MS, lane};
use super::drive::World;
use super::offers::{Bounds, offers};
use super::watch::{Watch, folds_from_json};
use hostler_core::id::Digest;
use hostler_core::lane::{Lane, Phase, Running};
use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// More states than this are a sign of a loop that counts.
const STATES_MAX: usize = 30_000;

pub struct Walked {
    pub states: usize,
    pub edges: usize,
    pub ends: usize,
}

struct Node {
    lane: Lane,
    watch: Watch,
    now_ms: i64,
    from: Option<(usize, String)>,
}

/// Walks every state from a fresh lane of the world's first program.
pub fn walk(world: &World, bounds: Bounds) -> Walked {
    walk_from(world, lane(), bounds)
}

pub fn walk_from(world: &World, lane: Lane, bounds: Bounds) -> Walked {
    let mut known = HashMap::new();
    let watch = Watch::default();
    known.insert(identity(&lane, &watch, BEGIN_MS), 0);
    let mut nodes = vec![Node {
        lane,
        watch,
        now_ms: BEGIN_MS,
        from: None,
    }];
    let mut edges: Vec<(usize, usize)> = Vec::new();
    let mut open = VecDeque::from([0]);
    while let Some(at) = open.pop_front() {
        let (lane, now_ms) = (nodes[at].lane.clone(), nodes[at].now_ms);
        let known_before = nodes[at].watch.clone();
        if lane.has_ended() {
            continue;
        }
        for (input, at_ms) in offers(world, &lane, &known_before, now_ms, bounds) {
            let Ok(decision) = world.decide(&lane, input.clone(), at_ms) else {
                continue;
            };
            let mut watch = known_before.clone();
            if let Err(broken) = watch.check(world, &lane, &input, &decision, at_ms) {
                panic!("{broken}\nafter {}{input:?}", path(&nodes, at));
            }
            let fresh = nodes.len();
            let to = *known
                .entry(identity(&decision.lane, &watch, at_ms))
                .or_insert(fresh);
            edges.push((at, to));
            if to == fresh {
                assert!(fresh < STATES_MAX, "too many states\n{}", path(&nodes, at));
                folds_from_json(&lane, &decision).unwrap();
                nodes.push(Node {
                    lane: decision.lane,
                    watch,
                    now_ms: at_ms,
                    from: Some((at, format!("{input:?}"))),
                });
                open.push_back(fresh);
            }
        }
    }
    everything_ends(&nodes, &edges);
    Walked {
        states: nodes.len(),
        edges: edges.len(),
        ends: nodes.iter().filter(|node| node.lane.has_ended()).count(),
    }
}

/// Backwards from the ends: whoever is not met has no way out.
fn everything_ends(nodes: &[Node], edges: &[(usize, usize)]) {
    let mut back: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (from, to) in edges {
        back[*to].push(*from);
    }
    let mut ends = vec![false; nodes.len()];
    let mut open: Vec<usize> = (0..nodes.len())
        .filter(|at| nodes[*at].lane.has_ended())
        .collect();
    while let Some(at) = open.pop() {
        if !std::mem::replace(&mut ends[at], true) {
            open.extend(&back[at]);
        }
    }
    if let Some(stuck) = ends.iter().position(|ends| !ends) {
        panic!(
            "no way out of {:?}\nafter {}",
            nodes[stuck].lane.phase,
            path(nodes, stuck)
        );
    }
}

fn path(nodes: &[Node], mut at: usize) -> String {
    let mut lines = Vec::new();
    while let Some((from, input)) = &nodes[at].from {
        lines.push(format!("{input}\n"));
        at = *from;
    }
    lines.into_iter().rev().collect()
}

/// The same for states that differ only in when they were reached.
fn identity(lane: &Lane, watch: &Watch, now_ms: i64) -> u64 {
    let mut lane = lane.clone();
    // Whether the copy came behind the question is all that its instant says.
    let copy = lane.restored.map(|copy| {
        let asked = |person: &hostler_core::lane::Person| person.asked_ms >= copy.at_ms;
        let since = matches!(&lane.phase, Phase::Person(person) if asked(person));
        (copy.open, since)
    });
    let near = |instant: &mut i64| *instant = (*instant - now_ms).clamp(-2_000, 100_000);
    lane.version = 0;
    lane.opened_ms = 0;
    lane.ended_ms = None;
    lane.results
        .values_mut()
        .map(Arc::make_mut)
        .for_each(|result| {
            result.ended_ms = 0;
            result.reason = None;
        });
    for verdict in lane.verdict.iter_mut().chain(&mut lane.stop) {
        verdict.note = None;
    }
    let call = |running: &mut Running| {
        near(&mut running.started_ms);
        near(&mut running.deadline_ms);
        // Which call it is follows from the step.
        Arc::make_mut(&mut running.call).route.plugin.clear();
    };
    lane.unsure.iter_mut().for_each(|running| call(running));
    match &mut lane.phase {
        Phase::Gated(gate) => {
            gate.since_ms = 0;
            let closed = gate.closed.iter_mut();
            closed.for_each(|closed| closed.until_ms.iter_mut().for_each(near));
        }
        Phase::Running(running) => call(running),
        Phase::Pending(pending) => {
            near(&mut pending.resume_ms);
            call(&mut pending.running);
        }
        Phase::Backoff { until_ms } | Phase::Waiting { until_ms } => near(until_ms),
        Phase::Checking(checking) => {
            near(&mut checking.ask_ms);
            checking.look_ms.iter_mut().for_each(near);
            call(&mut checking.running);
        }
        Phase::Person(person) => {
            person.signs = Digest([0; 32]);
            person.asked_ms = 0;
            person.reason = None;
            person.expires_ms.iter_mut().for_each(near);
            person.votes.iter_mut().for_each(|vote| vote.at_ms = 0);
            if let Some(climb) = &mut person.rules.ladder {
                near(&mut climb.denies_ms);
                climb
                    .rungs
                    .iter_mut()
                    .for_each(|rung| near(&mut rung.from_ms));
            }
            if let Some(remind) = &mut person.rules.remind {
                remind.at_ms.iter_mut().for_each(near);
            }
            person.call.iter_mut().for_each(|running| call(running));
        }
        Phase::At | Phase::Children | Phase::Ended => {}
    }
    if let Some(children) = &mut lane.children {
        children.began_ms = 0;
        children.soak_until_ms.iter_mut().for_each(near);
        children.next_round_ms.iter_mut().for_each(near);
    }
    let mut hasher = DefaultHasher::new();
    let phase = serde_json::to_vec(&lane.phase).unwrap();
    let rest = (&lane.children, &lane.results, &lane.unsure, &lane.journal);
    let ends = (&lane.verdict, &lane.stop, &lane.undo, &lane.left);
    let place = (
        lane.cursor,
        lane.visit,
        lane.attempt,
        lane.paused,
        lane.recovered,
        lane.granted.map(|granted| granted.times),
    );
    (
        phase,
        serde_json::to_vec(&(rest, ends, place, copy)).unwrap(),
    )
        .hash(&mut hasher);
    watch.hash(&mut hasher);
    hasher.finish()
}
