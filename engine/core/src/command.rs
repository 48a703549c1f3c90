//! What can be asked of a lane, in the imperative.
//!
//! Commands of people and of other lanes wait in the inbox as JSON; the worker's own are made where
//! they are decided.

use crate::answer::Answer;
use crate::consent::{self, ConsentAsk};
use crate::debt::{Cure, Debt};
use crate::deferral::{DeferAsk, Known};
use crate::directory::PersonId;
use crate::event::{ChildEnd, Journal};
use crate::gate::Closed;
use crate::id::{Digest, LaneId, RunId};
use crate::lane::{CallSpec, ChildMove, Clause, PersonKind, Rules, Slot, WaveRange};
use crate::result::{LaneResult, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Who commands, as the door through which the command came has established.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    pub person: String,
    /// `role:…`, `customer:…`, `person:…` at this moment.
    pub qualifies: Vec<String>,
    /// The door: `cli`, `api`, `link`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// The door has proved by a one-time code that it is this person, for this one decision.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stepped_up: bool,
    /// Those in whose place this person may vote at this moment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stands_in: Vec<StandIn>,
}

/// Somebody who has named a delegate, with what they qualify as themselves: what others have delegated to them is
/// not among it, so nothing is handed on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandIn {
    pub person: String,
    pub qualifies: Vec<String>,
}

/// A command that travels through the inbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "command")]
pub enum Command {
    /// Yes or no to what `signs` names.
    Decide {
        actor: Actor,
        yes: bool,
        signs: Digest,
        comment: Option<String>,
        /// The name that a yes must type back, where the question wants one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        typed: Option<String>,
        /// What this yes waives.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        waive: Vec<String>,
    },
    /// A form filled in.
    Answer {
        actor: Actor,
        signs: Digest,
        answer: Value,
    },
    /// The way out of a doubt or a failure.
    Choose {
        actor: Actor,
        choice: Choice,
        comment: Option<String>,
        /// Of the question that the person saw; without it, a choice may meet a later question.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signs: Option<Digest>,
        #[serde(default, skip_serializing_if = "Value::is_null")]
        output: Value,
    },
    Cancel {
        by: String,
        reason: Option<String>,
    },
    Pause {
        by: String,
    },
    Resume {
        by: String,
    },
    /// Failed children of an `each` are run again; empty: all that failed.
    RetryItems {
        by: String,
        items: Vec<RetryItem>,
    },
    /// A lease ends now; a `wait` of a lease lane is over.
    Release {
        by: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A lease lives longer by so many milliseconds.
    Extend {
        by: String,
        reason: String,
        by_ms: u64,
    },
    /// A run has done what settles a debt, for these assets.
    Cure {
        assets: BTreeSet<String>,
        how: Cure,
        run: RunId,
    },
    /// The turns of a customer's servers are put off.
    Defer {
        ask: Box<DeferAsk>,
    },
    /// A customer agrees to the run, or objects; only the first lane takes it.
    Consent {
        ask: Box<ConsentAsk>,
    },
    /// A child's `finish: { of: run }`.
    FinishRun {
        verdict: Verdict,
        by: String,
    },
    ChildEnded {
        end: ChildEnd,
    },
    ChildMoved {
        moved: ChildMove,
    },
    Timer {
        name: String,
    },
}

/// A failed item that is to be run again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryItem {
    pub key: String,
    pub index: u32,
    /// How its child ended: looked up in the record beside the parent by whoever accepts the
    /// command, never taken from outside. The lane itself only counts.
    pub result: LaneResult,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    Retry,
    /// Go on behind the failed step.
    Skip,
    Fail,
    /// It did happen (with evidence).
    Done,
    /// One more slot for an item that has missed its windows.
    Next,
    /// Such an item is left out.
    Leave,
    /// Such an item is held.
    Stop,
}

impl Choice {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Skip => "skip",
            Self::Fail => "fail",
            Self::Done => "done",
            Self::Next => "next",
            Self::Leave => "leave",
            Self::Stop => "stop",
        }
    }
}

/// What the worker found when it evaluated the step under the cursor.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// Its `if` is false.
    Skip,
    /// An expression failed, a target is missing: the step fails with this reason.
    Fault(String),
    Do(Arc<CallSpec>),
    /// A disturbing call whose gate is closed.
    Held {
        call: Arc<CallSpec>,
        closed: Box<Closed>,
    },
    /// The same where its item has missed as many windows as it may, and the runbook says: ask.
    Missed {
        call: Arc<CallSpec>,
        closed: Box<Closed>,
    },
    Wait {
        until_ms: i64,
    },
    Person(Box<AskEntry>),
    Spawn(Box<SpawnEntry>),
    /// A question or a call that holds nobody; it becomes a lane of its own.
    Detach,
    Notify {
        template: String,
        to: Vec<String>,
        about: Value,
    },
    Release {
        output: Value,
    },
    Finish {
        verdict: Verdict,
        of_run: bool,
    },
    /// An ended child's open undos are taken back by a lane of its own.
    UndoChild {
        of: LaneId,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct AskEntry {
    pub kind: PersonKind,
    pub title: String,
    pub clauses: Vec<Clause>,
    pub quorum: u32,
    pub form: Value,
    pub shown: Option<Digest>,
    pub signs: Digest,
    pub excluded: Vec<String>,
    pub expires_ms: Option<i64>,
    pub on_expire: crate::definition::OnExpire,
    pub on_deny: crate::definition::OnDeny,
    pub rules: Rules,
    /// It is an obligation; none, or nothing owed: it is a question and no more.
    pub debt: Option<Box<Debt>>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum SpawnEntry {
    Each {
        items: Digest,
        total: u32,
        waves: Vec<WaveRange>,
        customers: Vec<(String, u32)>,
        /// By customer, when the work will happen; whoever is missing here: nobody can say.
        slots: BTreeMap<String, Slot>,
    },
    Rounds,
    /// The called runbook's own plan, a blob.
    Call {
        plan: Digest,
    },
}

/// What the worker asks of `decide`: a command from outside, or what came of its own work.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    Command(Command),
    /// Ends of up to 500 children in one.
    ChildrenEnded(Vec<ChildEnd>),
    /// The step under the cursor, evaluated.
    Enter(Entry),
    /// The gate behind a wave, evaluated: none when its `if` is false.
    EnterGate(Option<Box<AskEntry>>),
    /// `Command::Defer`, with what must be known of it.
    Defer {
        ask: Box<DeferAsk>,
        known: Box<Known>,
    },
    /// `Command::Consent`, with what must be known of it.
    Consent {
        ask: Box<ConsentAsk>,
        known: Box<consent::Known>,
    },
    /// Announcements compared with what is so now.
    Compared(Vec<Comparison>),
    /// Nobody of these customers has what was announced.
    Unreached(Vec<StandIns>),
    /// A round is over: does `until` hold?
    RoundJudged {
        until: bool,
    },
    /// The step's resources are taken by others.
    Blocked {
        resource: String,
    },
    Answered(Answer),
    Journaled(Journal),
    Observed(Seen),
    /// The call gave no answer: it was cut or ran into its deadline.
    Unsettled {
        reason: String,
    },
    /// The guest broke a limit other than time.
    Broken {
        reason: String,
    },
    /// The lane was claimed with a call in flight that nobody answers for any more.
    Orphaned,
    /// The realm goes on from a copy since `restored_ms`. Stands for `Orphaned`, too.
    Restored {
        taken_ms: i64,
        restored_ms: i64,
    },
    /// The lane took its worker down while it ran alone.
    Quarantine {
        reason: String,
    },
    /// Whatever has come due by the clock, and admission of what there is room for.
    Continue,
}

/// What one customer was told, beside what is so now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    pub customer: String,
    pub slot: Option<Slot>,
    /// There is something to tell.
    pub differs: bool,
}

/// Who hears of an announcement that none of those before them has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandIns {
    pub customer: String,
    /// When it happens as it is now; none: nobody can say.
    pub slot: Option<Slot>,
    /// Alternate contacts who can be reached; empty: there are none.
    pub people: Vec<PersonId>,
}

/// What `observe` said.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    Done(Value),
    NotDone,
    Going { ask_after_ms: u64 },
    Unknown(String),
}
