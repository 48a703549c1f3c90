//! The scheduler: looks what has come due, writes down what is to be done, and does it.
//!
//! Any number of them work on one store. The store's clock counts, a decision is one write under the
//! version that was read, and a firing's run has the firing's name: two that start it make one run.
//! Not here: when something is due (calendar), and what people say about it.

use super::document::Kept;
use super::schedules;
use super::start::{StartAsk, start_as};
use crate::Api;
use crate::authorize::Subject;
use crate::problem::{Code, Problem};
use hostler_calendar::progress::{Fired, Looked, Progress};
use hostler_calendar::{Scheduled, firing, occurrences};
use hostler_core::id::RunId;
use hostler_core::plan::Starter;
use hostler_ports::store::{CommitError, READ_MAX};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::collections::BTreeSet;
use tracing::{error, info, warn};

/// How a run says that a schedule has started it.
pub const VIA: &str = Starter::SCHEDULE;
/// The role that a runbook's `policy.start` names.
const ROLE: &str = "role:scheduler";
/// A run's end is looked for this often while a firing waits for it; what failed is tried again.
const OPEN_LOOK_MS: i64 = 5_000;
/// Longest pause: other schedulers and people write, too.
const LOOK_MAX_MS: i64 = 30_000;

/// Follows all schedules of an engine.
pub struct Scheduler {
    api: Api,
    /// When each schedule fires next, and up to where it was handled when that was found out.
    next: Vec<Option<(i64, Option<i64>)>>,
}

/// What one look at everything did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// New runs.
    pub started: u32,
    /// Milliseconds until there may be something to do.
    pub sleep_ms: i64,
}

impl Scheduler {
    #[must_use]
    pub fn new(api: Api) -> Self {
        let next = vec![None; api.schedules.len()];
        Self { api, next }
    }

    /// Looks at every schedule once, and does what is due. May be stopped at any point, and repeated.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn pass(&mut self) -> Result<Passed, Problem> {
        let schedules = std::sync::Arc::clone(&self.api.schedules);
        let now_ms = self.api.store.now_ms().await?;
        let mut passed = Passed {
            started: 0,
            sleep_ms: LOOK_MAX_MS,
        };
        for (page, part) in schedules.chunks(READ_MAX).enumerate() {
            let kept = schedules::kept(&self.api, part).await?;
            for (place, (one, kept)) in part.iter().zip(kept).enumerate() {
                let place = page * READ_MAX + place;
                let wait_ms = self.follow(place, one, kept, now_ms, &mut passed).await?;
                passed.sleep_ms = passed.sleep_ms.min(wait_ms).max(0);
            }
        }
        Ok(passed)
    }

    /// One schedule; answers in how many milliseconds it is looked at again.
    async fn follow(
        &mut self,
        place: usize,
        one: &Scheduled,
        kept: Kept<Progress>,
        now_ms: i64,
        passed: &mut Passed,
    ) -> Result<i64, Problem> {
        let id = one.schedule.id();
        let before = match kept.value {
            Ok(Some(progress)) => progress,
            Ok(None) => {
                schedules::write(&self.api, id, kept.version, &Progress::begin(now_ms), None)
                    .await
                    .or_else(late)?;
                return Ok(0);
            }
            Err(why) => {
                error!(
                    schedule = id,
                    why, "what is kept of this schedule cannot be read: it does not fire"
                );
                return Ok(LOOK_MAX_MS);
            }
        };
        let next_ms = self.next(place, one, before.handled_ms);
        if !before.is_open() && next_ms.is_none_or(|next_ms| next_ms > now_ms) {
            return Ok(next_ms.map_or(LOOK_MAX_MS, |next_ms| next_ms - now_ms));
        }
        let mut after = before.clone();
        let looked = after.look(
            &one.schedule,
            now_ms,
            schedules::goes_on(&self.api, &before).await?,
        );
        let mut version = kept.version;
        if after != before {
            let entry = entry(id, &looked);
            match schedules::write(&self.api, id, version, &after, entry).await {
                Ok(()) => version += 1,
                Err(fault) => return late(fault).map(|()| 0),
            }
        }
        tokio::task::yield_now().await;
        self.start(one, version, after, passed).await
    }

    /// Does what was written down.
    async fn start(
        &self,
        one: &Scheduled,
        version: u64,
        decided: Progress,
        passed: &mut Passed,
    ) -> Result<i64, Problem> {
        let id = one.schedule.id();
        let (mut after, mut refused) = (decided.clone(), BTreeSet::new());
        for instant_ms in &decided.starting {
            // Planning takes a moment; a night has many schedules.
            tokio::task::yield_now().await;
            match fire(&self.api, one, *instant_ms).await {
                Ok((run, new)) => {
                    passed.started += u32::from(new);
                    after.started(Fired {
                        instant_ms: *instant_ms,
                        run,
                    });
                }
                Err(fault) if is_passing(&fault) => return Err(fault),
                Err(fault) => {
                    error!(schedule = id, %fault, "the run could not be started");
                    after.failed(*instant_ms, fault.to_string());
                    refused.insert(*instant_ms);
                }
            }
        }
        tokio::task::yield_now().await;
        if after != decided {
            let entry = (!refused.is_empty()).then(|| {
                let why = after.failed.as_ref().map(|failed| failed.why.as_str());
                json!({ "event": "firing_failed", "schedule": id, "instants_ms": refused, "why": why })
            });
            schedules::write(&self.api, id, version, &after, entry)
                .await
                .or_else(late)?;
        }
        Ok(if after.is_open() { OPEN_LOOK_MS } else { 0 })
    }

    /// The first firing behind what was handled.
    fn next(&mut self, place: usize, one: &Scheduled, handled_ms: i64) -> Option<i64> {
        if let Some((known_ms, next_ms)) = self.next[place]
            && known_ms == handled_ms
        {
            return next_ms;
        }
        let behind = Timestamp::from_millisecond(handled_ms).ok();
        let behind = behind.and_then(|at| at.checked_add(SignedDuration::from_nanos(1)).ok());
        let found = behind.map(|from| occurrences(&one.schedule, from, Timestamp::MAX, 1).list);
        let next_ms = found.and_then(|list| Some(list.first()?.instant.as_millisecond()));
        self.next[place] = Some((handled_ms, next_ms));
        next_ms
    }
}

/// Starts a firing's run; says whether it is new. A run that was started with other words before (by
/// another version of the file) is that firing's run all the same.
async fn fire(api: &Api, one: &Scheduled, instant_ms: i64) -> Result<(RunId, bool), Problem> {
    let instant = Timestamp::from_millisecond(instant_ms)
        .map_err(|fault| Problem::new(Code::Internal, fault.to_string()))?;
    let id = one.schedule.id();
    let run = firing::run(api.directory.realm(), id, instant);
    let subject = Subject {
        person: format!("schedule:{id}"),
        qualifies: BTreeSet::from([ROLE.to_owned()]),
        via: VIA.to_owned(),
        stands_in: Vec::new(),
    };
    let ask = StartAsk {
        runbook: one.runbook.clone(),
        version: one.version,
        inputs: one.inputs.clone(),
        reason: Some(format!("schedule {id}, {instant}")),
    };
    match start_as(api, &subject, ask, run, None).await {
        Ok(answer) => {
            info!(schedule = id, %run, known = answer.known, "fired");
            Ok((run, !answer.known))
        }
        Err(fault) if fault.code == Code::Conflict => Ok((run, false)),
        Err(fault) => Err(fault),
    }
}

/// What time mends.
fn is_passing(fault: &Problem) -> bool {
    matches!(
        fault.code,
        Code::StoreUnavailable | Code::StoreFull | Code::StoreRegressed
    )
}

/// Another one was faster: what it wrote is found at the next look.
fn late(fault: CommitError) -> Result<(), Problem> {
    match fault {
        CommitError::Store(fault) => Err(fault.into()),
        other => {
            warn!(%other, "another scheduler was faster");
            Ok(())
        }
    }
}

/// What was not started belongs into the ledger; that a newer firing stands for an older one does not.
fn entry(id: &str, looked: &Looked) -> Option<serde_json::Value> {
    let told: Vec<_> = looked
        .left
        .iter()
        .filter(|left| left.why != "superseded")
        .collect();
    (!told.is_empty() || looked.older > 0).then(
        || json!({ "event": "firings_left", "schedule": id, "left": told, "older": looked.older }),
    )
}
