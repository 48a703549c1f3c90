//! Policies as configured: the folder's files, checked against the estate where there is one.
//!
//! Not here: what policies say, and following them.

use super::{engine, library};
use crate::config::Config;
use anyhow::{Context as _, anyhow, bail};
use hostler_estate::policies::{Known, Policies, load};
use std::path::Path;

/// Entries of the folder that are looked at; there are thirteen policies.
const ENTRIES_MAX: usize = 1_000;

/// What was read, and from where.
pub struct Read {
    pub policies: Policies,
    /// Names of the files that were there, in ascending order.
    pub files: Vec<String>,
}

/// Reads the policy files of a folder.
///
/// # Errors
/// Names the folder, or all faults of its files.
pub fn read(folder: &Path, known: &Known) -> anyhow::Result<Read> {
    let files = names(folder)?;
    let place = |name: &String| folder.join(name).to_string_lossy().into_owned();
    let paths: Vec<String> = files.iter().map(place).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let text = |path: &str| library::read(Path::new(path));
    let policies = load(&paths, &text, known).map_err(|faults| anyhow!("{faults}"))?;
    Ok(Read { policies, files })
}

/// YAML files by either ending, so that a wrong one is refused and not passed over.
fn names(folder: &Path) -> anyhow::Result<Vec<String>> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("the folder of policies {}", folder.display()))?;
    let mut names = Vec::new();
    for (number, entry) in entries.enumerate() {
        if number >= ENTRIES_MAX {
            bail!("{}: more than {ENTRIES_MAX} entries", folder.display());
        }
        let name = entry?.file_name().to_string_lossy().into_owned();
        if [".yaml", ".yml"].iter().any(|end| name.ends_with(end)) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// People and roles of the estate, where its files are there.
///
/// # Errors
/// For an estate with faults.
pub fn known(config: &Config) -> anyhow::Result<Known> {
    let mut files = config.estate.files.iter();
    if config.estate.files.is_empty() || !files.all(|file| Path::new(file).exists()) {
        return Ok(Known::default());
    }
    Ok(Known::of(&engine::files(config)?))
}
