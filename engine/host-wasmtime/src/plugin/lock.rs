//! `plugins.lock`: which components may be used, pinned by digest.
//!
//! ```toml
//! [plugins.practice]
//! file = "practice.wasm"
//! sha256 = "4bf5…"
//! ```
//! A file's bytes are read once, checked, and those same bytes are compiled.

use crate::limits::COMPONENT_MAX_BYTES;
use hostler_core::id::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Component as PathPart, Path, PathBuf};
use thiserror::Error;

/// The lock file's content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginsLock {
    #[serde(default)]
    pub plugins: BTreeMap<String, LockedPlugin>,
}

/// One pinned component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedPlugin {
    /// Relative to the lock file's folder, inside it.
    pub file: String,
    pub sha256: Digest,
}

#[derive(Debug, Error)]
pub enum LockError {
    #[error("{path}: {detail}")]
    Unreadable { path: PathBuf, detail: String },
    #[error("plugin {name}: `{file}` lies outside of the lock file's folder: write its name only")]
    Outside { name: String, file: String },
    #[error("plugin {name}: {path} is larger than {COMPONENT_MAX_BYTES} bytes")]
    TooLarge { name: String, path: PathBuf },
    #[error(
        "plugin {name}: {path} is not the pinned component: its SHA-256 is {found}, the lock file says {pinned}. \
         If the change is meant, check it (`hostler plugin check`) and write the new digest into the lock file; \
         else put the pinned file back"
    )]
    Changed {
        name: String,
        path: PathBuf,
        found: Digest,
        pinned: Digest,
    },
}

impl PluginsLock {
    /// # Errors
    /// When the file cannot be read or has another shape.
    pub fn read(path: &Path) -> Result<Self, LockError> {
        let unreadable = |detail: String| LockError::Unreadable {
            path: path.to_owned(),
            detail,
        };
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
        toml::from_str(&text).map_err(|error| unreadable(error.to_string()))
    }

    /// The file's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        toml::to_string_pretty(self).unwrap_or_default()
    }

    /// Pins every `*.wasm` of a folder under its file's name.
    ///
    /// # Errors
    /// When the folder or a file cannot be read.
    pub fn of_folder(folder: &Path) -> std::io::Result<Self> {
        let mut lock = Self::default();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let (Some(stem), Some(file)) = (path.file_stem(), path.file_name()) else {
                continue;
            };
            if path
                .extension()
                .is_some_and(|extension| extension == "wasm")
            {
                let sha256 = Digest::of(&std::fs::read(&path)?);
                let file = file.to_string_lossy().into_owned();
                lock.plugins.insert(
                    stem.to_string_lossy().into_owned(),
                    LockedPlugin { file, sha256 },
                );
            }
        }
        Ok(lock)
    }

    /// Bytes of a pinned component, verified.
    ///
    /// # Errors
    /// When the file is missing, lies elsewhere, or is not what is pinned.
    pub fn bytes(&self, lock: &Path, name: &str) -> Result<(Digest, Vec<u8>), LockError> {
        let missing = || LockError::Unreadable {
            path: lock.to_owned(),
            detail: format!("it has no plugin {name}"),
        };
        let pinned = self.plugins.get(name).ok_or_else(missing)?;
        let inside = Path::new(&pinned.file)
            .components()
            .all(|part| matches!(part, PathPart::Normal(_)));
        if !inside {
            return Err(LockError::Outside {
                name: name.to_owned(),
                file: pinned.file.clone(),
            });
        }
        let path = lock.parent().unwrap_or(Path::new("")).join(&pinned.file);
        let bytes = read_bounded(name, &path)?;
        let found = Digest::of(&bytes);
        if found != pinned.sha256 {
            return Err(LockError::Changed {
                name: name.to_owned(),
                path,
                found,
                pinned: pinned.sha256,
            });
        }
        Ok((found, bytes))
    }
}

fn read_bounded(name: &str, path: &Path) -> Result<Vec<u8>, LockError> {
    let unreadable = |error: std::io::Error| LockError::Unreadable {
        path: path.to_owned(),
        detail: error.to_string(),
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(COMPONENT_MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > COMPONENT_MAX_BYTES {
        return Err(LockError::TooLarge {
            name: name.to_owned(),
            path: path.to_owned(),
        });
    }
    Ok(bytes)
}
