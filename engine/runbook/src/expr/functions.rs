//! The functions that expressions may call: a closed list.

use std::ops::RangeInclusive;

/// A function of the expression language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Size,
    String,
    Int,
    Double,
    Timestamp,
    Duration,
    Days,
    BusinessDays,
    EndOfDay,
    DaysBetween,
    Contains,
    StartsWith,
    EndsWith,
}

/// Name, function, least and most arguments (a method's target counts), how it is used.
const TABLE: [(&str, Function, usize, usize, &str); 13] = [
    ("size", Function::Size, 1, 1, "a list, a map or a text"),
    ("string", Function::String, 1, 1, "one value"),
    ("int", Function::Int, 1, 1, "a number or a text"),
    ("double", Function::Double, 1, 1, "a number or a text"),
    (
        "timestamp",
        Function::Timestamp,
        1,
        1,
        "a text such as '2026-03-01T12:00:00Z'",
    ),
    (
        "duration",
        Function::Duration,
        1,
        1,
        "a text such as '90m' or '5d'",
    ),
    ("days", Function::Days, 1, 1, "a whole number"),
    ("bdays", Function::BusinessDays, 1, 1, "a whole number"),
    (
        "endOfDay",
        Function::EndOfDay,
        1,
        2,
        "a date and an IANA zone",
    ),
    (
        "daysBetween",
        Function::DaysBetween,
        2,
        2,
        "two dates or instants",
    ),
    ("contains", Function::Contains, 2, 2, "two texts"),
    ("startsWith", Function::StartsWith, 2, 2, "two texts"),
    ("endsWith", Function::EndsWith, 2, 2, "two texts"),
];

impl Function {
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.0 == name).map(|row| row.1)
    }

    /// All names, for suggestions.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|row| row.0)
    }

    #[expect(clippy::expect_used, reason = "the table is made of the functions")]
    fn row(self) -> &'static (&'static str, Self, usize, usize, &'static str) {
        TABLE
            .iter()
            .find(|row| row.1 == self)
            .expect("every function has a row in the table")
    }

    #[must_use]
    pub fn arity(self) -> RangeInclusive<usize> {
        let row = self.row();
        row.2..=row.3
    }

    #[must_use]
    pub fn usage(self) -> &'static str {
        self.row().4
    }
}
