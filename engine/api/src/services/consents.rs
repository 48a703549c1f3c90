//! Customers who agree to a run or object: by their own people, or by an operator on the word of one of them.
//!
//! The first lane of the run is tried out first, with what it will read itself, so that a refusal has a name. Not here:
//! holding anything (worker), and links of messages (`consent_link`).

use super::decide::actor;
use super::deferrals::may_know_of_runs;
use super::outcome::{self, Settled};
use super::word::Word;
use crate::Api;
use crate::authorize::{Action, Subject};
use crate::problem::{Code, Problem};
use crate::read::{self, Reading};
use hostler_core::command::{Command, Input};
use hostler_core::consent::{ConsentAsk, Known, consent_document};
use hostler_core::decide::{Context, decide};
use hostler_core::definition::Definition;
use hostler_core::event::Event;
use hostler_core::id::RunId;
use serde::{Deserialize, Serialize};

/// A yes or an objection.
pub(super) const WORD: Word = Word {
    own: Action::Consent,
    on_behalf: Action::ConsentFor,
    cannot: "speak",
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentWish {
    /// False: an objection.
    pub agrees: bool,
    /// Needed where the person is of several customers, or of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// The customer's person on whose word somebody of the staff says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word_of: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What stands now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consented {
    pub run: RunId,
    pub customer: String,
    pub agrees: bool,
    /// `done` also where the same was said before.
    pub settled: Settled,
}

/// The first lane of a run, with what a decision on it looks at.
pub(super) struct Asking {
    pub reading: Reading,
    pub definition: Definition,
    pub known: Known,
}

/// # Errors
/// `forbidden`, `not-found`, `malformed`, `ended`, `refused` with the name of what stands against it, the store's.
pub async fn say(
    api: &Api,
    subject: &Subject,
    run: RunId,
    wish: ConsentWish,
    key: Option<&str>,
) -> Result<Consented, Problem> {
    may_know_of_runs(api, subject)?;
    let customer = customer(api, subject, wish.customer)?;
    WORD.allowed(api, subject, &customer, wish.word_of.as_deref())?;
    let ask = ConsentAsk {
        actor: actor(subject),
        customer,
        agrees: wish.agrees,
        word_of: wish.word_of,
        reason: wish.reason,
    };
    let asking = asking(api, run, &ask.customer).await?;
    send(api, subject, asking, ask, key).await
}

/// What was judged here is judged again by the lane.
pub(super) async fn send(
    api: &Api,
    subject: &Subject,
    asking: Asking,
    ask: ConsentAsk,
    key: Option<&str>,
) -> Result<Consented, Problem> {
    let news = tried(api, &asking, &ask).await?;
    let lane = asking.reading.lane.id();
    let mut done = Consented {
        run: asking.reading.lane.opening.run,
        customer: ask.customer.clone(),
        agrees: ask.agrees,
        settled: Settled::Done,
    };
    if news {
        let id = outcome::command_id(api, subject, lane, key);
        let command = Command::Consent { ask: Box::new(ask) };
        done.settled = outcome::send(api, lane, id, &command, &asking.reading).await?;
    }
    Ok(done)
}

/// Whether it would change anything now.
async fn tried(api: &Api, asking: &Asking, ask: &ConsentAsk) -> Result<bool, Problem> {
    let lane = &asking.reading.lane;
    let items = read::items(api, lane).await?;
    let context = Context {
        definition: &asking.definition,
        items: &items,
        settle_ms: 0,
    };
    let input = Input::Consent {
        ask: Box::new(ask.clone()),
        known: Box::new(asking.known.clone()),
    };
    let decided = decide(context, lane, input, asking.reading.now_ms)?;
    let mut events = decided.events.iter();
    Ok(events.any(|recorded| matches!(recorded.event, Event::ConsentDecided { .. })))
}

pub(super) async fn asking(api: &Api, run: RunId, customer: &str) -> Result<Asking, Problem> {
    let reading = read::lane(api, run.root()).await?;
    let definition = read::definition(api, reading.lane.opening.definition).await?;
    let plan = read::plan(api, reading.lane.opening.plan).await?;
    let key = consent_document(run, customer);
    let found = api.store.documents(&[key]).await?;
    let body = found.into_iter().flatten().find_map(|found| found.body);
    let directory = &*api.directory;
    let known = Known::of(directory, &plan, &definition, customer, body.as_deref());
    let known = known.map_err(|fault| {
        let detail = format!("the document of a consent cannot be read: {fault}");
        Problem::new(Code::Internal, detail)
    })?;
    Ok(Asking {
        reading,
        definition,
        known,
    })
}

/// The customer whose servers are meant.
fn customer(api: &Api, subject: &Subject, named: Option<String>) -> Result<String, Problem> {
    if let Some(named) = named {
        return Ok(named);
    }
    let person = api.directory.person(&subject.person);
    let own = person.map(|person| person.customers).unwrap_or_default();
    match &own[..] {
        [one] => Ok(one.clone()),
        _ => Err(
            Problem::new(Code::Malformed, "it is not said for which customer")
                .remedy("name the customer: --customer ID"),
        ),
    }
}
