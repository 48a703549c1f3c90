//! What each customer would see: notices, reminders, disruptions, and whether its deadline holds.
//!
//! Not here: the texts of notices, and sending them.

use super::Plan;
use super::budgets;
use super::conflicts::Found;
use super::consent;
use super::cycle::month_of;
use super::notice::notice_by;
use crate::code::Code;
use crate::forecast::{CustomerRow, Disruptions, Outcome, Slot};
use crate::input::Customer;
use crate::moment::Moment;
use hostler_calendar::interval::Interval;
use hostler_core::budget::Opening;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Reminders of one customer that are listed.
const REMINDERS_MAX: usize = 200;

/// The rows, by id. Enters the due moment of the approval, and the customers' conflicts.
pub fn rows<'a>(plan: &mut Plan<'a>) -> Vec<CustomerRow> {
    let mut of: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, asset) in plan.assets.iter().copied().enumerate() {
        of.entry(&asset.customer).or_default().push(place);
    }
    let rows: Vec<CustomerRow> = of
        .into_iter()
        .map(|(id, places)| {
            let deadline = deadlines(plan, &places);
            let row = row(plan, id, &places, deadline);
            budget(plan, &row);
            budgets::check(plan, id, &places);
            row
        })
        .collect();
    if let Some(approval) = &mut plan.approval {
        // What was published needs no notice, but no work begins without an approval.
        let due = rows.iter().flat_map(|row| [row.notice_by, row.first]);
        approval.due_by = due.flatten().min();
    }
    rows
}

fn row(plan: &Plan<'_>, id: &str, places: &[usize], deadline: Option<Moment>) -> CustomerRow {
    let customer = &plan.input.customers[id];
    let planned: Vec<Planned<'_>> = places
        .iter()
        .filter_map(|place| planned(plan, *place))
        .collect();
    let by = planned.iter().filter_map(|one| by(plan, customer, one));
    let first = planned.iter().map(|one| one.starts).min();
    CustomerRow {
        id: id.to_owned(),
        name: customer.name.clone(),
        zone: customer.zone.name().to_owned(),
        planned: planned.len(),
        held: places.len() - planned.len(),
        first,
        notice_by: by.min(),
        reminders: reminders(plan, &planned),
        told: plan.told[id].people.clone(),
        disruptions: disruptions(customer, &planned),
        deadline_notice_by: deadline,
        consent: consent::row(plan, id, first),
    }
}

/// The last moment for the notice of one server: for its class, and for the silence that agrees.
fn by(plan: &Plan<'_>, customer: &Customer, one: &Planned<'_>) -> Option<Moment> {
    let (terms, opens) = (&plan.input.terms, one.slot.opens);
    let promised = notice_by(customer, terms, opens).filter(|_| !one.published);
    // A count that begins on a day off ends no later than one of the business day before it: then it may leave later.
    let silent = consent::notice_by(customer, opens).map(|by| by.max(plan.ready));
    promised.into_iter().chain(silent).min()
}

struct Planned<'a> {
    slot: &'a Slot,
    /// The whole of its window's opening, freezes included.
    open: Interval,
    starts: Moment,
    published: bool,
}

fn planned<'a>(plan: &'a Plan<'_>, place: usize) -> Option<Planned<'a>> {
    match plan.outcomes[place].as_ref()? {
        Outcome::Planned { slot, starts, .. } => Some(Planned {
            slot,
            open: *plan
                .class(place)
                .open
                .iter()
                .find(|open| open.contains(starts.0))?,
            starts: *starts,
            published: plan.is_published(place),
        }),
        Outcome::Held { .. } => None,
    }
}

fn reminders(plan: &Plan<'_>, planned: &[Planned<'_>]) -> Vec<Moment> {
    let opens: BTreeSet<Moment> = planned.iter().map(|one| one.slot.opens).collect();
    let before = &plan.input.terms.reminders_ms;
    let all = opens
        .iter()
        .flat_map(|opens| before.iter().map(|ms| opens.minus(*ms)));
    // What was due before the approval is not sent.
    let all: BTreeSet<Moment> = all.filter(|at| *at >= plan.ready).collect();
    all.into_iter().take(REMINDERS_MAX).collect()
}

/// By the rule of the gate that counts them.
fn disruptions(customer: &Customer, planned: &[Planned<'_>]) -> Vec<Disruptions> {
    let date = |ms: i64| {
        let at = Timestamp::from_millisecond(ms).ok()?;
        Some(customer.zone.wall(at).0.date())
    };
    let day = |ms: i64| {
        let begins = date(ms).and_then(|date| customer.zone.instant(date.at(0, 0, 0, 0)));
        begins.map_or(ms, Timestamp::as_millisecond)
    };
    let mut found: BTreeSet<Opening> = BTreeSet::new();
    for one in planned {
        let (from, to) = (one.open.from, one.open.to);
        let open = (
            one.slot.window.as_str(),
            from.as_millisecond(),
            to.as_millisecond(),
        );
        let starts_ms = one.starts.0.as_millisecond();
        found.insert(Opening::of(Some(open), starts_ms, day));
    }
    let mut months: BTreeMap<String, u32> = BTreeMap::new();
    for opening in found {
        let month = date(opening.day_ms).map(month_of).unwrap_or_default();
        *months.entry(month).or_default() += 1;
    }
    let at_most = customer.disruptions_per_month;
    let row = |(month, count)| Disruptions {
        month,
        count,
        at_most,
    };
    months.into_iter().map(row).collect()
}

fn budget(plan: &mut Plan<'_>, row: &CustomerRow) {
    for month in &row.disruptions {
        let Some(at_most) = month.at_most.filter(|most| month.count > *most) else {
            continue;
        };
        let found = Found {
            code: Code::Budget,
            subject: format!("customer {}, {}", row.id, month.month),
            what: format!(
                "{} windows with disruptions, {at_most} are agreed upon; the others wait for the next month",
                month.count
            ),
            when: row.first,
            remedy: "put its servers into fewer windows, agree upon more (`reboots` of its contract), or have the run \
                     overdraw it (`hostler budget allow`)"
                .to_owned(),
        };
        plan.conflicts.add(found, None);
    }
}

/// Tells of each asset that ends after its deadline; gives the last moment for a notice that keeps
/// all of them.
fn deadlines(plan: &mut Plan<'_>, places: &[usize]) -> Option<Moment> {
    let mut latest = None;
    for place in places {
        let Some(promise) = promise(plan, *place) else {
            continue;
        };
        let found = late(plan, *place, &promise);
        if let Some(found) = found {
            let asset = plan.assets[*place].id.as_str();
            plan.conflicts.add(found, Some(asset));
        }
        let by = promise.notice_by;
        latest = latest.map_or(by, |known: Moment| {
            Some(by.map_or(known, |by| by.min(known)))
        });
    }
    latest
}

struct Promise {
    severity: String,
    days: u16,
    due: Moment,
    /// The last slot in which it still fits, and its notice.
    last: Option<Interval>,
    notice_by: Option<Moment>,
}

fn promise(plan: &Plan<'_>, place: usize) -> Option<Promise> {
    let severity = plan.assets[place].severity.as_ref()?;
    let days = *plan.input.terms.deadlines_days.get(severity)?;
    let due = plan.cycle.promised(plan.input, days)?;
    let needed_ms = plan.needed_ms(place);
    let before = |slot: &&Interval| {
        let until = Moment(slot.to).min(due);
        until.since(Moment(slot.from)) >= needed_ms
    };
    let last = plan.class(place).free.iter().rev().find(before).copied();
    let customer = plan.customer(place);
    let by = |slot: Interval| {
        let from = Moment(slot.from);
        let silent = consent::notice_by(customer, from);
        let promised = notice_by(customer, &plan.input.terms, from)?;
        Some(silent.map_or(promised, |silent| silent.min(promised)))
    };
    Some(Promise {
        severity: severity.clone(),
        days,
        due,
        last,
        notice_by: last.and_then(by),
    })
}

fn late(plan: &Plan<'_>, place: usize, promise: &Promise) -> Option<Found> {
    if let Some(Outcome::Planned { ends, .. }) = &plan.outcomes[place]
        && *ends <= promise.due
    {
        return None;
    }
    let zone = &plan.customer(place).zone;
    let last = match (promise.last, promise.notice_by) {
        (Some(slot), Some(by)) => format!(
            "the last window before it opens {}, its notice had to leave by {}",
            Moment(slot.from).people(zone),
            by.people(zone)
        ),
        _ => "no window lies before it".to_owned(),
    };
    let days = promise.days;
    Some(Found {
        code: Code::Deadline,
        subject: format!(
            "customer {}, {}",
            plan.assets[place].customer, promise.severity
        ),
        what: format!(
            "no legal slot before its {days}-day deadline {}; {last}",
            promise.due.people(zone)
        ),
        when: Some(promise.notice_by.unwrap_or(promise.due)),
        remedy: "use an expedited class, add a window, or ask for an exception".to_owned(),
    })
}
