//! Freezing versions: what was released once keeps its bytes for ever. The lock file is text that
//! people can read in a change; where it lies is the caller's matter.

use crate::environment::Environment;
use crate::fault::{Fault, Severity};
use crate::source::SourceFile;
use hostler_core::definition::Definition;
use hostler_core::id::Digest;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use thiserror::Error;

/// Most released versions of all runbooks together.
const ENTRIES_MAX: usize = 10_000;

const HEADER: &str =
    "# Released runbooks. A version that stands here never changes; write the next one instead.\n";

/// `workflows/releases.lock`: one line a version, `monthly-patch@1 sha256:…`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Releases {
    entries: BTreeMap<(String, u32), Digest>,
}

/// How a version stands against the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Frozen, and these are its bytes.
    Released,
    /// Not in the lock: a draft.
    Draft,
}

#[derive(Clone, Debug, Error, PartialEq)]
pub enum ReleaseRefused {
    #[error("{runbook} v{version} was released with other bytes: restore the released file, or write v{next}", next = version + 1)]
    Changed { runbook: String, version: u32 },
    #[error("{runbook} has faults: mend them first")]
    Faulty { runbook: String, faults: Vec<Fault> },
    #[error("releases.lock line {line}: {text}: write `name@N sha256:…`, or restore the file")]
    Unreadable { line: usize, text: String },
    #[error("more than {ENTRIES_MAX} released versions: remove runbooks that nothing refers to")]
    Full,
}

impl Releases {
    /// # Errors
    /// When a line is not one of the file's own, or a version stands twice with different bytes.
    pub fn parse(text: &str) -> Result<Self, ReleaseRefused> {
        let mut entries = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let trimmed = line.trim();
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            let unreadable = || ReleaseRefused::Unreadable {
                line: index + 1,
                text: trimmed.chars().take(120).collect(),
            };
            let (key, digest) = entry(trimmed).ok_or_else(unreadable)?;
            if entries
                .insert(key, digest)
                .is_some_and(|earlier| earlier != digest)
            {
                return Err(unreadable());
            }
            if entries.len() > ENTRIES_MAX {
                return Err(ReleaseRefused::Full);
            }
        }
        Ok(Self { entries })
    }

    /// The file's text, sorted, so that two people who release differ in one line each.
    #[must_use]
    pub fn write(&self) -> String {
        let mut text = HEADER.to_owned();
        for ((runbook, version), digest) in &self.entries {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{runbook}@{version} sha256:{digest}");
        }
        text
    }

    #[must_use]
    pub fn get(&self, runbook: &str, version: u32) -> Option<Digest> {
        self.entries.get(&(runbook.to_owned(), version)).copied()
    }

    /// The newest released version of a runbook.
    #[must_use]
    pub fn newest(&self, runbook: &str) -> Option<u32> {
        self.entries
            .keys()
            .filter(|(name, _)| name == runbook)
            .map(|(_, version)| *version)
            .next_back()
    }

    /// # Errors
    /// `Changed` when the version was released with other bytes: nothing may use it then.
    pub fn standing(&self, definition: &Definition) -> Result<Standing, ReleaseRefused> {
        match self.get(&definition.runbook, definition.version) {
            None => Ok(Standing::Draft),
            Some(digest) if digest == definition.source => Ok(Standing::Released),
            Some(_) => Err(ReleaseRefused::Changed {
                runbook: definition.runbook.clone(),
                version: definition.version,
            }),
        }
    }

    /// Freezes a version. The same bytes again change nothing.
    ///
    /// # Errors
    /// When the runbook has faults, or the version was released with other bytes.
    pub fn release(
        &mut self,
        source: &SourceFile,
        env: &Environment,
    ) -> Result<Digest, ReleaseRefused> {
        let checked = crate::check(source, env);
        let Some(definition) = checked.definition else {
            let faults = checked
                .faults
                .into_iter()
                .filter(|fault| fault.severity == Severity::Error)
                .collect();
            return Err(ReleaseRefused::Faulty {
                runbook: source.name.clone(),
                faults,
            });
        };
        self.standing(&definition)?;
        if self.entries.len() >= ENTRIES_MAX {
            return Err(ReleaseRefused::Full);
        }
        self.entries
            .insert((definition.runbook, definition.version), definition.source);
        Ok(definition.source)
    }
}

fn entry(line: &str) -> Option<((String, u32), Digest)> {
    let (key, digest) = line.split_once(' ')?;
    let (runbook, version) = key.split_once('@')?;
    let digest = digest.strip_prefix("sha256:")?.parse().ok()?;
    Some(((runbook.to_owned(), version.parse().ok()?), digest))
}
