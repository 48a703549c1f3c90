//! The pages of rules and of lessons name tests; each of them is there.

use super::workspace::files;

const RULES: &str = "engine/RULES.md";
const LESSONS: &str = "engine/LESSONS.md";
/// Rows of the page of rules; fewer mean that it was not read.
const ROWS: usize = 26;
/// Complaints, and what none has (`A1` …).
const COMPLAINTS: usize = 25;
const AHEAD: usize = 24;
/// How a row of the lessons says that something is missing.
const MISSING: &str = "Not built: ";

/// Names in the last column of a row.
fn tests_of(row: &str) -> Vec<&str> {
    let column = row.trim_end_matches('|').rsplit('|').next();
    let parts = column.unwrap_or_default().split('`');
    parts.skip(1).step_by(2).collect()
}

/// The number in the first column of a row.
fn number_of(row: &str) -> &str {
    row.split('|').nth(1).unwrap_or_default().trim()
}

fn rows(page: &str) -> Vec<&str> {
    let lines = page.lines();
    lines
        .filter(|line| line.starts_with("| ") && !line.starts_with("| #"))
        .collect()
}

/// Names in these rows that are no function of any source file, each with its row's number.
fn strangers(rows: &[&str], files: &[(String, String)]) -> Vec<String> {
    let sources: Vec<&str> = files
        .iter()
        .filter(|(name, _)| name.ends_with(".rs"))
        .map(|(_, text)| text.as_str())
        .collect();
    let is_there = |test: &str| {
        let begins = format!("fn {test}(");
        sources.iter().any(|text| text.contains(&begins))
    };
    let named = rows.iter().flat_map(|row| {
        let tests = tests_of(row).into_iter();
        tests.map(|test| (number_of(row), test))
    });
    named
        .filter(|(_, test)| !is_there(test))
        .map(|(number, test)| format!("{number} names {test}, which is no test"))
        .collect()
}

fn page<'a>(files: &'a [(String, String)], name: &str) -> &'a str {
    let page = files.iter().find(|(file, _)| file == name);
    page.map_or("", |(_, text)| text)
}

#[test]
fn the_page_of_rules_names_tests_that_exist() {
    let files = files();
    let rows = rows(page(&files, RULES));
    assert_eq!(rows.len(), ROWS);
    let bare = rows.iter().filter(|row| tests_of(row).is_empty());
    assert_eq!(bare.map(|row| number_of(row)).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(strangers(&rows, &files), [""; 0]);
}

#[test]
fn the_page_of_lessons_names_tests_that_exist() {
    let files = files();
    let rows = rows(page(&files, LESSONS));
    let complaints = (1..=COMPLAINTS).map(|number| number.to_string());
    let ahead = (1..=AHEAD).map(|number| format!("A{number}"));
    let wanted: Vec<String> = complaints.chain(ahead).collect();
    let numbers: Vec<&str> = rows.iter().map(|row| number_of(row)).collect();
    assert_eq!(numbers, wanted);
    let silent = rows
        .iter()
        .filter(|row| tests_of(row).is_empty() && !row.contains(MISSING));
    assert_eq!(
        silent.map(|row| number_of(row)).collect::<Vec<_>>(),
        [""; 0]
    );
    assert_eq!(strangers(&rows, &files), [""; 0]);
}

#[test]
fn the_last_column_of_a_row_is_read() {
    assert_eq!(
        tests_of("| 1 | `not_this` | that | `one`, `two` (random) |"),
        ["one", "two"]
    );
    assert!(tests_of("| 2 | what | nothing | |").is_empty());
    assert_eq!(number_of("| A7 | what | `one` |"), "A7");
}

#[test]
fn a_name_that_is_no_test_is_found_with_its_row() {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let files = [file("a.rs", "fn one() {}"), file("a.md", "fn two() {}")];
    let found = strangers(&["| 1 | a | `one`, `two` |"], &files);
    assert_eq!(found, ["1 names two, which is no test"]);
}
