//! The invariants, checked on every decision. A breach is told as a sentence.
//!
//! Not here: expectations of one test. What stands here holds for every lane in every state.

use super::drive::World;
use super::room::{counts, room_was_there};
use hostler_core::answer::Answer;
use hostler_core::apply::apply;
use hostler_core::command::{Choice, Command, Input, Seen};
use hostler_core::contract::Effect as Class;
use hostler_core::decide::Decision;
use hostler_core::definition::Definition;
use hostler_core::effect::timer::SHARES;
use hostler_core::effect::{Effect, effects, holding};
use hostler_core::event::{Event, Recorded};
use hostler_core::lane::{ChildrenKind, Lane, PersonKind, Phase, Restored, Section};
use hostler_core::refusal::Refusal;
use hostler_core::result::{LaneResult, StepState};
use std::collections::BTreeMap;
use uuid::Uuid;

/// What the path so far has shown, as far as the lane itself does not say it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Watch {
    /// A mutating call may or may not have taken effect.
    unknown: bool,
    /// So may one of the same step before it: an answer about the new one does not tell.
    earlier: bool,
    /// Started and not cleared up: key of a `once` call.
    open_once: Option<Uuid>,
    /// The lane may have gone on behind a copy, and nobody has said that it did not.
    copied: bool,
    /// Nothing at or before this step is undone.
    floor: Option<u16>,
    /// How often each `always` step has ended, less the reopenings by people.
    always: BTreeMap<u16, i32>,
    reported: bool,
    /// How the newest child of each item of the present `each` ended.
    pub ended: BTreeMap<String, LaneResult>,
}

pub type Verdict = Result<(), String>;

pub fn must(holds: bool, fact: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(fact()) }
}

impl Watch {
    /// Checks one decision and moves on behind it.
    pub fn check(
        &mut self,
        world: &World,
        before: &Lane,
        input: &Input,
        decision: &Decision,
        at_ms: i64,
    ) -> Verdict {
        self.learn(input, before);
        let mut lane = before.clone();
        let mut listed = Vec::new();
        for recorded in &decision.events {
            let was = lane.clone();
            apply(&mut lane, recorded);
            self.event(&world.definition, &was, &recorded.event, &lane)?;
            let asked = effects(&was, &recorded.event);
            holds_follow(&was, &lane, &recorded.event, &asked)?;
            listed.extend(asked);
        }
        must(lane == decision.lane, || {
            "the events fold to another lane than was decided".to_owned()
        })?;
        must(listed == decision.effects, || {
            "effects are not those of the events".to_owned()
        })?;
        counts(&lane)?;
        self.tallies(&lane)?;
        verdict_only_worsens(before, &lane)?;
        accepted_once(world, input, decision, at_ms)?;
        self.end(world, &lane, at_ms)
    }

    /// What the input itself tells about the outcome of the call in question.
    fn learn(&mut self, input: &Input, before: &Lane) {
        let asked = match &before.phase {
            Phase::Person(person) => Some(person.kind),
            _ => None,
        };
        match input {
            Input::Answered(Answer::Done { .. })
            | Input::Observed(Seen::Done(_) | Seen::NotDone) => self.all_known(),
            Input::Restored { .. } => self.copied = true,
            Input::Command(Command::Choose { choice, .. })
                if matches!(asked, Some(PersonKind::InDoubt | PersonKind::Quarantine)) =>
            {
                self.all_known();
                let since = |copy: Restored| match &before.phase {
                    Phase::Person(person) => person.asked_ms >= copy.at_ms,
                    _ => false,
                };
                let told = asked == Some(PersonKind::InDoubt) && before.restored.is_some_and(since);
                self.copied &= !(told && *choice == Choice::Retry);
            }
            Input::Answered(Answer::Pending { .. }) => {}
            Input::Answered(_) => self.last_known(),
            // Every mutating call is noted before it is made.
            Input::Broken { .. } => {
                let nothing = |attempt| before.journal.iter().all(|call| call.attempt != attempt);
                if nothing(before.attempt) {
                    self.last_known();
                }
            }
            _ => {}
        }
    }

    fn all_known(&mut self) {
        self.earlier = false;
        self.last_known();
    }

    fn last_known(&mut self) {
        self.unknown = self.earlier;
        self.open_once = None;
    }

    fn event(&mut self, definition: &Definition, was: &Lane, event: &Event, now: &Lane) -> Verdict {
        match event {
            Event::StepStarted { call, key, .. } => {
                if call.effect == Class::Once {
                    must(self.open_once != Some(*key), || {
                        "a `once` action was started again although nobody looked".to_owned()
                    })?;
                    self.open_once = Some(*key);
                }
                self.earlier = self.unknown;
                self.unknown |= call.effect.mutates();
                self.not_from_a_copy(call.effect)?;
                must(!was.is_stopping(), || {
                    "a stopping lane started a call".to_owned()
                })
            }
            Event::StepRestarted { .. } => {
                self.not_from_a_copy(effect_of(was))?;
                must(self.open_once.is_none(), || {
                    "a `once` action was restarted".to_owned()
                })
            }
            Event::StepResumed { .. } => self.not_from_a_copy(effect_of(was)),
            Event::UndoBegan | Event::AlwaysBegan => must(!self.unknown, || {
                format!("{event:?} while an outcome is unknown")
            }),
            Event::NoReturnPassed => {
                self.floor = Some(was.cursor.index.saturating_sub(1));
                must(now.undo.is_empty(), || {
                    "something behind no_return can be undone".to_owned()
                })
            }
            Event::UndoneOne { entry } => {
                must(was.undo.last() == Some(entry), || {
                    "undo out of order".to_owned()
                })?;
                must(
                    was.verdict.is_some() || was.opening.undo.contains(entry),
                    || "undone before the end was decided".to_owned(),
                )?;
                must(self.floor.is_none_or(|floor| entry.step > floor), || {
                    "undone behind no_return".to_owned()
                })
            }
            Event::StepReopened { .. } if was.cursor.section == Section::Always => {
                *self.always.entry(was.cursor.index).or_default() -= 1;
                Ok(())
            }
            Event::StepSucceeded { .. } | Event::StepFailed { .. } | Event::StepSkipped { .. }
                if was.cursor.section == Section::Always =>
            {
                *self.always.entry(was.cursor.index).or_default() += 1;
                Ok(())
            }
            Event::ChildrenAdmitted { children, .. } if !children.is_empty() => {
                room_was_there(definition, now)
            }
            Event::SpawnPlanned { .. } => {
                self.ended.clear();
                Ok(())
            }
            Event::ChildrenEnded { ends } => {
                let results = ends.iter().map(|end| (end.key.clone(), end.result));
                // Whose turn comes later has not ended.
                let ends = results.filter(|(key, _)| {
                    let live = was.children.as_ref().and_then(|all| all.live.get(key));
                    let now = now.children.as_ref();
                    let waits = live
                        .zip(now)
                        .and_then(|(live, now)| now.set_aside(live.index));
                    waits.is_none()
                });
                self.ended.extend(ends);
                Ok(())
            }
            Event::ItemsReopened { items, .. } => items.iter().try_for_each(|item| {
                let ended = self.ended.remove(&item.key);
                must(ended.is_some_and(|result| !result.is_done()), || {
                    format!("{} was opened anew after it ended {ended:?}", item.key)
                })
            }),
            Event::LaneEnded { .. } => {
                must(!self.reported, || "it ended twice".to_owned())?;
                self.reported = true;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn not_from_a_copy(&self, effect: Class) -> Verdict {
        must(!(self.copied && effect.mutates()), || {
            "a call began that may have been made behind the copy".to_owned()
        })
    }

    fn tallies(&self, lane: &Lane) -> Verdict {
        let children = lane.children.as_deref();
        let Some(children) = children.filter(|known| known.kind == ChildrenKind::Each) else {
            return Ok(());
        };
        let mut counted: BTreeMap<LaneResult, u32> = BTreeMap::new();
        for result in self.ended.values() {
            *counted.entry(*result).or_default() += 1;
        }
        let mut told = children.tally.0.clone();
        told.retain(|_, count| *count > 0);
        must(told == counted, || {
            format!("{told:?} is told of {counted:?}")
        })
    }

    fn end(&self, world: &World, lane: &Lane, at_ms: i64) -> Verdict {
        if !lane.has_ended() {
            return Ok(());
        }
        let Some(program) = lane.program(&world.definition) else {
            return Err("the program is gone".to_owned());
        };
        for (index, step) in program.always.iter().enumerate() {
            let index = u16::try_from(index).map_err(|fault| fault.to_string())?;
            let reopened = self.always.get(&index).copied().unwrap_or(0);
            let ran = lane.results.contains_key(&step.id) && reopened <= 1;
            must(ran, || {
                format!("{} of always ran {reopened} times", step.id)
            })?;
        }
        let own = program.steps.iter().chain(&program.always);
        let failed = own
            .filter_map(|step| lane.results.get(&step.id))
            .any(|result| result.state == StepState::Failed);
        let severity = lane
            .verdict
            .as_ref()
            .map_or(0, |verdict| verdict.result.severity());
        must(!failed || severity > 0, || {
            "a failure was laundered to green".to_owned()
        })?;
        for input in [
            Input::Continue,
            Input::Orphaned,
            Input::Command(super::letters::cancel()),
            Input::Command(super::letters::vote("ada", "board", true)),
        ] {
            let refused = world.decide(lane, input, at_ms);
            must(refused == Err(Refusal::Ended), || {
                "an ended lane took something".to_owned()
            })?;
        }
        Ok(())
    }
}

fn effect_of(lane: &Lane) -> Class {
    match &lane.phase {
        Phase::Running(running) => running.call.effect,
        Phase::Pending(pending) => pending.running.call.effect,
        _ => Class::Read,
    }
}

/// The log says everything: read back from JSON, its events make the same lane.
pub fn folds_from_json(before: &Lane, decision: &Decision) -> Verdict {
    let mut lane = round_trip(before)?;
    for recorded in &decision.events {
        let text = recorded.to_json();
        let recorded = Recorded::read(&text).map_err(|fault| fault.to_string())?;
        apply(&mut lane, &recorded);
    }
    must(lane == decision.lane, || {
        "the events from JSON fold to another lane than was decided".to_owned()
    })
}

fn round_trip(lane: &Lane) -> Result<Lane, String> {
    let text = serde_json::to_string(lane).map_err(|fault| fault.to_string())?;
    serde_json::from_str(&text).map_err(|fault| fault.to_string())
}

/// Timers and slots that the effects leave behind are those of the state.
fn holds_follow(was: &Lane, now: &Lane, event: &Event, asked: &[Effect]) -> Verdict {
    let mut timers: BTreeMap<String, i64> = named(was);
    let mut slot = holding::slot(was).map(|(key, _)| key.clone());
    for effect in asked {
        match effect {
            // No phase's: what customers were told is looked at beside whatever the lane does.
            Effect::SetTimer { name, .. } | Effect::ClearTimer { name } if name == SHARES => {}
            Effect::SetTimer { name, at_ms } => {
                timers.insert(name.clone(), *at_ms);
            }
            Effect::ClearTimer { name } => {
                must(timers.remove(name).is_some(), || {
                    format!("{name} was not set")
                })?;
            }
            Effect::Take {
                slot: Some((key, _)),
                ..
            } => {
                must(slot.is_none(), || "a second slot was taken".to_owned())?;
                slot = Some(key.clone());
            }
            Effect::ReleaseSlot { key } => {
                must(slot.as_ref() == Some(key), || {
                    "a slot was given back twice".to_owned()
                })?;
                slot = None;
            }
            _ => {}
        }
    }
    must(timers == named(now), || {
        format!(
            "{event:?} leaves the timers {timers:?}, the state wants {:?}",
            named(now)
        )
    })?;
    let wanted = holding::slot(now).map(|(key, _)| key.clone());
    must(slot == wanted, || {
        format!("{event:?} leaves the slot {slot:?}, not {wanted:?}")
    })
}

fn named(lane: &Lane) -> BTreeMap<String, i64> {
    holding::timers(lane)
        .into_iter()
        .map(|(name, at_ms)| (name.to_owned(), at_ms))
        .collect()
}

fn verdict_only_worsens(before: &Lane, after: &Lane) -> Verdict {
    match (&before.verdict, &after.verdict) {
        (Some(old), Some(new)) => must(new.result.severity() >= old.result.severity(), || {
            format!("the verdict went from {} to {}", old.result, new.result)
        }),
        (Some(_), None) => Err("the verdict was forgotten".to_owned()),
        (None, _) => Ok(()),
    }
}

/// The same letter again changes nothing.
fn accepted_once(world: &World, input: &Input, decision: &Decision, at_ms: i64) -> Verdict {
    if !matches!(input, Input::Command(_) | Input::ChildrenEnded(_)) {
        return Ok(());
    }
    match world.decide(&decision.lane, input.clone(), at_ms) {
        Ok(twice) if !twice.events.is_empty() => Err(format!(
            "taken twice, the second time as {:?}",
            twice.events
        )),
        _ => Ok(()),
    }
}
