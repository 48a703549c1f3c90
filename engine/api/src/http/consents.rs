//! Customers who agree or object, as whoever is signed in.
//!
//! Not here: the page behind a link (`consent_page`).

use super::asked::{Asked, settled};
use crate::problem::Problem;
use crate::services::{consents, runs};
use axum::response::Response;

pub async fn say(asked: Asked) -> Result<Response, Problem> {
    let (subject, text) = (asked.subject()?, asked.part::<String>("run")?);
    let run = runs::resolve(&asked.api, subject, &text).await?;
    let key = asked.key.as_deref();
    let done = consents::say(&asked.api, subject, run, asked.json()?, key).await?;
    settled(done.settled, &done)
}
