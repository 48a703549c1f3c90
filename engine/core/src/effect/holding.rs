//! Timers and slots follow from the state alone: what a lane holds before an event is compared with
//! what it holds after it, so that no path can leave one behind.
//!
//! Not here: what an event asks for beyond that (see `effect`). A new event that leaves the phase
//! untouched must be named in `keeps_phase`.

use super::{Effect, timer};
use crate::event::Event;
use crate::lane::{Children, Lane, Person, Phase};

type Timers = Vec<(&'static str, i64)>;

/// The timers that a lane in this state waits for, with their instants.
#[must_use]
pub fn timers(lane: &Lane) -> Timers {
    match &lane.phase {
        Phase::Backoff { until_ms } => vec![(timer::RETRY, *until_ms)],
        Phase::Pending(pending) => vec![(timer::RESUME, pending.resume_ms)],
        Phase::Checking(checking) => vec![(timer::CHECK, checking.due_ms())],
        Phase::Waiting { until_ms } => vec![(timer::WAIT, *until_ms)],
        Phase::Person(person) => of_person(person),
        Phase::Children => lane.children.as_deref().map_or_else(Vec::new, of_children),
        Phase::Gated(gate) => one(timer::GATE, gate.closed.as_ref().and_then(|c| c.until_ms)),
        Phase::At | Phase::Running(_) | Phase::Ended => Vec::new(),
    }
}

fn one(name: &'static str, at_ms: Option<i64>) -> Timers {
    at_ms.map(|at_ms| (name, at_ms)).into_iter().collect()
}

fn of_person(person: &Person) -> Timers {
    let expire = one(timer::EXPIRE, person.expires_ms);
    let rung = one(timer::RUNG, person.next_rung_ms());
    let remind = one(timer::REMIND, person.next_reminder_ms());
    expire.into_iter().chain(rung).chain(remind).collect()
}

/// The question goes on: its timers behind the event.
fn still_open(before: &Lane, event: &Event) -> Timers {
    let Phase::Person(person) = &before.phase else {
        return Vec::new();
    };
    let mut person = person.clone();
    match event {
        Event::PersonEscalated => person.expires_ms = None,
        Event::PersonReminded { done } => {
            if let Some(remind) = &mut person.rules.remind {
                remind.done = *done;
            }
        }
        _ => {}
    }
    of_person(&person)
}

/// A wait that is longer by so much.
fn later(before: &Lane, by_ms: u64) -> Timers {
    let wait = timers(before).into_iter();
    wait.map(|(name, at_ms)| (name, at_ms.saturating_add_unsigned(by_ms)))
        .collect()
}

fn of_children(children: &Children) -> Timers {
    let soak = one(timer::SOAK, children.soak_until_ms);
    let round = one(timer::ROUND, children.next_round_ms);
    soak.into_iter().chain(round).collect()
}

/// The slot that a lane in this state holds: only while a call may be at work.
#[must_use]
pub fn slot(lane: &Lane) -> Option<&(String, u32)> {
    match &lane.phase {
        Phase::Running(running) => running.call.slot.as_ref(),
        Phase::Checking(checking) if checking.slot_held => checking.running.call.slot.as_ref(),
        _ => None,
    }
}

/// The document with whose change a lane in this state is rung.
#[must_use]
pub fn watches(lane: &Lane) -> Option<&str> {
    match &lane.phase {
        Phase::Gated(gate) => Some(gate.closed.as_ref()?.watched()),
        _ => None,
    }
}

/// What has to be given back, cleared and set. Taking is the events' own matter: it is a condition
/// of their commit.
pub(super) fn changes(before: &Lane, event: &Event) -> Vec<Effect> {
    if keeps_phase(event) {
        return Vec::new();
    }
    let mut effects = Vec::new();
    if let Some((key, _)) = slot(before).filter(|_| !keeps_slot(event)) {
        effects.push(Effect::ReleaseSlot { key: key.clone() });
    }
    let (old, new) = (timers(before), timers_after(before, event));
    for (name, _) in &old {
        if new.iter().all(|(kept, _)| kept != name) {
            let name = (*name).to_owned();
            effects.push(Effect::ClearTimer { name });
        }
    }
    for (name, at_ms) in new {
        if !old.contains(&(name, at_ms)) {
            let name = name.to_owned();
            effects.push(Effect::SetTimer { name, at_ms });
        }
    }
    let watched = match event {
        Event::StepHeld { closed } => Some(closed.watched()),
        _ => None,
    };
    if watches(before) != watched {
        let watch = |on: bool| {
            move |document: &str| Effect::Watch {
                document: document.to_owned(),
                on,
            }
        };
        effects.extend(watches(before).map(watch(false)));
        effects.extend(watched.map(watch(true)));
    }
    effects
}

/// The timers of the phase into which this event leads.
fn timers_after(before: &Lane, event: &Event) -> Timers {
    match event {
        Event::AttemptFailed { retry_ms, .. } => vec![(timer::RETRY, *retry_ms)],
        Event::StepHeld { closed } => one(timer::GATE, closed.until_ms),
        Event::UndoHeld { until_ms } => vec![(timer::RETRY, *until_ms)],
        Event::StepPended { resume_ms, .. } => vec![(timer::RESUME, *resume_ms)],
        Event::StepUnsettled {
            ask_ms, look_ms, ..
        } => vec![(timer::CHECK, look_ms.unwrap_or(*ask_ms))],
        Event::WaitBegan { until_ms } => vec![(timer::WAIT, *until_ms)],
        Event::LeaseExtended { by_ms, .. } => later(before, *by_ms),
        Event::PersonAsked { person } => of_person(person),
        Event::PersonEscalated | Event::PersonReminded { .. } => still_open(before, event),
        Event::WaveThrough { soak_until_ms } => one(timer::SOAK, *soak_until_ms),
        Event::RoundDue { at_ms } => vec![(timer::ROUND, *at_ms)],
        _ => Vec::new(),
    }
}

/// The same call goes on, or its outcome is looked up.
fn keeps_slot(event: &Event) -> bool {
    matches!(
        event,
        Event::StepRestarted { .. } | Event::StepUnsettled { .. }
    )
}

fn keeps_phase(event: &Event) -> bool {
    matches!(
        event,
        Event::LaneOpened { .. }
            | Event::CallJournaled { .. }
            | Event::UndoNoted { .. }
            | Event::NoReturnPassed
            | Event::LeaseOpened { .. }
            | Event::LeaseReleased { .. }
            | Event::LeaseEndAsked { .. }
            | Event::Detached { .. }
            | Event::RunFinishAsked { .. }
            | Event::VoteCast { .. }
            | Event::DebtOpened { .. }
            | Event::DebtSettled { .. }
            | Event::ChildrenEnded { .. }
            | Event::AdmissionStopped { .. }
            | Event::NoticeDue { .. }
            | Event::AnnouncementStands { .. }
            | Event::SharesDue { .. }
            | Event::ChildMoved { .. }
            | Event::MoveTold { .. }
            | Event::ReportDue { .. }
            | Event::TurnsPutOff { .. }
            | Event::ConsentDecided { .. }
            | Event::StopRequested { .. }
            | Event::Paused { .. }
            | Event::Resumed { .. }
            | Event::VerdictReached { .. }
            | Event::FailuresTolerated
            | Event::CopyRestored { .. }
    )
}
