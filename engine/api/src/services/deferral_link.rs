//! Links of announcements: what can be put off by one, and putting it off as the person to whom it was sent.
//!
//! A link counts once. Opening one changes nothing, however often: programs follow links in mails. Not here: pages, and
//! what stands against a deferral (core).

use super::deferrals::{self, Announcing, Deferred};
use super::link::{self, VIA};
use super::outcome;
use crate::Api;
use crate::authorize::Subject;
use crate::problem::{Code, Problem};
use hostler_core::command::Command;
use hostler_core::deferral::{DeferAsk, Known, Meant, NotPutOff};
use hostler_core::id::LaneId;
use hostler_core::lane::Children;
use hostler_core::mail::Mail;
use hostler_core::refusal::Refusal;
use std::collections::BTreeSet;

/// What a page says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkWish {
    /// Empty: all.
    pub assets: BTreeSet<String>,
    /// A date, from midnight in the customer's zone on.
    pub until: String,
}

/// What waits for whoever holds this link.
pub struct Offered {
    pub subject: Subject,
    pub customer: String,
    pub title: String,
    pub servers: Vec<Server>,
    /// How often it may still be done in this quarter; none: nothing was agreed any more.
    pub left: Option<u32>,
    /// So long before its slot at the latest, and so long behind it at most; in milliseconds.
    pub until_ms: u64,
    pub longest_ms: u64,
    announcing: Announcing,
}

/// One server of the announcement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub asset: String,
    pub name: String,
    /// As it was told last; none: nobody could say.
    pub starts_ms: Option<i64>,
    pub put_off_ms: Option<i64>,
}

/// What the link offers now.
///
/// # Errors
/// `not-found` for what is no link of an announcement, `forbidden` when the person has gone or gets no notices of the
/// customer any more, `refused` when nothing is left to put off; the store's.
pub async fn open(api: &Api, now_ms: i64, text: &str) -> Result<Offered, Problem> {
    let mail = link::sent(api, text).await?;
    let (lane, customer) = of(&mail).ok_or_else(link::unknown)?;
    let subject = link::holder(api, now_ms, &mail)?;
    deferrals::WORD.allowed(api, &subject, &customer, None)?;
    let announcing = match deferrals::of_lane(api, lane).await {
        Err(problem) if problem.code == Code::NotFound => return Err(over(&customer)),
        announcing => announcing?,
    };
    let all = ask(&subject, &customer, LinkWish::default(), 0);
    let scope = deferrals::scope(&announcing, &all)?;
    let known = deferrals::known(api, &announcing, &all).await?;
    let children = announcing.reading.lane.children.as_deref();
    let server = |item: &Meant| server(children, &known, item);
    let strictest = known.agreed.values();
    let left = scope.classes.iter().map(|class| {
        let agreed = known.agreed.get(class)?;
        Some(
            agreed
                .times
                .saturating_sub(known.counts.spent(class, agreed)),
        )
    });
    Ok(Offered {
        servers: scope.items.iter().map(server).collect(),
        left: left.min().flatten(),
        until_ms: strictest
            .clone()
            .map(|it| it.until_ms)
            .fold(scope.until_ms, u64::max),
        longest_ms: strictest.map(|it| it.longest_ms).min().unwrap_or_default(),
        title: announcing.definition.title.clone(),
        subject,
        customer,
        announcing,
    })
}

/// Puts off by the link. It counts once: whoever sends it again is told so.
///
/// # Errors
/// As `open`, and `malformed`, `refused` with the name of what stands against it, `decided-already`.
pub async fn put_off(
    api: &Api,
    now_ms: i64,
    text: &str,
    wish: LinkWish,
) -> Result<Deferred, Problem> {
    let offered = open(api, now_ms, text).await?;
    let message = link::sent(api, text).await?.spec.lane;
    let until_ms = deferrals::instant(api, &offered.customer, &wish.until)?;
    let ask = ask(&offered.subject, &offered.customer, wish, until_ms);
    let deferral = deferrals::tried(api, &offered.announcing, &ask).await?;
    let reading = &offered.announcing.reading;
    let lane = reading.lane.id();
    // The same message: one letter, however often and with whatever date it is sent.
    let key = format!("{VIA} {message}");
    let id = outcome::command_id(api, &offered.subject, lane, Some(&key));
    let command = Command::Defer { ask: Box::new(ask) };
    let settled = outcome::send_once(api, lane, id, &command, reading).await?;
    Ok(Deferred::of(reading.lane.opening.run, deferral, settled))
}

/// The lane that announces, and to whom.
fn of(mail: &Mail) -> Option<(LaneId, String)> {
    mail.spec.defers.zip(mail.spec.customer.clone())
}

fn ask(subject: &Subject, customer: &str, wish: LinkWish, until_ms: i64) -> DeferAsk {
    DeferAsk {
        actor: super::decide::actor(subject),
        customer: customer.to_owned(),
        assets: wish.assets,
        until_ms,
        word_of: None,
    }
}

fn over(customer: &str) -> Problem {
    let customer = customer.to_owned();
    Refusal::from(NotPutOff::NotHere { customer }).into()
}

fn server(children: Option<&Children>, known: &Known, item: &Meant) -> Server {
    let told = known.announced.assets.get(&item.key);
    let put_off = children.and_then(|children| children.set_aside(item.index));
    Server {
        asset: item.asset.clone(),
        name: told.map_or_else(|| item.asset.clone(), |told| told.name.clone()),
        starts_ms: told.and_then(|told| told.starts_ms),
        put_off_ms: put_off.map(|put_off| put_off.until_ms),
    }
}
