//! The services over HTTP: JSON in, JSON or a problem out.
//!
//! All routes stand in one table with the action that each is; the router is made from it. Not here:
//! who may do what (services refuse), TLS (a proxy in front, or loopback).

mod asked;
mod bounces;
mod budgets;
mod consent_page;
mod consents;
mod debts;
mod decide;
mod deferral_page;
mod deferrals;
mod durations;
mod feed;
mod freezes;
mod general;
mod leases;
mod mutes;
mod routes;
mod runs;
mod schedules;
mod store;
mod stream;
mod waiting;

pub use routes::{ROUTES, Route};

use crate::problem::Problem;
use crate::services::bounces::Bounces;
use crate::tokens::Tokens;
use crate::{Api, Subject};
use asked::Asked;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Query, RawPathParams, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::{MethodFilter, on};
use hostler_ports::clock::Clock;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Longest body of a request.
const BODY_MAX_BYTES: usize = 1024 * 1024;

/// What stands behind the door.
#[derive(Clone)]
pub struct Door {
    pub api: Api,
    pub tokens: Arc<RwLock<Tokens>>,
    pub clock: Arc<dyn Clock>,
    /// Where reports of mail servers go; none: they are not taken.
    pub bounces: Option<Arc<Bounces>>,
}

impl Door {
    /// Who holds this token, with the qualifications of this moment.
    fn subject(&self, headers: &HeaderMap) -> Option<Subject> {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        let now_ms = self.clock.now_ms();
        let person = tokens.person(token.trim(), now_ms)?;
        let via = headers
            .get("x-hostler-via")
            .and_then(|via| via.to_str().ok())
            .filter(|via| *via == "cli");
        Subject::at(&*self.api.directory, person, via.unwrap_or("api"), now_ms)
    }
}

impl Door {
    /// The customer whose feed this key opens.
    fn feed(&self, key: &str) -> Option<String> {
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        tokens.customer(key).map(str::to_owned)
    }
}

/// All routes.
pub fn router(door: Door) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let answer =
            move |State(door): State<Door>,
                  path: RawPathParams,
                  query: Result<
                Query<BTreeMap<String, String>>,
                axum::extract::rejection::QueryRejection,
            >,
                  headers: HeaderMap,
                  body: Result<Bytes, axum::extract::rejection::BytesRejection>| async move {
                let path = path
                    .iter()
                    .map(|(key, value)| (key.to_owned(), value.to_owned()))
                    .collect();
                let answered = match (query, body) {
                    (Ok(Query(query)), Ok(body)) => {
                        serve(route, door, path, query, headers, body).await
                    }
                    (Err(fault), _) => Err(asked::malformed(&fault)),
                    (_, Err(_)) => Err(asked::too_large(BODY_MAX_BYTES)),
                };
                answered.unwrap_or_else(|problem| refuse(&problem))
            };
        router = router.route(route.path, on(filter(route), answer));
    }
    router
        .fallback(|| async { refuse(&Problem::not_found("page", "here")) })
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .with_state(door)
}

fn filter(route: &Route) -> MethodFilter {
    if route.method == "POST" {
        MethodFilter::POST
    } else {
        MethodFilter::GET
    }
}

async fn serve(
    route: &'static Route,
    door: Door,
    path: BTreeMap<String, String>,
    query: BTreeMap<String, String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let subject = door.subject(&headers);
    if route.action.is_some() && subject.is_none() {
        return Err(asked::unauthenticated());
    }
    let key = headers
        .get("idempotency-key")
        .and_then(|key| key.to_str().ok())
        .map(str::to_owned);
    let last_seen = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok()?.parse().ok());
    let feed = query.get("token").and_then(|key| door.feed(key));
    (route.handler)(Asked {
        feed,
        now_ms: door.clock.now_ms(),
        api: door.api,
        subject,
        path,
        query,
        key,
        last_seen,
        body,
        bounces: door.bounces,
        headers,
    })
    .await
}

/// A problem as its response.
fn refuse(problem: &Problem) -> Response {
    let status =
        StatusCode::from_u16(problem.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if status.is_server_error() {
        tracing::warn!(
            code = problem.code.name(),
            detail = problem.detail,
            "a request failed"
        );
    }
    let mut response = Response::new(Body::from(problem.to_json().to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/problem+json"),
    );
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(
            header::WWW_AUTHENTICATE,
            header::HeaderValue::from_static("Bearer"),
        );
    }
    response
}
