//! A customer's calendar feed.
//!
//! Not here: what stands in it (services).

use super::asked::{Asked, unauthenticated};
use crate::authorize::Subject;
use crate::problem::Problem;
use crate::services::feed;
use axum::body::Body;
use axum::http::header::{self, HeaderValue};
use axum::response::Response;

/// Opened by the key in the address, or by whoever is signed in and may.
pub async fn calendar(asked: Asked) -> Result<Response, Problem> {
    let customer: String = asked.part("customer")?;
    let keyed = asked.feed.as_deref().map(Subject::of_feed);
    let subject = keyed.as_ref().or(asked.subject.as_ref());
    let subject = subject.ok_or_else(|| {
        unauthenticated()
            .remedy("use the whole address, with its key: hostler token feed CUSTOMER makes one")
    })?;
    let text = feed::calendar(&asked.api, subject, &customer).await?;
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_TYPE, "text/calendar; charset=utf-8"),
        (header::CACHE_CONTROL, "private, no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}
