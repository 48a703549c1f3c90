//! What an event asks for, as data. The worker carries effects out: some inside the same commit
//! (timers, spawns, messages), some after it is durable (calls).
//!
//! Not here: how. An effect names, the worker does.

pub mod holding;

use crate::debt::Debt;
use crate::directory::PersonId;
use crate::event::{Admitted, Event, Stage};
use crate::lane::{Lane, Person, PersonKind, Phase, Rolling, Slot, Why};
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
    /// Whether the lane is rung when the document changes.
    Watch {
        document: String,
        on: bool,
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
    /// What is said of the lease that this lane ends says another instant from now on.
    MoveLease,
    /// Announced work is held until then, or (none) has begun.
    TellParent {
        held_ms: Option<i64>,
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
        revision: u32,
        slot: Option<Slot>,
        rolling: Option<Rolling>,
        /// To these alternate contacts of the customer alone; none: to everybody who is told of this stage.
        instead: Option<Vec<PersonId>>,
    },
    Report {
        template: String,
        to: Vec<String>,
        about: Value,
    },
    /// Those who are asked are told, but for whoever was asked this very question before (a rung asks more people).
    Asked {
        asked_ms: i64,
        already: Vec<String>,
    },
    /// Into the ledger, as it stands.
    Ledger,
    /// In the commit: the documents of these customers say what the lane owes behind it.
    Owe {
        customers: Vec<String>,
    },
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
    pub const RUNG: &str = "rung";
    pub const REMIND: &str = "remind";
    pub const SOAK: &str = "soak";
    pub const ROUND: &str = "round";
    pub const GATE: &str = "gate";
    /// Of what customers were told; no phase's, for they are reminded while people are asked, too.
    pub const SHARES: &str = "shares";
}

/// The effects of one event on the lane as it was before it.
#[must_use]
pub fn effects(before: &Lane, event: &Event) -> Vec<Effect> {
    let mut effects = holding::changes(before, event);
    effects.extend(course(before, event));
    effects.extend(people(before, event));
    effects.extend(owing(before, event));
    effects.extend(fan_out(event));
    effects.extend(control(before, event));
    effects
}

fn course(before: &Lane, event: &Event) -> Vec<Effect> {
    match event {
        Event::StepStarted {
            call, checkpoint, ..
        } => {
            let take = Effect::Take {
                locks: call.locks.clone(),
                slot: call.slot.clone(),
            };
            let ledger = call.effect.mutates().then_some(Effect::Ledger);
            let begin = begin(checkpoint.is_some());
            [Some(take), ledger, Some(begin)]
                .into_iter()
                .flatten()
                .collect()
        }
        Event::StepHeld { .. } => vec![Effect::Ledger],
        Event::StepRestarted { .. } => vec![begin(has_checkpoint(before))],
        Event::StepResumed { .. } => retake(before).into_iter().chain([Effect::Resume]).collect(),
        Event::StepUnsettled {
            why: Why::Cancel, ..
        } => vec![Effect::CancelCall],
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

/// What has a checkpoint goes on from it.
fn begin(has_checkpoint: bool) -> Effect {
    if has_checkpoint {
        Effect::Resume
    } else {
        Effect::Perform
    }
}

fn has_checkpoint(lane: &Lane) -> bool {
    matches!(&lane.phase, Phase::Running(running) if running.checkpoint.is_some())
}

/// A pending call had given its slot back.
fn retake(before: &Lane) -> Option<Effect> {
    let Phase::Pending(pending) = &before.phase else {
        return None;
    };
    let slot = pending.running.call.slot.clone()?;
    Some(Effect::Take {
        locks: Vec::new(),
        slot: Some(slot),
    })
}

fn people(before: &Lane, event: &Event) -> Vec<Effect> {
    match event {
        Event::PersonAsked { person } => {
            let shown = [Effect::Ledger, Effect::Waiting { open: true }];
            shown.into_iter().chain(asked(before, person)).collect()
        }
        Event::VoteCast { .. } | Event::PersonEscalated => {
            vec![Effect::Ledger, Effect::Waiting { open: true }]
        }
        Event::PersonSettled { .. } => {
            vec![Effect::Ledger, Effect::Waiting { open: false }]
        }
        _ => Vec::new(),
    }
}

/// What a runbook asks is told. The engine's own questions are operators' daily work: they have the list.
fn asked(before: &Lane, person: &Person) -> Option<Effect> {
    let already = match &before.phase {
        Phase::Person(known) if known.asked_ms == person.asked_ms => known.asked(),
        _ => Vec::new(),
    };
    let by_runbook = person.kind.is_approval() || person.kind == PersonKind::Ask;
    by_runbook.then_some(Effect::Asked {
        asked_ms: person.asked_ms,
        already,
    })
}

fn owing(before: &Lane, event: &Event) -> Vec<Effect> {
    let debt = match event {
        Event::DebtOpened { debt } => Some(&**debt),
        Event::DebtSettled { .. } => before.debt.as_deref(),
        _ => None,
    };
    let owe = |debt: &Debt| {
        let customers = debt.owed.keys().cloned().collect();
        vec![Effect::Ledger, Effect::Owe { customers }]
    };
    debt.map(owe).unwrap_or_default()
}

fn fan_out(event: &Event) -> Vec<Effect> {
    match event {
        Event::ChildrenAdmitted { children, .. } if !children.is_empty() => {
            vec![Effect::SpawnChildren {
                children: children.clone(),
            }]
        }
        Event::NoticeDue {
            stage,
            customer,
            template,
            revision,
            slot,
            rolling,
            instead,
            ..
        } => vec![
            Effect::Notice {
                stage: *stage,
                customer: customer.clone(),
                template: template.clone(),
                revision: *revision,
                slot: *slot,
                rolling: *rolling,
                instead: instead.clone(),
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
        Event::ItemsReopened { .. } | Event::TurnsPutOff { .. } | Event::ConsentDecided { .. } => {
            vec![Effect::Ledger]
        }
        Event::MoveTold { held_ms } => vec![Effect::TellParent { held_ms: *held_ms }],
        Event::SharesDue { at_ms } => {
            let name = timer::SHARES.to_owned();
            vec![match at_ms {
                Some(at_ms) => Effect::SetTimer {
                    name,
                    at_ms: *at_ms,
                },
                None => Effect::ClearTimer { name },
            }]
        }
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
        Event::StepReopened { .. } | Event::LeaseReleased { .. } => vec![Effect::Ledger],
        Event::LeaseExtended { .. } => vec![Effect::Ledger, Effect::MoveLease],
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
