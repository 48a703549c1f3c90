//! Health, people, runbooks, plugins, locks, ledger.

use super::asked::{Asked, ok};
use crate::authorize::{Action, Resource, authorize};
use crate::problem::Problem;
use crate::services::{locks, notices, plugins, runbooks};
use axum::response::Response;
use serde_json::{Value, json};

pub async fn healthy(_: Asked) -> Result<Response, Problem> {
    ok(&json!({ "ok": true }))
}

/// Ready means: the store answers.
pub async fn ready(asked: Asked) -> Result<Response, Problem> {
    asked.api.store.now_ms().await?;
    ok(&json!({ "ok": true }))
}

pub async fn me(asked: Asked) -> Result<Response, Problem> {
    let subject = asked.subject()?;
    authorize(subject, Action::WhoAmI, Resource::Realm).check(subject)?;
    let name = asked
        .api
        .directory
        .person(&subject.person)
        .map(|person| person.name);
    ok(&json!({ "person": subject.person, "name": name, "qualifies": subject.qualifies }))
}

pub async fn runbooks(asked: Asked) -> Result<Response, Problem> {
    ok(&runbooks::list(&asked.api, asked.subject()?)?)
}

pub async fn runbook(asked: Asked) -> Result<Response, Problem> {
    let (name, version) = (asked.part::<String>("name")?, asked.parameter("version")?);
    ok(&runbooks::show(
        &asked.api,
        asked.subject()?,
        &name,
        version,
    )?)
}

pub async fn notice_preview(asked: Asked) -> Result<Response, Problem> {
    let (name, template) = (
        asked.part::<String>("name")?,
        asked.part::<String>("template")?,
    );
    let stage = asked.query.get("stage").map_or("scheduled", String::as_str);
    let version = asked.parameter("version")?;
    ok(&notices::preview(
        &asked.api,
        asked.subject()?,
        &name,
        version,
        &template,
        stage,
    )
    .await?)
}

pub async fn plugins(asked: Asked) -> Result<Response, Problem> {
    ok(&plugins::list(&asked.api, asked.subject()?)?)
}

pub async fn locks(asked: Asked) -> Result<Response, Problem> {
    ok(&locks::list(&asked.api, asked.subject()?).await?)
}

pub async fn lock(asked: Asked) -> Result<Response, Problem> {
    let key: String = asked.part("key")?;
    ok(&locks::show(&asked.api, asked.subject()?, &key).await?)
}

/// One page of the ledger from a number on.
pub async fn ledger(asked: Asked) -> Result<Response, Problem> {
    let subject = asked.subject()?;
    authorize(subject, Action::ReadLedger, Resource::Realm).check(subject)?;
    let from = asked.parameter("from")?.unwrap_or(0);
    let entries = crate::ledger::page(&asked.api, from).await?;
    let entry = |entry: &hostler_ports::store::LedgerEntry| {
        let body: Value =
            serde_json::from_str(&entry.body).unwrap_or(Value::String(entry.body.clone()));
        json!({ "number": entry.number, "at_ms": entry.at_ms, "lane": entry.lane,
            "version": entry.version, "body": body })
    };
    ok(&entries.iter().map(entry).collect::<Vec<_>>())
}
