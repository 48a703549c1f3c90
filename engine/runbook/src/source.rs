//! The text of a runbook version and of its templates, as somebody read it. No files are opened here.

use std::collections::BTreeMap;

/// A runbook file with the templates that lie beside it in `notices/`.
#[derive(Clone, Debug, Default)]
pub struct SourceFile {
    /// Path as people know it, e.g. `workflows/monthly-patch/v1.yaml`.
    pub name: String,
    pub text: String,
    /// `maintenance.subject.hbs` → text. The name is the file's name inside `notices/`.
    pub templates: BTreeMap<String, String>,
}

/// Bytes of a text, end excluded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        Self {
            start,
            end: end.max(start),
        }
    }
}

/// Line and column (both from 1, the column in characters) of a byte offset.
#[must_use]
pub fn position(text: &str, offset: usize) -> (usize, usize) {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}
