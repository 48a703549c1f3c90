//! Budgets of disruption: what is spent, letting a run overdraw.
//!
//! Not here: who may, and what is refused (services).

use super::asked::{Asked, ok};
use crate::problem::Problem;
use crate::services::budgets;
use axum::response::Response;

pub async fn list(asked: Asked) -> Result<Response, Problem> {
    ok(&budgets::list(&asked.api, asked.subject()?).await?)
}

pub async fn allow(asked: Asked) -> Result<Response, Problem> {
    let (customer, ask): (String, _) = (asked.part("customer")?, asked.json()?);
    ok(&budgets::allow(&asked.api, asked.subject()?, &customer, ask).await?)
}
