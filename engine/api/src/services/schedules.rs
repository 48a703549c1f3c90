//! Schedules as people see them, and what they may say: stop, go on, start or skip what was missed.
//!
//! Not here: following them.

use super::document::{self, Kept};
use crate::Api;
use crate::authorize::{Action, Resource, Subject, authorize};
use crate::problem::{Code, Problem};
use crate::{catalogue, durable, read};
use hostler_calendar::progress::{Failed, Fired, Paused, Progress};
use hostler_calendar::{Scheduled, occurrences};
use hostler_ports::store::{CommitError, READ_MAX};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Attempts against schedulers that write at the same moment.
const TRIES_MAX: u32 = 5;
/// Longest reason in bytes.
const REASON_MAX_BYTES: usize = 500;

/// One schedule in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScheduleRow {
    pub schedule: String,
    pub runbook: String,
    pub zone: String,
    /// None: never again, or stopped.
    pub next_ms: Option<i64>,
    pub last: Option<Fired>,
    /// The newest run goes on.
    pub running: bool,
    /// Firings that wait for its end.
    pub waiting: Vec<i64>,
    /// Firings about which a person decides.
    pub asks: Vec<i64>,
    pub failed: Option<Failed>,
    pub paused: Option<Paused>,
    /// What is kept of it cannot be read.
    pub fault: Option<String>,
}

/// What a person says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// Start a firing that waits for a person.
    Start {
        instant_ms: i64,
    },
    /// Let it be.
    Skip {
        instant_ms: i64,
    },
    /// Nothing fires until somebody resumes it.
    Pause,
    Resume,
}

impl Word {
    fn event(&self) -> &'static str {
        match self {
            Self::Start { .. } => "firing_allowed",
            Self::Skip { .. } => "firing_skipped",
            Self::Pause => "schedule_paused",
            Self::Resume => "schedule_resumed",
        }
    }

    fn instant_ms(&self) -> Option<i64> {
        match self {
            Self::Start { instant_ms } | Self::Skip { instant_ms } => Some(*instant_ms),
            Self::Pause | Self::Resume => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordAsk {
    pub word: Word,
    #[serde(default)]
    pub reason: String,
}

fn key(id: &str) -> String {
    format!("schedule:{id}")
}

/// What the store keeps of schedules, at most a page of them.
pub(super) async fn kept(
    api: &Api,
    schedules: &[Scheduled],
) -> Result<Vec<Kept<Progress>>, Problem> {
    let keys: Vec<_> = schedules.iter().map(|one| key(one.schedule.id())).collect();
    document::read_all(api, &keys).await
}

/// Writes it where it still has the version that was read.
pub(super) async fn write(
    api: &Api,
    id: &str,
    version: u64,
    progress: &Progress,
    entry: Option<Value>,
) -> Result<(), CommitError> {
    document::write(api, &key(id), version, progress, entry)
        .await
        .map(drop)
}

/// Whether the newest run goes on. One that the store does not know (any more) does not.
pub(super) async fn goes_on(api: &Api, progress: &Progress) -> Result<bool, Problem> {
    let Some(last) = progress.last else {
        return Ok(false);
    };
    match read::run(api, last.run).await {
        Ok(row) => Ok(row.ended_ms.is_none()),
        Err(fault) if fault.code == Code::NotFound => Ok(false),
        Err(fault) => Err(fault),
    }
}

/// All schedules, as the file has them.
///
/// # Errors
/// `forbidden`, the store's.
pub async fn list(api: &Api, subject: &Subject) -> Result<Vec<ScheduleRow>, Problem> {
    authorize(subject, Action::ReadSchedules, Resource::Realm).check(subject)?;
    let now_ms = api.store.now_ms().await?;
    let mut rows = Vec::new();
    for part in api.schedules.chunks(READ_MAX) {
        for (one, kept) in part.iter().zip(kept(api, part).await?) {
            rows.push(row(api, one, kept, now_ms).await?);
        }
    }
    Ok(rows)
}

async fn row(
    api: &Api,
    one: &Scheduled,
    kept: Kept<Progress>,
    now_ms: i64,
) -> Result<ScheduleRow, Problem> {
    let (progress, fault) = match kept.value {
        Ok(progress) => (progress.unwrap_or_else(|| Progress::begin(now_ms)), None),
        Err(why) => (Progress::begin(now_ms), Some(why)),
    };
    let running = goes_on(api, &progress).await?;
    let from = Timestamp::from_millisecond(now_ms).unwrap_or(Timestamp::MAX);
    let next = occurrences(&one.schedule, from, Timestamp::MAX, 1);
    let next_ms = next.list.first().map(|next| next.instant.as_millisecond());
    Ok(ScheduleRow {
        schedule: one.schedule.id().to_owned(),
        runbook: one.runbook.clone(),
        zone: one.schedule.zone().name().to_owned(),
        next_ms: next_ms.filter(|_| progress.paused.is_none()),
        last: progress.last,
        running,
        waiting: progress.waiting,
        asks: progress.asks,
        failed: progress.failed,
        paused: progress.paused,
        fault,
    })
}

/// Takes a person's word.
///
/// # Errors
/// `forbidden`, `not-found`, `malformed` for a pause without a reason, `changed` when nobody is asked
/// about that firing (any more), the store's.
pub async fn say(
    api: &Api,
    subject: &Subject,
    id: &str,
    ask: WordAsk,
) -> Result<ScheduleRow, Problem> {
    authorize(subject, Action::ControlSchedules, Resource::Realm).check(subject)?;
    let one = find(api, id)?;
    if matches!(ask.word, Word::Start { .. }) {
        let definition = catalogue::find(&*api.runbooks, &one.runbook, one.version)?;
        let runbook = Resource::Runbook(&definition.policy);
        authorize(subject, Action::StartRun, runbook).check(subject)?;
    }
    let reason = ask.reason.trim();
    if reason.len() > REASON_MAX_BYTES || (ask.word == Word::Pause && reason.is_empty()) {
        let detail = format!("a reason has 1 to {REASON_MAX_BYTES} bytes");
        return Err(Problem::new(Code::Malformed, detail)
            .remedy("say why, for those who find the schedule stopped: --reason TEXT"));
    }
    for _ in 0..TRIES_MAX {
        let now_ms = api.store.now_ms().await?;
        let kept: Kept<Progress> = document::read(api, &key(id)).await?;
        let mut progress = match kept.value {
            Ok(progress) => progress.unwrap_or_else(|| Progress::begin(now_ms)),
            Err(why) => return Err(Problem::new(Code::Internal, why)),
        };
        take(&mut progress, &ask.word, subject, reason, now_ms)?;
        let entry = json!({
            "event": ask.word.event(), "schedule": id, "instant_ms": ask.word.instant_ms(),
            "by": subject.person, "via": subject.via, "reason": reason,
        });
        match write(api, id, kept.version, &progress, Some(entry)).await {
            Ok(()) => {
                durable::kept(api, None).await?;
                return row(api, one, document::read(api, &key(id)).await?, now_ms).await;
            }
            Err(CommitError::Store(fault)) => return Err(fault.into()),
            Err(_) => {}
        }
    }
    Err(
        Problem::new(Code::Changed, "others write to this schedule all the time")
            .remedy("try again"),
    )
}

fn take(
    progress: &mut Progress,
    word: &Word,
    subject: &Subject,
    reason: &str,
    now_ms: i64,
) -> Result<(), Problem> {
    match word {
        Word::Start { instant_ms } | Word::Skip { instant_ms } => {
            let start = matches!(word, Word::Start { .. });
            if !progress.answer(*instant_ms, start) {
                return Err(
                    Problem::new(Code::Changed, "nobody is asked about that firing")
                        .remedy("look at what is asked: hostler schedule list"),
                );
            }
        }
        Word::Pause => {
            progress.paused = Some(Paused {
                by: subject.person.clone(),
                reason: reason.to_owned(),
                at_ms: now_ms,
            });
        }
        // What fell into the pause is not made up for.
        Word::Resume => {
            progress.paused = None;
            progress.handled_ms = progress.handled_ms.max(now_ms);
        }
    }
    Ok(())
}

fn find<'a>(api: &'a Api, id: &str) -> Result<&'a Scheduled, Problem> {
    let found = api.schedules.iter().find(|one| one.schedule.id() == id);
    found.ok_or_else(|| {
        let known: Vec<_> = api.schedules.iter().map(|one| one.schedule.id()).collect();
        Problem::not_found("schedule", id).remedy(crate::suggest::remedy(id, &known))
    })
}
