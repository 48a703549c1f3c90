//! Why the lab could not do what a test asked. Each names the remedy or shows the log.

use std::path::Path;

/// A failure of the lab, never of what is under test.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A program is not installed, or the caller is not root.
    #[error(
        "{what} is missing: run `cargo xtask test` once as root, or install the package {package}"
    )]
    Missing { what: String, package: String },
    /// A recipe (a root, a repository, the Python environment) ended with an error.
    #[error("recipe {name} failed; the end of its log:\n{log}")]
    Recipe { name: String, log: String },
    /// A server ended or stayed silent; `log` is the end of what it wrote.
    #[error("{what} did not become ready within {limit_ms} ms; the end of its log:\n{log}")]
    NotReady {
        what: String,
        limit_ms: u128,
        log: String,
    },
    /// Every network of the lab is claimed by a living test.
    #[error("all {0} lab networks are in use: other tests are running; let them end")]
    NoNetwork(u8),
    /// The operating system refused.
    #[error("{what}: {source}")]
    Io {
        what: String,
        source: std::io::Error,
    },
    /// A server answered in a way that the lab does not know.
    #[error("{what} answered unexpectedly: {answer}")]
    Answer { what: String, answer: String },
}

/// Says what was attempted when the operating system refuses.
pub(super) trait Attempt<T> {
    fn attempt(self, what: impl FnOnce() -> String) -> Result<T, LabError>;
}

impl<T> Attempt<T> for std::io::Result<T> {
    fn attempt(self, what: impl FnOnce() -> String) -> Result<T, LabError> {
        self.map_err(|source| LabError::Io {
            what: what(),
            source,
        })
    }
}

/// The longest tail of a log that an error shows, in bytes: enough for a reason, not a flood.
const TAIL_BYTES: usize = 4_000;

/// The end of a log file; empty when there is none.
pub(super) fn tail(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(TAIL_BYTES)..]).into_owned()
}
