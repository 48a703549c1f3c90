//! The silences of an asset as the Alertmanager knows them. There is no key for repeats in its API, so
//! the comment carries ours and is read back before anything is written.
//!
//! Not here: silences that people made. They are never touched.

use crate::reply;
use crate::subject::Subject;
use hostler_sdk::{Call, Context, HttpRequest, Stop};
use serde::Deserialize;

pub const CREATED_BY: &str = "hostler";
/// More silences of one asset than this are somebody's mistake.
const OURS_MAX: usize = 100;

#[derive(Clone, Debug, Deserialize)]
pub struct Known {
    pub id: String,
    #[serde(rename = "createdBy")]
    pub created_by: String,
    pub comment: String,
    #[serde(rename = "endsAt")]
    pub ends_at: String,
    #[serde(rename = "startsAt")]
    pub starts_at: String,
    pub status: Status,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Status {
    pub state: String,
}

impl Known {
    pub fn is_over(&self) -> bool {
        self.status.state == "expired"
    }

    /// Whether the comment has this word: `run=…`, `key=…`, `asset=…`.
    pub fn says(&self, word: &str) -> bool {
        self.created_by == CREATED_BY && self.comment.split(' ').any(|said| said == word)
    }
}

pub fn comment(call: &Call, subject: &Subject) -> String {
    format!(
        "{CREATED_BY} asset={} run={} step={} key={}",
        subject.asset, call.run, call.step, call.idempotency_key
    )
}

/// Silences of the asset that have not ended and say `word`.
///
/// # Errors
/// As `reply::body`.
pub fn living(ctx: &mut Context<'_>, subject: &Subject, word: &str) -> Result<Vec<Known>, Stop> {
    let path = format!(
        "/api/v2/silences?filter={}",
        reply::percent(&subject.selector())
    );
    let response = ctx.send("target", &HttpRequest::get(path))?;
    let all: Vec<Known> = reply::body("the Alertmanager", &response)?;
    let asset = format!("asset={}", subject.asset);
    let ours: Vec<Known> = all
        .into_iter()
        .filter(|known| !known.is_over() && known.says(word) && known.says(&asset))
        .collect();
    if ours.len() > OURS_MAX {
        return Err(Stop::reject(format!(
            "{} silences of this run stand for {asset}: remove them by hand",
            ours.len()
        )));
    }
    Ok(ours)
}

/// # Errors
/// When it is no id of a silence: it becomes part of a path.
pub fn id(text: &str) -> Result<&str, Stop> {
    let plain = text.len() == 36 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    if plain {
        Ok(text)
    } else {
        Err(Stop::reject(format!("`{text}` is no id of a silence")))
    }
}
