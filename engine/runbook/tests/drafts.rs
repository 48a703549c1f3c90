//! The drafts of all runbooks are the yardstick: each must be read to its end, and every fault that
//! is left in one is listed with its reason.

use crate::common::{environment, files, read, source};
use hostler_runbook::{Callee, Environment, check};
use std::path::Path;

/// Drafts may call each other; what they take is read from the drafts themselves.
fn with_callees(mut env: Environment, folder: &Path) -> Environment {
    for path in files(folder, "yaml") {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = read(&path);
        let callable = text.contains("runbook]") || text.contains("runbook,");
        let inputs = hostler_runbook::declared_inputs(&source(&path, &name));
        env.runbooks.insert(
            name,
            Callee {
                inputs,
                callable,
                ..Callee::default()
            },
        );
    }
    env
}

#[test]
fn every_fault_left_in_a_draft_is_listed_with_its_reason() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drafts");
    let env = with_callees(environment(), &folder);
    let mut found = Vec::new();
    for path in files(&folder, "yaml") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let checked = check(&source(&path, &name), &env);
        found.extend(checked.faults.iter().map(|fault| {
            format!(
                "{}:{}:{} {} {}",
                fault.file, fault.line, fault.column, fault.code, fault.message
            )
        }));
    }
    let listed: Vec<String> = read(&folder.join("faults.txt"))
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    let new: Vec<_> = found.iter().filter(|line| !listed.contains(line)).collect();
    let gone: Vec<_> = listed.iter().filter(|line| !found.contains(line)).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "not listed: {new:#?}\nlisted and gone: {gone:#?}"
    );
}
