//! Whether work fits into the rest of a window: what is ahead of a lane up to its last disturbing call, and what takes
//! that back.
//!
//! Gate and forecast ask the same function about the same numbers. Lengths are added as if all of them came together,
//! which is never too short; steps whose condition may leave them out count. Not here: windows, and what was measured
//! when.

mod history;

pub use history::{
    Basis, Estimate, HISTORIES, HISTORIES_MAX, History, LASTED_MAX, Terms, history_document, kind,
    rounded,
};

use crate::contract::Impact;
use crate::definition::{Definition, Do, Program, ProgramIndex, Spawn, Step, Verb, WaitUntil};
use crate::directory::Directory;
use crate::duration::parse_ms;
use crate::expression::Dynamic;
use crate::lane::UndoEntry;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Calls that a sentence names; the rest is counted.
const NAMED_MAX: usize = 4;

/// Histories by the names of their documents.
pub type Histories = BTreeMap<String, History>;

/// One call that is ahead, or that takes one back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Part {
    /// `guest-patch.apply`, or a verb of the runbook.
    pub action: String,
    /// Empty for a verb.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    #[serde(flatten)]
    pub estimate: Estimate,
}

/// What must fit into the rest of a window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// From the present step to the last disturbing one.
    pub steps: Vec<Part>,
    /// What takes back the most that may have to be, where the lane may still fail.
    pub back: Vec<Part>,
}

impl Need {
    #[must_use]
    pub fn steps_ms(&self) -> u64 {
        sum(&self.steps)
    }

    #[must_use]
    pub fn back_ms(&self) -> u64 {
        sum(&self.back)
    }

    /// At least a millisecond: nothing takes no time.
    #[must_use]
    pub fn total_ms(&self) -> u64 {
        self.steps_ms().saturating_add(self.back_ms()).max(1)
    }

    /// What weighs most.
    #[must_use]
    pub fn longest(&self) -> Option<&Part> {
        let all = self.steps.iter().chain(&self.back);
        all.filter(|part| !part.kind.is_empty())
            .max_by_key(|part| part.estimate.ms)
    }

    /// `needs 35m (guest-patch.apply 20m, p95 of 12 runs; …) and 20m to take back (…), 30m are left`; without what is
    /// left where the window is closed.
    #[must_use]
    pub fn says(&self, left_ms: Option<u64>) -> String {
        let mut text = format!("needs {}{}", rounded(self.steps_ms()), named(&self.steps));
        if !self.back.is_empty() {
            let back = rounded(self.back_ms());
            text += &format!(" and {back} to take back{}", named(&self.back));
        }
        match left_ms {
            // Down: what is left must not look like enough.
            Some(left_ms) => format!("{text}, {} are left", rounded(left_ms / 60_000 * 60_000)),
            None => text,
        }
    }
}

fn sum(parts: &[Part]) -> u64 {
    let all = parts.iter().map(|part| part.estimate.ms);
    all.fold(0, u64::saturating_add)
}

/// The longest first.
fn named(parts: &[Part]) -> String {
    let mut parts: Vec<&Part> = parts.iter().collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.estimate.ms));
    let says = |part: &&Part| format!("{} {}", part.action, part.estimate.says());
    let mut said: Vec<String> = parts.iter().take(NAMED_MAX).map(says).collect();
    let more = parts.len().saturating_sub(NAMED_MAX);
    said.extend((more > 0).then(|| format!("{more} more")));
    match said.is_empty() {
        true => String::new(),
        false => format!(" ({})", said.join("; ")),
    }
}

/// How long calls on one asset are taken to last.
pub struct Lengths<'a> {
    directory: &'a dyn Directory,
    asset: &'a str,
    record: Option<Value>,
    histories: &'a Histories,
}

impl<'a> Lengths<'a> {
    #[must_use]
    pub fn of(directory: &'a dyn Directory, asset: &'a str, histories: &'a Histories) -> Self {
        Self {
            directory,
            asset,
            record: directory.asset(asset),
            histories,
        }
    }

    fn kind(&self, action: &str) -> String {
        let contract = action.split('.').next().unwrap_or_default();
        let route = self.directory.route(Some(self.asset), contract);
        let plugin = route.map_or_else(|| contract.to_owned(), |route| route.plugin);
        kind(&plugin, self.record.as_ref())
    }

    /// Names of the histories of all calls of a program that count.
    #[must_use]
    pub fn documents(&self, program: &Program) -> BTreeSet<String> {
        let steps = program.steps.iter();
        let all = steps.flat_map(|step| std::iter::once(step).chain(&step.undo));
        let calls = all.filter_map(counted);
        calls
            .map(|call| history_document(&call.action, &self.kind(&call.action)))
            .collect()
    }

    fn call(&self, call: &Do) -> Part {
        let kind = self.kind(&call.action);
        let history = self.histories.get(&history_document(&call.action, &kind));
        let terms = self.directory.fit(&call.action);
        Part {
            action: call.action.clone(),
            kind,
            estimate: Estimate::of(history, terms, call.timeout_ms),
        }
    }

    /// None: it takes no time that anybody knows of.
    fn step(&self, step: &Step) -> Option<Part> {
        let verb = match &step.verb {
            Verb::Do(_) => return counted(step).map(|call| self.call(call)),
            Verb::Wait(wait) => match &wait.until {
                WaitUntil::For(Dynamic::Literal(length)) => return waited(length),
                WaitUntil::For(_) | WaitUntil::Instant(_) | WaitUntil::Opened(_) => "wait",
            },
            Verb::Approve(_) => "approve",
            Verb::Ask(_) => "ask",
            Verb::Notify(_) => "notify",
            Verb::Spawn(Spawn::Each(_)) => "each",
            Verb::Spawn(Spawn::Repeat(_)) => "repeat",
            Verb::Spawn(Spawn::Call(_)) => "call",
            Verb::Release { .. } => "release",
            Verb::Finish(_) => "finish",
        };
        let ms = self.directory.verb_ms(verb)?;
        Some(plain(verb, ms, Basis::Assumed))
    }

    /// The longest of the alternatives that take a step back.
    fn undo(&self, step: &Step) -> Option<Part> {
        let is_noted = matches!(&step.verb, Verb::Do(call) if call.effect.mutates());
        let alternatives = step.undo.iter().filter_map(counted);
        let parts = alternatives
            .filter(|_| is_noted)
            .map(|call| self.call(call));
        parts.max_by_key(|part| part.estimate.ms)
    }
}

fn waited(length: &Value) -> Option<Part> {
    let ms = length.as_str().and_then(parse_ms).or(length.as_u64())?;
    Some(plain("wait", ms, Basis::Wait))
}

fn plain(verb: &str, ms: u64, basis: Basis) -> Part {
    Part {
        action: verb.to_owned(),
        kind: String::new(),
        estimate: Estimate { ms, basis },
    }
}

/// The call of a step, if it changes or disturbs anything: those are measured, and others take no time here.
#[must_use]
pub fn counted(step: &Step) -> Option<&Do> {
    match &step.verb {
        Verb::Do(call) if is_counted(call) => Some(call),
        _ => None,
    }
}

fn is_counted(call: &Do) -> bool {
    match call.impact {
        Impact::Outage => true,
        Impact::Change => call.effect.mutates(),
        Impact::None => false,
    }
}

/// What is ahead from the step `from` on, if anything disturbs; `begun` can be taken back already.
#[must_use]
pub fn need(
    program: &Program,
    from: usize,
    begun: &[UndoEntry],
    lengths: &Lengths<'_>,
) -> Option<Need> {
    let last = program.steps.iter().rposition(Step::disturbs)?;
    if last < from {
        return None;
    }
    // What ended children left is theirs: nobody knows here how long it takes.
    let own = begun.iter().filter(|entry| entry.child.is_none());
    let noted: BTreeSet<usize> = own.map(|entry| usize::from(entry.step)).collect();
    let undone = |place: &usize| lengths.undo(program.steps.get(*place)?);
    let mut back: Vec<Part> = noted.iter().filter_map(undone).collect();
    let mut need = Need {
        steps: Vec::new(),
        back: back.clone(),
    };
    for (place, step) in program.steps.iter().enumerate().take(last + 1).skip(from) {
        need.steps.extend(lengths.step(step));
        if !noted.contains(&place) {
            back.extend(lengths.undo(step));
        }
        if sum(&back) > need.back_ms() {
            need.back.clone_from(&back);
        }
        if step.no_return {
            back.clear();
        }
    }
    Some(need)
}

/// What a program needs from its beginning on: the whole of it, or of the longest of those that it opens.
#[must_use]
pub fn need_of(
    definition: &Definition,
    program: ProgramIndex,
    lengths: &Lengths<'_>,
) -> Option<Need> {
    let (mut left, mut seen) = (vec![program], BTreeSet::new());
    let mut longest: Option<Need> = None;
    // Each program is looked at once.
    while let Some(index) = left.pop() {
        let Some(program) = definition.program(index).filter(|_| seen.insert(index)) else {
            continue;
        };
        left.extend(program.steps.iter().filter_map(Step::body));
        let found = need(program, 0, &[], lengths);
        let known_ms = longest.as_ref().map_or(0, Need::total_ms);
        longest = found
            .filter(|found| found.total_ms() > known_ms)
            .or(longest);
    }
    longest
}
