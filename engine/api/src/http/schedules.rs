//! Schedules: what fires next, and what people say about it.
//!
//! Not here: who may, and what is refused (services).

use super::asked::{Asked, ok};
use crate::problem::Problem;
use crate::services::schedules;
use axum::response::Response;

pub async fn list(asked: Asked) -> Result<Response, Problem> {
    ok(&schedules::list(&asked.api, asked.subject()?).await?)
}

pub async fn say(asked: Asked) -> Result<Response, Problem> {
    let (id, ask): (String, _) = (asked.part("schedule")?, asked.json()?);
    ok(&schedules::say(&asked.api, asked.subject()?, &id, ask).await?)
}
