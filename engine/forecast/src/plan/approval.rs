//! Who could give the approval, and from when on enough of them are there.
//!
//! Not here: what they would say. Absences count in whole days of the realm's zone.

use super::cycle::{Cycle, days_after};
use crate::forecast::{Approval, Giver};
use crate::input::Input;
use crate::moment::Moment;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// Days that are looked at: longer an approval does not stay open.
const DAYS_MAX: i64 = 400;

/// None: the runbook asks for none.
pub fn of(input: &Input, cycle: &Cycle) -> Option<Approval> {
    let approvers = &input.approvers;
    if approvers.quorum == 0 {
        return None;
    }
    let expires = cycle.asked.plus(approvers.expires_ms);
    let term = Term {
        input,
        asked: cycle.asked,
        expires,
    };
    let mut people = term.people();
    people.sort();
    people.dedup();
    Some(Approval {
        who: approvers.who.clone(),
        quorum: approvers.quorum,
        asked: cycle.asked,
        due_by: None,
        expires,
        possible_from: possible(&people, approvers.quorum),
        people,
    })
}

/// While an approval is open.
struct Term<'a> {
    input: &'a Input,
    asked: Moment,
    expires: Moment,
}

impl Term<'_> {
    fn people(&self) -> Vec<Giver> {
        let mut people = Vec::new();
        for approver in &self.input.approvers.people {
            let from = self.there(&approver.absences);
            people.push(Giver {
                person: approver.person.clone(),
                instead_of: None,
                from,
            });
            // Nobody stands in for somebody who is there.
            if from == Some(self.asked) {
                continue;
            }
            for (person, absences) in &approver.stand_ins {
                let from = self.there(absences);
                people.push(Giver {
                    person: person.clone(),
                    instead_of: Some(approver.person.clone()),
                    from,
                });
            }
        }
        people
    }

    /// The first moment without an absence, before it expires.
    fn there(&self, absences: &[(Date, Date)]) -> Option<Moment> {
        let zone = &self.input.zone;
        let first = zone.wall(self.asked.0).0.date();
        let away = |day: Date| {
            let mut all = absences.iter();
            all.any(|(from, to)| (*from..=*to).contains(&day))
        };
        let day = (0..DAYS_MAX)
            .map_while(|days| days_after(first, days))
            .find(|day| !away(*day))?;
        let begins = Moment(zone.instant(day.at(0, 0, 0, 0))?).max(self.asked);
        (begins < self.expires).then_some(begins)
    }
}

/// When the quorum is reached by different persons, one for each who holds the role.
fn possible(people: &[Giver], quorum: u32) -> Option<Moment> {
    let mut moments: Vec<Moment> = people.iter().filter_map(|giver| giver.from).collect();
    moments.sort_unstable();
    moments.dedup();
    let enough = |at: &Moment| voices(people, *at) >= quorum as usize;
    moments.into_iter().find(enough)
}

/// How many holders of the role have somebody to speak for them, nobody for two.
fn voices(people: &[Giver], at: Moment) -> usize {
    let mut ways: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let there = |giver: &&Giver| giver.from.is_some_and(|from| from <= at);
    for giver in people.iter().filter(there) {
        let holder = giver.instead_of.as_deref().unwrap_or(&giver.person);
        ways.entry(holder).or_default().push(&giver.person);
    }
    let mut speaks: BTreeMap<&str, &str> = BTreeMap::new();
    let found = ways
        .keys()
        .filter(|holder| placed(holder, &ways, &mut speaks, &mut BTreeSet::new()));
    found.count()
}

/// Finds somebody for a holder, moving others to their second choice; ends, for nobody is tried twice.
fn placed<'a>(
    holder: &'a str,
    ways: &BTreeMap<&'a str, Vec<&'a str>>,
    speaks: &mut BTreeMap<&'a str, &'a str>,
    tried: &mut BTreeSet<&'a str>,
) -> bool {
    for person in ways.get(holder).into_iter().flatten() {
        if !tried.insert(person) {
            continue;
        }
        let free = match speaks.get(person) {
            None => true,
            Some(other) => placed(other, ways, speaks, tried),
        };
        if free {
            speaks.insert(person, holder);
            return true;
        }
    }
    false
}
