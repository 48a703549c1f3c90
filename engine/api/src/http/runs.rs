//! Runs: plan, start, look at, steer.

use super::asked::{Asked, answer, ok, settled};
use super::stream;
use crate::problem::Problem;
use crate::services::control::{self, Wish};
use crate::services::retry::Retried;
use crate::services::{evidence, follow, notices, retry, runs, start};
use axum::http::StatusCode;
use axum::response::Response;
use hostler_core::id::RunId;
use serde_json::json;

/// Runs of one page unless asked otherwise.
const LIMIT: usize = 50;

pub async fn plan(asked: Asked) -> Result<Response, Problem> {
    ok(&start::preview(&asked.api, asked.subject()?, asked.json()?).await?)
}

pub async fn start(asked: Asked) -> Result<Response, Problem> {
    let started = start::start(
        &asked.api,
        asked.subject()?,
        asked.json()?,
        asked.key.as_deref(),
    )
    .await?;
    let status = if started.known {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    answer(status, &started)
}

pub async fn list(asked: Asked) -> Result<Response, Problem> {
    let filter = asked
        .query
        .get("filter")
        .map(String::as_str)
        .unwrap_or_default();
    let limit = asked.parameter("limit")?.unwrap_or(LIMIT);
    let after = asked.query.get("after").cloned();
    ok(&runs::list(&asked.api, asked.subject()?, filter, limit, after).await?)
}

async fn run(asked: &Asked) -> Result<RunId, Problem> {
    let text: String = asked.part("run")?;
    runs::resolve(&asked.api, asked.subject()?, &text).await
}

pub async fn show(asked: Asked) -> Result<Response, Problem> {
    let after = asked.query.get("after").cloned();
    ok(&runs::show(&asked.api, asked.subject()?, run(&asked).await?, after).await?)
}

pub async fn lane(asked: Asked) -> Result<Response, Problem> {
    let lane = asked.part("lane")?;
    ok(&runs::lane(&asked.api, asked.subject()?, run(&asked).await?, lane).await?)
}

pub async fn follow(asked: Asked) -> Result<Response, Problem> {
    let seq = asked.last_seen.or(asked.parameter("after")?).unwrap_or(0);
    let as_lines = asked
        .query
        .get("format")
        .is_some_and(|format| format == "ndjson");
    let news = follow::follow(&asked.api, asked.subject()?, run(&asked).await?, seq).await?;
    Ok(if as_lines {
        stream::lines(news)
    } else {
        stream::events(news)
    })
}

pub async fn notices(asked: Asked) -> Result<Response, Problem> {
    ok(&notices::list(&asked.api, asked.subject()?, run(&asked).await?).await?)
}

pub async fn evidence(asked: Asked) -> Result<Response, Problem> {
    ok(&evidence::gather(&asked.api, asked.subject()?, run(&asked).await?).await?)
}

pub async fn cancel(asked: Asked) -> Result<Response, Problem> {
    steer(asked, Wish::Cancel).await
}

pub async fn pause(asked: Asked) -> Result<Response, Problem> {
    steer(asked, Wish::Pause).await
}

pub async fn resume(asked: Asked) -> Result<Response, Problem> {
    steer(asked, Wish::Resume).await
}

async fn steer(asked: Asked, wish: Wish) -> Result<Response, Problem> {
    let run = run(&asked).await?;
    let done = control::control(
        &asked.api,
        asked.subject()?,
        run,
        wish,
        asked.json()?,
        asked.key.as_deref(),
    )
    .await?;
    settled(done, &json!({ "run": run, "settled": done }))
}

pub async fn retry(asked: Asked) -> Result<Response, Problem> {
    let run = run(&asked).await?;
    let retried = retry::retry(
        &asked.api,
        asked.subject()?,
        run,
        asked.json()?,
        asked.key.as_deref(),
    )
    .await?;
    match &retried {
        Retried::Items { settled: done, .. } | Retried::Step { settled: done, .. } => {
            settled(*done, &retried)
        }
        Retried::Run { .. } => answer(StatusCode::CREATED, &retried),
    }
}
