//! The page behind an announcement's link: what can be put off, and a form with a date. It has no script.
//!
//! Not here: what a link offers and what stands against it (services). A page that is read puts nothing off.

use super::asked::Asked;
use super::decide::{instant, page_of, refusal, status};
use crate::problem::{Code, Problem};
use crate::services::deferral_link::{self, LinkWish, Offered, Server};
use crate::services::deferrals::Deferred;
use axum::http::StatusCode;
use axum::response::Response;
use hostler_core::budget::length;
use serde_json::{Value, json};

const PAGE: &str = include_str!("deferral_page.hbs");
/// Fields of the form that are read: a server each, and the date.
const FIELDS_MAX: usize = 600;

pub async fn show(asked: Asked) -> Result<Response, Problem> {
    match deferral_link::open(&asked.api, asked.now_ms, text(&asked)).await {
        Ok(offered) => page_of(PAGE, StatusCode::OK, &content(&offered)),
        Err(problem) => page_of(PAGE, status(&problem), &refusal(&problem)),
    }
}

pub async fn put_off(asked: Asked) -> Result<Response, Problem> {
    let done = match wish(&asked.body) {
        Ok(wish) => deferral_link::put_off(&asked.api, asked.now_ms, text(&asked), wish).await,
        Err(problem) => Err(problem),
    };
    let problem = match done {
        Ok(done) => return page_of(PAGE, StatusCode::OK, &said(&done)),
        Err(problem) => problem,
    };
    // What was wrong with the form can be mended where it stands.
    let mut all = refusal(&problem);
    if let Ok(offered) = deferral_link::open(&asked.api, asked.now_ms, text(&asked)).await
        && let (Value::Object(all), Value::Object(more)) = (&mut all, content(&offered))
    {
        all.extend(more);
    }
    page_of(PAGE, status(&problem), &all)
}

fn text(asked: &Asked) -> &str {
    asked.path.get("link").map_or("", String::as_str)
}

/// The fields of the form; no server that is marked means all.
fn wish(body: &[u8]) -> Result<LinkWish, Problem> {
    let mut wish = LinkWish::default();
    for (name, value) in form_urlencoded::parse(body).into_owned().take(FIELDS_MAX) {
        match name.as_str() {
            "until" => wish.until = value,
            "asset" => {
                wish.assets.insert(value);
            }
            _ => {}
        }
    }
    if wish.until.is_empty() {
        return Err(Problem::new(Code::Malformed, "no date was chosen")
            .remedy("choose the day from which on it suits you, then press Put off"));
    }
    Ok(wish)
}

fn said(done: &Deferred) -> Value {
    let said = format!(
        "Put off: {}. Nothing of it happens before {}; you will hear when it does.",
        done.assets.join(", "),
        instant(done.until_ms)
    );
    json!({ "title": "Put off", "said": said })
}

fn content(offered: &Offered) -> Value {
    let server = |server: &Server| {
        json!({
            "asset": server.asset,
            "name": server.name,
            "starts": server.starts_ms.map_or_else(|| "not known yet".to_owned(), instant),
            "put_off": server.put_off_ms.map(instant),
        })
    };
    let left = offered.left.unwrap_or_default();
    json!({
        "asked": true,
        "title": offered.title,
        "name": offered.subject.person,
        "customer": offered.customer,
        "servers": offered.servers.iter().map(server).collect::<Vec<_>>(),
        "left": left,
        "may": left > 0,
        "until": length(offered.until_ms),
        "longest": length(offered.longest_ms),
    })
}
