//! The page behind a link: what is asked, and a form with yes and no. It has no script and asks for nothing else.
//!
//! Not here: what a link opens and who decides (services). A page that is read decides nothing.

use super::asked::Asked;
use crate::problem::{Code, Problem};
use crate::services::link::{self, LinkAsk, Opened};
use crate::services::outcome::Settled;
use crate::step_up::Passcode;
use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::response::Response;
use handlebars::Handlebars;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const PAGE: &str = include_str!("decide.hbs");
/// Fields of the form that are read.
const FIELDS_MAX: usize = 8;
/// Longest part of what is displayed, in characters; the rest is for the command line.
const PART_MAX_CHARACTERS: usize = 20_000;
/// Nothing is kept, loaded, framed or told to where the person goes next.
fn headers() -> [(HeaderName, &'static str); 6] {
    [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ]
}

pub async fn show(asked: Asked) -> Result<Response, Problem> {
    match link::open(&asked.api, asked.now_ms, text(&asked)).await {
        Ok(opened) => page(StatusCode::OK, &question(&opened)),
        Err(problem) => page(status(&problem), &refusal(&problem)),
    }
}

pub async fn decide(asked: Asked) -> Result<Response, Problem> {
    let decided = match ask(&asked.body) {
        Ok(ask) => link::decide(&asked.api, asked.now_ms, text(&asked), ask).await,
        Err(problem) => Err(problem),
    };
    let problem = match decided {
        Ok((opened, settled)) => return page(StatusCode::OK, &said(&opened, settled)),
        Err(problem) => problem,
    };
    // What was wrong with the form can be mended where it stands.
    let mut content = refusal(&problem);
    if let Ok(opened) = link::open(&asked.api, asked.now_ms, text(&asked)).await {
        let (Value::Object(all), Value::Object(more)) = (&mut content, question(&opened)) else {
            return page(status(&problem), &content);
        };
        all.extend(more);
    }
    page(status(&problem), &content)
}

fn text(asked: &Asked) -> &str {
    asked.path.get("link").map_or("", String::as_str)
}

pub(super) fn status(problem: &Problem) -> StatusCode {
    StatusCode::from_u16(problem.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The fields of the form.
fn ask(body: &[u8]) -> Result<LinkAsk, Problem> {
    let fields = form_urlencoded::parse(body).into_owned().take(FIELDS_MAX);
    let mut fields: BTreeMap<String, String> = fields.collect();
    let yes = match fields.get("decision").map(String::as_str) {
        Some("yes") => true,
        Some("no") => false,
        _ => {
            return Err(
                Problem::new(Code::Malformed, "neither yes nor no was chosen")
                    .remedy("choose one of the two, then press Decide"),
            );
        }
    };
    let mut filled = |name: &str| fields.remove(name).filter(|text| !text.trim().is_empty());
    let code = filled("code").filter(|_| yes);
    let code = code.map(|text| Passcode::parse(&text).ok_or_else(no_code));
    Ok(LinkAsk {
        yes,
        code: code.transpose()?,
        comment: filled("comment"),
        typed: filled("typed"),
    })
}

/// Without what was typed: it may be the code, and a letter.
fn no_code() -> Problem {
    Problem::new(Code::Malformed, "a code has six digits")
        .remedy("type what your authenticator app shows now, then press Decide")
}

fn page(status: StatusCode, content: &Value) -> Result<Response, Problem> {
    page_of(PAGE, status, content)
}

/// A page from its template, with the headers of all of them.
pub(super) fn page_of(
    template: &str,
    status: StatusCode,
    content: &Value,
) -> Result<Response, Problem> {
    let rendered = Handlebars::new().render_template(template, content);
    let html = rendered.map_err(|fault| Problem::new(Code::Internal, fault.to_string()))?;
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    for (name, value) in headers() {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

pub(super) fn refusal(problem: &Problem) -> Value {
    json!({ "title": problem.code.title(), "refused": problem.detail, "remedy": problem.remedy })
}

fn said(opened: &Opened, settled: Settled) -> Value {
    let said = match settled {
        Settled::Done => "Your decision counts.",
        Settled::Accepted => "Your decision is safe and will be looked at soon.",
    };
    json!({ "title": opened.view.row.title, "said": said })
}

/// What is displayed of an open question.
fn question(opened: &Opened) -> Value {
    let (row, shown) = (&opened.view.row, &opened.view.shown);
    let plan = shown.get("plan").filter(|plan| !plan.is_null());
    let of_plan = |name: &str| Some(plan?.get(name)?.as_str()?.to_owned());
    let who: Vec<String> = row
        .clauses
        .iter()
        .map(|clause| clause.any_of.join(" or "))
        .collect();
    let facts = [
        ("Runbook", Some(row.runbook.clone())),
        ("Run", Some(row.run.to_string())),
        ("Started by", of_plan("started_by")),
        ("Reason", of_plan("reason")),
        ("Asked", Some(instant(row.asked_ms))),
        ("Open until", row.expires_ms.map(instant)),
        (
            "Decide",
            Some(format!(
                "{} ({} needed)",
                who.join(" and "),
                row.quorum.max(1)
            )),
        ),
        ("Among them", Some(opened.view.people.join(", "))),
        ("Why", row.reason.clone()),
    ];
    let facts = facts.into_iter().filter_map(|(name, text)| {
        let text = text.filter(|text| !text.is_empty())?;
        Some(json!({ "name": name, "text": text }))
    });
    let said = |yes: bool| if yes { "yes" } else { "no" };
    let inputs = plan
        .and_then(|plan| plan.get("inputs"))
        .filter(|inputs| inputs.as_object().is_some_and(|all| !all.is_empty()));
    let mut shows = parts(shown.get("show"));
    shows.extend(inputs.map(|inputs| part("Inputs", inputs)));
    let votes = row
        .votes
        .iter()
        .map(|vote| format!("{}: {}", vote.who(), said(vote.yes)));
    json!({
        "asked": true,
        "title": row.title,
        "name": opened.subject.person,
        "behalf": opened.on_behalf_of,
        "say": shown.get("say"),
        "facts": facts.collect::<Vec<_>>(),
        "servers": plan.and_then(|plan| plan.get("targets")),
        "waves": plan.and_then(|plan| plan.get("waves")),
        "shown": shows,
        "terms": shown.get("terms"),
        "typed": shown.get("typed"),
        "code": row.step_up.is_some(),
        "enrolled": opened.enrolled,
        "comments": !row.kind.is_form(),
        "votes": votes.collect::<Vec<_>>(),
    })
}

/// What the runbook shows, a part for each expression.
fn parts(show: Option<&Value>) -> Vec<Value> {
    let fields = show.and_then(Value::as_object).into_iter().flatten();
    fields.map(|(name, value)| part(name, value)).collect()
}

fn part(name: &str, value: &Value) -> Value {
    let text = match value {
        Value::String(text) => text.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    };
    let text: String = text.chars().take(PART_MAX_CHARACTERS).collect();
    json!({ "name": name, "text": text })
}

pub(super) fn instant(at_ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at_ms);
    at.map_or_else(
        |_| at_ms.to_string(),
        |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
    )
}
