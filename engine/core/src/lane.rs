//! The state of a lane: what `events.fold(apply)` gives.
//!
//! A lane's state stays small whatever the size of the run: children are counted, not kept.

mod children;
mod person;
mod phase;
mod rules;
mod share;
mod slots;

pub use children::{Children, ChildrenKind, Item, Live, SetAside, Tally, WaveRange, group_of};
pub use person::{Clause, Person, PersonKind, Vote, yes_or_no};
pub use phase::{CallSpec, Checking, Gate, Pending, Phase, Running, Why};
pub use rules::{Climb, Must, Remind, Rules, Rung, StepUp};
pub(crate) use share::is_first;
pub use share::{
    CHANGE_SETTLES_MS, ChildMove, CustomerShare, FellBack, PROGRESS_MAX, Rolling, Slot,
};
pub use slots::{Granted, SLOTS_MAX};

use crate::debt::Debt;
use crate::deferral::PutOff;
use crate::definition::{Definition, Program, ProgramIndex, Step};
use crate::id::{Digest, LaneId, RunId};
use crate::result::{LaneResult, StepResult, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whom a lane tells about its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    pub lane: LaneId,
    pub step: Arc<str>,
    pub key: String,
    pub iteration: u32,
    /// Position in the parent's list.
    #[serde(default)]
    pub index: u32,
}

/// What a lane runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A program of the definition.
    Program(ProgramIndex),
    /// Takes back what an ended child left open.
    Undo { program: ProgramIndex, of: LaneId },
    /// Ends a lease of a step (`always`, index) of a program when its time has come.
    Lease {
        program: ProgramIndex,
        step: Arc<str>,
    },
    /// A question that holds nobody.
    Later {
        program: ProgramIndex,
        step: Arc<str>,
    },
}

/// Everything that is fixed when a lane is spawned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opening {
    pub lane: LaneId,
    pub run: RunId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    pub definition: Digest,
    pub plan: Digest,
    pub origin: Origin,
    /// Names that expressions of this lane see besides the run's: the item under its name, `wave`,
    /// `round`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub locals: Map<String, Value>,
    /// Results of another lane that this one continues from (undo, leases, questions).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inherited: BTreeMap<Arc<str>, Arc<StepResult>>,
    /// Undo entries that this lane begins with, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undo: Vec<UndoEntry>,
    /// Locks of its ancestors: not taken again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<String>,
    /// As the lane's own, of the lane that this one takes back.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lands_ms: i64,
    /// Of the lane that opened this one, while it is open there: this one, too, may have run before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<Restored>,
    /// The lane of whose step this one is a question or the end of a lease: what that one sees, this one sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opener: Option<LaneId>,
    /// Windows that pass unused from then on are counted; none: nobody counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<i64>,
    /// Its customer had put it off until now; none: it has its turn as announced first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub put_off: Option<PutOff>,
    /// It ends a lease that keeps something off this asset; none: off nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keeps_off: Option<String>,
}

impl Opening {
    /// The first lane of a run.
    #[must_use]
    pub fn root(run: RunId, definition: Digest, plan: Digest) -> Self {
        Self {
            lane: run.root(),
            run,
            parent: None,
            definition,
            plan,
            origin: Origin::Program(0),
            locals: Map::new(),
            inherited: BTreeMap::new(),
            undo: Vec::new(),
            locks: Vec::new(),
            lands_ms: 0,
            restored: None,
            opener: None,
            since_ms: None,
            put_off: None,
            keeps_off: None,
        }
    }
}

/// The store was restored from a copy: what the lane did after the copy was taken is not in its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// When the copy was taken, by the clock of the store that was copied.
    pub taken_ms: i64,
    /// When the realm began to go on from the copy; later than every lane in it was opened.
    pub at_ms: i64,
    /// Nobody has said yet that the lane did not go on behind the copy: no mutating call begins.
    pub open: bool,
}

/// Which list of steps is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    Main,
    Undo,
    Always,
}

/// Where the lane stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    pub section: Section,
    /// Main, always: index of the step. Undo: index of the alternative.
    pub index: u16,
}

/// Something that can be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoEntry {
    /// Index of the step in the program's main list.
    pub step: u16,
    /// The ended child (a round, a call) whose own open undos these are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub child: Option<LaneId>,
}

/// A lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    pub opening: Arc<Opening>,
    /// Number of events applied.
    pub version: u64,
    pub opened_ms: i64,
    pub cursor: Cursor,
    pub phase: Phase,
    /// The live children of the present step, kept while a gate asks people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub children: Option<Box<Children>>,
    /// Shared: a lane is copied whenever something is tried out on it.
    pub results: BTreeMap<Arc<str>, Arc<StepResult>>,
    /// What would be taken back, oldest first.
    pub undo: Vec<UndoEntry>,
    /// Set once the end is decided; undo and `always` still run.
    pub verdict: Option<Verdict>,
    /// Someone asked to stop; the present call is settled first.
    pub stop: Option<Verdict>,
    pub paused: bool,
    /// A failure was handled: the lane can at best be recovered.
    pub recovered: bool,
    /// Locks that this lane holds until it ends.
    pub locks: Vec<String>,
    /// How often the present step was entered anew (an operator's retry is a new visit).
    pub visit: u32,
    /// Number of the next attempt of the present step, from 1.
    pub attempt: u32,
    /// The call before the next attempt, if nobody knows whether it took effect: the step cannot
    /// fail or be skipped before people have said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsure: Option<Box<Running>>,
    /// Mutating host calls of the present step, for its next attempts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub journal: Vec<crate::event::Journal>,
    pub ended_ms: Option<i64>,
    /// Undo entries that were still open when the lane went on to `always` with a good end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<UndoEntry>,
    /// Until then calls whose workers were lost may still reach their targets. Zero: none was lost.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lands_ms: i64,
    /// The newest copy from which the lane was restored; none if it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<Restored>,
    /// It has told its parent that announced work has begun.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub begun: bool,
    /// What its open question owes; none: nothing, or nothing any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debt: Option<Box<Debt>>,
    /// What people gave it beyond the windows that its runbook lets it wait for; none: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted: Option<Granted>,
    /// Customers whose alternate contacts it told, oldest first: one each time a step announces to a customer, at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fell_back: Vec<FellBack>,
    /// It ends a lease, and people have let it live longer by so many milliseconds.
    #[serde(default, skip_serializing_if = "is_none_ms")]
    pub extended_ms: u64,
}

// serde hands over a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
pub(crate) fn is_zero(ms: &i64) -> bool {
    *ms == 0
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_none_ms(ms: &u64) -> bool {
    *ms == 0
}

impl Lane {
    #[must_use]
    pub fn open(opening: Opening, at_ms: i64) -> Self {
        let section = if matches!(opening.origin, Origin::Undo { .. }) {
            Section::Undo
        } else {
            Section::Main
        };
        Self {
            version: 1,
            opened_ms: at_ms,
            cursor: Cursor { section, index: 0 },
            phase: Phase::At,
            children: None,
            results: opening.inherited.clone(),
            undo: opening.undo.clone(),
            verdict: None,
            stop: None,
            paused: false,
            recovered: false,
            locks: Vec::new(),
            visit: 0,
            attempt: 1,
            unsure: None,
            journal: Vec::new(),
            ended_ms: None,
            left: Vec::new(),
            lands_ms: opening.lands_ms,
            restored: opening.restored,
            begun: false,
            debt: None,
            granted: None,
            fell_back: Vec::new(),
            extended_ms: 0,
            opening: Arc::new(opening),
        }
    }

    #[must_use]
    pub fn id(&self) -> LaneId {
        self.opening.lane
    }

    #[must_use]
    pub fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended)
    }

    /// The program that this lane runs.
    #[must_use]
    pub fn program<'a>(&self, definition: &'a Definition) -> Option<Cow<'a, Program>> {
        crate::synthetic::program_of(&self.opening.origin, definition)
    }

    /// The step under the cursor; none at the end of a section.
    #[must_use]
    pub fn step<'a>(&self, program: &'a Program) -> Option<&'a Step> {
        let index = usize::from(self.cursor.index);
        match self.cursor.section {
            Section::Main => program.steps.get(index),
            Section::Always => program.always.get(index),
            Section::Undo => {
                let entry = self.undo.last()?;
                program.steps.get(usize::from(entry.step))?.undo.get(index)
            }
        }
    }

    /// Name under which the present step's result is kept.
    #[must_use]
    pub fn result_name(&self, step: &Step) -> Arc<str> {
        match self.cursor.section {
            Section::Undo => Arc::from(format!("undo:{}", step.id)),
            Section::Main | Section::Always => Arc::clone(&step.id),
        }
    }

    /// A stop is asked for and not yet the verdict: what runs is settled, nothing new starts. Undo
    /// and `always` of a stopped lane are not stopping.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stop.is_some() && self.verdict.is_none()
    }

    /// The lane may have gone on in what a restored copy lacks, and nobody has said that it did not.
    #[must_use]
    pub fn may_have_gone_on(&self) -> bool {
        self.open_copy().is_some()
    }

    /// What a lane that this one opens is born with: it, too, may have run behind the copy.
    #[must_use]
    pub fn open_copy(&self) -> Option<Restored> {
        self.restored.filter(|restored| restored.open)
    }

    /// Whether the lane knows that the realm was restored at this instant, or is younger than that.
    #[must_use]
    pub fn has_heard_of(&self, restored_ms: i64) -> bool {
        let heard = |known: Restored| known.at_ms >= restored_ms;
        self.opened_ms >= restored_ms || self.restored.is_some_and(heard)
    }

    /// The ended child that the present undo entry is about.
    #[must_use]
    pub fn undoing_child(&self) -> Option<LaneId> {
        match self.cursor.section {
            Section::Undo => self.undo.last()?.child,
            Section::Main | Section::Always => None,
        }
    }

    /// What an ended lane leaves to its parent to take back.
    #[must_use]
    pub fn undo_left(&self) -> &[UndoEntry] {
        &self.left
    }

    /// How the lane ends when its main list is through.
    #[must_use]
    pub fn good_end(&self) -> LaneResult {
        if self.recovered {
            LaneResult::Recovered
        } else {
            LaneResult::Succeeded
        }
    }
}
