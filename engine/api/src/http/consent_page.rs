//! The page behind an announcement's link that asks for consent: the servers with their slots, and a form with yes, no
//! and a reason. It has no script.
//!
//! Not here: what a link asks and what stands against it (services). A page that is read agrees to nothing.

use super::asked::Asked;
use super::decide::{instant, page_of, refusal, status};
use crate::problem::{Code, Problem};
use crate::services::consent_link::{self, LinkWish, Offered, Server};
use crate::services::consents::Consented;
use axum::http::StatusCode;
use axum::response::Response;
use hostler_core::consent::Said;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const PAGE: &str = include_str!("consent_page.hbs");
/// Fields of the form that are read.
const FIELDS_MAX: usize = 8;

pub async fn show(asked: Asked) -> Result<Response, Problem> {
    match consent_link::open(&asked.api, asked.now_ms, text(&asked)).await {
        Ok(offered) => page_of(PAGE, StatusCode::OK, &content(&offered)),
        Err(problem) => page_of(PAGE, status(&problem), &refusal(&problem)),
    }
}

pub async fn say(asked: Asked) -> Result<Response, Problem> {
    let done = match wish(&asked.body) {
        Ok(wish) => consent_link::say(&asked.api, asked.now_ms, text(&asked), wish).await,
        Err(problem) => Err(problem),
    };
    match done {
        Ok(done) => page_of(PAGE, StatusCode::OK, &said(&done)),
        Err(problem) => page_of(PAGE, status(&problem), &refusal(&problem)),
    }
}

fn text(asked: &Asked) -> &str {
    asked.path.get("link").map_or("", String::as_str)
}

fn wish(body: &[u8]) -> Result<LinkWish, Problem> {
    let fields = form_urlencoded::parse(body).into_owned().take(FIELDS_MAX);
    let mut fields: BTreeMap<String, String> = fields.collect();
    let agrees = match fields.get("choice").map(String::as_str) {
        Some("agree") => true,
        Some("object") => false,
        _ => {
            return Err(
                Problem::new(Code::Malformed, "neither of the two was chosen")
                    .remedy("go back to the page and press Agree or Object"),
            );
        }
    };
    let reason = fields.remove("reason");
    Ok(LinkWish {
        agrees,
        reason: reason.filter(|text| !text.trim().is_empty()),
    })
}

fn said(done: &Consented) -> Value {
    let (title, said) = match done.agrees {
        true => (
            "Agreed",
            "You agree. You may object by the same link until the work begins.",
        ),
        false => (
            "Objected",
            "You object: what has not begun does not begin. You may agree by the same link.",
        ),
    };
    json!({ "title": title, "said": said })
}

/// Who said it, where it was staff, is nothing that a page tells.
fn standing(said: &Said) -> String {
    let at = instant(said.at_ms);
    match said.consent.agrees {
        true => format!("Your side has agreed at {at}."),
        false => format!("Your side objects since {at}."),
    }
}

fn content(offered: &Offered) -> Value {
    let server = |server: &Server| {
        json!({
            "name": server.name,
            "starts": server.starts_ms.map_or_else(|| "not known yet".to_owned(), instant),
        })
    };
    json!({
        "asked": true,
        "title": offered.title,
        "name": offered.subject.person,
        "customer": offered.customer,
        "kind": offered.kind,
        "servers": offered.servers.iter().map(server).collect::<Vec<_>>(),
        "stands": offered.said.as_ref().map(standing),
    })
}
