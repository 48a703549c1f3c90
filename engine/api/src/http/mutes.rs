//! The page behind the way out of a message: what its recipient is told, and a button that makes it less, or all again;
//! the click of a mail program (RFC 8058); and the same for those who are signed in.
//!
//! Not here: what a way out opens and who may choose (services). A page that is read changes nothing.

use super::asked::{Asked, ok};
use super::decide::{page_of, status};
use crate::problem::{Code, Problem};
use crate::services::mutes::{self, MuteView};
use axum::http::{StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

const PAGE: &str = include_str!("mutes.hbs");
/// Longest body that is looked at, in bytes: a form of one field.
const BODY_MAX_BYTES: usize = 4_096;
/// Fields of it that are looked at.
const FIELDS_MAX: usize = 8;
/// What a mail program sends.
const FIELD: &str = "List-Unsubscribe";
const ONE_CLICK: &str = "One-Click";

pub async fn show(asked: Asked) -> Result<Response, Problem> {
    answer(
        mutes::open(&asked.api, asked.now_ms, text(&asked)).await,
        None,
    )
}

/// The same form or click again changes nothing.
pub async fn choose(asked: Asked) -> Result<Response, Problem> {
    let kind = asked.headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let Some(mute) = choice(kind, &asked.body) else {
        let problem = Problem::new(
            Code::Malformed,
            "nothing was chosen, so nothing has changed",
        )
        .remedy("open the link, then press the button");
        return page_of(PAGE, status(&problem), &refusal(&problem));
    };
    let chosen = mutes::by_link(&asked.api, asked.now_ms, text(&asked), mute, "link").await;
    let said = match mute {
        true => "From now on you are told only what you must have.",
        false => "From now on you are told everything.",
    };
    answer(chosen, Some(said))
}

pub async fn list(asked: Asked) -> Result<Response, Problem> {
    let person: String = asked.part("person")?;
    ok(&mutes::list(&asked.api, asked.subject()?, &person).await?)
}

pub async fn mute(asked: Asked) -> Result<Response, Problem> {
    say(asked, true).await
}

pub async fn unmute(asked: Asked) -> Result<Response, Problem> {
    say(asked, false).await
}

async fn say(asked: Asked, mute: bool) -> Result<Response, Problem> {
    let (person, ask): (String, _) = (asked.part("person")?, asked.json()?);
    ok(&mutes::say(&asked.api, asked.subject()?, &person, mute, &ask).await?)
}

fn text(asked: &Asked) -> &str {
    asked.path.get("link").map_or("", String::as_str)
}

fn answer(found: Result<MuteView, Problem>, said: Option<&str>) -> Result<Response, Problem> {
    match found {
        Ok(view) => page_of(PAGE, StatusCode::OK, &content(&view, said)),
        Err(problem) => page_of(PAGE, status(&problem), &refusal(&problem)),
    }
}

/// What a form says: only what one must have (true), everything (false), neither.
fn choice(kind: &str, body: &[u8]) -> Option<bool> {
    if body.len() > BODY_MAX_BYTES {
        return None;
    }
    // Mail programs send one of two forms (RFC 8058, 3.2).
    if kind.to_ascii_lowercase().starts_with("multipart/form-data") {
        return is_one_click(&String::from_utf8_lossy(body)).then_some(true);
    }
    let mut fields = form_urlencoded::parse(body).take(FIELDS_MAX);
    fields.find_map(|(name, value)| match (&*name, &*value) {
        (FIELD, ONE_CLICK) | ("choice", "less") => Some(true),
        ("choice", "all") => Some(false),
        _ => None,
    })
}

/// A part of that name with that text.
fn is_one_click(body: &str) -> bool {
    let name = format!("name=\"{FIELD}\"");
    let part = body.split_once(&name).map(|(_, rest)| rest);
    let text = part.and_then(|part| part.split_once("\r\n\r\n"));
    text.is_some_and(|(_, text)| text.lines().next() == Some(ONE_CLICK))
}

fn refusal(problem: &Problem) -> Value {
    json!({ "title": problem.code.title(), "refused": problem.detail, "remedy": problem.remedy })
}

fn content(view: &MuteView, said: Option<&str>) -> Value {
    let words = |stages: &[String]| {
        stages
            .iter()
            .map(|stage| in_words(stage))
            .collect::<Vec<_>>()
    };
    json!({
        "title": format!("Notices about the servers of {}", view.customer_name),
        "said": said,
        "name": view.name,
        "shown": true,
        "must_have": words(&view.must_have),
        "optional": words(&view.optional),
        "muted": view.muted.is_some(),
    })
}

/// A stage as people say it; one that is newer than these words by its name.
fn in_words(stage: &str) -> String {
    let words = match stage {
        "scheduled" => "what is planned, and when",
        "changed" => "that something comes at another time than announced, or without some servers",
        "cancelled" => "that something announced does not take place",
        "reminder" => "that something announced is near",
        "started" => "that work on your servers has begun",
        "completed" => "that work on your servers is done, and how it ended",
        "emergency" => "everything about emergencies",
        other => other,
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_click_or_a_choice_counts_as_one() {
        let form = "application/x-www-form-urlencoded";
        let parts = "multipart/form-data; boundary=b";
        let part = |name: &str, text: &str| {
            format!(
                "--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n--b--\r\n"
            )
        };
        let cases = [
            (form, "List-Unsubscribe=One-Click".to_owned(), Some(true)),
            (form, "choice=less".to_owned(), Some(true)),
            (form, "choice=all".to_owned(), Some(false)),
            (form, "choice=both".to_owned(), None),
            (form, String::new(), None),
            (form, "{}".to_owned(), None),
            (
                form,
                format!("x={}&choice=all", "y".repeat(BODY_MAX_BYTES)),
                None,
            ),
            (parts, part("List-Unsubscribe", "One-Click"), Some(true)),
            (parts, part("List-Unsubscribe", "One-Clicks"), None),
            (parts, part("other", "One-Click"), None),
            (parts, part("choice", "all"), None),
            ("", "List-Unsubscribe=One-Click".to_owned(), Some(true)),
        ];
        for (kind, body, expected) in cases {
            assert_eq!(choice(kind, body.as_bytes()), expected, "{kind}: {body}");
        }
    }
}
