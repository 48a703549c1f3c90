//! The page of rules names tests; each of them is there.

use super::workspace::files;

const PAGE: &str = "engine/RULES.md";
/// Rows of the page; fewer mean that it was not read.
const ROWS: usize = 26;

/// Names in the last column of a row.
fn tests_of(row: &str) -> Vec<&str> {
    let column = row.trim_end_matches('|').rsplit('|').next();
    let parts = column.unwrap_or_default().split('`');
    parts.skip(1).step_by(2).collect()
}

#[test]
fn the_page_of_rules_names_tests_that_exist() {
    let files = files();
    let page = files.iter().find(|(name, _)| name == PAGE);
    let (_, page) = page.expect("the page of rules is there");
    let sources: Vec<&str> = files
        .iter()
        .filter(|(name, _)| name.ends_with(".rs"))
        .map(|(_, text)| text.as_str())
        .collect();
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| #"));
    let rows: Vec<Vec<&str>> = rows.map(tests_of).collect();
    assert_eq!(rows.len(), ROWS);
    for (number, tests) in (1..).zip(&rows) {
        assert!(!tests.is_empty(), "rule {number} has no test");
        for test in tests {
            let begins = format!("fn {test}(");
            let is_there = sources.iter().any(|text| text.contains(&begins));
            assert!(is_there, "rule {number} names {test}, which is no test");
        }
    }
}

#[test]
fn the_last_column_of_a_row_is_read() {
    assert_eq!(
        tests_of("| 1 | `not_this` | that | `one`, `two` (random) |"),
        ["one", "two"]
    );
    assert!(tests_of("| 2 | what | nothing | |").is_empty());
}
