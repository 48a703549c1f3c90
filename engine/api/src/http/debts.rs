//! Debts: which are open.
//!
//! Not here: who may see them (services).

use super::asked::{Asked, ok};
use crate::problem::Problem;
use crate::services::debts;
use axum::response::Response;

pub async fn list(asked: Asked) -> Result<Response, Problem> {
    ok(&debts::list(&asked.api, asked.subject()?).await?)
}
