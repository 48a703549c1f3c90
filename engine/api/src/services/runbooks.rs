//! Installed runbooks.

use super::start::{StepView, steps};
use crate::Api;
use crate::authorize::{Action, Resource, Subject, authorize};
use crate::catalogue::{self, RunbookRow};
use crate::problem::Problem;
use hostler_core::definition::{Definition, Input, Policy};
use hostler_core::directory::{Choice, Directory};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// # Errors
/// `forbidden`.
pub fn list(api: &Api, subject: &Subject) -> Result<Vec<RunbookRow>, Problem> {
    authorize(subject, Action::ReadRunbooks, Resource::Realm).check(subject)?;
    Ok(api.runbooks.list())
}

/// What somebody needs to know who wants to start it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunbookView {
    pub name: String,
    pub version: u32,
    pub title: String,
    pub owner: String,
    pub policy: Policy,
    pub inputs: BTreeMap<String, Input>,
    /// What inputs are chosen from, with labels, by input; as estate and policies have it today.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub choices: BTreeMap<String, Vec<Choice>>,
    pub needs: BTreeMap<String, u32>,
    pub steps: Vec<StepView>,
    pub templates: Vec<String>,
    /// Whether the one who asks may start it.
    pub may_start: bool,
}

/// # Errors
/// `forbidden`, `not-found`, `runbook-invalid`.
pub fn show(
    api: &Api,
    subject: &Subject,
    name: &str,
    version: Option<u32>,
) -> Result<RunbookView, Problem> {
    authorize(subject, Action::ReadRunbooks, Resource::Realm).check(subject)?;
    let definition = catalogue::find(&*api.runbooks, name, version)?;
    Ok(RunbookView {
        name: definition.runbook.clone(),
        version: definition.version,
        title: definition.title.clone(),
        owner: definition.owner.clone(),
        policy: definition.policy.clone(),
        inputs: definition.inputs.clone(),
        choices: choices(&*api.directory, &definition),
        needs: definition.needs.clone(),
        steps: steps(&definition),
        templates: definition.templates.keys().cloned().collect(),
        may_start: authorize(
            subject,
            Action::StartRun,
            Resource::Runbook(&definition.policy),
        )
        .allow,
    })
}

/// Of each input that is chosen from a list the entries; none where there is no such list.
fn choices(directory: &dyn Directory, definition: &Definition) -> BTreeMap<String, Vec<Choice>> {
    let inputs = definition.inputs.iter();
    let choices = inputs.filter_map(|(name, input)| {
        let entries = input.from.as_ref()?.entries(directory)?;
        Some((name.clone(), entries))
    });
    choices.collect()
}
