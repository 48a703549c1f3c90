//! A second reading of every lane's log, beside the workers': what they commit must be its fold.
//!
//! Not here: locks, leases, effects.

use super::{Verdict, must};
use crate::clockwork::Owner;
use crate::link::short;
use crate::sim::Sim;
use hostler_core::apply::{apply, fold};
use hostler_core::event::{Event, Recorded};
use hostler_core::gate::GateKind;
use hostler_core::id::LaneId;
use hostler_core::lane::{Lane, Phase, Section};
use hostler_core::result::StepState;
use hostler_core::view::LaneRow;
use hostler_ports::store::Batch;
use std::collections::{BTreeMap, BTreeSet};

/// Under which fence a lane may be written now.
#[derive(Clone, Debug, Default)]
pub enum Held {
    /// The store has gone back; whatever it accepts first is right.
    #[default]
    Unknown,
    Free,
    By(String),
}

impl Held {
    pub fn hold(&mut self, fence: &str) {
        *self = Self::By(fence.to_owned());
    }

    pub fn free(&mut self) {
        *self = Self::Free;
    }

    pub fn held(&self) -> Option<&str> {
        match self {
            Self::By(fence) => Some(fence),
            Self::Unknown | Self::Free => None,
        }
    }

    pub fn allows(&self, fence: &str) -> bool {
        match self {
            Self::Unknown => true,
            Self::Free => false,
            Self::By(held) => held == fence,
        }
    }
}

#[derive(Default)]
pub struct Shadow {
    pub lane: Option<Lane>,
    log: Vec<Recorded>,
    pub fence: Held,
    ended: BTreeSet<LaneId>,
    /// When people were asked, in true time; a lost question was asked all the same.
    pub asked_ms: Vec<i64>,
    /// When the first call that takes back began, in true time.
    pub undo_began_ms: Option<i64>,
}

fn read(text: &str) -> Result<Recorded, String> {
    Recorded::read(text).map_err(|fault| format!("an event cannot be read: {fault}"))
}

impl Shadow {
    pub fn opened(events: &[String]) -> Result<Self, String> {
        let log: Vec<Recorded> = events
            .iter()
            .map(|text| read(text))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            lane: fold(&log),
            log,
            fence: Held::Free,
            ..Self::default()
        })
    }

    pub fn version(&self) -> u64 {
        self.log.len() as u64
    }

    pub fn has_ended(&self) -> bool {
        self.lane.as_ref().is_some_and(Lane::has_ended)
    }

    pub fn phase(&self) -> String {
        let Some(lane) = &self.lane else {
            return "unreadable".to_owned();
        };
        let what = match &lane.phase {
            Phase::Person(person) => format!("{:?}", person.kind),
            other => format!("{other:?}"),
        };
        let what: String = what.chars().take(120).collect();
        format!("{} at {:?}: {what}", lane.phase.name(), lane.cursor)
    }

    /// Goes back to a version of the log.
    pub fn rewind(&mut self, version: u64) {
        self.fence = Held::Unknown;
        let keep = usize::try_from(version).unwrap_or(usize::MAX);
        if keep >= self.log.len() {
            return;
        }
        self.log.truncate(keep);
        self.lane = fold(&self.log);
        let undoing = self
            .log
            .iter()
            .any(|recorded| recorded.event == Event::UndoBegan);
        self.undo_began_ms = self.undo_began_ms.filter(|_| undoing);
        self.ended = self.log.iter().flat_map(ends).collect();
    }

    /// Reads the events of a commit behind the others, and compares what the worker says of them.
    pub fn extend(
        &mut self,
        sim: &Sim,
        owner: Owner,
        id: LaneId,
        batch: &Batch,
        now_ms: i64,
    ) -> Verdict {
        for text in &batch.events {
            let recorded = read(text)?;
            sim.note(|| format!("w{owner} {} {}", short(id), brief(&recorded.event)));
            self.event(sim, id, recorded, now_ms)?;
        }
        sim.note(|| {
            let (used, then) = (batch.inbox_used, batch.then);
            format!(
                "w{owner} {} v{} after {used} letters: {then:?}",
                short(id),
                self.version()
            )
        });
        let Some(lane) = &self.lane else {
            return Err(format!("{id} has no beginning"));
        };
        if let Some(snapshot) = &batch.snapshot {
            let state = serde_json::from_str::<Lane>(snapshot).ok();
            must(state.as_ref() == Some(lane), || {
                format!("the snapshot of {id} is not the fold of its log")
            })?;
        }
        match batch.summary.as_deref().map(serde_json::from_str) {
            Some(Ok(row)) if !batch.events.is_empty() => told_alike(lane, &row),
            _ => Ok(()),
        }
    }

    fn event(&mut self, sim: &Sim, id: LaneId, recorded: Recorded, now_ms: i64) -> Verdict {
        let Some(lane) = &mut self.lane else {
            return Err(format!("{id} has no beginning"));
        };
        must(!lane.has_ended(), || format!("{id} goes on after its end"))?;
        judged(lane, id, &recorded.event)?;
        for child in ends(&recorded) {
            must(self.ended.insert(child), || {
                format!("the end of {child} was applied twice by {id}")
            })?;
        }
        match &recorded.event {
            Event::PersonAsked { .. } => self.asked_ms.push(now_ms),
            // Not when it is decided: it is held until no earlier call may land any more.
            Event::StepStarted { .. } if lane.cursor.section == Section::Undo => {
                self.undo_began_ms.get_or_insert(now_ms);
            }
            _ => {}
        }
        apply(lane, &recorded);
        counted(sim, lane, &recorded.event);
        self.log.push(recorded);
        Ok(())
    }
}

fn ends(recorded: &Recorded) -> Vec<LaneId> {
    match &recorded.event {
        Event::ChildrenEnded { ends } => ends.iter().map(|end| end.lane).collect(),
        _ => Vec::new(),
    }
}

/// What may stand in a log behind what stands there already.
fn judged(lane: &Lane, id: LaneId, event: &Event) -> Verdict {
    match event {
        Event::UndoneOne { entry } => must(lane.undo.last() == Some(entry), || {
            format!("{id} takes {entry:?} back out of order")
        }),
        Event::UndoBegan => must(lane.unsure.is_none(), || {
            format!("{id} begins to take back from a guess")
        }),
        Event::StepStarted { step, key, .. } => {
            let wanted = id.idempotency_key(step, lane.visit);
            must(*key == wanted, || {
                format!("{step} of {id} is called under another key")
            })
        }
        Event::VoteCast { vote } => {
            let Phase::Person(person) = &lane.phase else {
                return Err(format!("{id}: a vote although nobody was asked"));
            };
            let twice = person.votes.iter().any(|cast| cast.person == vote.person);
            must(!twice && vote.person != STALE, || {
                format!("{id}: the vote of {} does not count", vote.person)
            })
        }
        Event::PersonSettled { by, .. } => must(by.as_deref() != Some(STALE), || {
            format!("{id}: a decision from an old page counted")
        }),
        _ => Ok(()),
    }
}

/// Who always decides on what an old page showed.
pub const STALE: &str = "stale";

/// What the worker shows of its state is what the log says.
fn told_alike(lane: &Lane, row: &LaneRow) -> Verdict {
    let steps: BTreeMap<String, String> = lane
        .results
        .iter()
        .map(|(id, result)| (id.to_string(), result.state.name().to_owned()))
        .collect();
    let section = match lane.cursor.section {
        Section::Main => "main",
        Section::Undo => "undo",
        Section::Always => "always",
    };
    let alike = row.phase == lane.phase.name()
        && row.section == section
        && row.attempt == lane.attempt
        && row.paused == lane.paused
        && row.steps == steps;
    must(alike, || {
        format!(
            "the worker's state of {} is not the fold of its log: {row:?}",
            lane.id()
        )
    })
}

/// Name of an event and what people look for in it.
fn brief(event: &Event) -> String {
    let text = format!("{event:?}");
    text.chars().take(150).collect()
}

/// Which kinds of steps and events occurred.
fn counted(sim: &Sim, lane: &Lane, event: &Event) {
    let name = match event {
        Event::StepStarted { call, .. } => {
            let section = match lane.cursor.section {
                Section::Main => "do",
                Section::Undo => "undo",
                Section::Always => "always",
            };
            format!("{section} {:?}", call.effect)
        }
        Event::PersonAsked { person } => format!("asked {:?}", person.kind),
        Event::SpawnPlanned { kind, .. } => format!("spawn {kind:?}"),
        Event::StepUnsettled { why, .. } => format!("unsettled {why:?}"),
        Event::StepHeld { closed } if closed.gate == GateKind::Lease => match closed.never {
            true => "ended by a lease".to_owned(),
            false => "held by a lease".to_owned(),
        },
        Event::LaneEnded { result, .. } => format!("ended {result}"),
        Event::StepSucceeded { .. } | Event::LaneOpened { .. } => return,
        other => head(other),
    };
    sim.count(&name);
    let undone = lane
        .results
        .values()
        .any(|result| result.state == StepState::Failed);
    if undone && matches!(event, Event::LaneEnded { .. }) {
        sim.count("ended with a failed step");
    }
}

/// The name of an event's shape. The rest of it is never written.
fn head(event: &Event) -> String {
    struct Head(String);
    impl std::fmt::Write for Head {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            let end = text.find([' ', '{']);
            self.0.push_str(&text[..end.unwrap_or(text.len())]);
            end.map_or(Ok(()), |_| Err(std::fmt::Error))
        }
    }
    let mut head = Head(String::new());
    // It stops at the end of the name.
    let _ = std::fmt::Write::write_fmt(&mut head, format_args!("{event:?}"));
    head.0
}
