//! Whether a yes or a no is taken: tried out by the door that is asked, decided by the first lane of the run.
//!
//! Not here: reading what is known (worker, doors).

use super::{Consent, ConsentAsk, NotConsented, REASON_MAX_BYTES, Required, Said, TOLD};
use crate::definition::{Definition, Spawn, Step, Verb};
use crate::directory::{Directory, PersonId};
use crate::expression::Dynamic;
use crate::lane::{Children, ChildrenKind, Item, Lane, Phase, Section};
use crate::mail::ALTERNATE;
use crate::plan::Plan;
use crate::result::StepState;
use serde_json::Value;
use std::collections::BTreeSet;

/// What was read for a decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// What is asked for what disturbs, as far as the runbook says its classes; none: nothing.
    pub required: Option<Required>,
    /// Those classes.
    pub classes: BTreeSet<String>,
    /// More of it is known only when it is done: other runbooks that are called, classes that depend on a server.
    pub more: bool,
    /// The customer's servers in the plan.
    pub servers: usize,
    /// Who may speak for the customer now.
    pub people: BTreeSet<PersonId>,
    /// What was said last.
    pub said: Option<Said>,
}

impl Known {
    /// With what estate and policies say now; `body` is the customer's document.
    ///
    /// # Errors
    /// When the document is not what this product writes.
    pub fn of(
        directory: &dyn Directory,
        plan: &Plan,
        definition: &Definition,
        customer: &str,
        body: Option<&str>,
    ) -> Result<Self, serde_json::Error> {
        let (classes, dynamic) = classes(definition);
        let contacts = [TOLD, ALTERNATE].map(|role| directory.contacts(customer, role));
        let deciding = directory.people_with(&format!("customer:{customer}"));
        let theirs = |asset: &&Value| {
            let of = asset.get("customer").and_then(Value::as_str);
            of == Some(customer)
        };
        Ok(Self {
            required: Required::of(directory, &plan.starter, customer, &classes),
            more: dynamic || !plan.calls.is_empty(),
            classes,
            servers: plan.assets.values().filter(theirs).count(),
            people: contacts
                .into_iter()
                .flatten()
                .map(|contact| contact.person)
                .chain(deciding)
                .collect(),
            said: body.map(serde_json::from_str).transpose()?,
        })
    }

    /// What changes by it; none: the same was said before.
    ///
    /// # Errors
    /// By name.
    pub fn judge(
        &self,
        lane: &Lane,
        definition: &Definition,
        items: &[Item],
        ask: &ConsentAsk,
    ) -> Result<Option<Consent>, NotConsented> {
        let customer = ask.customer.clone();
        if !self.people.contains(ask.person()) {
            let person = ask.person().to_owned();
            return Err(NotConsented::NotTheirs { person, customer });
        }
        if self.servers == 0 && !self.more {
            return Err(NotConsented::NotHere { customer });
        }
        if self.required.is_none() && !self.more {
            let classes: Vec<&str> = self.classes.iter().map(String::as_str).collect();
            let classes = classes.join(", ");
            return Err(NotConsented::NotAsked { customer, classes });
        }
        let length = ask.reason.as_ref().map_or(0, String::len);
        if length > REASON_MAX_BYTES {
            return Err(NotConsented::TooLong);
        }
        let is_same = |said: &Said| said.consent.agrees == ask.agrees;
        if self.said.as_ref().is_some_and(is_same) {
            return Ok(None);
        }
        if !is_ahead(lane, definition, items, &ask.customer) {
            return Err(NotConsented::TooLate { customer });
        }
        Ok(Some(Consent {
            customer,
            agrees: ask.agrees,
            by: ask.actor.person.clone(),
            word_of: ask.word_of.clone(),
            via: ask.actor.via.clone(),
            reason: ask.reason.clone(),
        }))
    }
}

/// The classes of all that disturbs, and whether one of them depends on the server.
fn classes(definition: &Definition) -> (BTreeSet<String>, bool) {
    let (mut classes, mut dynamic) = (BTreeSet::new(), false);
    let steps = definition
        .programs
        .iter()
        .flat_map(|program| &program.steps);
    for step in steps.filter(|step| step.disturbs()) {
        match &step.class {
            None => {
                classes.insert(definition.policy.class.clone());
            }
            Some(Dynamic::Literal(Value::String(class))) => {
                classes.insert(class.clone());
            }
            Some(_) => dynamic = true,
        }
    }
    (classes, dynamic)
}

/// Whether anything that disturbs lies within what a step opens; of another runbook nobody knows it here.
fn opens_outage(definition: &Definition, step: &Step) -> bool {
    let mut left = vec![step];
    let mut seen = BTreeSet::new();
    // Each program once.
    while let Some(step) = left.pop() {
        if step.disturbs() || matches!(&step.verb, Verb::Spawn(Spawn::Call(_))) {
            return true;
        }
        let inner = step.body().filter(|index| seen.insert(*index));
        let program = inner.and_then(|index| definition.program(index));
        left.extend(program.into_iter().flat_map(|program| &program.steps));
    }
    false
}

/// Whether a server of the customer may still begin, as far as this lane knows: what has begun goes on, whatever is
/// said of it.
fn is_ahead(lane: &Lane, definition: &Definition, items: &[Item], customer: &str) -> bool {
    let Some(program) = lane.program(definition) else {
        return false;
    };
    if lane.cursor.section != Section::Main || lane.verdict.is_some() {
        return false;
    }
    let place = usize::from(lane.cursor.index);
    let begun = |step: &Step| {
        let result = lane.results.get(&step.id);
        result.is_some_and(|result| result.state != StepState::Skipped)
    };
    let mut behind = program.steps.iter().take(place);
    let own_began = behind.any(|step| step.disturbs() && begun(step));
    let mut steps = program.steps.iter().skip(place);
    let Some(present) = steps.next() else {
        return false;
    };
    let own_begins = present.disturbs() && !matches!(lane.phase, Phase::At | Phase::Gated(_));
    let ahead = |step: &Step| match &step.verb {
        Verb::Spawn(_) => opens_outage(definition, step),
        _ => step.disturbs() && !own_began && !own_begins,
    };
    let each = lane.children.as_deref();
    let each = each.filter(|children| children.kind == ChildrenKind::Each);
    let inner = turn_opens_outage(definition, present);
    let left = each.is_none_or(|children| is_left(children, items, customer, inner));
    (ahead(present) && left) || steps.any(ahead)
}

/// Whether a turn of this step opens anything itself that disturbs: that stands before gates of its own, whatever the
/// turn has changed until then.
fn turn_opens_outage(definition: &Definition, step: &Step) -> bool {
    let program = step.body().and_then(|index| definition.program(index));
    let mut steps = program.into_iter().flat_map(|program| &program.steps);
    steps.any(|step| matches!(&step.verb, Verb::Spawn(_)) && opens_outage(definition, step))
}

/// Whether one of the customer's items has not begun, or, where there is an `inner` outage, not ended; a list that does
/// not name customers says nothing of it.
fn is_left(children: &Children, items: &[Item], customer: &str, inner: bool) -> bool {
    let mut theirs = (0..)
        .zip(items)
        .filter(|(_, item)| item.group("customer") == Some(customer))
        .peekable();
    let left = |(index, item): (u32, &Item)| match children.live.get(&item.key) {
        Some(live) => inner || !live.began,
        None => {
            let waits = children.passed.contains(&index) || children.again.contains(&index);
            index >= children.next || waits || children.set_aside(index).is_some()
        }
    };
    theirs.peek().is_none() || theirs.any(left)
}
