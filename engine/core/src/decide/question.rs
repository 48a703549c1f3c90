//! What stands around a question: its end, its ladder, its reminders, what a yes must say.
//!
//! Not here: who may decide, and what follows from a decision (`person`).

use super::Draft;
use crate::command::{Actor, AskEntry};
use crate::definition::{OnExpire, Silence};
use crate::event::Event;
use crate::id::Digest;
use crate::lane::{Person, Phase};
use crate::mail::REMINDER;
use crate::refusal::Refusal;
use crate::result::Verdict;
use serde_json::Value;

impl Draft<'_> {
    /// What has come due of an open question: its end, a rung, a reminder.
    pub(super) fn question_due(&mut self) -> Result<(), Refusal> {
        let Phase::Person(person) = &self.lane.phase else {
            return self.unexpected("a timer");
        };
        if person.expires_ms.is_some_and(|end| end <= self.at_ms) {
            return self.expire();
        }
        let climbed = self.climb();
        if self.remind() || climbed {
            return Ok(());
        }
        self.unexpected("a timer")
    }

    /// Nobody answered, and the runbook says that the lane ends then.
    pub(super) fn end_in_silence(&mut self, silence: Silence) -> Result<(), Refusal> {
        let (step, name) = self.present_step()?;
        let verdict = Verdict {
            result: silence.result,
            note: silence.note,
            step: Some(step.id.to_string()),
        };
        self.push(Event::PersonSettled {
            choice: "expired".to_owned(),
            by: None,
            answer: Value::Null,
            comment: None,
        });
        self.reach(verdict);
        self.push(Event::StepSkipped { step: name });
        self.onward();
        Ok(())
    }

    /// Asks those on the rungs that have come due, too.
    pub(super) fn climb(&mut self) -> bool {
        let Phase::Person(person) = &self.lane.phase else {
            return false;
        };
        let mut person = person.clone();
        let climbs = person.climb(self.at_ms);
        if climbs {
            self.push(Event::PersonAsked { person });
        }
        climbs
    }

    /// One message, however many reminders have come due while nobody looked.
    fn remind(&mut self) -> bool {
        let Phase::Person(person) = &self.lane.phase else {
            return false;
        };
        let Some(remind) = &person.rules.remind else {
            return false;
        };
        let done = person.reminders_due(self.at_ms);
        if done <= remind.done {
            return false;
        }
        let asked = person.clauses.iter().flat_map(|clause| &clause.any_of);
        let to: Vec<_> = asked.cloned().collect();
        let about = remind.about.clone();
        let (lane, asked_ms) = (self.lane.id(), person.asked_ms);
        let template = format!("{REMINDER}{lane}:{asked_ms}:{done}");
        self.push(Event::PersonReminded { done });
        self.push(Event::ReportDue {
            template,
            to,
            about,
        });
        true
    }
}

/// What a voter says.
pub(super) struct Ballot {
    pub yes: bool,
    pub signs: Digest,
    pub comment: Option<String>,
    pub typed: Option<String>,
    pub waive: Vec<String>,
}

/// When a question ends, and how: a ladder's end always denies, and stands in for an escalation.
pub(super) fn end(entry: &AskEntry) -> (Option<i64>, OnExpire) {
    let own = (entry.expires_ms, entry.on_expire);
    let Some(climb) = &entry.rules.ladder else {
        return own;
    };
    let sooner = entry.expires_ms.is_some_and(|end| end < climb.denies_ms);
    if sooner && entry.on_expire != OnExpire::Escalate {
        return own;
    }
    (Some(climb.denies_ms), OnExpire::Deny)
}

/// Whoever decides must be proved to be themselves, whether they vote for themselves or in somebody's place.
pub(super) fn proved(person: &Person, actor: &Actor) -> Result<(), Refusal> {
    match person.rules.step_up {
        Some(_) if !actor.stepped_up => Err(Refusal::NotSteppedUp {
            person: actor.person.clone(),
        }),
        _ => Ok(()),
    }
}

pub(super) fn wants_typed(person: &Person, typed: Option<&str>) -> Result<(), Refusal> {
    match &person.rules.typed {
        Some(wanted) if typed != Some(wanted) => Err(Refusal::NotTyped),
        _ => Ok(()),
    }
}

pub(super) fn waivable(person: &Person, waive: Vec<String>) -> Result<Vec<String>, Refusal> {
    let may = &person.rules.may_waive;
    match waive.iter().find(|waiver| !may.contains(waiver)) {
        Some(waiver) => Err(Refusal::NotWaivable {
            waiver: waiver.clone(),
            may: may.clone(),
        }),
        None => Ok(waive),
    }
}

/// On a ladder a vote counts for whom it was asked of: a rung that is asked later does not make it count for
/// more.
pub(super) fn counting(person: &Person, mut qualifies: Vec<String>) -> Vec<String> {
    if person.rules.ladder.is_some() {
        let asked = |held: &String| {
            person
                .clauses
                .iter()
                .any(|clause| clause.any_of.contains(held))
        };
        qualifies.retain(asked);
    }
    qualifies
}
