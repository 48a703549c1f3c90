//! Text → the shape of a file, strictly: no unknown or duplicate keys, no anchors, one document.
//!
//! Not here: anything that looks across two values.

use crate::at::Position;
use crate::fault::{Collector, nearest};
use crate::file::File;
use serde::de::DeserializeOwned;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};
use serde_saphyr::{Error, Options};

/// Largest file in bytes: 100,000 assets of two lines each fit.
pub const FILE_MAX_BYTES: usize = 32 * 1024 * 1024;
/// Deepest nesting; the deepest field of the format lies at 7.
const DEPTH_MAX: usize = 16;
/// Values in one file; about 40 for an asset.
const NODES_MAX: usize = 8_000_000;

/// Reads file number `file` of the collector; a fault is added when there is none to return.
pub fn read(file: usize, text: &str, collector: &mut Collector) -> Option<File> {
    parse(file, text, collector, "examples/estate.yaml")
}

/// The same for any shape of file; `example` shows all of it.
pub fn parse<T: DeserializeOwned + Default>(
    file: usize,
    text: &str,
    collector: &mut Collector,
    example: &str,
) -> Option<T> {
    let start = Position { line: 1, column: 1 };
    if text.len() > FILE_MAX_BYTES {
        let message = format!(
            "the file has {} bytes, at most {FILE_MAX_BYTES} are read",
            text.len()
        );
        collector.add(
            file,
            start,
            "HE050",
            message,
            "divide it into several files",
        );
        return None;
    }
    // A file of comments alone says nothing yet.
    if text
        .lines()
        .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
    {
        return Some(T::default());
    }
    match serde_saphyr::from_str_with_options::<T>(text, options()) {
        Ok(parsed) => Some(parsed),
        Err(error) => {
            explain(file, &error, collector, example);
            None
        }
    }
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_anchors: 0,
            max_aliases: 0,
            max_documents: 1,
            max_depth: DEPTH_MAX,
            max_nodes: NODES_MAX,
            max_events: 2 * NODES_MAX,
            max_total_scalar_bytes: FILE_MAX_BYTES,
            max_total_comment_bytes: FILE_MAX_BYTES,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        reject_unsupported_tags: true,
        emit_comments: false,
        with_snippet: false,
    }
}

fn explain(file: usize, error: &Error, collector: &mut Collector, example: &str) {
    let position = error.location().map(Position::from).unwrap_or_default();
    let (code, message, remedy) = match error {
        Error::SerdeUnknownField {
            field, expected, ..
        } => (
            "HE002",
            format!("unknown key `{field}`"),
            offer(field, expected),
        ),
        Error::SerdeUnknownVariant {
            variant, expected, ..
        } => (
            "HE003",
            format!("`{variant}` is none of the choices"),
            offer(variant, expected),
        ),
        Error::DuplicateMappingKey { key, .. } => (
            "HE011",
            format!(
                "the key `{}` stands there twice",
                key.as_deref().unwrap_or("?")
            ),
            "remove or rename one of them".to_owned(),
        ),
        Error::SerdeMissingField { field, .. } => (
            "HE040",
            format!("`{field}` is missing"),
            format!("add `{field}:` here"),
        ),
        Error::Budget { .. } => (
            "HE050",
            error.to_string(),
            "write values out instead of anchors and aliases, one document a file".to_owned(),
        ),
        other => (
            "HE001",
            other.to_string(),
            format!("compare with {example}"),
        ),
    };
    collector.add(file, position, code, message, remedy);
}

fn offer(word: &str, expected: &[&str]) -> String {
    match nearest(word, expected.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known here: {}", expected.join(", ")),
    }
}
