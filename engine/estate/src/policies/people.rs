//! Who is there and who stands in, by date.
//!
//! Not here: which role somebody has, and what a stand-in may decide.

use super::model::Policies;
use jiff::civil::Date;
use serde::{Serialize, Serializer};
use std::collections::BTreeSet;

/// Dates of one time, both ends included. None: open on that side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Dates {
    #[serde(serialize_with = "written", skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    #[serde(serialize_with = "written", skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
}

impl Dates {
    #[must_use]
    pub fn have(&self, date: Date) -> bool {
        self.from.is_none_or(|from| from <= date) && self.until.is_none_or(|until| date <= until)
    }

    /// Neither end is set.
    #[must_use]
    pub fn are_open(&self) -> bool {
        self.from.is_none() && self.until.is_none()
    }
}

/// As files write it.
fn written<S: Serializer>(date: &Option<Date>, serializer: S) -> Result<S::Ok, S::Error> {
    date.map(|date| date.to_string()).serialize(serializer)
}

/// Somebody who decides for somebody else: on its dates, or, without dates, while that person is absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delegation {
    pub person: String,
    pub delegate: String,
    #[serde(flatten)]
    pub dates: Dates,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Absence {
    pub person: String,
    #[serde(flatten)]
    pub dates: Dates,
}

impl Policies {
    /// Whether somebody is away on a date, in the zone in which the files are written.
    #[must_use]
    pub fn is_absent(&self, person: &str, date: Date) -> bool {
        let mut absences = self.absences.iter();
        absences.any(|absence| absence.person == person && absence.dates.have(date))
    }

    /// Who decides for a person on a date: a delegate whose dates it is, else the person, else,
    /// when absent, a delegate without dates. A delegate who is absent is stood in for in turn.
    /// None: everybody who could is absent.
    #[must_use]
    pub fn standing_in_for<'a>(&'a self, person: &'a str, date: Date) -> Option<&'a str> {
        self.stand_in(person, date, &mut BTreeSet::new())
    }

    /// Those who named this person as their delegate, where that counts on this date: on the dates of the
    /// delegation, or, without dates, while they are absent. Nothing is handed on: a delegate's delegate votes for
    /// nobody but that delegate.
    #[must_use]
    pub fn delegators(&self, delegate: &str, date: Date) -> BTreeSet<&str> {
        let named = |one: &&Delegation| one.delegate == delegate && self.counts(one, date);
        let named = self.delegations.iter().filter(named);
        named.map(|one| one.person.as_str()).collect()
    }

    /// The other way round: who may vote for this person on this date.
    #[must_use]
    pub fn delegates(&self, person: &str, date: Date) -> BTreeSet<&str> {
        let named = |one: &&Delegation| one.person == person && self.counts(one, date);
        let named = self.delegations.iter().filter(named);
        named.map(|one| one.delegate.as_str()).collect()
    }

    fn counts(&self, one: &Delegation, date: Date) -> bool {
        match one.dates.are_open() {
            true => self.is_absent(&one.person, date),
            false => one.dates.have(date),
        }
    }

    /// Ends since nobody is visited twice; the depth is bounded by the number of delegations.
    fn stand_in<'a>(
        &'a self,
        person: &'a str,
        date: Date,
        visited: &mut BTreeSet<&'a str>,
    ) -> Option<&'a str> {
        if !visited.insert(person) {
            return None;
        }
        let absent = self.is_absent(person, date);
        let mine = || self.delegations.iter().filter(|one| one.person == person);
        let dated = mine().filter(|one| !one.dates.are_open() && one.dates.have(date));
        for one in dated {
            let found = self.stand_in(&one.delegate, date, visited);
            if found.is_some() {
                return found;
            }
        }
        if !absent {
            return Some(person);
        }
        let mut open = mine().filter(|one| one.dates.are_open());
        open.find_map(|one| self.stand_in(&one.delegate, date, visited))
    }
}
