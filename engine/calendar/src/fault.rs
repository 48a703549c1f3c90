//! What is wrong with a text, where in it, and how to mend it.
//!
//! Not here: files and lines. Who read the text from a file adds the offset to its place there.

use thiserror::Error;

/// One fault of a text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}; {remedy}")]
pub struct TextFault {
    /// First byte of what is wrong, counted from the start of the text.
    pub offset: usize,
    /// Bytes that are wrong; 0 when something is missing at `offset`.
    pub length: usize,
    pub message: String,
    pub remedy: String,
}

impl TextFault {
    pub(crate) fn new(
        offset: usize,
        length: usize,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            offset,
            length,
            message: message.into(),
            remedy: remedy.into(),
        }
    }
}
