//! A request, taken apart; and answers.

use crate::problem::{Code, Problem};
use crate::services::bounces::Bounces;
use crate::services::outcome::Settled;
use crate::{Api, Subject};
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

pub(super) struct Asked {
    pub api: Api,
    pub subject: Option<Subject>,
    /// The customer whose feed the key behind `?token=` opens.
    pub feed: Option<String>,
    /// By the clock of this process, as dates of delegations and tokens are judged.
    pub now_ms: i64,
    pub path: BTreeMap<String, String>,
    pub query: BTreeMap<String, String>,
    /// `Idempotency-Key`.
    pub key: Option<String>,
    /// `Last-Event-ID`.
    pub last_seen: Option<u64>,
    pub body: Bytes,
    pub bounces: Option<Arc<Bounces>>,
    pub headers: HeaderMap,
}

impl Asked {
    pub fn subject(&self) -> Result<&Subject, Problem> {
        self.subject.as_ref().ok_or_else(unauthenticated)
    }

    /// A part of the path, read as what it must be.
    pub fn part<T: FromStr>(&self, name: &str) -> Result<T, Problem>
    where
        T::Err: Display,
    {
        let text = self.path.get(name).map(String::as_str).unwrap_or_default();
        text.parse()
            .map_err(|fault| Problem::new(Code::Malformed, format!("{name} {text:?}: {fault}")))
    }

    /// A parameter behind the `?`, if it is there.
    pub fn parameter<T: FromStr>(&self, name: &str) -> Result<Option<T>, Problem>
    where
        T::Err: Display,
    {
        let read = |text: &String| {
            text.parse()
                .map_err(|fault| Problem::new(Code::Malformed, format!("{name}={text}: {fault}")))
        };
        self.query.get(name).map(read).transpose()
    }

    /// The body; an empty one is an empty object.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let bytes: &[u8] = if self.body.is_empty() {
            b"{}"
        } else {
            &self.body
        };
        serde_json::from_slice(bytes).map_err(|fault| malformed(&fault))
    }
}

pub(super) fn malformed(fault: &dyn Display) -> Problem {
    Problem::new(Code::Malformed, fault.to_string())
}

pub(super) fn too_large(most: usize) -> Problem {
    Problem::new(
        Code::TooLarge,
        format!("a request has at most {most} bytes"),
    )
}

pub(super) fn unauthenticated() -> Problem {
    Problem::new(
        Code::Unauthenticated,
        "no valid token came with the request",
    )
    .remedy("send `Authorization: Bearer <token>`; the CLI reads it from HOSTLER_TOKEN or --as")
}

pub(super) fn answer(status: StatusCode, value: &impl Serialize) -> Result<Response, Problem> {
    let text = serde_json::to_vec(value)
        .map_err(|fault| Problem::new(Code::Internal, fault.to_string()))?;
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let kind = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

pub(super) fn ok(value: &impl Serialize) -> Result<Response, Problem> {
    answer(StatusCode::OK, value)
}

/// 200 for what is done, 202 for what is durable and waits.
pub(super) fn settled(settled: Settled, value: &impl Serialize) -> Result<Response, Problem> {
    let status = if settled == Settled::Done {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    answer(status, value)
}
