//! What an event asks for, as data. The worker carries effects out: some inside the same commit
//! (timers, spawns, messages), some after it is durable (calls).
//!
//! Not here: how. An effect names, the worker does.

use crate::event::{Admitted, Event, Stage};
use crate::lane::{Lane, Phase};
use crate::result::{LaneResult, Verdict};
use serde_json::Value;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// In the commit: at this instant the lane gets `Command::Timer { name }`.
    SetTimer {
        name: String,
        at_ms: i64,
    },
    ClearTimer {
        name: String,
    },
    /// In the commit's conditions: locks kept to the end, a slot until the call is over.
    Take {
        locks: Vec<String>,
        slot: Option<(String, u32)>,
    },
    ReleaseSlot {
        key: String,
    },
    SpawnChildren {
        children: Vec<Admitted>,
    },
    /// A lane of its own for the present step: a question that holds nobody.
    Detach {
        step: Arc<str>,
    },
    OpenLease {
        step: Arc<str>,
    },
    EndLease {
        lease: String,
    },
    InformParent {
        result: LaneResult,
        note: Option<String>,
    },
    /// The same wish for every live child.
    TellChildren {
        wish: Wish,
        by: String,
    },
    FinishRun {
        verdict: Verdict,
    },
    Notice {
        stage: Stage,
        customer: String,
        template: String,
    },
    Report {
        template: String,
        to: Vec<String>,
        about: Value,
    },
    /// Into the ledger, as it stands.
    Ledger,
    /// Someone is asked, or no longer.
    Waiting {
        open: bool,
    },
    /// After the commit is confirmed.
    Perform,
    Resume,
    Observe,
    CancelCall,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Cancel,
    Pause,
    Resume,
}

/// Names of a lane's timers. A later event under the same name replaces the earlier instant.
pub mod timer {
    pub const RETRY: &str = "retry";
    pub const RESUME: &str = "resume";
    pub const CHECK: &str = "check";
    pub const WAIT: &str = "wait";
    pub const EXPIRE: &str = "expire";
    pub const SOAK: &str = "soak";
    pub const ROUND: &str = "round";
}

/// The effects of one event on the lane as it was before it.
#[must_use]
pub fn effects(before: &Lane, event: &Event) -> Vec<Effect> {
    let mut effects = course(before, event);
    effects.extend(people(before, event));
    effects.extend(fan_out(event));
    effects.extend(control(before, event));
    effects
}

fn set(name: &str, at_ms: i64) -> Effect {
    Effect::SetTimer {
        name: name.to_owned(),
        at_ms,
    }
}

fn clear(name: &str) -> Effect {
    Effect::ClearTimer {
        name: name.to_owned(),
    }
}

/// The slot that the present call holds.
fn slot(lane: &Lane) -> Option<Effect> {
    let call = match &lane.phase {
        Phase::Running(running) => &running.call,
        Phase::Checking(checking) => &checking.running.call,
        _ => return None,
    };
    call.slot
        .as_ref()
        .map(|(key, _)| Effect::ReleaseSlot { key: key.clone() })
}

fn retake(lane: &Lane) -> Option<Effect> {
    let Phase::Pending(pending) = &lane.phase else {
        return None;
    };
    let slot = pending.running.call.slot.clone()?;
    Some(Effect::Take {
        locks: Vec::new(),
        slot: Some(slot),
    })
}

fn course(before: &Lane, event: &Event) -> Vec<Effect> {
    match event {
        Event::StepStarted { call, .. } => {
            let take = Effect::Take {
                locks: call.locks.clone(),
                slot: call.slot.clone(),
            };
            let ledger = call.effect.mutates().then_some(Effect::Ledger);
            [Some(take), ledger, Some(Effect::Perform)]
                .into_iter()
                .flatten()
                .collect()
        }
        Event::StepRestarted { .. } => vec![Effect::Perform],
        Event::StepPended { resume_ms, .. } => [slot(before), Some(set(timer::RESUME, *resume_ms))]
            .into_iter()
            .flatten()
            .collect(),
        Event::StepResumed { .. } => [
            Some(clear(timer::RESUME)),
            retake(before),
            Some(Effect::Resume),
        ]
        .into_iter()
        .flatten()
        .collect(),
        Event::StepUnsettled { why, ask_ms } => {
            let cancel = (*why == crate::lane::Why::Cancel).then_some(Effect::CancelCall);
            [cancel, Some(set(timer::CHECK, *ask_ms))]
                .into_iter()
                .flatten()
                .collect()
        }
        Event::AttemptFailed { retry_ms, .. } => [slot(before), Some(set(timer::RETRY, *retry_ms))]
            .into_iter()
            .flatten()
            .collect(),
        Event::StepSucceeded { .. } | Event::StepFailed { .. } => settled(before)
            .into_iter()
            .chain([leave_wait(before)].into_iter().flatten())
            .collect(),
        Event::WaitBegan { until_ms } => vec![set(timer::WAIT, *until_ms)],
        Event::LeaseOpened { step } => vec![
            Effect::OpenLease {
                step: Arc::clone(step),
            },
            Effect::Ledger,
        ],
        Event::LeaseEndAsked { lease } => vec![Effect::EndLease {
            lease: lease.clone(),
        }],
        Event::Detached { step } => vec![Effect::Detach {
            step: Arc::clone(step),
        }],
        Event::RunFinishAsked { verdict } => vec![Effect::FinishRun {
            verdict: verdict.clone(),
        }],
        _ => Vec::new(),
    }
}

/// A call is over: its slot goes back, its timers go.
fn settled(before: &Lane) -> Vec<Effect> {
    match &before.phase {
        Phase::Checking(_) => [slot(before), Some(clear(timer::CHECK))]
            .into_iter()
            .flatten()
            .collect(),
        Phase::Pending(_) => vec![clear(timer::RESUME)],
        _ => slot(before).into_iter().collect(),
    }
}

fn leave_wait(before: &Lane) -> Option<Effect> {
    matches!(before.phase, Phase::Waiting { .. }).then(|| clear(timer::WAIT))
}

fn people(before: &Lane, event: &Event) -> Vec<Effect> {
    match event {
        Event::PersonAsked { person } => {
            let expiry = person.expires_ms.map(|at_ms| set(timer::EXPIRE, at_ms));
            let given_back = settled(before);
            given_back
                .into_iter()
                .chain(
                    [
                        Some(Effect::Ledger),
                        Some(Effect::Waiting { open: true }),
                        expiry,
                    ]
                    .into_iter()
                    .flatten(),
                )
                .collect()
        }
        Event::VoteCast { .. } | Event::PersonEscalated => {
            vec![Effect::Ledger, Effect::Waiting { open: true }]
        }
        Event::PersonSettled { .. } => {
            vec![
                Effect::Ledger,
                Effect::Waiting { open: false },
                clear(timer::EXPIRE),
            ]
        }
        _ => Vec::new(),
    }
}

fn fan_out(event: &Event) -> Vec<Effect> {
    match event {
        Event::ChildrenAdmitted { children, .. } if !children.is_empty() => {
            vec![Effect::SpawnChildren {
                children: children.clone(),
            }]
        }
        Event::WaveThrough {
            soak_until_ms: Some(until_ms),
        } => vec![set(timer::SOAK, *until_ms)],
        Event::SoakEnded => vec![clear(timer::SOAK)],
        Event::RoundDue { at_ms } => vec![set(timer::ROUND, *at_ms)],
        Event::NoticeDue {
            stage,
            customer,
            template,
        } => vec![
            Effect::Notice {
                stage: *stage,
                customer: customer.clone(),
                template: template.clone(),
            },
            Effect::Ledger,
        ],
        Event::ReportDue {
            template,
            to,
            about,
        } => {
            vec![Effect::Report {
                template: template.clone(),
                to: to.clone(),
                about: about.clone(),
            }]
        }
        Event::ItemsReopened { .. } => vec![Effect::Ledger],
        _ => Vec::new(),
    }
}

fn control(before: &Lane, event: &Event) -> Vec<Effect> {
    let has_children = before
        .children
        .as_ref()
        .is_some_and(|children| !children.live.is_empty());
    let tell = |wish, by: &String| {
        has_children
            .then(|| Effect::TellChildren {
                wish,
                by: by.clone(),
            })
            .into_iter()
    };
    match event {
        Event::StopRequested { by, .. } => [Effect::Ledger]
            .into_iter()
            .chain(tell(Wish::Cancel, by))
            .collect(),
        Event::Paused { by } => [Effect::Ledger]
            .into_iter()
            .chain(tell(Wish::Pause, by))
            .collect(),
        Event::Resumed { by } => [Effect::Ledger]
            .into_iter()
            .chain(tell(Wish::Resume, by))
            .collect(),
        Event::StepReopened { .. } => vec![Effect::Ledger],
        Event::LeaseReleased { .. } => vec![clear(timer::WAIT), Effect::Ledger],
        Event::LaneEnded { result, note } => {
            let waited = matches!(before.phase, Phase::Person(_));
            let closed = waited.then_some(Effect::Waiting { open: false });
            let inform = Effect::InformParent {
                result: *result,
                note: note.clone(),
            };
            closed.into_iter().chain([inform]).collect()
        }
        _ => Vec::new(),
    }
}
