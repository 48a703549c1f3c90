//! Open questions and decisions.

use super::asked::{Asked, ok, settled};
use crate::problem::Problem;
use crate::services::{decide, waiting};
use axum::response::Response;
use hostler_core::id::LaneId;
use serde_json::json;

pub async fn list(asked: Asked) -> Result<Response, Problem> {
    let mine = asked.parameter("mine")?.unwrap_or(false);
    ok(&waiting::list(&asked.api, asked.subject()?, mine).await?)
}

pub async fn show(asked: Asked) -> Result<Response, Problem> {
    ok(&waiting::show(&asked.api, asked.subject()?, asked.part("lane")?).await?)
}

pub async fn vote(asked: Asked) -> Result<Response, Problem> {
    let lane: LaneId = asked.part("lane")?;
    let done = decide::vote(
        &asked.api,
        asked.subject()?,
        lane,
        asked.json()?,
        asked.key.as_deref(),
    )
    .await?;
    settled(done, &json!({ "lane": lane, "settled": done }))
}

pub async fn answer(asked: Asked) -> Result<Response, Problem> {
    let lane: LaneId = asked.part("lane")?;
    let done = decide::answer(
        &asked.api,
        asked.subject()?,
        lane,
        asked.json()?,
        asked.key.as_deref(),
    )
    .await?;
    settled(done, &json!({ "lane": lane, "settled": done }))
}

pub async fn choose(asked: Asked) -> Result<Response, Problem> {
    let lane: LaneId = asked.part("lane")?;
    let done = decide::choose(
        &asked.api,
        asked.subject()?,
        lane,
        asked.json()?,
        asked.key.as_deref(),
    )
    .await?;
    settled(done, &json!({ "lane": lane, "settled": done }))
}
