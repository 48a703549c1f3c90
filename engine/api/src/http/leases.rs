//! Leases: which live, ending one early, letting one live longer.
//!
//! Not here: who may, and what is refused (services).

use super::asked::{Asked, ok, settled};
use crate::problem::Problem;
use crate::services::leases;
use axum::response::Response;
use hostler_core::id::LaneId;
use serde_json::json;

pub async fn list(asked: Asked) -> Result<Response, Problem> {
    let (asset, after) = (asked.query.get("asset"), asked.query.get("after").cloned());
    let asset = asset.map(String::as_str);
    ok(&leases::list(&asked.api, asked.subject()?, asset, after).await?)
}

pub async fn release(asked: Asked) -> Result<Response, Problem> {
    let (lane, ask): (LaneId, _) = (asked.part("lane")?, asked.json()?);
    let (subject, key) = (asked.subject()?, asked.key.as_deref());
    let done = leases::release(&asked.api, subject, lane, ask, key).await?;
    settled(done, &json!({ "lane": lane, "settled": done }))
}

pub async fn extend(asked: Asked) -> Result<Response, Problem> {
    let (lane, ask): (LaneId, _) = (asked.part("lane")?, asked.json()?);
    let (subject, key) = (asked.subject()?, asked.key.as_deref());
    let done = leases::extend(&asked.api, subject, lane, ask, key).await?;
    settled(done, &json!({ "lane": lane, "settled": done }))
}
