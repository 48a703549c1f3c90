//! Who may do what: the one place where that is decided. What no rule allows is refused.
//!
//! Not here: who somebody is (transports find out), and votes that do not count (core refuses).

use crate::problem::{Code, Problem};
use hostler_core::command::StandIn;
use hostler_core::definition::Policy;
use hostler_core::directory::Directory;
use hostler_core::lane::Clause;
use std::collections::BTreeSet;

/// Somebody who asks for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub person: String,
    /// `role:…`, `customer:…`, `person:…`, `owner-of:…` at this moment.
    pub qualifies: BTreeSet<String>,
    /// `cli`, `api`, `link`.
    pub via: String,
    /// Those in whose place this person may vote at this moment, each with what they qualify as themselves.
    pub stands_in: Vec<StandIn>,
}

impl Subject {
    /// None when the estate does not know the person (any more).
    #[must_use]
    pub fn of(directory: &dyn Directory, person: &str, via: &str) -> Option<Self> {
        directory.person(person)?;
        Some(Self {
            person: person.to_owned(),
            qualifies: directory.qualifications(person),
            via: via.to_owned(),
            stands_in: Vec::new(),
        })
    }

    /// The same, with those who have named this person their delegate at this instant.
    #[must_use]
    pub fn at(directory: &dyn Directory, person: &str, via: &str, now_ms: i64) -> Option<Self> {
        let named = directory.stands_in_for(person, now_ms).into_iter();
        let stands_in = named.map(|other| StandIn {
            qualifies: directory.qualifications(&other).into_iter().collect(),
            person: other,
        });
        let stands_in = stands_in.collect();
        Self::of(directory, person, via).map(|subject| Self {
            stands_in,
            ..subject
        })
    }

    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.qualifies.contains(&format!("role:{role}"))
    }

    fn has_any(&self, roles: &[&str]) -> bool {
        roles.iter().any(|role| self.has_role(role))
    }

    /// Whoever holds the key of a customer's feed: somebody who may read that feed and nothing else.
    #[must_use]
    pub fn of_feed(customer: &str) -> Self {
        let held = format!("feed:{customer}");
        Self {
            person: held.clone(),
            qualifies: BTreeSet::from([held]),
            via: "feed".to_owned(),
            stands_in: Vec::new(),
        }
    }

    /// Holds any role of the staff.
    #[must_use]
    pub fn is_staff(&self) -> bool {
        self.qualifies.iter().any(|held| held.starts_with("role:"))
    }
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// See oneself.
    WhoAmI,
    /// Runs, their lanes and plans.
    ReadRuns,
    ReadRunbooks,
    /// Open questions; with `Resource::Question` one of them.
    ReadWaiting,
    ReadNotices,
    ReadEvidence,
    ReadPlugins,
    ReadLocks,
    ReadLedger,
    /// What the store says of itself.
    ReadStore,
    /// Copies of it, and what becomes of a loss.
    KeepStore,
    StartRun,
    ControlRun,
    CancelRun,
    Decide,
    ReadSchedules,
    ReadFreezes,
    /// What is owed since an emergency.
    ReadDebts,
    /// What will end later by itself.
    ReadLeases,
    /// What customers' budgets of disruption have spent.
    ReadBudgets,
    /// How long calls took.
    ReadDurations,
    /// Let a run that somebody else has started overdraw them.
    Overdraw,
    /// Declare and lift times in which nothing is disturbed.
    ControlFreezes,
    /// What a customer's person has asked to be spared.
    ReadMutes,
    /// Have a customer's person told only what they must have, or everything again.
    Mute,
    /// What was announced to a customer, as a calendar.
    ReadFeed,
    /// Stop a schedule, let it go on, decide about a firing that was missed.
    ControlSchedules,
    /// Put the turn of a customer's servers off.
    Defer,
    /// The same on the word of one of the customer's people.
    DeferFor,
    /// Agree to a run over a customer's servers, or object.
    Consent,
    /// The same on the word of one of the customer's people.
    ConsentFor,
}

/// What it is about.
#[derive(Clone, Copy, Debug)]
pub enum Resource<'a> {
    Realm,
    Runbook(&'a Policy),
    Run {
        starter: &'a str,
        policy: &'a Policy,
    },
    Question(&'a [Clause]),
    Customer(&'a str),
    /// By the id.
    Person(&'a str),
    /// A customer and those of its people whom notices reach.
    Contacts {
        customer: &'a str,
        people: &'a [String],
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub allow: bool,
    pub why: String,
}

impl Decision {
    fn of(allow: bool, rule: impl Into<String>) -> Self {
        Self {
            allow,
            why: rule.into(),
        }
    }

    /// # Errors
    /// `forbidden`, with the rule that would have to hold.
    pub fn check(self, subject: &Subject) -> Result<(), Problem> {
        if self.allow {
            return Ok(());
        }
        let detail = format!("{} may not do this: it takes {}", subject.person, self.why);
        Err(Problem::new(Code::Forbidden, detail)
            .remedy("ask somebody who may, or have the role given in the people file"))
    }
}

/// Decides. Called by every service before it looks at anything else.
#[must_use]
pub fn authorize(subject: &Subject, action: Action, resource: Resource<'_>) -> Decision {
    match (action, resource) {
        (Action::WhoAmI, _) => Decision::of(true, "nothing but to be signed in"),
        (Action::ReadWaiting, Resource::Question(clauses)) => Decision::of(
            subject.is_staff() || is_asked(subject, clauses),
            "a role of the staff, or to be asked",
        ),
        (
            Action::ReadRuns
            | Action::ReadRunbooks
            | Action::ReadWaiting
            | Action::ReadNotices
            | Action::ReadEvidence
            | Action::ReadPlugins
            | Action::ReadLocks
            | Action::ReadSchedules
            | Action::ReadFreezes
            | Action::ReadDebts
            | Action::ReadLeases
            | Action::ReadBudgets
            | Action::ReadDurations
            | Action::ReadStore,
            _,
        ) => Decision::of(subject.is_staff(), "a role of the staff"),
        (Action::ReadFeed, Resource::Customer(customer)) => Decision::of(
            subject.qualifies.contains(&format!("feed:{customer}"))
                || subject.qualifies.contains(&format!("customer:{customer}"))
                || subject.is_staff(),
            "the key of this feed, or to decide for the customer",
        ),
        (Action::ReadMutes, Resource::Person(person)) => Decision::of(
            subject.person == person || subject.is_staff(),
            "to be that person, or a role of the staff",
        ),
        (Action::Mute, Resource::Person(person)) => Decision::of(
            subject.person == person || subject.has_any(&["operator", "admin"]),
            "to be that person, or the role operator or admin",
        ),
        (Action::ReadLedger, _) => Decision::of(
            subject.has_any(&["auditor", "admin"]),
            "the role auditor or admin",
        ),
        (Action::ControlSchedules | Action::ControlFreezes | Action::Overdraw, _) => Decision::of(
            subject.has_any(&["operator", "admin"]),
            "the role operator or admin",
        ),
        (Action::Defer, Resource::Contacts { customer, people }) => Decision::of(
            people.contains(&subject.person)
                || subject.qualifies.contains(&format!("customer:{customer}")),
            "to be one of those whom notices of this customer reach; staff name one of them (`word_of`)",
        ),
        (Action::Consent, Resource::Contacts { customer, people }) => Decision::of(
            people.contains(&subject.person)
                || subject.qualifies.contains(&format!("customer:{customer}")),
            "to be one of those whom notices of this customer reach, or who decide for it; staff name one of them (`word_of`)",
        ),
        (Action::ConsentFor, Resource::Contacts { .. }) => Decision::of(
            subject.has_any(&["operator", "admin"]),
            "the role operator or admin",
        ),
        (Action::DeferFor, Resource::Contacts { .. }) => Decision::of(
            subject.has_any(&["operator", "admin"]),
            "the role operator or admin",
        ),
        (Action::KeepStore, _) => Decision::of(subject.has_role("admin"), "the role admin"),
        (Action::StartRun, Resource::Runbook(policy)) => start(subject, policy),
        (Action::ControlRun, Resource::Run { starter, .. }) => {
            let allow = subject.person == starter || subject.has_any(&["operator", "admin"]);
            Decision::of(
                allow,
                "to have started the run, or the role operator or admin",
            )
        }
        (Action::CancelRun, Resource::Run { starter, policy }) => cancel(subject, starter, policy),
        (Action::Decide, Resource::Question(clauses)) => Decision::of(
            is_asked(subject, clauses),
            format!("one of {}", wanted(clauses)),
        ),
        (
            Action::StartRun
            | Action::ControlRun
            | Action::CancelRun
            | Action::Decide
            | Action::ReadMutes
            | Action::Mute
            | Action::Defer
            | Action::DeferFor
            | Action::Consent
            | Action::ConsentFor
            | Action::ReadFeed,
            _,
        ) => Decision::of(false, "something to do it with"),
    }
}

fn start(subject: &Subject, policy: &Policy) -> Decision {
    let roles: Vec<&str> = policy.start.iter().map(String::as_str).collect();
    let allow = subject.has_role("admin") || subject.has_any(&roles);
    Decision::of(allow, format!("one of the roles {}", roles.join(", ")))
}

fn cancel(subject: &Subject, starter: &str, policy: &Policy) -> Decision {
    let fits = |who: &String| subject.qualifies.contains(who) || subject.has_role(who);
    let allow = subject.person == starter
        || subject.has_any(&["operator", "admin"])
        || policy.withdraw.iter().any(fits);
    Decision::of(
        allow,
        "to have started the run, the role operator or admin, or to be named in `withdraw`",
    )
}

fn is_asked(subject: &Subject, clauses: &[Clause]) -> bool {
    let in_place = subject.stands_in.iter().flat_map(|other| &other.qualifies);
    let held: BTreeSet<&String> = subject.qualifies.iter().chain(in_place).collect();
    let mut wanted = clauses.iter().flat_map(|clause| &clause.any_of);
    wanted.any(|who| held.contains(who))
}

fn wanted(clauses: &[Clause]) -> String {
    let all: Vec<_> = clauses
        .iter()
        .flat_map(|clause| clause.any_of.iter().map(String::as_str))
        .collect();
    all.join(", ")
}

#[cfg(test)]
mod tests;
