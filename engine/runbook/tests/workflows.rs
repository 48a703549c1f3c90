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

#[test]
fn delivered_runbooks_have_no_faults() {
    let mut count = 0;
    for folder in std::fs::read_dir(root().join("workflows")).unwrap() {
        let folder = folder.unwrap().path();
        if !folder.is_dir() {
            continue;
        }
        for path in files(&folder, "yaml") {
            let name = format!(
                "workflows/{}/{}",
                folder.file_name().unwrap().to_string_lossy(),
                path.file_name().unwrap().to_string_lossy()
            );
            let source = source(&path, &name);
            let checked = check(&source, &env());
            assert!(
                checked.faults.is_empty(),
                "{}",
                render::frame(&source, &checked.faults)
            );
            assert!(checked.definition.is_some(), "{name} gives no definition");
            count += 1;
        }
    }
    assert!(count > 0, "there is no runbook");
}
