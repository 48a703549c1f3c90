//! What the other checks look at: the packages as cargo sees them, and the files as git does.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The root of the repository.
pub(super) fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

/// A package of the workspace.
#[derive(Clone, Debug, Default)]
pub(super) struct Package {
    /// Its name without `hostler-`.
    pub name: String,
    /// The packages of this workspace that it is built upon (not those of its tests).
    pub imports: Vec<String>,
    /// The packages of other people that it is built upon.
    pub foreign: Vec<String>,
    /// The first source file of each library and program.
    pub roots: Vec<PathBuf>,
}

/// The packages of this workspace.
pub(super) fn packages() -> Vec<Package> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(top());
    let output = cargo.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(package)
        .collect()
}

fn package(entry: &Value) -> Package {
    let list = |name: &str| entry[name].as_array().unwrap().iter();
    let mut found = Package {
        name: short(&entry["name"]),
        ..Package::default()
    };
    for dependency in list("dependencies").filter(|dependency| dependency["kind"] != "dev") {
        match dependency["path"].is_null() {
            true => found.foreign.push(short(&dependency["name"])),
            false => found.imports.push(short(&dependency["name"])),
        }
    }
    let shipped = |target: &&Value| target["kind"].as_array().unwrap().iter().any(ships);
    found.roots = list("targets")
        .filter(shipped)
        .map(|target| path(&target["src_path"]))
        .collect();
    found
}

/// Whether a kind of target is a library or a program.
fn ships(kind: &Value) -> bool {
    ["lib", "rlib", "cdylib", "proc-macro", "bin"]
        .iter()
        .any(|wanted| kind == wanted)
}

fn short(name: &Value) -> String {
    let name = name.as_str().unwrap();
    name.strip_prefix("hostler-").unwrap_or(name).to_owned()
}

fn path(value: &Value) -> PathBuf {
    PathBuf::from(value.as_str().unwrap())
}

/// The text files that git knows, by their path from the top; what is not UTF-8 is no text.
pub(super) fn files() -> Vec<(String, String)> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z"]).current_dir(top());
    let output = git.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let names = String::from_utf8(output.stdout).unwrap();
    let read = |name: &str| {
        Some((
            name.to_owned(),
            std::fs::read_to_string(top().join(name)).ok()?,
        ))
    };
    names.split_terminator('\0').filter_map(read).collect()
}
