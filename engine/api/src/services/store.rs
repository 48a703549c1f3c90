//! The store itself: what it says of itself, the decision about a loss, a copy of everything.
//!
//! Not here: putting a copy back, which is done while no engine runs.

use super::document;
use crate::Api;
use crate::authorize::{Action, Resource, Subject, authorize};
use crate::problem::{Code, Problem};
use hostler_core::id::derive;
use hostler_ports::store::LedgerLine;
use hostler_ports::store::copy::Copying;
use hostler_ports::store::generation::{Begun, DECISION, NewGeneration, Regression, StoreState};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// Longest reason, in bytes.
const REASON_MAX_BYTES: usize = 2_000;

/// The store as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreShow {
    #[serde(flatten)]
    pub state: StoreState,
    /// With which the present generation began; none in the first one, or while it cannot be read.
    pub decision: Option<Value>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptAsk {
    #[serde(default)]
    pub reason: String,
    /// What was lost may hold effects: every lane asks people before its next mutating call.
    #[serde(default)]
    pub old_copy: bool,
}

/// A recorded decision about a loss: the body of the document and of the line in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Always `regression_accepted`.
    pub entry: String,
    /// The one that begins with it.
    pub generation: u64,
    pub by: String,
    pub via: String,
    pub reason: String,
    pub seen: u64,
    pub found: u64,
    pub old_copy: bool,
    /// By the store's clock.
    pub at_ms: i64,
    /// Tells a repeat of the same request; none came with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Uuid>,
}

const ENTRY: &str = "regression_accepted";

/// # Errors
/// `forbidden`, the store's.
pub async fn show(api: &Api, subject: &Subject) -> Result<StoreShow, Problem> {
    authorize(subject, Action::ReadStore, Resource::Realm).check(subject)?;
    let state = api.store.state().await?;
    let decision = match state.regressed {
        None => decision(api).await?,
        Some(_) => None,
    };
    Ok(StoreShow { state, decision })
}

async fn decision(api: &Api) -> Result<Option<Value>, Problem> {
    // One that cannot be read is none.
    Ok(document::read(api, DECISION).await?.value.ok().flatten())
}

/// Accepts that the store has gone back: what it holds is what counts from now on.
///
/// # Errors
/// `forbidden`; `malformed` without a reason; `nothing-regressed`, unless this very request was
/// carried out before; `conflict` when somebody else has decided meanwhile.
pub async fn accept_regression(
    api: &Api,
    subject: &Subject,
    ask: AcceptAsk,
    key: Option<&str>,
) -> Result<Accepted, Problem> {
    authorize(subject, Action::KeepStore, Resource::Realm).check(subject)?;
    let reason = ask.reason.trim();
    if reason.is_empty() || reason.len() > REASON_MAX_BYTES {
        let detail = format!("a reason has 1 to {REASON_MAX_BYTES} bytes");
        return Err(Problem::new(Code::Malformed, detail)
            .remedy("say what happened, for those who read the ledger: --reason TEXT"));
    }
    let request =
        key.map(|key| derive(&[b"generation", subject.person.as_bytes(), key.as_bytes()]));
    let state = api.store.state().await?;
    let Some(Regression { seen, found }) = state.regressed else {
        return decided_before(api, request).await;
    };
    let from = state.generation.number;
    let accepted = Accepted {
        entry: ENTRY.to_owned(),
        generation: from + 1,
        by: subject.person.clone(),
        via: subject.via.clone(),
        reason: reason.to_owned(),
        seen,
        found,
        old_copy: ask.old_copy,
        at_ms: state.now_ms,
        request,
    };
    let decision = serde_json::to_string(&accepted)
        .map_err(|fault| Problem::new(Code::Internal, fault.to_string()))?;
    let new = NewGeneration {
        from,
        copy_taken_ms: ask.old_copy.then_some(state.now_ms),
        ledger: LedgerLine {
            body: decision.clone(),
        },
        decision,
    };
    match api.store.begin_generation(new).await? {
        Begun::New(_) => Ok(accepted),
        Begun::Other(_) => Err(
            Problem::new(Code::Conflict, "somebody else has decided meanwhile")
                .remedy("look at what was decided: hostler store show"),
        ),
    }
}

async fn decided_before(api: &Api, request: Option<Uuid>) -> Result<Accepted, Problem> {
    let known = decision(api).await?;
    let known: Option<Accepted> = known.and_then(|known| serde_json::from_value(known).ok());
    match known {
        Some(known) if request.is_some() && known.request == request => Ok(known),
        _ => Err(Problem::new(
            Code::NothingRegressed,
            "no process on this store has found that it lost commits",
        )
        .remedy("`hostler store show` tells what the store says of itself, and the last decision")),
    }
}

/// A copy of everything, as frames that may block.
///
/// # Errors
/// `forbidden`; `elsewhere` when the store is copied by a tool of its own.
pub async fn copy(api: &Api, subject: &Subject) -> Result<Copying, Problem> {
    authorize(subject, Action::KeepStore, Resource::Realm).check(subject)?;
    let Some(view) = api.store.view().await? else {
        return Err(elsewhere());
    };
    // Behind the view: no lane in it is younger than this.
    let taken_ms = api.store.now_ms().await?;
    Ok(Copying::new(view, api.directory.realm(), taken_ms)?)
}

/// Redis is copied by Redis: keys that are read one after the other are no state that ever was.
#[must_use]
pub fn elsewhere() -> Problem {
    Problem::new(
        Code::Elsewhere,
        "this store is copied as one state only by Redis itself",
    )
    .remedy(
        "take `redis-cli --rdb FILE` (or BGSAVE and the RDB file, or the AOF folder); after putting it \
         back, with every Hostler process stopped: hostler restore --in-place --reason TEXT",
    )
}
