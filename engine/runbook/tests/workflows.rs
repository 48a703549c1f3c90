//! The runbooks that are delivered have no faults at all.

use crate::common::{environment, files, read, root, source};
use hostler_runbook::{Environment, EstateFacts, SourceFile, check, plain_json, render};
use std::collections::BTreeSet;

/// Contracts, and the staff of the practice estate: nobody may be named who is not there.
fn env() -> Environment {
    let text = read(&root().join("engine/estate/practice/people.yaml"));
    let people = plain_json(&SourceFile {
        name: "people.yaml".to_owned(),
        text,
        ..SourceFile::default()
    })
    .unwrap();
    let mut facts = EstateFacts::default();
    for role in people["roles"].as_object().unwrap().keys() {
        facts.roles.insert(role.clone(), BTreeSet::new());
    }
    for (person, record) in people["people"].as_object().unwrap() {
        facts.people.insert(person.clone());
        for role in record["roles"].as_array().unwrap() {
            facts
                .roles
                .entry(role.as_str().unwrap().to_owned())
                .or_default()
                .insert(person.clone());
        }
    }
    Environment {
        estate: Some(facts),
        ..environment()
    }
}

/// Every version of every runbook.
fn delivered() -> Vec<SourceFile> {
    let mut sources = Vec::new();
    for folder in std::fs::read_dir(root().join("workflows")).unwrap() {
        let folder = folder.unwrap().path();
        if !folder.is_dir() {
            continue;
        }
        for path in files(&folder, "yaml") {
            let name = path.strip_prefix(root()).unwrap().display().to_string();
            sources.push(source(&path, &name));
        }
    }
    sources
}

#[test]
fn delivered_runbooks_have_no_faults() {
    let sources = delivered();
    let environment = env().with_runbooks(&sources);
    for source in &sources {
        let checked = check(source, &environment);
        let faults = render::frame(source, &checked.faults);
        assert!(checked.faults.is_empty(), "{faults}");
        assert!(
            checked.definition.is_some(),
            "{} gives no definition",
            source.name
        );
    }
    assert!(!sources.is_empty(), "there is no runbook");
}
