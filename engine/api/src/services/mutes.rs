//! Who is told only what they must have: the person says so, by the way out of a message or as somebody who is signed
//! in, or one of the staff on their word. What the policies demand reaches them all the same.
//!
//! A way out stands for the person to whom it was sent and for that customer, however old its message is. Opening it
//! changes nothing. Not here: leaving messages out (outbox), pages.

use super::document;
use super::word;
use crate::authorize::{Action, Resource, Subject, authorize};
use crate::durable::kept;
use crate::problem::{Code, Problem};
use crate::{Api, read};
use hostler_core::mail::{Link, Mail, MailEvent, Muted, muted_document, spared};
use hostler_ports::store::CommitError;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Attempts against others who write at the same moment.
const TRIES_MAX: u32 = 5;
/// Longest reason in bytes.
const REASON_MAX_BYTES: usize = 500;

/// What somebody who is signed in says of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MuteAsk {
    /// None: of the only customer whose notices the person gets.
    #[serde(default)]
    pub customer: Option<String>,
    /// Why; needed from everybody but the person.
    #[serde(default)]
    pub reason: String,
}

/// What a person is told of one customer's servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MuteView {
    pub person: String,
    pub name: String,
    pub customer: String,
    pub customer_name: String,
    /// None: everything.
    pub muted: Option<Muted>,
    /// Stages that reach everybody whatever they have asked; `emergency`: all that is told of one.
    pub must_have: Vec<String>,
    /// Stages from which the person may unsubscribe.
    pub optional: Vec<String>,
}

/// What a person is told, of each customer whose notices they get.
///
/// # Errors
/// `forbidden`, `not-found` for somebody who gets none, the store's.
pub async fn list(api: &Api, subject: &Subject, person: &str) -> Result<Vec<MuteView>, Problem> {
    authorize(subject, Action::ReadMutes, Resource::Person(person)).check(subject)?;
    let mut views = Vec::new();
    for customer in customers(api, person) {
        views.push(view(api, &customer, person).await?);
    }
    match views.is_empty() {
        true => Err(nothing(person)),
        false => Ok(views),
    }
}

/// From now on the person is told only what they must have (`mute`), or everything. What is so already changes nothing.
/// The answer is durable.
///
/// # Errors
/// `forbidden`, `not-found` for somebody who gets no notices of that customer, `malformed` without a reason or where
/// it is not said which customer, the store's.
pub async fn say(
    api: &Api,
    subject: &Subject,
    person: &str,
    mute: bool,
    ask: &MuteAsk,
) -> Result<MuteView, Problem> {
    authorize(subject, Action::Mute, Resource::Person(person)).check(subject)?;
    let reason = ask.reason.trim();
    let unsaid = reason.is_empty() && subject.person != person;
    if unsaid || reason.len() > REASON_MAX_BYTES {
        let detail = format!("a reason has 1 to {REASON_MAX_BYTES} bytes");
        return Err(Problem::new(Code::Malformed, detail)
            .remedy("say on whose word and why, for the person: --reason TEXT"));
    }
    let of = customers(api, person);
    let customer = match (&ask.customer, &of[..]) {
        (_, []) => return Err(nothing(person)),
        (Some(wanted), _) if !of.contains(wanted) => {
            let known: Vec<&str> = of.iter().map(String::as_str).collect();
            let remedy = crate::suggest::remedy(wanted, &known);
            return Err(Problem::not_found("customer", wanted)
                .remedy(format!("{person} gets notices of others: {remedy}")));
        }
        (Some(wanted), _) => wanted.clone(),
        (None, [only]) => only.clone(),
        (None, several) => {
            let detail = format!("{person} gets notices of {}", several.join(", "));
            return Err(Problem::new(Code::Malformed, detail)
                .remedy("name one of them: --customer CUSTOMER"));
        }
    };
    let muted = Muted {
        customer,
        person: person.to_owned(),
        by: subject.person.clone(),
        via: subject.via.clone(),
        at_ms: api.store.now_ms().await?,
        reason: reason.to_owned(),
    };
    change(api, muted, mute).await
}

/// What a way out opens now.
///
/// # Errors
/// `not-found` for what is none, or where the person gets no notices of that customer any more; the store's.
pub async fn open(api: &Api, now_ms: i64, text: &str) -> Result<MuteView, Problem> {
    let (subject, customer) = sent(api, now_ms, text, "link").await?;
    authorize(
        &subject,
        Action::ReadMutes,
        Resource::Person(&subject.person),
    )
    .check(&subject)?;
    view(api, &customer, &subject.person).await
}

/// The same as `say`, by the way out of a message; `via`: `link` or `mail`.
///
/// # Errors
/// As `open`.
pub async fn by_link(
    api: &Api,
    now_ms: i64,
    text: &str,
    mute: bool,
    via: &str,
) -> Result<MuteView, Problem> {
    let (subject, customer) = sent(api, now_ms, text, via).await?;
    let ask = MuteAsk {
        customer: Some(customer),
        reason: String::new(),
    };
    let person = subject.person.clone();
    say(api, &subject, &person, mute, &ask).await
}

/// Customers whose notices a person gets, as the estate has them today.
fn customers(api: &Api, person: &str) -> Vec<String> {
    let of = api.directory.person(person).map(|known| known.customers);
    let gets = |customer: &String| word::told(api, customer).iter().any(|id| id == person);
    of.unwrap_or_default().into_iter().filter(gets).collect()
}

fn nothing(person: &str) -> Problem {
    Problem::new(
        Code::NotFound,
        format!("{person} gets no notices of any customer"),
    )
    .remedy("notices go to contacts with the role `notices` in the estate's files")
}

/// To whom a way out was sent, and of which customer its message was. Its run may lie in the archive by now.
async fn sent(api: &Api, now_ms: i64, text: &str, via: &str) -> Result<(Subject, String), Problem> {
    let (run, link) = Link::parse_in(text).ok_or_else(unknown)?;
    let message = link.message().ok_or_else(unknown)?;
    let of_run = read::of_run(api, run).await?;
    let loaded = of_run.store.load(message, 0).await?.ok_or_else(unknown)?;
    let events = loaded.events.iter().map(|text| serde_json::from_str(text));
    let events: Vec<MailEvent> = events.collect::<Result<_, _>>().map_err(|_| unknown())?;
    let mail = Mail::fold(&events).ok_or_else(unknown)?;
    let is_its = mail.links.contains(&link.sha256()) && mail.spec.run == run;
    if !is_its || !mail.spec.optional {
        return Err(unknown());
    }
    let person = mail.spec.person().map(str::to_owned);
    let (person, customer) = person.zip(mail.spec.customer).ok_or_else(unknown)?;
    let subject = Subject::at(&*api.directory, &person, via, now_ms);
    let subject = subject.filter(|_| customers(api, &person).contains(&customer));
    let subject = subject.ok_or_else(|| {
        Problem::new(
            Code::NotFound,
            "you get no notices of this customer any more",
        )
        .remedy("nothing is left to do")
    })?;
    Ok((subject, customer))
}

fn unknown() -> Problem {
    Problem::new(Code::NotFound, "this link opens nothing")
        .remedy("copy the whole link from the message, or ask whoever sent it to you")
}

async fn view(api: &Api, customer: &str, person: &str) -> Result<MuteView, Problem> {
    let kept = document::read::<Muted>(api, &muted_document(customer, person)).await?;
    let muted = kept
        .value
        .map_err(|fault| Problem::new(Code::Internal, fault))?;
    Ok(shown(api, customer, person, muted))
}

fn shown(api: &Api, customer: &str, person: &str, muted: Option<Muted>) -> MuteView {
    let must_have = api.directory.must_have();
    let record = api.directory.customer(customer).unwrap_or_default();
    let name = api.directory.person(person).map(|known| known.name);
    let customer_name = record.get("name").and_then(|name| name.as_str());
    MuteView {
        person: person.to_owned(),
        name: name.unwrap_or_else(|| person.to_owned()),
        customer: customer.to_owned(),
        customer_name: customer_name.unwrap_or(customer).to_owned(),
        muted,
        optional: spared(&must_have).into_iter().map(str::to_owned).collect(),
        must_have: must_have.into_iter().collect(),
    }
}

/// Keeps or forgets the choice, with a line of the ledger; who has chosen so before, and what it says of them, stays.
async fn change(api: &Api, new: Muted, mute: bool) -> Result<MuteView, Problem> {
    let key = muted_document(&new.customer, &new.person);
    let event = match mute {
        true => "notices_muted",
        false => "notices_unmuted",
    };
    for _ in 0..TRIES_MAX {
        let known = document::read::<Muted>(api, &key).await?;
        let is_there = !matches!(known.value, Ok(None));
        if is_there == mute {
            kept(api, None).await?;
            let muted = known
                .value
                .map_err(|fault| Problem::new(Code::Internal, fault))?;
            return Ok(shown(api, &new.customer, &new.person, muted));
        }
        let entry = json!({
            "event": event, "customer": new.customer, "person": new.person, "by": new.by, "via": new.via,
            "at_ms": new.at_ms, "reason": new.reason,
        });
        let value = mute.then_some(&new);
        match document::put(api, &key, known.version, value, Some(entry)).await {
            Ok(seq) => {
                kept(api, Some(seq)).await?;
                return Ok(shown(api, &new.customer, &new.person, value.cloned()));
            }
            Err(CommitError::Store(fault)) => return Err(fault.into()),
            Err(_) => {}
        }
    }
    Err(
        Problem::new(Code::Changed, "others choose for this person all the time")
            .remedy("try again"),
    )
}
