//! Messages of a run with what became of them, and what a template makes of sample data.

use crate::authorize::{Action, Resource, Subject, authorize};
use crate::problem::{Code, Problem};
use crate::{Api, catalogue, read};
use hostler_core::id::RunId;
use hostler_core::view::{MailRow, index};
use hostler_ports::channel::Draft;
use hostler_ports::store::Cursor;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Most messages of one answer.
pub const NOTICES_MAX: usize = 5_000;

/// Messages of a run, oldest first.
///
/// # Errors
/// `forbidden`, the store's.
pub async fn list(api: &Api, subject: &Subject, run: RunId) -> Result<Vec<MailRow>, Problem> {
    authorize(subject, Action::ReadNotices, Resource::Realm).check(subject)?;
    let mut rows = Vec::new();
    read::walk(
        api,
        &index::notices(run),
        false,
        Cursor::default(),
        |entry| {
            rows.extend(serde_json::from_str::<MailRow>(&entry.body));
            rows.len() < NOTICES_MAX
        },
    )
    .await?;
    Ok(rows)
}

/// A rendered message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// What a template of a runbook makes of sample data.
///
/// # Errors
/// `forbidden`, `not-found`, `runbook-invalid` when the template cannot be rendered.
pub async fn preview(
    api: &Api,
    subject: &Subject,
    runbook: &str,
    version: Option<u32>,
    template: &str,
    stage: &str,
) -> Result<Preview, Problem> {
    authorize(subject, Action::ReadRunbooks, Resource::Realm).check(subject)?;
    let definition = catalogue::find(&*api.runbooks, runbook, version)?;
    let names: Vec<&str> = definition
        .templates
        .keys()
        .filter_map(|name| name.strip_suffix(".subject"))
        .collect();
    if !names.contains(&template) {
        return Err(Problem::not_found("template", template)
            .remedy(crate::suggest::remedy(template, &names)));
    }
    let draft = Draft {
        templates: definition.templates.clone(),
        template: template.to_owned(),
        context: sample(&definition.title, stage),
        calendar: None,
    };
    let composed = api
        .compose
        .compose(&draft)
        .map_err(|fault| Problem::new(Code::RunbookInvalid, fault))?;
    Ok(Preview {
        subject: composed.subject,
        text: composed.text,
        html: composed.html,
    })
}

/// Typed and flat, as messages are made from; nobody in it exists.
fn sample(title: &str, stage: &str) -> Value {
    json!({
        "customer": { "id": "example", "name": "Example Customer" },
        "run": { "id": "00000000-0000-0000-0000-000000000000", "reference": "00000000" },
        "runbook": { "title": title },
        "assets": [{ "id": "example-web1", "name": "example-web1" }, { "id": "example-db1", "name": "example-db1" }],
        "when": { "start_local": "2026-11-22 22:00", "start_utc": "2026-11-23 04:00", "zone": "America/Chicago" },
        "stage": stage,
        "impact": "a restart of a few minutes for each server",
        "contact": "platform@platform.example",
        "note": "",
        "about": {},
    })
}
