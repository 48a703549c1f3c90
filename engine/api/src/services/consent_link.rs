//! Links of announcements: what its recipient is asked to agree to, and saying yes or no as that person.
//!
//! Opening one changes nothing, however often: programs follow links in mails. A yes may become a no by the same link,
//! until the work begins. Not here: pages, and what stands against it (core).

use super::consents::{self, Consented};
use super::link;
use crate::Api;
use crate::authorize::Subject;
use crate::problem::{Code, Problem};
use hostler_core::consent::{ConsentAsk, NotConsented, Said};
use hostler_core::mail::{Announced, Mail};
use hostler_core::refusal::Refusal;

/// What a page says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkWish {
    pub agrees: bool,
    pub reason: Option<String>,
}

/// What whoever holds this link is asked.
pub struct Offered {
    pub subject: Subject,
    pub customer: String,
    pub title: String,
    /// `explicit`, `tacit-5bd`; none: it depends on the server.
    pub kind: Option<String>,
    pub servers: Vec<Server>,
    /// What the customer said last.
    pub said: Option<Said>,
    asking: consents::Asking,
}

/// One server of the announcement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub name: String,
    /// As it was told last; none: nobody could say.
    pub starts_ms: Option<i64>,
}

/// What the link asks now.
///
/// # Errors
/// `not-found` for what is no link that asks this, `forbidden` when the person has gone or does not speak for the
/// customer any more, `ended`, `refused` when nothing is asked any more; the store's.
pub async fn open(api: &Api, now_ms: i64, text: &str) -> Result<Offered, Problem> {
    let mail = link::sent(api, text).await?;
    let customer = mail.spec.customer.clone().filter(|_| mail.spec.agrees);
    let customer = customer.ok_or_else(link::unknown)?;
    let subject = link::holder(api, now_ms, &mail)?;
    consents::WORD.allowed(api, &subject, &customer, None)?;
    let asking = match consents::asking(api, mail.spec.run, &customer).await {
        Err(problem) if problem.code == Code::NotFound => return Err(over(&customer)),
        asking => asking?,
    };
    if asking.reading.lane.has_ended() {
        return Err(over(&customer));
    }
    let required = asking.known.required.as_ref();
    Ok(Offered {
        title: asking.definition.title.clone(),
        kind: required.map(|required| required.kind.to_string()),
        servers: servers(api, &mail).await?,
        said: asking.known.said.clone(),
        subject,
        customer,
        asking,
    })
}

/// Agrees or objects by the link. The same again changes nothing.
///
/// # Errors
/// As `open`, and `refused` with the name of what stands against it.
pub async fn say(api: &Api, now_ms: i64, text: &str, wish: LinkWish) -> Result<Consented, Problem> {
    let offered = open(api, now_ms, text).await?;
    let ask = ConsentAsk {
        actor: super::decide::actor(&offered.subject),
        customer: offered.customer,
        agrees: wish.agrees,
        word_of: None,
        reason: wish.reason,
    };
    consents::send(api, &offered.subject, offered.asking, ask, None).await
}

fn over(customer: &str) -> Problem {
    let customer = customer.to_owned();
    Refusal::from(NotConsented::TooLate { customer }).into()
}

/// The customer's servers as they were announced last, with nobody else's.
async fn servers(api: &Api, mail: &Mail) -> Result<Vec<Server>, Problem> {
    let document = mail.spec.announced.iter().cloned();
    let found = api.store.documents(&document.collect::<Vec<_>>()).await?;
    let body = found.into_iter().flatten().find_map(|found| found.body);
    let announced = body.map(|body| serde_json::from_str::<Announced>(&body));
    let announced = announced.transpose().map_err(|fault| {
        let detail = format!("what was announced cannot be read: {fault}");
        Problem::new(Code::Internal, detail)
    })?;
    let assets = announced.unwrap_or_default().assets.into_values();
    let server = assets.map(|asset| Server {
        name: asset.name,
        starts_ms: asset.starts_ms,
    });
    Ok(server.collect())
}
