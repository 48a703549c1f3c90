//! Messages of a run with what became of them, and what a template makes of sample data.

use super::document;
use crate::authorize::{Action, Resource, Subject, authorize};
use crate::problem::{Code, Problem};
use crate::{Api, catalogue, read};
use hostler_core::directory::Contact;
use hostler_core::id::RunId;
use hostler_core::mail::{DeadContact, dead_document};
use hostler_core::view::{MailRow, index};
use hostler_ports::channel::Draft;
use hostler_ports::store::{Cursor, READ_MAX};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Most messages of one answer.
pub const NOTICES_MAX: usize = 5_000;

/// Messages of a run, oldest first.
///
/// # Errors
/// `forbidden`, the store's.
pub async fn list(api: &Api, subject: &Subject, run: RunId) -> Result<Vec<MailRow>, Problem> {
    authorize(subject, Action::ReadNotices, Resource::Realm).check(subject)?;
    let kept = &read::of_run(api, run).await?;
    let mut rows = Vec::new();
    read::walk(
        kept,
        &index::notices(run),
        false,
        Cursor::default(),
        |entry| {
            rows.extend(serde_json::from_str::<MailRow>(&entry.body));
            rows.len() < NOTICES_MAX
        },
    )
    .await?;
    mark_dead(api, &mut rows).await?;
    Ok(rows)
}

/// Which of the addresses cannot be reached any more, as the estate confirms them today.
async fn mark_dead(api: &Api, rows: &mut [MailRow]) -> Result<(), Problem> {
    let addresses: BTreeSet<&String> = rows.iter().map(|row| &row.to).collect();
    let addresses: Vec<String> = addresses.into_iter().cloned().collect();
    let mut dead = BTreeMap::new();
    for some in addresses.chunks(READ_MAX) {
        let keys: Vec<_> = some.iter().map(|address| dead_document(address)).collect();
        for (address, kept) in some
            .iter()
            .zip(document::read_all::<DeadContact>(api, &keys).await?)
        {
            dead.extend(
                kept.value
                    .ok()
                    .flatten()
                    .map(|kept| (address.clone(), kept)),
            );
        }
    }
    for row in rows {
        let confirmed = confirmed(api, row);
        row.dead = dead
            .get(&row.to)
            .is_some_and(|dead| dead.holds(confirmed.as_deref()));
    }
    Ok(())
}

/// When somebody last made sure of the address that a message went to.
fn confirmed(api: &Api, row: &MailRow) -> Option<String> {
    let contacts = api.directory.contacts(row.customer.as_deref()?, "any");
    let is_theirs = |it: &Contact| it.mail == row.to || it.hook.as_ref() == Some(&row.to);
    let mut theirs = contacts.into_iter().filter(is_theirs);
    theirs.find_map(|contact| contact.confirmed)
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

/// What a template may name, with values that nobody has; the runbook check renders with the same.
fn sample(title: &str, stage: &str) -> Value {
    let mut sample = hostler_runbook::template::sample();
    if let Value::Object(fields) = &mut sample {
        fields.insert("stage".to_owned(), stage.into());
        fields.insert("runbook".to_owned(), json!({ "title": title }));
    }
    sample
}
