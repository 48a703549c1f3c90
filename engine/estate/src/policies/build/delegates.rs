//! Roles, and who stands in for whom: nobody for themselves along a circle.

use super::{Builder, ENTRIES_MAX};
use crate::at::At;
use crate::policies::file::{RawAbsence, RawDelegate, RolesFile};
use crate::policies::people::{Absence, Dates, Delegation};
use crate::policies::source::Source;
use crate::schedules::choice::OneOrMany;
use jiff::civil::Date;
use std::collections::BTreeSet;

/// Delegations and absences of one realm at a time; old ones are removed from the file.
const DATED_MAX: usize = 200;

impl Builder<'_> {
    pub(super) fn roles(&mut self, source: &Source<Option<RolesFile>>) {
        self.file = source.file;
        let said = source.value.is_some() || self.known.roles.is_some();
        self.roles_are_known = said && self.all_read;
        let Some(file) = &source.value else {
            return;
        };
        let mut seen = BTreeSet::new();
        for (id, people) in file.roles.iter() {
            self.id(id, "role", &mut seen);
            let people = self.holders(id, people);
            self.policies.roles.insert(id.value.clone(), people);
        }
        for raw in file.delegates.iter().take(DATED_MAX) {
            self.delegation(raw);
        }
        for raw in file.absences.iter().take(DATED_MAX) {
            self.absence(raw);
        }
        let over = file.delegates.get(DATED_MAX).map(|raw| &raw.person);
        let over = over.or(file.absences.get(DATED_MAX).map(|raw| &raw.person));
        if let Some(at) = over {
            let message = format!("more than {DATED_MAX} delegates or absences");
            self.fault(at, "HE050", message, "remove those that are over");
        }
    }

    fn holders(&mut self, id: &At<String>, people: &OneOrMany) -> Vec<String> {
        if people.0.is_empty() {
            let message = format!("nobody has the role `{}`", id.value);
            let remedy = "name somebody, or remove the role";
            self.fault(id, "HP105", message, remedy);
        }
        if let Some(over) = people.0.get(ENTRIES_MAX) {
            let message = format!("more than {ENTRIES_MAX} people of one role");
            self.fault(over, "HE050", message, "divide the role");
        }
        let mut set = BTreeSet::new();
        for at in &people.0 {
            self.person(at);
            self.once(at, &mut set, at.value.clone());
        }
        people.0.iter().map(|at| at.value.clone()).collect()
    }

    fn delegation(&mut self, raw: &RawDelegate) {
        self.person(&raw.person);
        self.person(&raw.delegate);
        let Some(dates) = self.dates(raw.from.as_ref(), raw.until.as_ref()) else {
            return;
        };
        let one = Delegation {
            person: raw.person.value.clone(),
            delegate: raw.delegate.value.clone(),
            dates,
        };
        if closes_circle(&self.policies.delegations, &one) {
            let message = format!(
                "with this delegate, `{}` would stand in for themselves",
                raw.person.value
            );
            let remedy = "name somebody outside the circle, or give them other dates";
            self.fault(&raw.delegate, "HP103", message, remedy);
            return;
        }
        self.policies.delegations.push(one);
    }

    fn absence(&mut self, raw: &RawAbsence) {
        self.person(&raw.person);
        let dates = self.dates(Some(&raw.from), Some(&raw.until));
        let absence = dates.map(|dates| Absence {
            person: raw.person.value.clone(),
            dates,
        });
        self.policies.absences.extend(absence);
    }

    /// None for what is a fault: a date that is missing would mean for ever.
    fn dates(&mut self, from: Option<&At<String>>, until: Option<&At<String>>) -> Option<Dates> {
        let first = from.map(|at| self.date(at, "date"));
        let last = until.map(|at| self.date(at, "date"));
        let dates = Dates {
            from: first.unwrap_or(None),
            until: last.unwrap_or(None),
        };
        if first == Some(None) || last == Some(None) {
            return None;
        }
        if let (Some(first), Some(last), Some(at)) = (dates.from, dates.until, until)
            && last < first
        {
            let message = format!("it ends on {last}, before it begins on {first}");
            self.fault(at, "HP104", message, "exchange the dates");
            return None;
        }
        Some(dates)
    }
}

/// Whether somebody would stand in for themselves on some date. The first date of a circle is the
/// first of one of its delegations: no other dates need to be tried.
fn closes_circle(all: &[Delegation], new: &Delegation) -> bool {
    let begins = |one: &Delegation| one.dates.from.unwrap_or(Date::MIN);
    let dates: BTreeSet<Date> = all.iter().chain([new]).map(begins).collect();
    let dates = dates.into_iter().filter(|date| new.dates.have(*date));
    let mut dates = dates.take(2 * DATED_MAX);
    dates.any(|date| reaches(all, &new.delegate, &new.person, date))
}

/// Whether delegations of one date lead from one person to another.
fn reaches(all: &[Delegation], from: &str, to: &str, date: Date) -> bool {
    let mut visited: BTreeSet<&str> = BTreeSet::from([from]);
    let mut open = vec![from];
    while let Some(person) = open.pop() {
        if person == to {
            return true;
        }
        let next = all.iter().filter(|one| one.person == person);
        for one in next.filter(|one| one.dates.have(date)) {
            if visited.insert(&one.delegate) {
                open.push(&one.delegate);
            }
        }
    }
    false
}
