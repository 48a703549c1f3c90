//! What was announced to one customer, as a calendar that their programs fetch again and again.
//!
//! Made from that customer's own notices, so it can name nothing else. Not here: keys of feeds, and forecasts.

use crate::authorize::{Action, Resource, Subject, authorize};
use crate::problem::{Code, Problem};
use crate::{Api, read};
use hostler_calendar::announced::{Announced, text};
use hostler_core::event::Stage;
use hostler_core::id::RunId;
use hostler_core::mail::{CalendarEntry, Mail, MailEvent, MailSpec};
use hostler_core::sight::Sight;
use hostler_core::view::{MailRow, index};
use hostler_ports::store::Cursor;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeSet;

/// Newest runs that are looked through for notices of this customer.
const RUNS_MAX: usize = 500;
/// Notices of one run that are looked through.
const NOTICES_MAX: usize = 5_000;

/// The iCalendar text.
///
/// # Errors
/// `forbidden` for another customer's key, `not-found`; the store's.
pub async fn calendar(api: &Api, subject: &Subject, customer: &str) -> Result<String, Problem> {
    authorize(subject, Action::ReadFeed, Resource::Customer(customer)).check(subject)?;
    if api.directory.customer(customer).is_none() {
        return Err(Problem::not_found("customer", customer));
    }
    let own = [customer.to_owned()];
    let sight = Sight::of_customers(&*api.directory, &own);
    let mut events = Vec::new();
    for run in runs(api).await? {
        let api = &read::of_run(api, run).await?;
        for spec in invitations(api, run, customer).await? {
            events.extend(event(&spec, &sight));
        }
    }
    text(&events).map_err(|fault| Problem::new(Code::Internal, fault.to_string()))
}

async fn runs(api: &Api) -> Result<Vec<RunId>, Problem> {
    let mut runs = Vec::new();
    read::walk(api, index::RUNS, true, Cursor::default(), |entry| {
        runs.extend(entry.member.parse::<RunId>());
        runs.len() < RUNS_MAX
    })
    .await?;
    Ok(runs)
}

/// The notices of a run to this customer that say when something takes place, or that it does not; one of those
/// that several people got.
async fn invitations(api: &Api, run: RunId, customer: &str) -> Result<Vec<MailSpec>, Problem> {
    let (mut rows, mut looked) = (Vec::new(), 0);
    let (index, first) = (index::notices(run), Cursor::default());
    read::walk(api, &index, false, first, |entry| {
        looked += 1;
        rows.extend(serde_json::from_str::<MailRow>(&entry.body));
        looked < NOTICES_MAX
    })
    .await?;
    let stages = [Stage::Scheduled.name(), Stage::Cancelled.name()];
    let mut seen = BTreeSet::new();
    rows.retain(|row: &MailRow| {
        let theirs = row.customer.as_deref() == Some(customer);
        theirs
            && stages.contains(&&*row.stage)
            && seen.insert((row.template.clone(), row.stage.clone()))
    });
    let mut specs = Vec::new();
    for row in rows {
        let Some(loaded) = api.store.load(row.lane, 0).await? else {
            continue;
        };
        let events = loaded.events.iter().map(|text| serde_json::from_str(text));
        let events: Result<Vec<MailEvent>, _> = events.collect();
        let mail = events.ok().and_then(|events| Mail::fold(&events));
        specs.extend(mail.map(|mail| mail.spec));
    }
    Ok(specs)
}

/// None for a notice without a date.
fn event(spec: &MailSpec, sight: &Sight) -> Option<Announced> {
    let entry: &CalendarEntry = spec.calendar.as_ref()?;
    let at = |ms: i64| Timestamp::from_millisecond(ms).ok();
    let assets = spec.context.get("assets").and_then(Value::as_array);
    let names = assets
        .into_iter()
        .flatten()
        .filter_map(|asset| asset.get("name")?.as_str());
    let names: Vec<&str> = names.filter(|name| sight.sees(name)).collect();
    Some(Announced {
        uid: entry.uid.clone(),
        sequence: entry.sequence,
        starts: at(entry.start_ms)?,
        ends: at(entry.end_ms)?,
        made: at(entry.stamp_ms)?,
        cancelled: entry.cancelled,
        summary: sight.text(&entry.summary),
        description: names.join(", "),
    })
}
