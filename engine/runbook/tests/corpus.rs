//! Broken runbooks, each a file that says in its first lines what must be found:
//! `# expect CODE LINE:COLUMN part of the remedy`, one line a fault, all faults and no other.
//! `# template NAME = TEXT` puts a template beside the file.

use crate::common::{environment, files, read};
use hostler_core::definition::{Input, InputKind};
use hostler_runbook::{Callee, Environment, EstateFacts, Fault, PolicyFacts, SourceFile, check};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn corpus_environment() -> Environment {
    let mut env = environment();
    let people = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<BTreeSet<_>>()
    };
    let roles = [
        ("operator", people(&["olga", "pat"])),
        ("change-board", people(&["carla", "cem"])),
        ("unix-care", people(&["pat"])),
        ("vacant", people(&[])),
    ];
    env.estate = Some(EstateFacts {
        roles: roles
            .into_iter()
            .map(|(role, people)| (role.to_owned(), people))
            .collect(),
        people: people(&["olga", "pat", "carla", "cem"]),
        windows: people(&["night"]),
        catalogs: BTreeMap::from([("os".to_owned(), people(&["debian-13", "rhel-10"]))]),
        policies: Some(PolicyFacts {
            ladders: BTreeMap::from([("oncall".to_owned(), people(&["role:operator"]))]),
            texts: people(&["duty-matrix"]),
            triggers: BTreeMap::from([("emergency".to_owned(), people(&["exploited"]))]),
            amounts: people(&["dean_cents"]),
            deferrable: Some(people(&["standard-patch"])),
        }),
        ..EstateFacts::default()
    });
    let name = Input {
        kind: InputKind::Data,
        label: None,
        required: true,
        default: None,
        schema: serde_json::json!({"type": "string", "minLength": 2}),
        from: None,
        must: None,
    };
    let inputs = BTreeMap::from([("name".to_owned(), name)]);
    env.runbooks.insert(
        "other".to_owned(),
        Callee {
            inputs,
            callable: true,
            ..Callee::default()
        },
    );
    env.runbooks.insert("closed".to_owned(), Callee::default());
    env.runbooks.insert(
        "circle".to_owned(),
        Callee {
            calls: people(&["sample"]),
            callable: true,
            ..Callee::default()
        },
    );
    env
}

struct Expected {
    code: String,
    place: String,
    remedy: String,
}

fn case(path: &Path) -> (SourceFile, Vec<Expected>) {
    let text = read(path);
    let mut templates = BTreeMap::new();
    for stage in ["", ".scheduled", ".started", ".completed", ".cancelled"] {
        for part in ["subject", "text"] {
            templates.insert(format!("note{stage}.{part}.hbs"), "Note".to_owned());
        }
    }
    let mut expected = Vec::new();
    for line in text.lines().take_while(|line| line.starts_with('#')) {
        if let Some((name, text)) = line
            .strip_prefix("# template ")
            .and_then(|rest| rest.split_once(" = "))
        {
            templates.insert(name.to_owned(), text.to_owned());
        }
        if let Some(rest) = line.strip_prefix("# expect ") {
            let mut parts = rest.splitn(3, ' ').map(str::to_owned);
            let mut next = || parts.next().unwrap_or_default();
            expected.push(Expected {
                code: next(),
                place: next(),
                remedy: next(),
            });
        }
    }
    // All cases are the runbook `sample`: the place of the file is checked too.
    (
        SourceFile {
            name: "workflows/sample/v1.yaml".to_owned(),
            text,
            templates,
        },
        expected,
    )
}

fn place(fault: &Fault) -> String {
    format!("{}:{}", fault.line, fault.column)
}

#[test]
fn every_broken_runbook_gets_exactly_its_faults() {
    let env = corpus_environment();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut wrong = Vec::new();
    let mut codes = BTreeSet::new();
    let paths = files(&folder, "yaml");
    for path in &paths {
        let (source, expected) = case(path);
        let checked = check(&source, &env);
        codes.extend(checked.faults.iter().map(|fault| fault.code));
        let fits = expected.len() == checked.faults.len()
            && expected
                .iter()
                .zip(&checked.faults)
                .all(|(expected, fault)| {
                    expected.code == fault.code
                        && expected.place == place(fault)
                        && fault.remedy.contains(&expected.remedy)
                });
        let compiled = checked.definition.is_some()
            == checked
                .faults
                .iter()
                .all(|fault| fault.severity == hostler_runbook::Severity::Warning);
        if !fits || !compiled || expected.is_empty() {
            let found: Vec<String> = checked
                .faults
                .iter()
                .map(|fault| {
                    format!(
                        "    {} {} {} -- {}",
                        fault.code,
                        place(fault),
                        fault.message,
                        fault.remedy
                    )
                })
                .collect();
            wrong.push(format!(
                "{}\n{}",
                path.file_name().unwrap().to_string_lossy(),
                found.join("\n")
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        paths.len(),
        wrong.join("\n")
    );
    assert!(paths.len() >= 60, "{} cases", paths.len());
    // Every code is shown by a case, but those that a file of this size cannot show.
    let unseen: Vec<&str> = hostler_runbook::codes::ALL
        .iter()
        .map(|code| code.id)
        .filter(|id| !codes.contains(id) && *id != "HR001")
        .collect();
    assert!(unseen.is_empty(), "no case shows {unseen:?}");
}
