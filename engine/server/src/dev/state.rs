//! What a running `hostler dev` leaves for the command line: its address, and the practice users'
//! tokens in the clear. Practice only: these people do not exist.

use anyhow::Context;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Name of the file in the state folder.
const FILE: &str = "dev.json";

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DevState {
    pub address: String,
    /// Who acts when nobody is named.
    pub operator: String,
    /// Person to token.
    pub tokens: BTreeMap<String, String>,
}

impl DevState {
    fn path(folder: &Path) -> PathBuf {
        folder.join(FILE)
    }

    /// None where no `hostler dev` has run.
    #[must_use]
    pub fn read(folder: &Path) -> Option<Self> {
        serde_json::from_str(&std::fs::read_to_string(Self::path(folder)).ok()?).ok()
    }

    /// Readable by its owner only.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let path = Self::path(folder);
        private(&path, &serde_json::to_string_pretty(self)?)
            .with_context(|| path.display().to_string())
    }
}

/// Writes a file that nobody else reads, not even for a moment.
///
/// # Errors
/// When it cannot be written.
pub fn private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let new = path.with_extension("new");
    let _ = std::fs::remove_file(&new);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&new)?.write_all(text.as_bytes())?;
    std::fs::rename(new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn tokens_are_readable_by_their_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let state = DevState {
            address: "http://127.0.0.1:1".into(),
            operator: "olga".into(),
            tokens: [("olga".to_owned(), "secret".to_owned())].into(),
        };
        state.write(folder.path()).unwrap();
        state.write(folder.path()).unwrap();
        assert_eq!(DevState::read(folder.path()), Some(state));
        let mode = std::fs::metadata(folder.path().join(FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
