//! Reports of mail servers: bringing one, and what became of them.
//!
//! Not here: signatures, and what a report says (services).

use super::asked::{Asked, ok};
use crate::problem::Problem;
use crate::services::bounces::{self, Brought};
use axum::response::Response;
use serde_json::json;

pub async fn bring(asked: Asked) -> Result<Response, Problem> {
    let door = asked.bounces.as_ref().ok_or_else(bounces::not_taken)?;
    let header = |name: &str| asked.headers.get(name)?.to_str().ok();
    let brought = Brought {
        timestamp: header("x-hostler-timestamp"),
        nonce: header("x-hostler-nonce"),
        signature: header("x-hostler-signature"),
        body: &asked.body,
        now_ms: asked.now_ms,
    };
    let taken = door.bring(&asked.api, &brought).await?;
    ok(&json!({ "taken": taken }))
}

pub async fn counts(asked: Asked) -> Result<Response, Problem> {
    ok(&bounces::counts(
        asked.bounces.as_deref(),
        asked.subject()?,
    )?)
}
