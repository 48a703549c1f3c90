//! What happened to a lane, in the past tense. Logs are read for years: a shape is never changed,
//! a new one gets a new name, and `read` lifts older versions.
//!
//! Not here: what follows from an event (see `apply` and `effect`).

mod child;
mod stage;

pub use child::{Admitted, ChildEnd};
pub use stage::Stage;

use crate::command::RetryItem;
use crate::consent::Consent;
use crate::debt::Debt;
use crate::deferral::Deferral;
use crate::directory::PersonId;
use crate::gate::Closed;
use crate::id::Digest;
use crate::lane::{
    CallSpec, ChildMove, ChildrenKind, Opening, Person, Rolling, Slot, UndoEntry, Vote, WaveRange,
    Why, is_first, is_zero,
};
use crate::result::{LaneResult, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use thiserror::Error;
use uuid::Uuid;

/// Version of the event format that is written.
pub const FORMAT: u16 = 1;

/// An event with the instant at which it was decided, by the store's clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    #[serde(rename = "v")]
    pub format: u16,
    #[serde(rename = "at")]
    pub at_ms: i64,
    #[serde(flatten)]
    pub event: Event,
}

#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Unreadable {
    #[error("event format {0} is newer than this version reads ({FORMAT}); upgrade this worker")]
    Newer(u16),
    #[error("an event is not what this product writes: {0}")]
    Malformed(String),
}

impl Recorded {
    #[must_use]
    pub fn new(event: Event, at_ms: i64) -> Self {
        Self {
            format: FORMAT,
            at_ms,
            event,
        }
    }

    #[must_use]
    pub fn to_json(&self) -> String {
        // Plain data with string keys always serialises.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads an event of this or an older format.
    ///
    /// # Errors
    /// When the text is not an event, or is of a newer format.
    pub fn read(text: &str) -> Result<Self, Unreadable> {
        #[derive(Deserialize)]
        struct Format {
            v: u16,
        }
        let malformed = |fault: serde_json::Error| Unreadable::Malformed(fault.to_string());
        match serde_json::from_str::<Self>(text) {
            Ok(recorded) if recorded.format <= FORMAT => Ok(recorded),
            Ok(recorded) => Err(Unreadable::Newer(recorded.format)),
            Err(fault) => match serde_json::from_str::<Format>(text).map_err(malformed)? {
                Format { v } if v > FORMAT => Err(Unreadable::Newer(v)),
                _ => Err(malformed(fault)),
            },
        }
    }
}

/// One mutating host call: noted before it is made and again when its outcome is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    pub number: u32,
    pub attempt: u32,
    pub what: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    LaneOpened {
        opening: Box<Opening>,
    },

    // A step's own course. `step` is the name under which its result is kept.
    StepSkipped {
        step: Arc<str>,
    },
    StepGated {
        resource: String,
    },
    /// The calendar, or people, hold the step.
    StepHeld {
        closed: Box<Closed>,
    },
    /// Durable before the plugin is called. `attempt` counts the calls of one visit.
    StepStarted {
        step: Arc<str>,
        call: Arc<CallSpec>,
        key: Uuid,
        attempt: u32,
        deadline_ms: i64,
        /// Goes on from here instead of beginning anew (a person answered the plugin).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        checkpoint: Option<Value>,
    },
    /// The same attempt is called again after its worker was lost.
    StepRestarted {
        deadline_ms: i64,
        /// Until then the call of the lost worker may still reach its target.
        #[serde(default, skip_serializing_if = "is_zero")]
        lands_ms: i64,
    },
    StepPended {
        checkpoint: Value,
        resume_ms: i64,
    },
    StepResumed {
        deadline_ms: i64,
    },
    CallJournaled {
        entry: Journal,
    },
    /// The outcome of a call is not known; asked from `ask_ms` on, and perhaps once before.
    StepUnsettled {
        why: Why,
        ask_ms: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        look_ms: Option<i64>,
    },
    AttemptFailed {
        reason: String,
        retry_ms: i64,
        /// Nobody knows whether it took effect; it is repeated with the same key.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unsure: bool,
    },
    BackoffEnded,
    StepSucceeded {
        step: Arc<str>,
        #[serde(default, skip_serializing_if = "Value::is_null")]
        output: Value,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        evidence: Vec<String>,
    },
    StepFailed {
        step: Arc<str>,
        reason: String,
        #[serde(default, skip_serializing_if = "Value::is_null")]
        output: Value,
    },
    WaitBegan {
        until_ms: i64,
    },
    /// From now on the step can be taken back.
    UndoNoted {
        entry: UndoEntry,
    },
    /// What was done before this step stays.
    NoReturnPassed,
    LeaseOpened {
        step: Arc<str>,
    },
    LeaseEndAsked {
        lease: String,
    },
    /// The question (or call) lives on in a lane of its own.
    Detached {
        step: Arc<str>,
    },
    RunFinishAsked {
        verdict: Verdict,
    },

    // People.
    /// Again, with the same question and its votes, when a rung of its ladder is asked too.
    PersonAsked {
        person: Box<Person>,
    },
    VoteCast {
        vote: Vote,
    },
    /// The person step is over. `choice` is `yes`, `no`, `expired`, `answered`, or what was chosen.
    PersonSettled {
        choice: String,
        by: Option<String>,
        #[serde(default, skip_serializing_if = "Value::is_null")]
        answer: Value,
        comment: Option<String>,
    },
    PersonEscalated,
    /// Behind the `PersonAsked` of its question.
    DebtOpened {
        debt: Box<Debt>,
    },
    /// Nothing is owed for these assets any more. `how` is a cure (`answer`, `class:planned`), `by` a person or run.
    DebtSettled {
        assets: BTreeSet<String>,
        how: String,
        by: String,
    },
    /// So many reminders of this question are over; the messages follow as `ReportDue`.
    PersonReminded {
        done: u32,
    },

    // Children.
    SpawnPlanned {
        kind: ChildrenKind,
        items: Option<Digest>,
        total: u32,
        waves: Vec<WaveRange>,
        /// Customers of the items with their number, where the step sends notices.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        customers: Vec<(String, u32)>,
    },
    ChildrenAdmitted {
        children: Vec<Admitted>,
        passed: Vec<u32>,
        next: u32,
    },
    ChildrenEnded {
        ends: Vec<ChildEnd>,
    },
    AdmissionStopped {
        why: String,
    },
    WaveThrough {
        soak_until_ms: Option<i64>,
    },
    SoakEnded,
    GatePassed,
    RoundDue {
        at_ms: i64,
    },
    /// Items whose children failed are admitted anew.
    ItemsReopened {
        items: Vec<RetryItem>,
        by: String,
        /// `attribute=value` of each item, in the order of `items`.
        #[serde(default)]
        groups: Vec<Vec<String>>,
    },
    NoticeDue {
        stage: Stage,
        customer: String,
        template: String,
        /// Of the announcement that it speaks of; 0: the first.
        #[serde(default, skip_serializing_if = "is_first")]
        revision: u32,
        /// Announced, changed: when it happens now. Others: what was announced last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        slot: Option<Slot>,
        /// Announced, changed: when people are reminded of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remind_ms: Option<i64>,
        /// Where the customer stands from now on in the messages on how it goes; none: where it stood.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rolling: Option<Rolling>,
        /// Announced: alternate contacts who are told now, for nobody of those who have the notices was reached; none:
        /// it is for those.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instead: Option<Vec<PersonId>>,
    },
    /// Nothing differs from what the customer was told last.
    AnnouncementStands {
        customer: String,
    },
    /// The shares of the customers are looked at again then; none: nothing is ahead.
    SharesDue {
        at_ms: Option<i64>,
    },
    /// Of a child: what it tells about announced work.
    ChildMoved {
        moved: ChildMove,
    },
    /// The parent hears that announced work is held until then, or (none) has begun.
    MoveTold {
        held_ms: Option<i64>,
    },
    /// The turns of a customer's servers were put off; nothing of them had begun.
    TurnsPutOff {
        deferral: Box<Deferral>,
    },
    /// Of the first lane of a run: a customer has agreed, or objects. What has begun goes on.
    ConsentDecided {
        consent: Box<Consent>,
    },
    /// Messages of a `notify` step.
    ReportDue {
        template: String,
        to: Vec<String>,
        #[serde(default)]
        about: Value,
    },

    // Control.
    StopRequested {
        verdict: Verdict,
        by: String,
    },
    Paused {
        by: String,
    },
    Resumed {
        by: String,
    },
    /// The store was restored from a copy; what was done after it was taken is not in the log. From
    /// now on no mutating call begins before a person has said that the lane did not go on.
    CopyRestored {
        taken_ms: i64,
        restored_ms: i64,
    },
    /// The present step is entered anew by a person's wish.
    StepReopened {
        by: String,
    },
    LeaseReleased {
        by: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    LeaseExtended {
        by: String,
        reason: String,
        by_ms: u64,
    },
    /// How the lane will end is known; `undo` and `always` still run.
    VerdictReached {
        verdict: Verdict,
    },
    UndoBegan,
    /// Nothing is taken back while a lost call may still reach its target.
    UndoHeld {
        until_ms: i64,
    },
    UndoneOne {
        entry: UndoEntry,
    },
    AlwaysBegan,
    /// Children failed within the bounds that the runbook allows.
    FailuresTolerated,
    /// The failure of a step was handled; the lane goes on behind it.
    FailureHandled {
        step: Arc<str>,
    },
    LaneEnded {
        result: LaneResult,
        note: Option<String>,
    },
}
