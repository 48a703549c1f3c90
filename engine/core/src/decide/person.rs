//! People: who may decide, what counts, what follows.

use super::Draft;
use super::question::{Ballot, counting, end, proved, waivable, wants_typed};
use crate::command::{Actor, AskEntry};
use crate::definition::offer::completed;
use crate::definition::{OnDeny, OnExpire, OnFailure};
use crate::event::{Event, Stage};
use crate::id::Digest;
use crate::lane::{Clause, Person, PersonKind, Phase, Rules, Running, Vote};
use crate::refusal::Refusal;
use crate::result::LaneResult;
use serde_json::{Value, json};

/// Who answers the engine's own questions (doubts, failures, undo).
const OPERATORS: [&str; 2] = ["role:operator", "role:admin"];

impl Draft<'_> {
    pub(super) fn ask(
        &mut self,
        entry: AskEntry,
        call: Option<Box<Running>>,
        reason: Option<String>,
    ) {
        let (expires_ms, on_expire) = end(&entry);
        let mut person = Person {
            kind: entry.kind,
            title: entry.title,
            clauses: entry.clauses,
            quorum: entry.quorum,
            form: entry.form,
            shown: entry.shown,
            signs: entry.signs,
            excluded: entry.excluded,
            votes: Vec::new(),
            asked_ms: self.at_ms,
            expires_ms,
            on_expire,
            on_deny: entry.on_deny,
            escalated: false,
            call,
            reason,
            rules: entry.rules,
        };
        person.climb(self.at_ms);
        self.push(Event::PersonAsked {
            person: Box::new(person),
        });
        self.owe(entry.debt);
    }

    /// A question that no runbook spells out.
    pub(super) fn own_question(&self, kind: PersonKind, title: String, form: Value) -> AskEntry {
        let any_of = OPERATORS.map(str::to_owned).to_vec();
        let about = format!("{}:{}:{}", self.lane.id(), self.lane.version, title);
        AskEntry {
            kind,
            title,
            clauses: vec![Clause {
                any_of,
                at_least: 1,
            }],
            quorum: 1,
            form,
            shown: None,
            signs: Digest::of(about.as_bytes()),
            excluded: Vec::new(),
            expires_ms: None,
            on_expire: OnExpire::Deny,
            on_deny: OnDeny::Stop,
            rules: Rules::default(),
            debt: None,
        }
    }

    /// The open question, if this person may settle it at this instant.
    pub(super) fn asked(&self, actor: &Actor) -> Result<Person, Refusal> {
        let Phase::Person(person) = &self.lane.phase else {
            return Err(Refusal::NobodyAsked {
                phase: self.lane.phase.name(),
            });
        };
        if person.expires_ms.is_some_and(|end| end <= self.at_ms) {
            return Err(Refusal::Expired);
        }
        if !person.qualifies(&actor.qualifies) {
            let wanted: Vec<_> = person
                .clauses
                .iter()
                .flat_map(|clause| clause.any_of.clone())
                .collect();
            return Err(Refusal::NotAsked {
                person: actor.person.clone(),
                wanted: wanted.join(", "),
            });
        }
        if person.excluded.contains(&actor.person) {
            return Err(Refusal::FourEyes {
                person: actor.person.clone(),
            });
        }
        Ok((**person).clone())
    }

    pub(super) fn vote(&mut self, actor: Actor, ballot: Ballot) -> Result<(), Refusal> {
        // Whoever is on a rung that has come due is asked, although its timer is still on the way.
        self.climb();
        let (person, behalf) = self.seated(&actor)?;
        let Ballot {
            yes,
            signs,
            comment,
            typed,
            waive,
        } = ballot;
        if !person.kind.is_approval() {
            return Err(Refusal::WrongKind {
                expected: expected(person.kind),
            });
        }
        if person.signs != signs {
            return Err(Refusal::Changed {
                present: person.signs,
            });
        }
        if person.has_decided(&actor.person) {
            return Err(Refusal::DecidedAlready {
                person: actor.person,
            });
        }
        let waive = if yes {
            proved(&person, &actor)?;
            wants_typed(&person, typed.as_deref())?;
            waivable(&person, waive)?
        } else {
            Vec::new()
        };
        let by = actor.person.clone();
        let (on_behalf_of, qualifies) = match behalf {
            Some(other) => (Some(other.person), other.qualifies),
            None => (None, actor.qualifies),
        };
        let vote = Vote {
            person: actor.person,
            qualifies: counting(&person, qualifies),
            yes,
            comment: comment.clone(),
            at_ms: self.at_ms,
            waive,
            on_behalf_of,
            via: actor.via,
            stepped_up: yes && actor.stepped_up,
        };
        self.push(Event::VoteCast { vote });
        if !yes {
            return self.denied(&person, LaneResult::Denied, Some(by), comment);
        }
        match &self.lane.phase {
            Phase::Person(now) if now.has_quorum() => {
                let now = now.clone();
                self.granted(&now, by, comment)
            }
            _ => Ok(()),
        }
    }

    fn granted(
        &mut self,
        person: &Person,
        by: String,
        comment: Option<String>,
    ) -> Result<(), Refusal> {
        let approved_by: Vec<_> = person
            .votes
            .iter()
            .map(|vote| vote.person.clone())
            .collect();
        let choice = "yes".to_owned();
        let waived = person.waived();
        let answer = match waived.is_empty() {
            true => Value::Null,
            false => json!({ "waived": waived }),
        };
        self.push(Event::PersonSettled {
            choice,
            by: Some(by),
            answer,
            comment,
        });
        if person.kind == PersonKind::WaveGate {
            self.push(Event::GatePassed);
            return self.flow();
        }
        self.succeed(
            json!({ "approved": true, "by": approved_by, "waived": waived }),
            Vec::new(),
        )
    }

    fn denied(
        &mut self,
        person: &Person,
        result: LaneResult,
        by: Option<String>,
        comment: Option<String>,
    ) -> Result<(), Refusal> {
        let expired = result == LaneResult::Expired;
        let choice = if expired { "expired" } else { "no" }.to_owned();
        self.push(Event::PersonSettled {
            choice,
            by: by.clone(),
            answer: Value::Null,
            comment: comment.clone(),
        });
        let reason = match (&by, &comment) {
            (Some(by), Some(comment)) => format!("denied by {by}: {comment}"),
            (Some(by), None) => format!("denied by {by}"),
            (None, _) => format!("nobody decided in time: {}", person.title),
        };
        let (_, name) = self.present_step()?;
        match person.on_deny {
            OnDeny::Continue => {
                self.announce(Stage::Cancelled, &|share| share.left > 0 && !share.told_end);
                let output = json!({ "approved": false });
                self.push(Event::StepFailed {
                    step: name.clone(),
                    reason,
                    output,
                });
                self.push(Event::FailureHandled { step: name });
                self.onward();
                Ok(())
            }
            OnDeny::Again => self.fail_how(OnFailure::Again, reason, Value::Null, None),
            // Whatever the step says about failures: what was denied does not go on.
            OnDeny::Stop if person.kind.is_approval() => {
                self.fail_how(OnFailure::Stop, reason, Value::Null, Some(result))
            }
            OnDeny::Stop => self.fail_as(reason, Value::Null, Some(result)),
        }
    }

    pub(super) fn expire(&mut self) -> Result<(), Refusal> {
        let Phase::Person(person) = &self.lane.phase else {
            return self.unexpected("an expiry");
        };
        let person = person.clone();
        let silence = person.rules.finish.clone();
        // The end of a ladder denies.
        if let Some(silence) =
            silence.filter(|_| person.rules.ladder.is_none() && self.lane.debt.is_none())
        {
            return self.end_in_silence(silence);
        }
        // What is owed is owed until it is settled, whatever the runbook says about silence.
        let on_expire = match self.lane.debt {
            Some(_) => OnExpire::Escalate,
            None => person.on_expire,
        };
        match on_expire {
            OnExpire::Escalate => {
                self.push(Event::PersonEscalated);
                Ok(())
            }
            OnExpire::Deny => self.denied(&person, LaneResult::Expired, None, None),
            OnExpire::Again => {
                let again = Person {
                    on_deny: OnDeny::Again,
                    ..*person
                };
                self.denied(&again, LaneResult::Expired, None, None)
            }
        }
    }

    pub(super) fn answer(
        &mut self,
        actor: Actor,
        signs: Digest,
        answer: Value,
    ) -> Result<(), Refusal> {
        self.climb();
        let person = self.asked(&actor)?;
        if !person.kind.is_form() {
            return Err(Refusal::WrongKind {
                expected: expected(person.kind),
            });
        }
        if person.signs != signs {
            return Err(Refusal::Changed {
                present: person.signs,
            });
        }
        let answer = completed(&person.form, answer);
        self.answered_debt(&actor.person);
        let choice = "answered".to_owned();
        let (by, comment) = (Some(actor.person), None);
        self.push(Event::PersonSettled {
            choice,
            by,
            answer: answer.clone(),
            comment,
        });
        match person.call {
            Some(running) => self.start_call(running.call, Some(json!({ "answer": answer }))),
            None => self.succeed(answer, Vec::new()),
        }
    }
}

pub(super) fn expected(kind: PersonKind) -> &'static str {
    match kind {
        PersonKind::Approve | PersonKind::WaveGate => "yes or no",
        PersonKind::Ask | PersonKind::NeedsHuman => "a form",
        PersonKind::InDoubt => "done, retry or fail",
        PersonKind::Overflow => "next, leave or stop",
        _ => "retry, skip or fail",
    }
}
