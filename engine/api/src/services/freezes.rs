//! Freezes that people declare: from then on no disturbing step begins, whoever started its run.
//!
//! Not here: holding steps (worker and core), and the freezes of the estate's files.

use super::document;
use crate::Api;
use crate::authorize::{Action, Resource, Subject, authorize};
use crate::durable::kept;
use crate::problem::{Code, Problem};
use hostler_core::gate::{DeclaredFreeze, FREEZES, FREEZES_MAX, Freezes};
use hostler_ports::store::CommitError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Attempts against others who write at the same moment.
const TRIES_MAX: u32 = 5;
/// Longest text in bytes.
const TEXT_MAX_BYTES: usize = 500;
/// A longer one is a decision about the estate.
const LENGTH_MAX_MS: i64 = 366 * 86_400_000;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclareAsk {
    pub id: String,
    /// None: now.
    #[serde(default)]
    pub from_ms: Option<i64>,
    pub to_ms: i64,
    /// A selector of assets.
    pub applies: String,
    #[serde(default)]
    pub lets_through: Vec<String>,
    pub reason: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiftAsk {
    pub reason: String,
}

/// Those that are not over.
///
/// # Errors
/// `forbidden`, the store's.
pub async fn list(api: &Api, subject: &Subject) -> Result<Vec<DeclaredFreeze>, Problem> {
    authorize(subject, Action::ReadFreezes, Resource::Realm).check(subject)?;
    let now_ms = api.store.now_ms().await?;
    let (_, mut freezes) = read(api).await?;
    freezes.freezes.retain(|freeze| freeze.to_ms > now_ms);
    Ok(freezes.freezes)
}

/// Declares one. The answer means that nothing it holds begins any more.
///
/// # Errors
/// `forbidden`, `malformed`, `conflict` for an id that holds already, `store-full` for too many, the
/// store's.
pub async fn declare(
    api: &Api,
    subject: &Subject,
    ask: DeclareAsk,
) -> Result<DeclaredFreeze, Problem> {
    authorize(subject, Action::ControlFreezes, Resource::Realm).check(subject)?;
    check_reason(&ask.reason)?;
    check_id(&ask.id)?;
    api.directory
        .select(&ask.applies)
        .map_err(|fault| Problem::new(Code::Malformed, format!("applies: {fault}")))?;
    let now_ms = api.store.now_ms().await?;
    let freeze = DeclaredFreeze {
        from_ms: ask.from_ms.unwrap_or(now_ms),
        to_ms: ask.to_ms,
        id: ask.id,
        applies: ask.applies,
        lets_through: ask.lets_through,
        reason: ask.reason.trim().to_owned(),
        by: subject.person.clone(),
        declared_ms: now_ms,
    };
    let length_ms = freeze.to_ms.saturating_sub(freeze.from_ms);
    if length_ms <= 0 || length_ms > LENGTH_MAX_MS || freeze.to_ms <= now_ms {
        let detail = "a freeze ends after it begins, in the future, and within a year";
        return Err(Problem::new(Code::Malformed, detail));
    }
    let entry = json!({ "event": "freeze_declared", "freeze": freeze, "via": subject.via });
    change(api, entry, |freezes| {
        freezes.freezes.retain(|other| other.to_ms > now_ms);
        if freezes.freezes.iter().any(|other| other.id == freeze.id) {
            let detail = format!("a freeze {} holds already", freeze.id);
            return Err(Problem::new(Code::Conflict, detail)
                .remedy("lift that one first, or choose another name"));
        }
        if freezes.freezes.len() >= FREEZES_MAX {
            let detail = format!("{FREEZES_MAX} freezes are declared");
            return Err(Problem::new(Code::StoreFull, detail).remedy("lift those that are over"));
        }
        freezes.freezes.push(freeze.clone());
        Ok(())
    })
    .await?;
    Ok(freeze)
}

/// Ends one before its time; what it holds is looked at again.
///
/// # Errors
/// `forbidden`, `malformed` without a reason, `not-found`, the store's.
pub async fn lift(
    api: &Api,
    subject: &Subject,
    id: &str,
    ask: LiftAsk,
) -> Result<DeclaredFreeze, Problem> {
    authorize(subject, Action::ControlFreezes, Resource::Realm).check(subject)?;
    check_reason(&ask.reason)?;
    let entry = json!({
        "event": "freeze_lifted", "freeze": id, "by": subject.person, "via": subject.via,
        "reason": ask.reason.trim(),
    });
    change(api, entry, |freezes| {
        let place = freezes.freezes.iter().position(|freeze| freeze.id == id);
        let place = place.ok_or_else(|| {
            let known: Vec<_> = freezes
                .freezes
                .iter()
                .map(|freeze| freeze.id.as_str())
                .collect();
            Problem::not_found("declared freeze", id).remedy(crate::suggest::remedy(id, &known))
        })?;
        Ok(freezes.freezes.remove(place))
    })
    .await
}

async fn read(api: &Api) -> Result<(u64, Freezes), Problem> {
    let kept = document::read(api, FREEZES).await?;
    let freezes: Option<Freezes> = kept
        .value
        .map_err(|fault| Problem::new(Code::Internal, fault))?;
    Ok((kept.version, freezes.unwrap_or_default()))
}

async fn change<T>(
    api: &Api,
    entry: Value,
    mut with: impl FnMut(&mut Freezes) -> Result<T, Problem>,
) -> Result<T, Problem> {
    for _ in 0..TRIES_MAX {
        let (version, mut freezes) = read(api).await?;
        let changed = with(&mut freezes)?;
        match document::write(api, FREEZES, version, &freezes, Some(entry.clone())).await {
            Ok(seq) => return kept(api, Some(seq)).await.map(|()| changed),
            Err(CommitError::Store(fault)) => return Err(fault.into()),
            Err(_) => {}
        }
    }
    Err(Problem::new(Code::Changed, "others change the freezes all the time").remedy("try again"))
}

fn check_reason(reason: &str) -> Result<(), Problem> {
    if reason.trim().is_empty() || reason.len() > TEXT_MAX_BYTES {
        let detail = format!("a reason has 1 to {TEXT_MAX_BYTES} bytes");
        return Err(Problem::new(Code::Malformed, detail)
            .remedy("say why, for those whose work is held: --reason TEXT"));
    }
    Ok(())
}

fn check_id(id: &str) -> Result<(), Problem> {
    let fits =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte);
    if id.is_empty() || id.len() > 64 || !id.bytes().all(fits) {
        return Err(
            Problem::new(Code::Malformed, format!("{id:?} is no name for a freeze"))
                .remedy("1 to 64 of a-z 0-9 . _ -"),
        );
    }
    Ok(())
}
