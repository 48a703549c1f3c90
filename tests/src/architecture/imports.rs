//! Who may import whom: the table of ARCHITECTURE.md against the manifests.

use super::workspace::{Package, packages, top};

const HEADING: &str = "## Who may import whom";

/// Technologies that exactly one crate knows by name, so that replacing one touches one folder.
const TECHNOLOGIES: [(&str, &str); 7] = [
    ("apalis", "queue-apalis"),
    ("apalis-core", "queue-apalis"),
    ("lettre", "channel-mail"),
    ("redis", "store-redis"),
    ("russh", "host-wasmtime"),
    ("wasmtime", "host-wasmtime"),
    ("wit-bindgen", "sdk"),
];
/// What the engine is measured beside: a peer is named by the benches too.
const MEASURED_BESIDE: [&str; 2] = ["apalis", "apalis-core"];

/// One line of the table: these crates (a trailing `*` stands for the rest) may import those.
#[derive(Debug)]
struct Row {
    crates: Vec<String>,
    may: Vec<String>,
}

impl Row {
    fn is_about(&self, name: &str) -> bool {
        self.crates.iter().any(|pattern| matches(pattern, name))
    }

    fn allows(&self, name: &str) -> bool {
        self.may
            .iter()
            .any(|pattern| pattern == "all" || matches(pattern, name))
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}

/// The rows below the heading; `nobody` and `—` stand for an empty list.
fn table(text: &str) -> Vec<Row> {
    let below = text.split_once(HEADING).map_or("", |(_, below)| below);
    let section = below.split("\n## ").next().unwrap_or_default();
    let lines = section.lines().filter(|line| line.starts_with('|'));
    // The heading of the table and the line under it.
    lines.skip(2).filter_map(row).collect()
}

fn row(line: &str) -> Option<Row> {
    let mut cells = line.trim_matches('|').split('|').map(names);
    Some(Row {
        crates: cells.next()?,
        may: cells.next()?,
    })
}

fn names(cell: &str) -> Vec<String> {
    let words = cell
        .split(',')
        .map(|word| word.trim().trim_matches('`').to_owned());
    words
        .filter(|word| !["", "nobody", "—"].contains(&word.as_str()))
        .collect()
}

/// Every way in which the manifests and the table disagree.
fn faults(table: &[Row], packages: &[Package]) -> Vec<String> {
    let mut faults = Vec::new();
    for package in packages {
        let rows: Vec<&Row> = table
            .iter()
            .filter(|row| row.is_about(&package.name))
            .collect();
        let [row] = rows.as_slice() else {
            faults.push(format!(
                "{} is in {} rows of the table, not in one",
                package.name,
                rows.len()
            ));
            continue;
        };
        let refused = package.imports.iter().filter(|import| !row.allows(import));
        faults.extend(refused.map(|import| format!("{} may not import {import}", package.name)));
    }
    let known = |pattern: &&String| {
        packages
            .iter()
            .any(|package| matches(pattern, &package.name))
    };
    let stale = table
        .iter()
        .flat_map(|row| &row.crates)
        .filter(|pattern| !known(pattern));
    faults.extend(stale.map(|pattern| format!("the table names {pattern}, which does not exist")));
    faults
}

#[test]
fn every_crate_imports_only_what_the_table_allows() {
    let path = top().join("ARCHITECTURE.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let table = table(&text);
    assert!(
        !table.is_empty(),
        "ARCHITECTURE.md needs a table under {HEADING:?}: | crate | may import |"
    );
    let faults = faults(&table, &packages());
    assert!(
        faults.is_empty(),
        "change the import or, with a reason, the table:\n{}",
        faults.join("\n")
    );
}

#[test]
fn a_technology_is_named_by_one_crate_only() {
    let mut faults = Vec::new();
    for package in packages() {
        let foreign = TECHNOLOGIES
            .iter()
            .filter(|(name, _)| package.foreign.iter().any(|one| one == name))
            .filter(|(name, _)| package.name != "bench" || !MEASURED_BESIDE.contains(name));
        for (name, owner) in foreign.filter(|(_, owner)| *owner != package.name) {
            faults.push(format!(
                "{} depends on {name}: only {owner} may; use its port",
                package.name
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_comparison_finds_each_kind_of_disagreement() {
    let text = "# A\n## Who may import whom\nWords.\n\n| crate | may import |\n|---|---|\n\
                | `core` | nobody |\n| `store-*`, api | core, ports |\n| server | all |\n\n## Next\n| x | y |\n";
    let package = |name: &str, imports: &[&str]| Package {
        name: name.to_owned(),
        imports: imports.iter().map(|import| (*import).to_owned()).collect(),
        ..Package::default()
    };
    let right = [
        package("core", &[]),
        package("store-redis", &["core"]),
        package("api", &["core"]),
        package("server", &["api", "store-redis"]),
    ];
    let cases: [(&str, Option<Package>, &[&str]); 4] = [
        ("nothing wrong", None, &[]),
        (
            "an import too many",
            Some(package("store-embedded", &["api"])),
            &["store-embedded may not import api"],
        ),
        (
            "no row",
            Some(package("worker", &[])),
            &["worker is in 0 rows of the table, not in one"],
        ),
        (
            "the core imports nobody",
            Some(package("core", &["api"])),
            &["core may not import api"],
        ),
    ];
    for (case, more, expected) in cases {
        let packages: Vec<Package> = right.iter().cloned().chain(more).collect();
        assert_eq!(faults(&table(text), &packages), expected, "{case}");
    }
    let stale = faults(&table(text), &right[1..]);
    assert_eq!(stale, ["the table names core, which does not exist"]);
}
