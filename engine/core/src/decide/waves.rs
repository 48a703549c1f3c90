//! `each`: items in waves, when to stop, soak and gate between waves, failed items run again.
//!
//! Not here: who comes next and how many (see `admit`).

use super::admit::{ITERATIONS_PER_VISIT, Place, admit, stop_reason};
use super::{ADMIT_MAX, Draft};
use crate::command::{AskEntry, RetryItem};
use crate::definition::{Each, OnFailure, Spawn, Verb};
use crate::event::Event;
use crate::lane::{Children, ChildrenKind, Item, PersonKind, Phase};
use crate::refusal::Refusal;
use crate::result::LaneResult;
use serde_json::Value;
use std::collections::BTreeSet;

impl Draft<'_> {
    pub(super) fn each(&self) -> Option<&Each> {
        match &self.step()?.verb {
            Verb::Spawn(Spawn::Each(each)) => Some(each),
            _ => None,
        }
    }

    pub(super) fn stop_if_enough(&mut self) -> Result<(), Refusal> {
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

    pub(super) fn flow_each(&mut self) -> Result<(), Refusal> {
        // A wave without items passes at once, so this is bounded by the number of waves.
        loop {
            let children = self.children()?;
            if children.soak_until_ms.is_none() && !children.gate_due {
                self.admit_wave()?;
            }
            let children = self.children()?;
            if !children.live.is_empty() {
                return Ok(());
            }
            let stopped = children.stopped.is_some();
            let waits = || !children.wave_is_through() || children.waits_for_put_off();
            if !stopped && waits() {
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
            // Nobody is asked about a wave in which nothing happened.
            let happened = stopped || self.children()?.wave_tally.total() > 0;
            if happened && self.each().is_some_and(|each| each.gate.is_some()) {
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

    pub(super) fn wave_through(&mut self) -> Result<(), Refusal> {
        let children = self.children()?;
        let soak_ms = children.present_wave().map_or(0, |wave| wave.soak_ms);
        let soaks = soak_ms > 0
            && children.stopped.is_none()
            && children.wave_tally.count(LaneResult::is_done) > 0;
        let soak_until_ms = soaks.then(|| self.at_ms.saturating_add_unsigned(soak_ms));
        self.push(Event::WaveThrough { soak_until_ms });
        Ok(())
    }

    /// The next items, and the timer of a wave that is not open yet, or of an item that was put off.
    fn admit_wave(&mut self) -> Result<(), Refusal> {
        let opens_ms = self.children()?.opens_ms(self.at_ms);
        self.admit_more(opens_ms.is_none())?;
        let children = self.children()?;
        let put_off_ms = children.put_off_until_ms(self.at_ms);
        let next_ms = opens_ms.into_iter().chain(put_off_ms).min();
        let waits = children.stopped.is_none() && children.next_round_ms != next_ms;
        if let Some(at_ms) = next_ms.filter(|_| waits) {
            self.push(Event::RoundDue { at_ms });
        }
        Ok(())
    }

    fn admit_more(&mut self, open: bool) -> Result<(), Refusal> {
        let (step, _) = self.present_step()?;
        let Verb::Spawn(Spawn::Each(each)) = &step.verb else {
            return Err(Refusal::Lost);
        };
        let children = self.children()?;
        // A list that is not the step's would let items vanish unseen.
        if self.context.items.len() != children.total as usize {
            return Err(Refusal::OtherItems {
                expected: children.total,
                found: self.context.items.len(),
            });
        }
        let place = Place {
            lane: self.lane.id(),
            step: &step.id,
            visit: self.lane.visit,
        };
        let admission = admit(
            each,
            children,
            self.context.items,
            place,
            (open, self.at_ms),
        );
        let passed = admission.passed == children.passed;
        if admission.admitted.is_empty() && admission.next == children.next && passed {
            return Ok(());
        }
        let (passed, next) = (admission.passed, admission.next);
        self.push(Event::ChildrenAdmitted {
            children: admission.admitted,
            passed,
            next,
        });
        Ok(())
    }

    pub(super) fn each_over(&mut self) -> Result<(), Refusal> {
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

    pub(super) fn gate_open(&mut self) -> Result<(), Refusal> {
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
        // The question behind a wave, or the one that the failed items raised.
        let at_gate = matches!(&self.lane.phase, Phase::Person(person)
            if matches!(person.kind, PersonKind::WaveGate | PersonKind::Failure));
        if self.lane.is_stopping() {
            return Err(Refusal::Stopping);
        }
        if children.kind != ChildrenKind::Each
            || !(at_gate || matches!(self.lane.phase, Phase::Children))
        {
            return Err(Refusal::NothingToRetry);
        }
        let mut tally = children.tally.clone();
        let mut seen = BTreeSet::new();
        let items: Vec<_> = items
            .into_iter()
            .filter(|item| {
                may_reopen(children, self.context.items, item)
                    && tally.count(|result| result == item.result) > 0
                    && seen.insert(item.index)
                    && {
                        tally.remove(item.result);
                        true
                    }
            })
            .take(ADMIT_MAX)
            .collect();
        let groups = items
            .iter()
            .filter_map(|item| self.context.items.get(item.index as usize))
            .map(|item| item.groups.clone())
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
        self.push(Event::ItemsReopened { items, by, groups });
        self.flow()
    }
}

/// It was admitted, has ended, and did not go well.
fn may_reopen(children: &Children, items: &[Item], item: &RetryItem) -> bool {
    let is_known = items
        .get(item.index as usize)
        .is_some_and(|known| known.key == item.key);
    let is_open = children.live.contains_key(&item.key)
        || children.passed.contains(&item.index)
        || children.again.contains(&item.index);
    let reopened = children.iterations.get(&item.index).copied().unwrap_or(0);
    let went_well = item.result.is_done() || item.result == LaneResult::Nothing;
    is_known
        && !is_open
        && !went_well
        && item.index < children.next
        && reopened + 1 < ITERATIONS_PER_VISIT
}
