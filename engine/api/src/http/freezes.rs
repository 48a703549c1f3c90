//! Freezes: which hold, declaring one, lifting one.
//!
//! Not here: who may, and what is refused (services).

use super::asked::{Asked, ok};
use crate::problem::Problem;
use crate::services::freezes;
use axum::response::Response;

pub async fn list(asked: Asked) -> Result<Response, Problem> {
    ok(&freezes::list(&asked.api, asked.subject()?).await?)
}

pub async fn declare(asked: Asked) -> Result<Response, Problem> {
    ok(&freezes::declare(&asked.api, asked.subject()?, asked.json()?).await?)
}

pub async fn lift(asked: Asked) -> Result<Response, Problem> {
    let (id, ask): (String, _) = (asked.part("freeze")?, asked.json()?);
    ok(&freezes::lift(&asked.api, asked.subject()?, &id, ask).await?)
}
