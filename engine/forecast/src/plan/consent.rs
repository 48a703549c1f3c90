//! Consent of customers: when silence agrees, which windows that comes too late for, and until when a yes is needed.
//!
//! Silence is counted by the function that the gate of a run counts with. Not here: what was agreed with whom, and what
//! anybody will say.

use super::Plan;
use super::conflicts::Found;
use super::slots::Class;
use crate::code::Code;
use crate::forecast::ConsentRow;
use crate::input::Customer;
use crate::moment::Moment;
use hostler_calendar::deadline::Lead;
use hostler_core::duration::write_ms;

/// When the silence of a customer agrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// It is not waited for.
    Free,
    /// Then, with a notice that leaves as early as it can.
    Agrees(Moment),
    /// Its calendar has not enough business days.
    Never,
}

/// With a notice that is there at `told`.
pub fn silence(customer: &Customer, told: Moment) -> Silence {
    let Some(days) = days(customer) else {
        return Silence::Free;
    };
    let agrees = days.after(told.0, &customer.business, &customer.zone);
    agrees.map_or(Silence::Never, |at| Silence::Agrees(Moment(at)))
}

fn days(customer: &Customer) -> Option<Lead> {
    let days = customer.consent.as_ref()?.silent_days()?;
    Some(Lead::BusinessDays(days))
}

/// The last moment for a notice with which silence agrees to work that begins at `opens`. None: silence is not
/// waited for, or never agrees.
pub fn notice_by(customer: &Customer, opens: Moment) -> Option<Moment> {
    let by = days(customer)?.in_time(opens.0, &customer.business, &customer.zone);
    by.map(Moment)
}

/// The first slot in which it fits behind the silence, and from when on: `noticed` is the one that its notice allows.
/// Else, and where that is another one, why.
pub fn agreed(
    plan: &Plan<'_>,
    place: usize,
    (noticed, from): (usize, Moment),
) -> (Option<(usize, Moment)>, Option<Found>) {
    let (class, needed_ms) = (plan.class(place), plan.needed_ms(place));
    let earliest = match plan.told[&plan.assets[place].customer].silence {
        Silence::Free => return (Some((noticed, from)), None),
        Silence::Agrees(at) => Some(at.max(from)),
        Silence::Never => None,
    };
    let slot = earliest.and_then(|at| Some((class.first(&class.free, at, needed_ms)?, at)));
    let same = slot.is_some_and(|(slot, _)| slot == noticed);
    let found = (!same).then(|| too_late(plan, place, (noticed, from), slot));
    (slot, found)
}

/// The slot would have been used, had silence agreed by then.
fn too_late(
    plan: &Plan<'_>,
    place: usize,
    (noticed, from): (usize, Moment),
    next: Option<(usize, Moment)>,
) -> Found {
    let (customer, id) = (plan.customer(place), &plan.assets[place].customer);
    let said = |moment: Moment| moment.people(&customer.zone);
    let opens = usable(plan.class(place), noticed, from);
    let Silence::Agrees(agrees) = plan.told[id].silence else {
        return never(customer, id, opens);
    };
    let by = notice_by(customer, opens);
    let earlier = by.map_or_else(String::new, |by| {
        format!(" {}", write_ms(plan.ready.since(by)))
    });
    let next = next.map(|(slot, from)| usable(plan.class(place), slot, from));
    let next = next.map_or_else(
        || "add a window behind that".to_owned(),
        |next| format!("let it wait for the next window ({})", said(next)),
    );
    let had = by.map_or_else(String::new, |by| format!(" by {}", said(by)));
    let (rule, yes) = (rule(customer), yes(id));
    let (opens_at, leaves, agrees) = (said(opens), said(plan.ready), said(agrees));
    Found {
        code: Code::Silence,
        subject: format!("customer {id}"),
        what: format!(
            "{rule}: for {opens_at} the notice had to leave{had}; it leaves {leaves}, and silence agrees {agrees}"
        ),
        when: by.or(Some(opens)),
        remedy: format!("announce it{earlier} earlier, {next}, or {yes}"),
    }
}

fn never(customer: &Customer, id: &str, opens: Moment) -> Found {
    let (rule, yes) = (rule(customer), yes(id));
    Found {
        code: Code::Silence,
        subject: format!("customer {id}"),
        what: format!("{rule}: its calendar has not enough business days, silence never agrees"),
        when: Some(opens),
        remedy: format!("mend `business_days` and the holidays of its calendar, or {yes}"),
    }
}

fn yes(id: &str) -> String {
    format!("ask for an explicit yes (`hostler run agree RUN --customer {id}`)")
}

fn usable(class: &Class, slot: usize, from: Moment) -> Moment {
    Moment(class.free[slot].from).max(from)
}

fn rule(customer: &Customer) -> String {
    let asked = customer.consent.as_ref();
    asked.map_or_else(String::new, |asked| asked.required.rule())
}

/// What is asked of a customer, whose first server begins at `first`.
pub fn row(plan: &Plan<'_>, id: &str, first: Option<Moment>) -> Option<ConsentRow> {
    let customer = &plan.input.customers[id];
    customer.consent.as_ref()?;
    let silence = plan.told[id].silence;
    Some(ConsentRow {
        rule: rule(customer),
        silence_agrees: match silence {
            Silence::Agrees(at) => Some(at),
            Silence::Free | Silence::Never => None,
        },
        yes_by: first.filter(|_| silence == Silence::Free),
    })
}
