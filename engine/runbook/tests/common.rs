//! What the data-driven tests share: contracts, sources from folders.

use hostler_core::contract::Contract;
use hostler_runbook::{Environment, SourceFile};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All frozen contracts.
pub fn environment() -> Environment {
    let contracts = files(&root().join("sdk/contracts"), "json")
        .into_iter()
        .map(|path| {
            let text = read(&path);
            serde_json::from_str::<Contract>(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        });
    Environment::default().with_contracts(contracts)
}

pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries =
        std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    files
}

/// A runbook with the templates beside it.
pub fn source(path: &Path, name: &str) -> SourceFile {
    let notices = path
        .parent()
        .expect("a file lies in a folder")
        .join("notices");
    let templates: BTreeMap<String, String> = if notices.is_dir() {
        files(&notices, "hbs")
            .into_iter()
            .map(|file| {
                (
                    file.file_name()
                        .expect("a file has a name")
                        .to_string_lossy()
                        .into_owned(),
                    read(&file),
                )
            })
            .collect()
    } else {
        BTreeMap::new()
    };
    SourceFile {
        name: name.to_owned(),
        text: read(path),
        templates,
    }
}
