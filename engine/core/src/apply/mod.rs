//! `state.apply(event)`: the only way in which a lane changes. The same fold at boot, in the worker,
//! on the page, in tests.
//!
//! Not here: any judgement. An event that was recorded is applied, whatever one thinks of it now.

mod children;
mod course;

use crate::command::Choice;
use crate::event::{Event, Recorded};
use crate::lane::{Cursor, Granted, Lane, Person, PersonKind, Phase, Restored, Section};

/// Folds a whole log; none for an empty one or one that does not begin with an opening.
#[must_use]
pub fn fold<'a>(log: impl IntoIterator<Item = &'a Recorded>) -> Option<Lane> {
    let mut log = log.into_iter();
    let first = log.next()?;
    let Event::LaneOpened { opening } = &first.event else {
        return None;
    };
    let mut lane = Lane::open((**opening).clone(), first.at_ms);
    for recorded in log {
        apply(&mut lane, recorded);
    }
    Some(lane)
}

/// Applies one event behind the opening.
pub fn apply(lane: &mut Lane, recorded: &Recorded) {
    lane.version += 1;
    let at_ms = recorded.at_ms;
    match &recorded.event {
        Event::LaneOpened { .. } => {}
        Event::StepSkipped { .. }
        | Event::StepGated { .. }
        | Event::StepHeld { .. }
        | Event::StepStarted { .. }
        | Event::StepRestarted { .. }
        | Event::StepPended { .. }
        | Event::StepResumed { .. }
        | Event::CallJournaled { .. }
        | Event::StepUnsettled { .. }
        | Event::AttemptFailed { .. }
        | Event::BackoffEnded
        | Event::UndoHeld { .. }
        | Event::StepSucceeded { .. }
        | Event::StepFailed { .. }
        | Event::StepReopened { .. }
        | Event::FailureHandled { .. }
        | Event::WaitBegan { .. } => course::apply(lane, &recorded.event, at_ms),
        Event::SpawnPlanned { .. }
        | Event::ChildrenAdmitted { .. }
        | Event::ChildrenEnded { .. }
        | Event::AdmissionStopped { .. }
        | Event::WaveThrough { .. }
        | Event::SoakEnded
        | Event::GatePassed
        | Event::RoundDue { .. }
        | Event::ItemsReopened { .. }
        | Event::NoticeDue { .. }
        | Event::AnnouncementStands { .. }
        | Event::SharesDue { .. }
        | Event::TurnsPutOff { .. }
        | Event::ChildMoved { .. } => children::apply(lane, &recorded.event, at_ms),
        other => control(lane, other, at_ms),
    }
}

fn control(lane: &mut Lane, event: &Event, at_ms: i64) {
    match event {
        Event::PersonAsked { person } => {
            // Only these ask what the call in doubt did.
            if matches!(person.kind, PersonKind::InDoubt | PersonKind::Quarantine) {
                lane.unsure = None;
            }
            lane.phase = Phase::Person(person.clone());
        }
        Event::VoteCast { vote } => {
            if let Phase::Person(person) = &mut lane.phase {
                person.votes.push(vote.clone());
            }
        }
        Event::PersonEscalated => {
            if let Phase::Person(person) = &mut lane.phase {
                person.escalated = true;
                person.expires_ms = None;
            }
        }
        Event::PersonReminded { done } => {
            if let Phase::Person(person) = &mut lane.phase
                && let Some(remind) = &mut person.rules.remind
            {
                remind.done = *done;
            }
        }
        Event::DebtOpened { debt } => lane.debt = Some(debt.clone()),
        Event::DebtSettled { assets, .. } => {
            if let Some(debt) = &mut lane.debt {
                debt.settle(assets);
            }
            lane.debt.take_if(|debt| debt.owed.is_empty());
        }
        Event::PersonSettled { choice, .. } => person_settled(lane, choice, at_ms),
        Event::CopyRestored {
            taken_ms,
            restored_ms,
        } => {
            lane.restored = Some(Restored {
                taken_ms: *taken_ms,
                at_ms: *restored_ms,
                open: true,
            });
        }
        Event::LeaseExtended { by_ms, .. } => {
            lane.extended_ms = lane.extended_ms.saturating_add(*by_ms);
            if let Phase::Waiting { until_ms } = &mut lane.phase {
                *until_ms = until_ms.saturating_add_unsigned(*by_ms);
            }
        }
        Event::FailuresTolerated => lane.recovered = true,
        Event::MoveTold { held_ms } => lane.begun |= held_ms.is_none(),
        Event::StopRequested { verdict, .. } => lane.stop = Some(verdict.clone()),
        Event::Paused { .. } => lane.paused = true,
        Event::Resumed { .. } => lane.paused = false,
        Event::VerdictReached { verdict } => lane.verdict = Some(verdict.clone()),
        Event::UndoNoted { entry } => lane.undo.push(*entry),
        Event::NoReturnPassed => lane.undo.clear(),
        Event::UndoBegan => enter_section(lane, Section::Undo),
        Event::UndoneOne { .. } => {
            lane.undo.pop();
            enter_section(lane, Section::Undo);
        }
        Event::AlwaysBegan => {
            let undo = std::mem::take(&mut lane.undo);
            let ends_well = |verdict: &crate::result::Verdict| !verdict.result.undoes();
            if lane.verdict.as_ref().is_none_or(ends_well) {
                lane.left = undo;
            }
            enter_section(lane, Section::Always);
        }
        Event::LaneEnded { .. } => {
            lane.phase = Phase::Ended;
            lane.children = None;
            lane.ended_ms = Some(at_ms);
        }
        _ => {}
    }
}

fn person_settled(lane: &mut Lane, choice: &str, at_ms: i64) {
    let mut next = Phase::At;
    if let Phase::Person(person) = &lane.phase {
        if person.kind == PersonKind::WaveGate {
            next = Phase::Children;
        }
        if person.kind == PersonKind::Overflow && choice == Choice::Next.name() {
            lane.granted = Some(Granted::one_more(lane.granted, at_ms));
        }
        if let Some(restored) = &mut lane.restored
            && choice == Choice::Retry.name()
            && asks_since(person, restored)
        {
            // The call did not happen, so nothing did that comes behind it.
            restored.open = false;
        }
    }
    lane.phase = next;
}

/// Asks what a call did, of somebody who could know that the store was restored.
fn asks_since(person: &Person, restored: &Restored) -> bool {
    person.kind == PersonKind::InDoubt && person.asked_ms >= restored.at_ms
}

fn enter_section(lane: &mut Lane, section: Section) {
    lane.cursor = Cursor { section, index: 0 };
    fresh_step(lane);
}

/// Nothing of the step before is left.
fn fresh_step(lane: &mut Lane) {
    lane.phase = Phase::At;
    lane.children = None;
    lane.visit = 0;
    lane.attempt = 1;
    lane.unsure = None;
    lane.journal.clear();
}

/// Behind the present step.
fn advance(lane: &mut Lane) {
    lane.cursor.index = lane.cursor.index.saturating_add(1);
    fresh_step(lane);
}
