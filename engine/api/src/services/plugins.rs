//! Components that may be called.

use crate::Api;
use crate::authorize::{Action, Resource, Subject, authorize};
use crate::problem::Problem;
use hostler_core::id::Digest;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginRow {
    pub name: String,
    pub version: String,
    pub digest: Digest,
    pub actions: Vec<String>,
}

/// # Errors
/// `forbidden`.
pub fn list(api: &Api, subject: &Subject) -> Result<Vec<PluginRow>, Problem> {
    authorize(subject, Action::ReadPlugins, Resource::Realm).check(subject)?;
    let mut rows: Vec<_> = api
        .plugins
        .plugins()
        .into_iter()
        .map(|(digest, description)| PluginRow {
            name: description.name.clone(),
            version: description.version.clone(),
            digest,
            actions: description
                .actions
                .iter()
                .map(|action| action.name.clone())
                .collect(),
        })
        .collect();
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(rows)
}
