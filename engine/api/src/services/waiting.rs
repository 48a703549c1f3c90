//! Open questions: approvals, forms, doubts, failures.

use crate::authorize::{Action, Resource, Subject, authorize};
use crate::problem::{Code, Problem};
use crate::read::Reading;
use crate::{Api, read};
use hostler_core::id::{LaneId, RunId};
use hostler_core::lane::Phase;
use hostler_core::sight::Sight;
use hostler_core::view::{WaitingRow, index, rows};
use hostler_ports::store::Cursor;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Most questions of one answer; a person who has more has another trouble.
pub const WAITING_MAX: usize = 1_000;

/// A question with what was displayed when it was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WaitingView {
    pub row: WaitingRow,
    /// `{ "run", "covers": digest of the plan, "title", "say", "show": { expression: value }, "plan": … }`, and, where the
    /// question has them, `terms: [{ name, text, digest }]`, `typed`, `may_waive`, `ladder`; null where nothing is shown.
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
    let sight = sight(api, subject);
    let rows = collect(api, index::WAITING, sees).await?.into_iter();
    Ok(rows.map(|row| seen(row, &sight)).collect())
}

/// What this person may see of what was displayed: a customer's people only what is theirs.
fn sight(api: &Api, subject: &Subject) -> Sight {
    if subject.is_staff() {
        return Sight::default();
    }
    Sight::of(&*api.directory, &subject.person)
}

/// The question without what belongs to others.
fn seen(row: WaitingRow, sight: &Sight) -> WaitingRow {
    let mut row = WaitingRow {
        title: sight.text(&row.title),
        key: row.key.filter(|key| sight.sees(key)),
        reason: row.reason.map(|reason| sight.text(&reason)),
        form: sight.value(row.form),
        ..row
    };
    for clause in &mut row.clauses {
        clause.any_of.retain(|who| sight.sees(who));
    }
    for vote in &mut row.votes {
        vote.person = sight.text(&vote.person);
        vote.on_behalf_of = vote.on_behalf_of.take().map(|other| sight.text(&other));
        vote.comment = vote.comment.take().map(|comment| sight.text(&comment));
        vote.qualifies.retain(|held| sight.sees(held));
    }
    row
}

/// Of one run: its root's, and those of its child lanes, oldest first.
pub(super) async fn of_run(api: &Api, run: RunId) -> Result<Vec<WaitingRow>, Problem> {
    let mut rows = collect(api, &index::waiting_in(run), |_| true).await?;
    rows.extend(of_lane(api, run.root()).await?.map(|(row, _)| row));
    rows.sort_by_key(|row| row.asked_ms);
    Ok(rows)
}

/// What a lane asks now, read from the lane itself: however many others wait.
pub(super) async fn of_lane(
    api: &Api,
    lane: LaneId,
) -> Result<Option<(WaitingRow, Reading)>, Problem> {
    let reading = match read::lane(api, lane).await {
        Ok(reading) => reading,
        Err(problem) if problem.code == Code::NotFound => return Ok(None),
        Err(problem) => return Err(problem),
    };
    if !matches!(reading.lane.phase, Phase::Person(_)) {
        return Ok(None);
    }
    let definition = read::definition(api, reading.lane.opening.definition).await?;
    Ok(rows::waiting_row(&reading.lane, &definition).map(|row| (row, reading)))
}

async fn collect(
    api: &Api,
    index: &str,
    wanted: impl Fn(&WaitingRow) -> bool,
) -> Result<Vec<WaitingRow>, Problem> {
    let mut rows = Vec::new();
    read::walk(api, index, false, Cursor::default(), |entry| {
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
    let (row, _) = find(api, subject, lane).await?;
    view(api, subject, row).await
}

/// A question as this person sees it.
pub(super) async fn view(
    api: &Api,
    subject: &Subject,
    row: WaitingRow,
) -> Result<WaitingView, Problem> {
    let shown = match row.shown {
        Some(digest) => read::blob(api, "display", digest).await?,
        None => Value::Null,
    };
    let sight = sight(api, subject);
    let mine = authorize(subject, Action::Decide, Resource::Question(&row.clauses)).allow;
    let wanted = row.clauses.iter().flat_map(|clause| &clause.any_of);
    let mut people: Vec<String> = wanted
        .flat_map(|who| api.directory.people_with(who))
        .collect();
    people.sort();
    people.dedup();
    people.retain(|person| sight.sees(person));
    Ok(WaitingView {
        row: seen(row, &sight),
        shown: sight.value(shown),
        mine,
        people,
    })
}

/// The open question of a lane, if the subject may see it, and the lane.
pub(super) async fn find(
    api: &Api,
    subject: &Subject,
    lane: LaneId,
) -> Result<(WaitingRow, Reading), Problem> {
    let Some((row, reading)) = of_lane(api, lane).await? else {
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
    Ok((row, reading))
}
