//! What the logs of a rehearsed run say: which step made a call, who was asked, how lanes ended, and what of
//! all that was done still stands.
//!
//! Not here: judging it (`proof`).

use crate::host::Seen;
use crate::people::People;
use crate::play::Outcome;
use crate::world::{Trouble, World};
use hostler_core::contract::{Contract, Impact};
use hostler_core::definition::Definition;
use hostler_core::event::{Event, Recorded};
use hostler_core::id::{Digest, LaneId, RunId};
use hostler_core::lane::{Person, PersonKind};
use hostler_ports::store::{Cursor, Header, Store};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Loads of one log, and pages of one list of lanes.
const PAGES_MAX: usize = 1_000;
/// Before the name of a step that takes another one back; the name ends with `_undo` and perhaps a number.
const UNDO: &str = "undo:";

/// Copies and notes: nobody is the worse for them when they stay.
const HARMLESS: [&str; 3] = ["backup.run", "config-backup.take", "estate.note"];

/// A step of a runbook, as people find it in the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StepName {
    pub runbook: String,
    /// With `undo:` before it where it takes a step back.
    pub step: String,
}

/// Somebody was asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    pub kind: String,
    pub title: String,
    /// The first of those who may answer.
    pub who: String,
}

#[derive(Debug, Default)]
pub struct Trace {
    /// The step of each call, by the key of the call.
    pub steps: BTreeMap<Uuid, StepName>,
    /// The run of each lane.
    pub runs: BTreeMap<LaneId, RunId>,
    pub asked: BTreeSet<Asked>,
    pub ends: BTreeMap<LaneId, String>,
    /// The lane of each call.
    lanes: BTreeMap<Uuid, LaneId>,
    /// Steps whose effect ends by itself.
    leased: BTreeSet<(LaneId, String)>,
    definitions: BTreeMap<Digest, String>,
}

impl Outcome {
    /// What the logs say of its calls, and what customers said.
    pub(crate) async fn trace(&mut self, world: &World, people: &People) -> Result<(), Trouble> {
        let trace = Trace::of(world).await?;
        (self.steps, self.runs) = (trace.steps, trace.runs);
        self.said = people.said().to_vec();
        Ok(())
    }
}

impl Trace {
    pub async fn of(world: &World) -> Result<Self, Trouble> {
        let mut trace = Self::default();
        let mut cursor = Cursor::default();
        for _ in 0..PAGES_MAX {
            let page = world.store.lanes(cursor).await?;
            for header in page.entries {
                trace.read(world, &header).await?;
            }
            match page.next {
                Some(next) => cursor = next,
                None => break,
            }
        }
        Ok(trace)
    }

    /// The lane that made this call has not ended.
    pub fn is_at_work(&self, key: Uuid) -> bool {
        let lane = self.lanes.get(&key);
        lane.is_some_and(|lane| !self.ends.contains_key(lane))
    }

    async fn read(&mut self, world: &World, header: &Header) -> Result<(), Trouble> {
        let mut runbook = String::new();
        let mut read = 0;
        for _ in 0..PAGES_MAX {
            let lines = world.store.log(header.lane, read).await?;
            if lines.is_empty() {
                break;
            }
            read += lines.len() as u64;
            for line in lines {
                // Messages are lanes with events of their own.
                let Ok(recorded) = Recorded::read(&line) else {
                    return Ok(());
                };
                if let Event::LaneOpened { opening } = &recorded.event {
                    self.runs.insert(header.lane, opening.run);
                    runbook = self.runbook(world, opening.definition).await?;
                }
                self.note(header.lane, &runbook, recorded.event);
            }
        }
        Ok(())
    }

    async fn runbook(&mut self, world: &World, digest: Digest) -> Result<String, Trouble> {
        if let Some(known) = self.definitions.get(&digest) {
            return Ok(known.clone());
        }
        let bytes = world.store.blob(digest).await?.unwrap_or_default();
        let definition: Definition = serde_json::from_slice(&bytes)?;
        self.definitions.insert(digest, definition.runbook.clone());
        Ok(definition.runbook)
    }

    fn note(&mut self, lane: LaneId, runbook: &str, event: Event) {
        match event {
            Event::StepStarted { step, key, .. } => {
                let name = StepName {
                    runbook: runbook.to_owned(),
                    step: step.to_string(),
                };
                self.steps.insert(key, name);
                self.lanes.insert(key, lane);
            }
            Event::LeaseOpened { step } => {
                self.leased.insert((lane, step.to_string()));
            }
            Event::PersonAsked { person } => {
                self.asked.insert(asked(*person));
            }
            Event::LaneEnded { result, .. } => {
                self.ends.insert(lane, result.name().to_owned());
            }
            _ => {}
        }
    }

    /// Effects that nothing has taken back and that do not end by themselves: `step action`, in their order.
    pub fn stands(&self, seen: &[Seen], contracts: &[Contract]) -> Vec<String> {
        let mut done: Vec<Effect> = Vec::new();
        let mut keys = BTreeSet::new();
        let calls = seen
            .iter()
            .filter(|seen| seen.done && keys.insert(seen.key));
        for seen in calls {
            let Some(name) = self.steps.get(&seen.key) else {
                continue;
            };
            let effect = Effect {
                step: name.step.clone(),
                asset: seen.asset.clone(),
                action: seen.action.clone(),
                over: seen.ends
                    || HARMLESS.contains(&seen.action.as_str())
                    || self.leased.contains(&(seen.lane, name.step.clone())),
            };
            effect.join(&mut done, contracts);
        }
        let left = done.into_iter().filter(|effect| !effect.over);
        left.map(|effect| format!("{} {}", effect.step, effect.action))
            .collect()
    }
}

/// One thing that happened at a target.
struct Effect {
    step: String,
    asset: Option<String>,
    action: String,
    over: bool,
}

impl Effect {
    /// Takes back what it takes back; else it is one more.
    fn join(self, done: &mut Vec<Self>, contracts: &[Contract]) {
        let Some(action) = action(contracts, &self.action) else {
            return;
        };
        if action.impact == Impact::None {
            return;
        }
        let by_step = |other: &Self| self.is_undo_of(other);
        // What a way back sets (power, a hook) is set, whichever step had set it.
        let by_action = |other: &Self| self.is_undo() && other.action == self.action;
        let by_inverse = |other: &Self| {
            let other = self::action(contracts, &other.action);
            other.and_then(|other| other.inverse.as_deref()) == Some(self.action.as_str())
        };
        let ways: [&dyn Fn(&Self) -> bool; 3] = [&by_step, &by_action, &by_inverse];
        let mut known = false;
        for way in ways {
            let same = done
                .iter_mut()
                .filter(|other| other.asset == self.asset && way(other));
            let mut same: Vec<_> = same.collect();
            known |= !same.is_empty();
            if let Some(other) = same.iter_mut().rev().find(|other| !other.over) {
                other.over = true;
            }
        }
        if !known && !self.is_undo() {
            done.push(self);
        }
    }

    fn is_undo(&self) -> bool {
        self.step.starts_with(UNDO)
    }

    fn is_undo_of(&self, other: &Self) -> bool {
        let way = self.step.strip_prefix(UNDO);
        way.is_some_and(|way| way.starts_with(&format!("{}_undo", other.step)))
    }
}

fn action<'a>(contracts: &'a [Contract], name: &str) -> Option<&'a hostler_core::contract::Action> {
    let mut actions = contracts.iter().flat_map(|contract| &contract.actions);
    actions.find(|action| action.name == name)
}

fn asked(person: Person) -> Asked {
    let kind = match person.kind {
        PersonKind::Approve => "approval",
        PersonKind::WaveGate => "gate of a wave",
        PersonKind::Ask => "question",
        PersonKind::NeedsHuman => "question of the plugin",
        PersonKind::InDoubt => "in doubt",
        PersonKind::Failure => "failed",
        PersonKind::UndoFailed => "not taken back",
        PersonKind::Exhausted => "rounds used up",
        PersonKind::Quarantine => "quarantine",
        PersonKind::Overflow => "windows used up",
    };
    let first = person
        .clauses
        .first()
        .and_then(|clause| clause.any_of.first());
    Asked {
        kind: kind.to_owned(),
        title: person.title,
        who: first.map_or_else(String::new, |who| {
            who.strip_prefix("role:").unwrap_or(who).to_owned()
        }),
    }
}
