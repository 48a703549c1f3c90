//! Where runbooks come from: a port that whoever reads the files fills in.

use crate::problem::{Code, Problem};
use crate::suggest;
use hostler_core::definition::Definition;
use hostler_core::id::Digest;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A version of a runbook, in lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunbookRow {
    pub name: String,
    pub version: u32,
    pub title: String,
    pub owner: String,
    /// Released versions never change.
    pub released: bool,
    /// Digest of the file and its templates.
    pub source: Option<Digest>,
    /// Faults that keep it from being started, one a line; empty for a good one.
    pub faults: Vec<String>,
}

/// All runbooks that are installed. Answers from memory; never blocks.
pub trait Runbooks: Send + Sync + 'static {
    /// Ascending by name and version.
    fn list(&self) -> Vec<RunbookRow>;

    /// None: unknown, or with faults (see `list`).
    fn definition(&self, name: &str, version: u32) -> Option<Arc<Definition>>;
}

/// The wanted version, or the newest one that has no faults (a released one before a draft).
///
/// # Errors
/// `not-found` with what is there, `runbook-invalid` with its faults.
pub fn find(
    runbooks: &dyn Runbooks,
    name: &str,
    version: Option<u32>,
) -> Result<Arc<Definition>, Problem> {
    let rows = runbooks.list();
    let of_name: Vec<_> = rows.iter().filter(|row| row.name == name).collect();
    if of_name.is_empty() {
        let names: Vec<_> = rows.iter().map(|row| row.name.as_str()).collect();
        return Err(Problem::not_found("runbook", name).remedy(suggest::remedy(name, &names)));
    }
    let row = match version {
        Some(version) => of_name.iter().find(|row| row.version == version),
        None => of_name
            .iter()
            .max_by_key(|row| (row.faults.is_empty(), row.released, row.version)),
    };
    let Some(row) = row else {
        let versions: Vec<_> = of_name
            .iter()
            .map(|row| format!("{name}@{}", row.version))
            .collect();
        let wanted = version.unwrap_or_default();
        return Err(Problem::not_found("version", format!("{name}@{wanted}"))
            .remedy(format!("there is {}", versions.join(", "))));
    };
    runbooks.definition(name, row.version).ok_or_else(|| {
        Problem::new(
            Code::RunbookInvalid,
            format!("{name}@{} has {} faults", row.version, row.faults.len()),
        )
        .with("faults", row.faults.clone())
        .remedy("see `hostler runbook check`")
    })
}
