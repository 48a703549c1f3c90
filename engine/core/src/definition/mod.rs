//! A compiled runbook: flat programs of steps, without text positions, ready to be executed
//! without choices. Made by the runbook crate, frozen by digest, shared by all runs of a version.
//!
//! Not here: parsing, checking, evaluation.

pub mod must;
pub mod offer;
mod person;
mod spawn;
mod step;
mod wave;

pub use person::{After, Approve, Ask, AskRules, OnDeny, OnExpire, Owing, Silence, Who, WhoClause};
pub use spawn::{
    AtOnce, Call, Collect, Each, Gate, OPENS_MAX_DAYS, OnExhausted, Opens, Over, Overflow,
    PerGroup, Ramp, Repeat, Spawn, StopAt, UsedUp, Wave, WaveLimit,
};
pub use step::{
    Do, Finish, FinishResult, LeaseEnd, NoticePlan, Notify, OnFailure, Recipient, Retry, Step,
    StepLease, Verb, Wait, WaitUntil,
};
pub use wave::{WaveTerms, scope_of};

use crate::directory::List;
use crate::expression::{Dynamic, Expression};
use crate::id::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Classes of a runbook or a step, from the gentlest to the most urgent. The list is closed.
pub const CLASSES: [&str; 6] = [
    "request",
    "standard-patch",
    "planned",
    "planned-high",
    "expedited",
    "emergency",
];

/// Index of a program inside its definition; 0 is the run's own.
pub type ProgramIndex = u16;

/// A runbook version, compiled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// Rises when this shape changes; older ones stay readable.
    pub format: u32,
    pub runbook: String,
    pub version: u32,
    pub title: String,
    pub owner: String,
    /// Digest of the runbook file and its templates, as released.
    pub source: Digest,
    pub policy: Policy,
    /// Contracts with their major version.
    pub needs: BTreeMap<String, u32>,
    pub inputs: BTreeMap<String, Input>,
    pub outputs: BTreeMap<String, Dynamic>,
    /// Amounts of the policies that its expressions compare with (`policy.spend.<name>`).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub spend: BTreeSet<String>,
    pub programs: Vec<Program>,
    /// Handlebars templates by name (`maintenance.subject`, `maintenance.text`, `maintenance.html`).
    pub templates: BTreeMap<String, String>,
}

impl Definition {
    /// A step of a program, or one of its undo steps, by its id.
    #[must_use]
    pub fn find(&self, program: ProgramIndex, id: &str) -> Option<&Step> {
        let program = self.program(program)?;
        let own = || program.steps.iter().chain(&program.always);
        own()
            .chain(own().flat_map(|step| &step.undo))
            .find(|step| &*step.id == id)
    }

    /// The notices that tell customers of what this program does: of the step that opens it, or of one around
    /// that.
    #[must_use]
    pub fn announcement(&self, program: ProgramIndex) -> Option<&NoticePlan> {
        let mut inner = program;
        for _ in &self.programs {
            let (outer, step) = self.opener(inner)?;
            if step.notices.is_some() {
                return step.notices.as_ref();
            }
            inner = outer;
        }
        None
    }

    /// Disturbing steps of a program and of those that it opens, each program once.
    #[must_use]
    pub fn outages(&self, program: ProgramIndex) -> Vec<&Step> {
        let (mut found, mut left) = (Vec::new(), vec![program]);
        let mut seen = BTreeSet::new();
        while let Some(index) = left.pop() {
            let Some(program) = self.program(index).filter(|_| seen.insert(index)) else {
                continue;
            };
            for step in &program.steps {
                found.extend(step.disturbs().then_some(step));
                left.extend(step.body());
            }
        }
        found
    }

    /// The class of a step, as far as it is the same for all servers; else the runbook's. What depends on a server is
    /// known at its gate only.
    #[must_use]
    pub fn class_of<'a>(&'a self, step: &'a Step) -> &'a str {
        match &step.class {
            Some(Dynamic::Literal(Value::String(class))) => class,
            _ => &self.policy.class,
        }
    }

    /// Whether this program is one turn of what is announced: not what a turn does within itself.
    #[must_use]
    pub fn is_turn(&self, program: ProgramIndex) -> bool {
        let opener = self.opener(program);
        opener.is_some_and(|(_, step)| step.notices.is_some())
    }

    /// The step whose items or rounds run this program, and the program in which it stands.
    fn opener(&self, inner: ProgramIndex) -> Option<(ProgramIndex, &Step)> {
        let opens = |step: &&Step| step.body() == Some(inner);
        (0..).zip(&self.programs).find_map(|(index, program)| {
            let mut steps = program.steps.iter().chain(&program.always);
            Some((index, steps.find(opens)?))
        })
    }

    /// The program at an index. Compiled definitions never point outside.
    #[must_use]
    pub fn program(&self, index: ProgramIndex) -> Option<&Program> {
        self.programs.get(usize::from(index))
    }
}

/// Who may start it, and how it is treated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub class: String,
    /// Roles (or `scheduler`, `runbook`) that may start it.
    pub start: Vec<String>,
    /// The starter's own approval does not count.
    pub four_eyes: bool,
    /// Who may cancel from outside.
    pub withdraw: Vec<String>,
}

/// One input of a runbook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    pub kind: InputKind,
    pub label: Option<String>,
    pub required: bool,
    pub default: Option<Value>,
    /// JSON Schema of the value as given.
    pub schema: Value,
    /// The list that it is chosen from: `"catalog": "os"`, or `"triggers": "emergency"`.
    #[serde(flatten)]
    pub from: Option<List>,
    /// A rule over `value` and `inputs` that must give true for a run to start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub must: Option<Expression>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// Plain data described by the schema alone.
    Data,
    /// A filter over assets (`ring=canary service=co-managed`); becomes the list of asset ids.
    Selector,
    Asset,
    Customer,
    Window,
}

/// A list of steps, read top to bottom, and what runs at the end whatever happened.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Program {
    pub steps: Vec<Step>,
    pub always: Vec<Step>,
    /// Name of the current item in expressions (`as: asset`), if this is the body of an `each`.
    pub binds: Option<String>,
}
