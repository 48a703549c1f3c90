//! The runbooks that are delivered have no faults at all.

use crate::common::{environment, files, root, source};
use hostler_runbook::{Environment, check, render};

fn env() -> Environment {
    environment()
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
