//! Steps whose work is done by child lanes: `each` in waves, rounds, calls, undo lanes.

use super::Draft;
use super::admit::Place;
use crate::command::SpawnEntry;
use crate::event::{Admitted, ChildEnd, Event, Stage};
use crate::id::LaneId;
use crate::lane::{Children, ChildrenKind, CustomerShare, Phase};
use crate::refusal::Refusal;
use crate::result::LaneResult;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Draft<'_> {
    pub(super) fn spawn(&mut self, entry: SpawnEntry) -> Result<(), Refusal> {
        let mut slots = BTreeMap::new();
        let planned = match entry {
            SpawnEntry::Each {
                items,
                total,
                waves,
                customers,
                slots: known,
            } => {
                slots = known;
                Event::SpawnPlanned {
                    kind: ChildrenKind::Each,
                    items: Some(items),
                    total,
                    waves,
                    customers,
                }
            }
            SpawnEntry::Rounds => planned(ChildrenKind::Rounds),
            SpawnEntry::Call { plan } => {
                // What another runbook does is not told step by step.
                self.tell_parent(None);
                Event::SpawnPlanned {
                    kind: ChildrenKind::Call,
                    items: Some(plan),
                    total: 1,
                    waves: Vec::new(),
                    customers: Vec::new(),
                }
            }
        };
        self.push(planned);
        self.announce_first(&slots);
        self.flow()
    }

    pub(super) fn undo_child(&mut self, of: LaneId) -> Result<(), Refusal> {
        self.push(planned(ChildrenKind::Undo));
        self.admit_one("undo", &of.to_string());
        Ok(())
    }

    pub(super) fn children(&self) -> Result<&Children, Refusal> {
        self.lane.children.as_deref().ok_or(Refusal::Lost)
    }

    pub(super) fn children_ended(&mut self, ends: Vec<ChildEnd>) -> Result<(), Refusal> {
        let first = ends.first().map(|end| end.key.clone()).unwrap_or_default();
        let children = self
            .lane
            .children
            .as_deref()
            .ok_or(Refusal::StaleChild { key: first.clone() })?;
        let known = |end: &ChildEnd| {
            children
                .live
                .get(&end.key)
                .is_some_and(|live| live.lane == end.lane && live.iteration == end.iteration)
        };
        let mut seen = BTreeSet::new();
        let ends: Vec<_> = ends
            .into_iter()
            .filter(|end| known(end) && seen.insert(end.key.clone()))
            .collect();
        if ends.is_empty() {
            return Err(Refusal::StaleChild { key: first });
        }
        let failed = ends.iter().any(|end| end.result.is_failure());
        self.push(Event::ChildrenEnded { ends });
        self.announce(Stage::Completed, &|share| is_over(share) && share.done > 0);
        self.announce(Stage::Cancelled, &|share| is_over(share) && share.done == 0);
        if failed {
            self.stop_if_enough()?;
        }
        self.flow()
    }

    /// Admits what there is room for, ends what is through. Also called again and again.
    pub(super) fn flow(&mut self) -> Result<(), Refusal> {
        if !matches!(self.lane.phase, Phase::Children) {
            return Ok(());
        }
        if self.lane.is_stopping() {
            return self.flow_stopping();
        }
        if self.lane.paused {
            return Ok(());
        }
        match self.children()?.kind {
            ChildrenKind::Each => self.flow_each(),
            ChildrenKind::Rounds => self.flow_rounds(),
            ChildrenKind::Call => self.flow_call(),
            ChildrenKind::Undo => self.flow_undo(),
        }
    }

    fn flow_stopping(&mut self) -> Result<(), Refusal> {
        if !self.children()?.live.is_empty() {
            return Ok(());
        }
        let output = self.each_output();
        self.fail("the run was stopped".to_owned(), output)
    }

    /// More children than one commit may spawn wait for the next one.
    pub(super) fn children_due(&mut self) -> Result<(), Refusal> {
        let before = self.events.len();
        self.flow()?;
        if self.events.len() == before {
            self.unexpected("a timer")
        } else {
            Ok(())
        }
    }

    pub(super) fn each_output(&self) -> Value {
        let Some(children) = self.lane.children.as_deref() else {
            return Value::Null;
        };
        let counts: serde_json::Map<_, _> = children
            .tally
            .0
            .iter()
            .map(|(result, count)| (result.name().to_owned(), (*count).into()))
            .collect();
        json!({
            "total": children.total,
            "ended": children.tally.total(),
            "results": counts,
            "stopped": children.stopped,
            "rounds": children.round,
        })
    }

    pub(super) fn admit_one(&mut self, what: &str, key: &str) {
        let step = self
            .step()
            .map_or_else(|| Arc::from(what), |step| Arc::clone(&step.id));
        let place = Place {
            lane: self.lane.id(),
            step: &step,
            visit: self.lane.visit,
        };
        let iteration = place.iteration(0);
        let lane = self
            .lane
            .id()
            .child(&format!("{step}:{what}"), iteration, key);
        let child = Admitted {
            index: 0,
            key: key.to_owned(),
            lane,
            iteration,
            groups: Vec::new(),
        };
        self.push(Event::ChildrenAdmitted {
            children: vec![child],
            passed: Vec::new(),
            next: 0,
        });
    }

    fn flow_call(&mut self) -> Result<(), Refusal> {
        let children = self.children()?;
        match (children.live.is_empty(), children.last) {
            (false, _) => Ok(()),
            (true, None) => {
                self.admit_one("call", "call");
                Ok(())
            }
            (true, Some(result)) => self.rounds_over(result),
        }
    }

    fn flow_undo(&mut self) -> Result<(), Refusal> {
        let Some(result) = self.children()?.last else {
            return Ok(());
        };
        let Some(entry) = self.lane.undo.last().copied() else {
            return Err(Refusal::Lost);
        };
        if result.is_done() || result == LaneResult::Nothing {
            self.push(Event::UndoneOne { entry });
            self.onward();
        } else {
            let why = format!("the lane that should take it back ended {result}");
            self.ask_about_undo(entry, why);
        }
        Ok(())
    }
}

/// The customer's share has ended and it has not heard so.
fn is_over(share: &CustomerShare) -> bool {
    share.left == 0 && !share.told_end
}

fn planned(kind: ChildrenKind) -> Event {
    Event::SpawnPlanned {
        kind,
        items: None,
        total: 1,
        waves: Vec::new(),
        customers: Vec::new(),
    }
}
