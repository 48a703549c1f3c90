//! Steps whose work is done by child lanes: `each` in waves, rounds, calls, undo lanes.

use super::admit::{Place, admit, stop_reason};
use super::{ADMIT_MAX, Draft};
use crate::command::{AskEntry, RetryItem, SpawnEntry};
use crate::definition::{Each, OnExhausted, OnFailure, Repeat, Spawn, Verb};
use crate::event::{Admitted, ChildEnd, Event, Stage};
use crate::id::LaneId;
use crate::lane::{Children, ChildrenKind, PersonKind, Phase, group_of};
use crate::refusal::Refusal;
use crate::result::LaneResult;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Draft<'_> {
    pub(super) fn spawn(&mut self, entry: SpawnEntry) -> Result<(), Refusal> {
        let planned = match entry {
            SpawnEntry::Each {
                items,
                total,
                waves,
                customers,
            } => Event::SpawnPlanned {
                kind: ChildrenKind::Each,
                items: Some(items),
                total,
                waves,
                customers,
            },
            SpawnEntry::Rounds => planned(ChildrenKind::Rounds),
            SpawnEntry::Call => planned(ChildrenKind::Call),
        };
        self.push(planned);
        self.announce(Stage::Scheduled, &|share| share.left > 0);
        self.flow()
    }

    pub(super) fn undo_child(&mut self, of: LaneId) -> Result<(), Refusal> {
        self.push(planned(ChildrenKind::Undo));
        self.admit_one("undo", &of.to_string());
        Ok(())
    }

    fn children(&self) -> Result<&Children, Refusal> {
        self.lane.children.as_deref().ok_or(Refusal::Lost)
    }

    fn each(&self) -> Option<&Each> {
        match &self.step()?.verb {
            Verb::Spawn(Spawn::Each(each)) => Some(each),
            _ => None,
        }
    }

    fn repeat(&self) -> Option<&Repeat> {
        match &self.step()?.verb {
            Verb::Spawn(Spawn::Repeat(repeat)) => Some(repeat),
            _ => None,
        }
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
        self.announce(Stage::Completed, &|share| {
            share.left == 0 && share.started && !share.told_end
        });
        if failed {
            self.stop_if_enough()?;
        }
        self.flow()
    }

    fn stop_if_enough(&mut self) -> Result<(), Refusal> {
        let children = self.children()?;
        if children.stopped.is_some() {
            return Ok(());
        }
        let why = self
            .each()
            .and_then(|each| match (&each.stop_at, each.on_failure) {
                (Some(stop_at), _) => stop_reason(stop_at, children),
                (None, OnFailure::Continue) => None,
                (None, _) => Some("a child failed".to_owned()),
            });
        if let Some(why) = why {
            self.push(Event::AdmissionStopped { why });
        }
        Ok(())
    }

    /// Tells customers, where the step sends notices.
    pub(super) fn announce(
        &mut self,
        stage: Stage,
        whom: &dyn Fn(&crate::lane::CustomerShare) -> bool,
    ) {
        let Some(notices) = self.step().and_then(|step| step.notices.as_ref()) else {
            return;
        };
        let template = notices.template.clone();
        let Some(children) = self.lane.children.as_deref() else {
            return;
        };
        let due: Vec<_> = children
            .customers
            .iter()
            .filter(|(_, share)| whom(share))
            .map(|(id, _)| id.clone())
            .collect();
        for customer in due {
            self.push(Event::NoticeDue {
                stage,
                customer,
                template: template.clone(),
            });
        }
    }

    /// Admits what there is room for, ends what is through. Also called again and again.
    pub(super) fn flow(&mut self) -> Result<(), Refusal> {
        if !matches!(self.lane.phase, Phase::Children) {
            return Ok(());
        }
        if self.lane.stop.is_some() {
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
        if self.children()?.kind == ChildrenKind::Undo {
            return self.flow_undo();
        }
        let output = self.each_output();
        self.fail("the run was stopped".to_owned(), output)
    }

    fn flow_each(&mut self) -> Result<(), Refusal> {
        // A wave without items passes at once, so this is bounded by the number of waves.
        loop {
            let children = self.children()?;
            if children.stopped.is_none() && children.soak_until_ms.is_none() && !children.gate_due
            {
                self.admit_more()?;
            }
            let children = self.children()?;
            if !children.live.is_empty() {
                return Ok(());
            }
            let stopped = children.stopped.is_some();
            if !stopped && !children.wave_is_through() {
                return Ok(());
            }
            if let Some(until_ms) = children.soak_until_ms {
                if until_ms > self.at_ms && !stopped {
                    return Ok(());
                }
                self.push(Event::SoakEnded);
            } else if !children.gate_due {
                self.wave_through()?;
                continue;
            }
            if self.each().is_some_and(|each| each.gate.is_some()) {
                return Ok(());
            }
            if stopped {
                return self.each_over();
            }
            self.push(Event::GatePassed);
            if usize::from(self.children()?.wave) >= self.children()?.waves.len() {
                return self.each_over();
            }
        }
    }

    fn wave_through(&mut self) -> Result<(), Refusal> {
        let children = self.children()?;
        let soak_ms = children.present_wave().map_or(0, |wave| wave.soak_ms);
        let soaks = soak_ms > 0
            && children.stopped.is_none()
            && children.wave_tally.count(LaneResult::is_done) > 0;
        let soak_until_ms = soaks.then(|| self.at_ms.saturating_add_unsigned(soak_ms));
        self.push(Event::WaveThrough { soak_until_ms });
        Ok(())
    }

    fn admit_more(&mut self) -> Result<(), Refusal> {
        let (step, _) = self.present_step()?;
        let Verb::Spawn(Spawn::Each(each)) = &step.verb else {
            return Err(Refusal::Lost);
        };
        let children = self.children()?;
        let place = Place {
            lane: self.lane.id(),
            step: &step.id,
            visit: self.lane.visit,
        };
        let admission = admit(each, children, self.context.items, place);
        if admission.admitted.is_empty() && admission.next == children.next {
            return Ok(());
        }
        let began: BTreeSet<String> = admission
            .admitted
            .iter()
            .filter_map(|child| group_of(&child.groups, "customer").map(str::to_owned))
            .collect();
        let (passed, next) = (admission.passed, admission.next);
        self.push(Event::ChildrenAdmitted {
            children: admission.admitted,
            passed,
            next,
        });
        let Some(notices) = &step.notices else {
            return Ok(());
        };
        for customer in began {
            let told = self
                .children()?
                .customers
                .get(&customer)
                .is_none_or(|share| share.started);
            if !told {
                let template = notices.template.clone();
                self.push(Event::NoticeDue {
                    stage: Stage::Started,
                    customer,
                    template,
                });
            }
        }
        Ok(())
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

    fn each_output(&self) -> Value {
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

    fn each_over(&mut self) -> Result<(), Refusal> {
        let output = self.each_output();
        let children = self.children()?;
        let failed = children.tally.failures();
        let stopped = children.stopped.clone();
        let on_failure = self.each().map(|each| each.on_failure).unwrap_or_default();
        match (stopped, failed) {
            (Some(why), _) if on_failure == OnFailure::Ask => {
                let title = "Some of the items failed".to_owned();
                let ask = self.own_question(PersonKind::Failure, title, Value::Null);
                self.ask(ask, None, Some(why));
                Ok(())
            }
            (Some(why), _) => self.fail(why, output),
            (None, 0) => self.succeed(output, Vec::new()),
            (None, _) => {
                self.push(Event::FailuresTolerated);
                self.succeed(output, Vec::new())
            }
        }
    }

    pub(super) fn enter_gate(&mut self, ask: Option<Box<AskEntry>>) -> Result<(), Refusal> {
        let due = matches!(self.lane.phase, Phase::Children) && self.children()?.gate_due;
        if !due || self.children()?.soak_until_ms.is_some() {
            return self.unexpected("a gate");
        }
        match ask {
            Some(ask) => {
                self.ask(*ask, None, self.children()?.stopped.clone());
                Ok(())
            }
            None if self.children()?.stopped.is_some() => self.each_over(),
            None => self.gate_open(),
        }
    }

    fn gate_open(&mut self) -> Result<(), Refusal> {
        self.push(Event::GatePassed);
        let children = self.children()?;
        if usize::from(children.wave) >= children.waves.len() {
            self.each_over()
        } else {
            self.flow()
        }
    }

    pub(super) fn retry_items(&mut self, by: String, items: Vec<RetryItem>) -> Result<(), Refusal> {
        let Some(children) = self.lane.children.as_deref() else {
            return Err(Refusal::NothingToRetry);
        };
        let at_gate = matches!(&self.lane.phase, Phase::Person(person) if person.kind == PersonKind::WaveGate);
        if children.kind != ChildrenKind::Each
            || !(at_gate || matches!(self.lane.phase, Phase::Children))
        {
            return Err(Refusal::NothingToRetry);
        }
        let fits = |item: &RetryItem| {
            let known = self
                .context
                .items
                .get(item.index as usize)
                .is_some_and(|known| known.key == item.key);
            known
                && !children.live.contains_key(&item.key)
                && !children.passed.contains(&item.index)
        };
        let items: Vec<_> = items
            .into_iter()
            .filter(|item| fits(item))
            .take(ADMIT_MAX)
            .collect();
        if items.is_empty() {
            return Err(Refusal::NothingToRetry);
        }
        if at_gate {
            let (choice, answer, comment) = ("retry".to_owned(), Value::Null, None);
            self.push(Event::PersonSettled {
                choice,
                by: Some(by.clone()),
                answer,
                comment,
            });
        }
        self.push(Event::ItemsReopened { items, by });
        self.flow()
    }

    fn admit_one(&mut self, what: &str, key: &str) {
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

    fn flow_rounds(&mut self) -> Result<(), Refusal> {
        let children = self.children()?;
        if !children.live.is_empty() {
            return Ok(());
        }
        let until = self.repeat().ok_or(Refusal::Lost)?.until.is_some();
        match (children.last, children.next_round_ms) {
            (None, None) => self.next_round(),
            (_, Some(at_ms)) if at_ms <= self.at_ms => self.next_round(),
            (_, Some(_)) => Ok(()),
            (Some(LaneResult::Again), None) => self.schedule_round(),
            // The worker evaluates `until` in the round's scope and says what it found.
            (Some(result), None) if until && !result.is_failure() => Ok(()),
            (Some(result), None) => self.rounds_over(result),
        }
    }

    fn next_round(&mut self) -> Result<(), Refusal> {
        let number = self.children()?.round + 1;
        self.admit_one("round", &number.to_string());
        Ok(())
    }

    pub(super) fn round_judged(&mut self, until: bool) -> Result<(), Refusal> {
        let children = self.children()?;
        let waiting = matches!(self.lane.phase, Phase::Children)
            && children.kind == ChildrenKind::Rounds
            && children.live.is_empty()
            && children.next_round_ms.is_none();
        match (waiting, children.last) {
            (true, Some(result)) if until => self.rounds_over(result),
            (true, Some(_)) => self.schedule_round(),
            _ => self.unexpected("a judged round"),
        }
    }

    fn schedule_round(&mut self) -> Result<(), Refusal> {
        let repeat = self.repeat().ok_or(Refusal::Lost)?;
        let (at_most, for_ms, every_ms) = (repeat.at_most, repeat.for_ms, repeat.every_ms);
        let on_exhausted = repeat.on_exhausted;
        let children = self.children()?;
        let next_ms = self.at_ms.saturating_add_unsigned(every_ms);
        let over = for_ms.is_some_and(|ms| next_ms > children.began_ms.saturating_add_unsigned(ms));
        if !over && at_most.is_none_or(|most| children.round < most) {
            self.push(Event::RoundDue { at_ms: next_ms });
            return self.flow();
        }
        let reason = format!("still not done after {} rounds", children.round);
        match on_exhausted {
            OnExhausted::Stop => self.fail(reason, self.each_output()),
            OnExhausted::Ask => {
                let ask = self.own_question(PersonKind::Exhausted, reason.clone(), Value::Null);
                self.ask(ask, None, Some(reason));
                Ok(())
            }
        }
    }

    fn rounds_over(&mut self, result: LaneResult) -> Result<(), Refusal> {
        let output = self.each_output();
        if result.is_failure() || result.is_held() || result == LaneResult::Cancelled {
            return self.fail_as(
                format!("the last round ended {result}"),
                output,
                Some(result),
            );
        }
        self.succeed(output, Vec::new())
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
            self.ask_about_undo(entry);
        }
        Ok(())
    }
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
