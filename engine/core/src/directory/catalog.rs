//! Catalogs: lists of the house, from which inputs of runbooks are chosen.
//!
//! Not here: files, and checking what somebody gives (at the doors).

use super::Directory;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One entry of a catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What a run gets.
    pub id: String,
    /// What people read.
    pub label: String,
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.id, self.label)
    }
}

/// An entry that somebody chose, as it was then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    pub catalog: String,
    #[serde(flatten)]
    pub choice: Choice,
}

impl Chosen {
    /// The entry as it is now. None: the catalog does not have it, or is not there.
    #[must_use]
    pub fn of(directory: &dyn Directory, catalog: &str, id: &str) -> Option<Self> {
        let entries = directory.catalog(catalog)?;
        let choice = entries.into_iter().find(|entry| entry.id == id)?;
        let catalog = catalog.to_owned();
        Some(Self { catalog, choice })
    }
}
