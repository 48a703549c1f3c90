//! Reading lanes, plans and definitions back from the store.
//!
//! Not here: caches that outlive a request, and anything that writes.

use crate::Api;
use crate::problem::{Code, Problem};
use hostler_core::apply::apply;
use hostler_core::definition::Definition;
use hostler_core::event::{Event, Recorded};
use hostler_core::id::{Digest, LaneId, RunId};
use hostler_core::lane::{Item, Lane};
use hostler_core::plan::Plan;
use hostler_core::view::RunRow;
use hostler_ports::archive::{ArchiveError, ArchiveView, ArchivedRun};
use hostler_ports::store::{Cursor, IndexEntry};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use uuid::Uuid;

/// Most pages of one list that a request reads.
pub const PAGES_MAX: usize = 40;
/// Most loads for one lane: a snapshot lies at most a few hundred events back.
const LOADS_MAX: usize = 200;

/// A lane as it is now, with what has happened since the version asked for.
pub struct Reading {
    pub lane: Lane,
    pub now_ms: i64,
    /// Ids of commands that wait (the first 500).
    pub waiting: Vec<Uuid>,
    /// Events after the snapshot, oldest first.
    pub events: Vec<Recorded>,
}

fn unreadable(what: &str, fault: impl std::fmt::Display) -> Problem {
    Problem::new(Code::Internal, format!("{what} cannot be read: {fault}"))
}

/// Folds a lane from its snapshot and log.
///
/// # Errors
/// `not-found`, `internal` for a log that does not fit, or the store's.
pub async fn lane(api: &Api, id: LaneId) -> Result<Reading, Problem> {
    let mut state: Option<Lane> = None;
    let mut events = Vec::new();
    for _ in 0..LOADS_MAX {
        let from = state.as_ref().map_or(0, |lane| lane.version);
        let loaded = api
            .store
            .load(id, from)
            .await?
            .ok_or_else(|| Problem::not_found("lane", id))?;
        if let Some((version, text)) = &loaded.snapshot
            && *version > from
        {
            state =
                Some(serde_json::from_str(text).map_err(|fault| unreadable("a snapshot", fault))?);
        }
        fold(&mut state, loaded.events_from, &loaded.events, &mut events)?;
        let lane = state
            .take()
            .ok_or_else(|| unreadable("a log", "it does not begin with an opening"))?;
        if lane.version >= loaded.header.version || loaded.events.is_empty() {
            let waiting = loaded.inbox.iter().map(|letter| letter.id).collect();
            return Ok(Reading {
                lane,
                now_ms: loaded.now_ms,
                waiting,
                events,
            });
        }
        state = Some(lane);
    }
    Err(unreadable("a log", "it is too long without a snapshot"))
}

fn fold(
    state: &mut Option<Lane>,
    from: u64,
    texts: &[String],
    events: &mut Vec<Recorded>,
) -> Result<(), Problem> {
    let known = state.as_ref().map_or(0, |lane| lane.version);
    let skip = usize::try_from(known.saturating_sub(from)).unwrap_or(usize::MAX);
    for text in texts.iter().skip(skip) {
        let recorded = Recorded::read(text).map_err(|fault| unreadable("an event", fault))?;
        match (&mut *state, &recorded.event) {
            (Some(lane), _) => apply(lane, &recorded),
            (None, Event::LaneOpened { opening }) => {
                *state = Some(Lane::open((**opening).clone(), recorded.at_ms));
            }
            (None, _) => return Err(unreadable("a log", "it does not begin with an opening")),
        }
        events.push(recorded);
    }
    Ok(())
}

/// A blob as JSON.
///
/// # Errors
/// `not-found`, or `internal` when it is not what was asked for.
pub async fn blob<T: DeserializeOwned>(
    api: &Api,
    what: &str,
    digest: Digest,
) -> Result<T, Problem> {
    let bytes = api
        .store
        .blob(digest)
        .await?
        .ok_or_else(|| Problem::not_found(what, digest.short()))?;
    serde_json::from_slice(&bytes).map_err(|fault| unreadable(what, fault))
}

pub async fn definition(api: &Api, digest: Digest) -> Result<Definition, Problem> {
    blob(api, "definition", digest).await
}

pub async fn plan(api: &Api, digest: Digest) -> Result<Plan, Problem> {
    blob(api, "plan", digest).await
}

/// The list of the lane's present `each`; empty without one.
pub async fn items(api: &Api, lane: &Lane) -> Result<Vec<Item>, Problem> {
    match lane.children.as_ref().and_then(|children| children.items) {
        Some(digest) => blob(api, "list of items", digest).await,
        None => Ok(Vec::new()),
    }
}

/// The same services over a store that has this run, wherever it lies: in the store itself or in the
/// archive.
///
/// # Errors
/// `store-unavailable` when the archive is not configured here or does not answer, `internal` when
/// what lies there is damaged.
pub async fn of_run(api: &Api, run: RunId) -> Result<Api, Problem> {
    let record = api.store.run_record(run).await?;
    let Some(digest) = record.and_then(|record| record.archive) else {
        return Ok(api.clone());
    };
    let away = |why: String| {
        Problem::new(
            Code::StoreUnavailable,
            format!("run {run} is in the archive, and {why}"),
        )
    };
    let archive = api.archive.as_ref().ok_or_else(|| {
        away("this engine has none".to_owned()).remedy("set archive.folder to where it lies")
    })?;
    let bytes = match archive.get(digest).await {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Err(away(format!("{} is not there", digest.short()))),
        Err(fault @ ArchiveError::Damaged(_)) => return Err(unreadable("the run", fault)),
        Err(fault) => return Err(away(fault.to_string())),
    };
    let archived = ArchivedRun::from_bytes(&bytes).map_err(|fault| unreadable("the run", fault))?;
    let view = ArchiveView::new(Arc::clone(&api.store), archived);
    Ok(Api {
        store: Arc::new(view),
        ..api.clone()
    })
}

/// The summary of a run.
///
/// # Errors
/// `not-found`.
pub async fn run(api: &Api, run: RunId) -> Result<RunRow, Problem> {
    let text = api
        .store
        .run_summary(run)
        .await?
        .ok_or_else(|| Problem::not_found("run", run))?;
    serde_json::from_str(&text).map_err(|fault| unreadable("the summary of a run", fault))
}

/// Reads an index page by page, newest first, until `each` says enough. The place to go on from, if
/// there is more.
pub async fn walk(
    api: &Api,
    index: &str,
    newest_first: bool,
    after: Cursor,
    mut each: impl FnMut(&IndexEntry) -> bool,
) -> Result<Option<Cursor>, Problem> {
    let mut cursor = after;
    for _ in 0..PAGES_MAX {
        let page = api.store.query(index, newest_first, cursor.clone()).await?;
        for entry in &page.entries {
            if !each(entry) {
                let place = hostler_ports::store::position::entry_text(entry.score, &entry.member);
                return Ok(Some(Cursor(Some(place))));
            }
        }
        match page.next {
            Some(next) => cursor = next,
            None => return Ok(None),
        }
    }
    Ok(Some(cursor))
}
