//! How long calls took.
//!
//! Not here: who may see it (services).

use super::asked::{Asked, ok};
use crate::problem::Problem;
use crate::services::durations;
use axum::response::Response;

pub async fn list(asked: Asked) -> Result<Response, Problem> {
    ok(&durations::list(&asked.api, asked.subject()?).await?)
}
