//! What a live lease keeps off its asset: actions that nobody begins there until it ends.
//!
//! The lane that ends a lease owns its entry: it is written in the commit that opens that lane, and taken out in the
//! one that ends it. One document an asset. Not here: whom it holds (the worker's gate), and when a lease ends.

use crate::definition::{Definition, Do, ProgramIndex, Spawn, Step, StepLease, Verb};
use crate::expression::{Dynamic, Expression};
use crate::id::{LaneId, RunId};
use crate::lane::{Lane, Origin};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Most leases that keep something off one asset at the same time; another one is not opened then.
pub const LEASES_MAX: usize = 50;
/// Most actions that one lease keeps off.
pub const BLOCKS_MAX: usize = 20;

/// The document with the leases that keep something off an asset. Lanes that one holds watch it.
#[must_use]
pub fn leases_document(asset: &str) -> String {
    format!("leases:{asset}")
}

/// A lease in the document of its asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveLease {
    /// The lane that ends it.
    pub lane: LaneId,
    pub run: RunId,
    pub runbook: String,
    /// The step that opened it.
    pub step: String,
    /// Each as `contract.action`.
    pub blocks: Vec<String>,
    pub since_ms: i64,
    /// When its end begins, unless it is released before.
    pub ends_ms: i64,
}

impl LiveLease {
    #[must_use]
    pub fn holds(&self, action: &str) -> bool {
        self.blocks.iter().any(|blocked| blocked == action)
    }
}

/// What a document of [`leases_document`] holds; without any lease the document is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leases {
    pub leases: Vec<LiveLease>,
}

impl Leases {
    /// What a lane says of its lease takes the place of what it said; none: it is over.
    pub fn put(&mut self, lane: LaneId, live: Option<LiveLease>) {
        self.leases.retain(|lease| lease.lane != lane);
        self.leases.extend(live);
        self.leases.sort_by_key(|lease| (lease.ends_ms, lease.lane));
    }

    /// A lane says another end of its lease; nothing changes where it has said none.
    pub fn move_end(&mut self, lane: LaneId, ends_ms: i64) {
        let moved = self.leases.iter_mut().find(|lease| lease.lane == lane);
        if let Some(lease) = moved {
            lease.ends_ms = ends_ms;
        }
        self.leases.sort_by_key(|lease| (lease.ends_ms, lease.lane));
    }

    /// Of those that keep this action off, the one that lives longest: before its end nothing is gained by looking.
    #[must_use]
    pub fn holding(&self, action: &str) -> Option<&LiveLease> {
        self.leases.iter().rev().find(|lease| lease.holds(action))
    }

    /// No other lease is opened before one of them has ended.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.leases.len() >= LEASES_MAX
    }
}

/// The step whose lease this lane ends, and the lease; none: it ends none.
#[must_use]
pub fn ended_by<'a>(lane: &Lane, definition: &'a Definition) -> Option<(&'a Step, &'a StepLease)> {
    let Origin::Lease { program, step } = &lane.opening.origin else {
        return None;
    };
    let step = definition.find(*program, step)?;
    Some((step, step.lease.as_ref()?))
}

/// When the end of this lane's lease begins, unless it is released before.
#[must_use]
pub fn ends_ms(lane: &Lane, lease: &StepLease) -> i64 {
    let lives_ms = lease.for_ms.saturating_add(lane.extended_ms);
    lane.opened_ms.saturating_add_unsigned(lives_ms)
}

/// A change that a lane comes to on the asset of its present step.
pub struct Ahead<'a> {
    pub action: &'a Do,
    /// Whether it comes, as far as the lane itself can say; none: it does, or lanes within say.
    pub condition: Option<&'a Expression>,
}

/// The changes behind a step of a program that are meant for its asset, with those of the rounds and items within,
/// but for items that are assets themselves.
#[must_use]
pub fn ahead(definition: &Definition, program: ProgramIndex, place: u16) -> Vec<Ahead<'_>> {
    let steps = definition
        .program(program)
        .map(|program| &program.steps[..]);
    let Some((present, behind)) =
        steps.and_then(|steps| steps.get(usize::from(place)..)?.split_first())
    else {
        return Vec::new();
    };
    let own = match &present.verb {
        Verb::Do(action) => named(action),
        _ => None,
    };
    let (mut found, mut bodies) = (Vec::new(), Vec::new());
    for step in behind {
        if let Some(action) = change(step).filter(|action| named(action) == own) {
            let condition = step.condition.as_ref();
            found.push(Ahead { action, condition });
        }
        bodies.extend(on_same_asset(step));
    }
    let mut seen = BTreeSet::new();
    // Each program once.
    while let Some(index) = bodies.pop() {
        let Some(body) = definition.program(index).filter(|_| seen.insert(index)) else {
            continue;
        };
        for step in &body.steps {
            let action = change(step).filter(|action| named(action) == own);
            let condition = None;
            found.extend(action.map(|action| Ahead { action, condition }));
            bodies.extend(on_same_asset(step));
        }
    }
    found
}

/// Only changes take an asset's lock, and only they are kept off.
fn change(step: &Step) -> Option<&Do> {
    match &step.verb {
        Verb::Do(action) if action.needs_asset && action.effect.mutates() => Some(action),
        _ => None,
    }
}

/// What the step says of its asset; none: it is the lane's.
fn named(action: &Do) -> Option<&Dynamic> {
    match &action.with {
        Dynamic::Map(with) => with.get("asset"),
        _ => None,
    }
}

/// The program of the step's rounds or items, where these are no assets.
fn on_same_asset(step: &Step) -> Option<ProgramIndex> {
    match &step.verb {
        Verb::Spawn(Spawn::Each(each)) if each.binds == "asset" => None,
        _ => step.body(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn lease(number: u128, action: &str) -> LiveLease {
        LiveLease {
            lane: LaneId(Uuid::from_u128(number)),
            run: RunId(Uuid::from_u128(1)),
            runbook: "monthly-patch".to_owned(),
            step: "snapshot".to_owned(),
            blocks: vec![action.to_owned()],
            since_ms: 0,
            ends_ms: i64::try_from(number).unwrap() * 10,
        }
    }

    #[test]
    fn a_lease_keeps_off_what_it_lists_until_its_own_lane_takes_it_out() {
        let mut leases = Leases::default();
        let (grow, swap) = ("compute.disk-grow", "compute.swap");
        for live in [lease(2, grow), lease(1, grow), lease(3, swap)] {
            leases.put(live.lane, Some(live));
        }
        let holding = |leases: &Leases, action| leases.holding(action).map(|it| it.ends_ms);
        assert_eq!(
            holding(&leases, grow),
            Some(20),
            "the one that lives longest"
        );
        assert_eq!(holding(&leases, "compute.power"), None);
        leases.put(lease(2, grow).lane, None);
        assert_eq!(holding(&leases, grow), Some(10));
        // What a lane says again it says once.
        leases.put(lease(1, grow).lane, Some(lease(1, swap)));
        assert_eq!((leases.leases.len(), holding(&leases, grow)), (2, None));
        assert!(!leases.is_full());
    }
}
