//! What every source file keeps to, whatever it does.

use super::workspace::{files, packages, top};

/// A file longer than this has a room missing.
const LINES: usize = 400;
/// The one crate that may load compiled components, which the compiler cannot prove safe.
const MAY_BE_UNSAFE: &str = "host-wasmtime";
/// Places in that crate where the lint is lifted.
const UNSAFE_PLACES: usize = 1;

/// Words that stand for work left undone or for one machine. Split, so that this file passes its own check.
const WORDS: [(&str, &str); 6] = [
    (concat!("to", "do!("), "finish it, or leave it out"),
    (
        concat!("unimple", "mented!("),
        "finish it, or refuse with a named error",
    ),
    (concat!("FIX", "ME"), "fix it, or write an issue"),
    (concat!("XX", "X:"), "fix it, or write an issue"),
    (
        concat!("#[ig", "nore"),
        "a test that does not run proves nothing: mend it or remove it",
    ),
    (
        concat!("/wo", "rk/main"),
        "a path of one machine: make it relative",
    ),
];

fn is_source(name: &str) -> bool {
    [".rs", ".lua", ".js", ".sh", ".py"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// What is wrong with one file.
fn faults_of(name: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let lines = text.lines().count();
    if is_source(name) && lines > LINES {
        faults.push(format!(
            "{name}: {lines} lines, {LINES} at most: which room is missing?"
        ));
    }
    if name.ends_with(".rs") && !text.starts_with("//!") {
        faults.push(format!(
            "{name}: begins without `//!` (what it is, what may not be done there)"
        ));
    }
    let found = WORDS
        .iter()
        .filter(|(word, _)| is_source(name) && text.contains(word));
    faults.extend(found.map(|(word, remedy)| format!("{name}: has `{word}`: {remedy}")));
    faults
}

#[test]
fn no_file_is_too_long_unfinished_or_without_a_heading() {
    let faults: Vec<String> = files()
        .iter()
        .flat_map(|(name, text)| faults_of(name, text))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_crate_forbids_unsafe_code_but_the_one_that_may() {
    let mut faults = Vec::new();
    for package in packages()
        .iter()
        .filter(|package| package.name != MAY_BE_UNSAFE)
    {
        for root in &package.roots {
            let text = std::fs::read_to_string(root).unwrap();
            if !text.lines().any(|line| line == "#![forbid(unsafe_code)]") {
                faults.push(format!("{}: add `#![forbid(unsafe_code)]`", root.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn unsafe_code_is_lifted_in_one_place_at_most() {
    let lifted =
        |line: &&str| line.contains("allow(unsafe_code") || line.contains("expect(unsafe_code");
    let places: Vec<String> = files()
        .into_iter()
        .filter(|(name, _)| name.ends_with(".rs") && !name.starts_with("tests/"))
        .flat_map(|(name, text)| vec![name; text.lines().filter(lifted).count()])
        .collect();
    assert!(
        places.len() <= UNSAFE_PLACES,
        "unsafe code is allowed in more than one place: {places:?}"
    );
    let elsewhere = places.iter().find(|name| !name.contains(MAY_BE_UNSAFE));
    assert_eq!(elsewhere, None, "only {MAY_BE_UNSAFE} may lift the lint");
}

#[test]
fn the_check_of_a_file_finds_each_kind_of_fault() {
    let long = format!("//! Long.\n{}", "fn a() {}\n".repeat(LINES));
    let cases: [(&str, &str, &[&str]); 6] = [
        ("a.rs", "//! Fine.\n", &[]),
        ("a.rs", "fn a() {}\n", &["begins without"]),
        ("a.rs", &long, &["401 lines"]),
        ("a.js", concat!("// FIX", "ME later\n"), &["fix it"]),
        ("a.md", concat!("FIX", "ME is a word here\n"), &[]),
        (
            "a.rs",
            concat!("//! A.\n#[ig", "nore]\n"),
            &["proves nothing"],
        ),
    ];
    for (name, text, expected) in cases {
        let found = faults_of(name, text);
        assert_eq!(found.len(), expected.len(), "{name}: {found:?}");
        let hits = found
            .iter()
            .zip(expected)
            .filter(|(fault, part)| fault.contains(**part));
        assert_eq!(hits.count(), expected.len(), "{found:?}");
    }
}

#[test]
fn what_ci_runs_is_what_the_readme_says() {
    let read = |name: &str| std::fs::read_to_string(top().join(name)).unwrap();
    let readme = read("README.md");
    let first: Vec<&str> = readme.lines().take(20).collect();
    for command in ["cargo xtask dev", "cargo xtask test"] {
        assert!(
            first.iter().any(|line| line.contains(command)),
            "README.md must begin with `{command}`"
        );
    }
    let last = read(".ci/run").lines().last().map(str::to_owned);
    assert_eq!(last.as_deref(), Some("cargo xtask test"));
}
