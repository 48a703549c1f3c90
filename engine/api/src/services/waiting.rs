//! Open questions: approvals, forms, doubts, failures.

use crate::authorize::{Action, Resource, Subject, authorize};
use crate::problem::{Code, Problem};
use crate::{Api, read};
use hostler_core::id::{LaneId, RunId};
use hostler_core::view::{WaitingRow, index};
use hostler_ports::store::Cursor;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Most questions of one answer; a person who has more has another trouble.
pub const WAITING_MAX: usize = 1_000;

/// A question with what was displayed when it was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WaitingView {
    pub row: WaitingRow,
    /// `{ "run", "title", "say", "show": { expression: value }, "plan": … }`; null where nothing is shown.
    pub shown: Value,
    /// Whether the one who asks may settle it.
    pub mine: bool,
    /// Who could, by the people of the estate.
    pub people: Vec<String>,
}

/// Questions, oldest first; `mine`: only those that the subject may settle. People who are not
/// staff see only those.
///
/// # Errors
/// `forbidden`, the store's.
pub async fn list(api: &Api, subject: &Subject, mine: bool) -> Result<Vec<WaitingRow>, Problem> {
    let sees_all = authorize(subject, Action::ReadWaiting, Resource::Realm).allow;
    let sees = |row: &WaitingRow| {
        let question = Resource::Question(&row.clauses);
        authorize(subject, Action::Decide, question).allow || (sees_all && !mine)
    };
    if !sees_all
        && !subject
            .qualifies
            .iter()
            .any(|held| held.starts_with("customer:") || held.starts_with("owner-of:"))
    {
        authorize(subject, Action::ReadWaiting, Resource::Realm).check(subject)?;
    }
    collect(api, sees).await
}

pub(super) async fn of_run(api: &Api, run: RunId) -> Result<Vec<WaitingRow>, Problem> {
    collect(api, |row| row.run == run).await
}

async fn collect(
    api: &Api,
    wanted: impl Fn(&WaitingRow) -> bool,
) -> Result<Vec<WaitingRow>, Problem> {
    let mut rows = Vec::new();
    read::walk(api, index::WAITING, false, Cursor::default(), |entry| {
        if let Ok(row) = serde_json::from_str::<WaitingRow>(&entry.body)
            && wanted(&row)
        {
            rows.push(row);
        }
        rows.len() < WAITING_MAX
    })
    .await?;
    Ok(rows)
}

/// # Errors
/// `nobody-asked` when the question is settled, `forbidden`, the store's.
pub async fn show(api: &Api, subject: &Subject, lane: LaneId) -> Result<WaitingView, Problem> {
    let row = find(api, subject, lane).await?;
    let shown = match row.shown {
        Some(digest) => read::blob(api, "display", digest).await?,
        None => Value::Null,
    };
    let mine = authorize(subject, Action::Decide, Resource::Question(&row.clauses)).allow;
    let wanted = row.clauses.iter().flat_map(|clause| &clause.any_of);
    let mut people: Vec<String> = wanted
        .flat_map(|who| api.directory.people_with(who))
        .collect();
    people.sort();
    people.dedup();
    Ok(WaitingView {
        row,
        shown,
        mine,
        people,
    })
}

/// The open question of a lane, if the subject may see it.
pub(super) async fn find(
    api: &Api,
    subject: &Subject,
    lane: LaneId,
) -> Result<WaitingRow, Problem> {
    let mut rows = collect(api, |row| row.lane == lane).await?;
    let Some(row) = rows.pop() else {
        let is_staff = authorize(subject, Action::ReadWaiting, Resource::Realm);
        is_staff.check(subject)?;
        return Err(Problem::new(Code::NobodyAsked, format!("lane {lane} waits for nobody"))
            .remedy("it is settled, or has not asked yet: see `hostler approve list` and `hostler ask list`"));
    };
    authorize(
        subject,
        Action::ReadWaiting,
        Resource::Question(&row.clauses),
    )
    .check(subject)?;
    Ok(row)
}
