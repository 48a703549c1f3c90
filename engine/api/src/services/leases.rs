//! Leases: what will end later by itself, and people who end it early or let it live longer.
//!
//! Not here: what is refused (core), and what a lease keeps off its server (the workers' gates).

use super::control::allowed;
use super::outcome::{self, Settled};
use crate::Api;
use crate::authorize::{Action, Resource, Subject, authorize};
use crate::problem::{Code, Problem};
use crate::read::{self, Reading};
use hostler_core::command::Command;
use hostler_core::duration;
use hostler_core::id::LaneId;
use hostler_core::lane::Origin;
use hostler_core::view::{LeaseRow, index};
use hostler_ports::store::Cursor;
use serde::{Deserialize, Serialize};

/// Most leases of one answer.
const PAGE_MAX: usize = 500;
/// Longest reason, in bytes.
const REASON_MAX_BYTES: usize = 500;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeasePage {
    /// Those that end first stand first.
    pub leases: Vec<LeaseRow>,
    /// Where the next page begins; none when this was the last.
    pub next: Option<String>,
}

/// What is wished of a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseAsk {
    /// By how much it lives longer, such as `24h`; none: it ends now.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub longer: Option<String>,
    pub reason: String,
}

/// Live leases, of all assets or of one.
///
/// # Errors
/// `forbidden`, the store's.
pub async fn list(
    api: &Api,
    subject: &Subject,
    asset: Option<&str>,
    after: Option<String>,
) -> Result<LeasePage, Problem> {
    authorize(subject, Action::ReadLeases, Resource::Realm).check(subject)?;
    let mut leases = Vec::new();
    let next = read::walk(api, index::LEASES, false, Cursor(after), |entry| {
        let row = serde_json::from_str::<LeaseRow>(&entry.body).ok();
        let wanted = |row: &LeaseRow| asset.is_none_or(|id| row.asset.as_deref() == Some(id));
        leases.extend(row.filter(wanted));
        leases.len() < PAGE_MAX
    })
    .await?;
    Ok(LeasePage {
        leases,
        next: next.and_then(|cursor| cursor.0),
    })
}

/// Ends a lease before its time.
///
/// # Errors
/// `forbidden`, `not-found`, `malformed`, `ended`, `refused` when its end has begun already.
pub async fn release(
    api: &Api,
    subject: &Subject,
    lane: LaneId,
    ask: LeaseAsk,
    key: Option<&str>,
) -> Result<Settled, Problem> {
    let reading = lease(api, subject, lane).await?;
    if ask.longer.is_some() {
        let detail = "a release says no time: the lease ends now";
        return Err(
            Problem::new(Code::Malformed, detail).remedy("leave `for` out, or extend the lease")
        );
    }
    let command = Command::Release {
        by: subject.person.clone(),
        reason: Some(reason(&ask)?),
    };
    sent(api, subject, &reading, &command, key).await
}

/// Lets a lease live longer.
///
/// # Errors
/// `forbidden`, `not-found`, `malformed`, `ended`, `refused` when its end has begun already, or it would live longer than
/// it was given at first.
pub async fn extend(
    api: &Api,
    subject: &Subject,
    lane: LaneId,
    ask: LeaseAsk,
    key: Option<&str>,
) -> Result<Settled, Problem> {
    let reading = lease(api, subject, lane).await?;
    let text = ask.longer.as_deref().unwrap_or_default();
    let by_ms = duration::parse_ms(text).ok_or_else(|| {
        let detail = format!("for is {text:?}: by how much the lease lives longer");
        Problem::new(Code::Malformed, detail).remedy("write a duration such as 24h or 3d")
    })?;
    let command = Command::Extend {
        by: subject.person.clone(),
        reason: reason(&ask)?,
        by_ms,
    };
    sent(api, subject, &reading, &command, key).await
}

/// The lane that ends a lease, if the subject may steer its run.
async fn lease(api: &Api, subject: &Subject, lane: LaneId) -> Result<Reading, Problem> {
    authorize(subject, Action::ReadLeases, Resource::Realm).check(subject)?;
    let reading = read::lane(api, lane).await?;
    let opening = &reading.lane.opening;
    if !matches!(opening.origin, Origin::Lease { .. }) {
        return Err(Problem::not_found("lease", lane).remedy("`hostler lease list` has them"));
    }
    allowed(api, subject, opening.run, Action::ControlRun).await?;
    Ok(reading)
}

fn reason(ask: &LeaseAsk) -> Result<String, Problem> {
    let reason = ask.reason.trim();
    if reason.is_empty() || reason.len() > REASON_MAX_BYTES {
        let detail = format!("a reason has 1 to {REASON_MAX_BYTES} bytes");
        return Err(Problem::new(Code::Malformed, detail).remedy("say why: it is kept"));
    }
    Ok(reason.to_owned())
}

async fn sent(
    api: &Api,
    subject: &Subject,
    reading: &Reading,
    command: &Command,
    key: Option<&str>,
) -> Result<Settled, Problem> {
    let lane = reading.lane.id();
    outcome::try_out(api, reading, command).await?;
    let id = outcome::command_id(api, subject, lane, key);
    outcome::send(api, lane, id, command, reading).await
}
