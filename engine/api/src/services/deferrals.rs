//! Turns that customers put off: by their own people, or by an operator on the word of one of them.
//!
//! The lane that announces is tried out first, with what it will read itself, so that a refusal has a name. Not here:
//! holding anything (worker), and links of messages (`deferral_link`).

use super::decide::actor;
use super::outcome::{self, Settled};
use super::word::{Word, told};
use crate::Api;
use crate::authorize::{Action, Resource, Subject, authorize};
use crate::problem::{Code, Problem};
use crate::read::{self, Reading};
use hostler_core::command::{Command, Input};
use hostler_core::decide::{Context, decide};
use hostler_core::deferral::{DeferAsk, Deferral, Known, NotPutOff, Scope};
use hostler_core::definition::Definition;
use hostler_core::event::Event;
use hostler_core::id::{LaneId, RunId};
use hostler_core::lane::{ChildrenKind, Item, Lane};
use hostler_core::plan::Plan;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Lanes in each other that are looked through for the one that announces.
const DEPTH_MAX: usize = 8;
/// Most servers that one wish names.
const NAMED_MAX: usize = 500;
/// Longest text of an instant, in bytes.
const TEXT_MAX_BYTES: usize = 64;
/// A turn that is put off.
pub(super) const WORD: Word = Word {
    own: Action::Defer,
    on_behalf: Action::DeferFor,
    cannot: "put anything off",
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeferWish {
    /// Servers of one customer; empty: all of the customer that may still be put off.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub assets: BTreeSet<String>,
    /// Needed where no server is named and the person is of several customers, or of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// A date (from midnight in the customer's zone on) or an instant as RFC 3339 writes it.
    pub until: String,
    /// The customer's person on whose word somebody of the staff asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word_of: Option<String>,
}

/// What was put off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deferred {
    pub run: RunId,
    pub customer: String,
    pub assets: Vec<String>,
    pub until_ms: i64,
    pub settled: Settled,
}

/// The lane that announces, with what a decision on it looks at.
pub(super) struct Announcing {
    pub reading: Reading,
    pub definition: Definition,
    pub items: Vec<Item>,
}

/// # Errors
/// `forbidden`, `not-found` also for servers of others, `malformed`, `refused` with the name of what stands against it,
/// the store's.
pub async fn defer(
    api: &Api,
    subject: &Subject,
    run: RunId,
    wish: DeferWish,
    key: Option<&str>,
) -> Result<Deferred, Problem> {
    may_know_of_runs(api, subject)?;
    let row = read::run(api, run).await?;
    let plan = read::plan(api, row.plan).await?;
    let customer = customer(api, subject, &plan, &wish)?;
    WORD.allowed(api, subject, &customer, wish.word_of.as_deref())?;
    let ask = DeferAsk {
        actor: actor(subject),
        until_ms: instant(api, &customer, &wish.until)?,
        customer,
        assets: wish.assets,
        word_of: wish.word_of,
    };
    let announcing = announcing(api, run.root(), &ask.customer).await?;
    let deferral = tried(api, &announcing, &ask).await?;
    let reading = announcing.reading;
    let lane = reading.lane.id();
    let id = outcome::command_id(api, subject, lane, key);
    let command = Command::Defer { ask: Box::new(ask) };
    let settled = outcome::send(api, lane, id, &command, &reading).await?;
    Ok(Deferred::of(run, deferral, settled))
}

impl Deferred {
    pub(super) fn of(run: RunId, deferral: Deferral, settled: Settled) -> Self {
        Self {
            run,
            customer: deferral.customer,
            assets: deferral.turns.into_iter().map(|turn| turn.asset).collect(),
            until_ms: deferral.until_ms,
            settled,
        }
    }
}

/// What would be put off now.
pub(super) async fn tried(
    api: &Api,
    announcing: &Announcing,
    ask: &DeferAsk,
) -> Result<Deferral, Problem> {
    let Announcing {
        reading,
        definition,
        items,
    } = announcing;
    let (lane, now_ms) = (&reading.lane, reading.now_ms);
    let known = known(api, announcing, ask).await?;
    let context = Context {
        definition,
        items,
        settle_ms: 0,
    };
    let input = Input::Defer {
        ask: Box::new(ask.clone()),
        known: Box::new(known),
    };
    let decided = decide(context, lane, input, now_ms)?;
    let events = decided.events.into_iter().map(|recorded| recorded.event);
    let deferral = events.into_iter().find_map(|event| match event {
        Event::TurnsPutOff { deferral } => Some(*deferral),
        _ => None,
    });
    deferral.ok_or_else(|| Problem::new(Code::Internal, "a deferral puts nothing off"))
}

/// What is on record of it.
pub(super) async fn known(
    api: &Api,
    announcing: &Announcing,
    ask: &DeferAsk,
) -> Result<Known, Problem> {
    let reading = &announcing.reading;
    let scope = scope(announcing, ask)?;
    let keys = scope.documents(&reading.lane, &ask.customer);
    let found = api.store.documents(&keys).await?;
    let bodies = found
        .into_iter()
        .map(|found| found.and_then(|found| found.body));
    let bodies: Vec<Option<String>> = bodies.collect();
    let known = Known::read(&scope, &bodies).map_err(|fault| {
        Problem::new(Code::Internal, format!("documents of deferrals: {fault}"))
    })?;
    Ok(known.under(&scope, &*api.directory, &ask.customer, reading.now_ms))
}

pub(super) fn scope(announcing: &Announcing, ask: &DeferAsk) -> Result<Scope, Problem> {
    let lane = &announcing.reading.lane;
    let scope = Scope::of(lane, &announcing.definition, &announcing.items, ask);
    scope.map_err(|why| hostler_core::refusal::Refusal::from(why).into())
}

/// Who may see no run at all does not learn which there are.
pub(super) fn may_know_of_runs(api: &Api, subject: &Subject) -> Result<(), Problem> {
    let person = api.directory.person(&subject.person);
    if person.is_some_and(|person| !person.customers.is_empty()) {
        return Ok(());
    }
    authorize(subject, Action::ReadRuns, Resource::Realm).check(subject)
}

/// The customer whose servers are meant.
fn customer(
    api: &Api,
    subject: &Subject,
    plan: &Plan,
    wish: &DeferWish,
) -> Result<String, Problem> {
    if wish.assets.len() > NAMED_MAX {
        let detail = format!("{NAMED_MAX} servers at most are named in one wish");
        return Err(Problem::new(Code::TooLarge, detail).remedy("name none for all of a customer"));
    }
    let mut owners = BTreeSet::new();
    for asset in &wish.assets {
        let record = plan.assets.get(asset);
        let owner = record.and_then(|record| record.get("customer")?.as_str());
        // Whose a server of others is, and that it is there at all, is nobody's business.
        let seen = owner.filter(|owner| subject.is_staff() || is_told(api, subject, owner));
        let owner = seen.ok_or_else(|| {
            Problem::not_found("server of yours in this run:", asset)
                .remedy("name servers as the notice of the work does")
        })?;
        owners.insert(owner.to_owned());
    }
    owners.extend(wish.customer.clone());
    if owners.is_empty() {
        let person = api.directory.person(&subject.person);
        owners.extend(person.into_iter().flat_map(|person| person.customers));
    }
    let mut owners = owners.into_iter();
    match (owners.next(), owners.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(Problem::new(Code::Malformed, "nobody's servers are meant")
            .remedy("name a server (--asset ID) or the customer (--customer ID)")),
        _ => Err(Problem::new(
            Code::Malformed,
            "servers of several customers are put off one after the other",
        )
        .remedy("ask once for each customer: --customer ID")),
    }
}

fn is_told(api: &Api, subject: &Subject, customer: &str) -> bool {
    told(api, customer).contains(&subject.person)
        || subject.qualifies.contains(&format!("customer:{customer}"))
}

/// A date or an instant.
pub(super) fn instant(api: &Api, customer: &str, text: &str) -> Result<i64, Problem> {
    let malformed = || {
        Problem::new(Code::Malformed, "`until` is no date")
            .remedy("write a date (2026-12-01) or an instant (2026-12-01T08:00:00Z)")
    };
    if text.len() > TEXT_MAX_BYTES {
        return Err(malformed());
    }
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Ok(at.as_millisecond());
    }
    let date = text.parse::<jiff::civil::Date>().map_err(|_| malformed())?;
    let zone = api.directory.zone(Some(customer));
    let at = date.in_tz(zone.as_deref().unwrap_or("UTC"));
    Ok(at.map_err(|_| malformed())?.timestamp().as_millisecond())
}

/// The lane of the run that announces something of this customer which can be put off.
async fn announcing(api: &Api, root: LaneId, customer: &str) -> Result<Announcing, Problem> {
    let mut next = Some(root);
    for _ in 0..DEPTH_MAX {
        let Some(lane) = next else { break };
        let found = of_lane(api, lane).await?;
        let lane = &found.reading.lane;
        if announces(lane, &found.definition, customer) {
            return Ok(found);
        }
        next = only_child(lane);
    }
    let customer = customer.to_owned();
    let why = NotPutOff::NotHere { customer };
    Err(hostler_core::refusal::Refusal::from(why).into())
}

pub(super) async fn of_lane(api: &Api, lane: LaneId) -> Result<Announcing, Problem> {
    let reading = read::lane(api, lane).await?;
    Ok(Announcing {
        definition: read::definition(api, reading.lane.opening.definition).await?,
        items: read::items(api, &reading.lane).await?,
        reading,
    })
}

fn announces(lane: &Lane, definition: &Definition, customer: &str) -> bool {
    let program = lane.program(definition);
    let step = program.as_ref().and_then(|program| lane.step(program));
    let notices = step.and_then(|step| step.notices.as_ref());
    let children = lane.children.as_deref();
    notices.is_some_and(|notices| notices.defer_until_ms.is_some())
        && children.is_some_and(|children| children.customers.contains_key(customer))
}

/// Of a call or of rounds.
fn only_child(lane: &Lane) -> Option<LaneId> {
    let children = lane.children.as_deref()?;
    let one = matches!(children.kind, ChildrenKind::Call | ChildrenKind::Rounds);
    let live = children.live.values().next().filter(|_| one)?;
    Some(live.lane)
}
