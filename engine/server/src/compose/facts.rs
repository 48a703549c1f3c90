//! Facts of an estate that runbooks are checked against.
//!
//! Not here: reading runbooks (`library`), and checking them.

use hostler_core::directory::{Directory, TRIGGERED};
use hostler_runbook::{EstateFacts, PolicyFacts};
use std::collections::{BTreeMap, BTreeSet};

/// None: no policies are configured.
fn policies(directory: &dyn Directory) -> Option<PolicyFacts> {
    let texts = directory.texts()?;
    let names = directory.ladders()?.into_iter();
    let with_people = |name: String| {
        let asked = asked_on(directory, &name);
        (name, asked)
    };
    Some(PolicyFacts {
        ladders: names.map(with_people).collect(),
        texts,
        triggers: triggers(directory),
        amounts: directory
            .amounts()
            .unwrap_or_default()
            .into_keys()
            .collect(),
        deferrable: directory.deferrable(),
    })
}

/// Whom the rungs of a ladder ask, as far as that does not depend on a customer.
fn asked_on(directory: &dyn Directory, ladder: &str) -> BTreeSet<String> {
    let climb = directory.ladder(ladder, None, 0);
    let rungs = climb.into_iter().flat_map(|climb| climb.rungs);
    let asked = rungs.flat_map(|rung| match rung.asks.is_empty() {
        true => vec!["customer".to_owned()],
        false => rung.asks,
    });
    asked.collect()
}

fn triggers(directory: &dyn Directory) -> BTreeMap<String, BTreeSet<String>> {
    let of = |class: &str| {
        let agreed = directory.triggers(class)?.into_iter();
        let ids: BTreeSet<String> = agreed.map(|trigger| trigger.id).collect();
        (!ids.is_empty()).then(|| (class.to_owned(), ids))
    };
    TRIGGERED.into_iter().filter_map(of).collect()
}

fn catalogs(directory: &dyn Directory) -> BTreeMap<String, BTreeSet<String>> {
    let names = directory.catalogs().into_iter();
    let catalogs = names.map(|name| {
        let entries = directory.catalog(&name).unwrap_or_default();
        (name, entries.into_iter().map(|entry| entry.id).collect())
    });
    catalogs.collect()
}

/// What runbooks are checked against on this estate.
pub fn of(directory: &dyn Directory) -> EstateFacts {
    let mut roles: BTreeMap<String, BTreeSet<String>> = directory
        .roles()
        .into_keys()
        .map(|role| (role, BTreeSet::new()))
        .collect();
    let people = directory.people();
    for person in &people {
        for role in &person.roles {
            roles
                .entry(role.clone())
                .or_default()
                .insert(person.id.clone());
        }
    }
    EstateFacts {
        roles,
        people: people.into_iter().map(|person| person.id).collect(),
        customers: directory.customers().into_iter().collect(),
        windows: directory.windows(),
        catalogs: catalogs(directory),
        policies: policies(directory),
    }
}
