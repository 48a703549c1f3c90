//! The words: what stands in the way of one asset, and what people can do about it.
//!
//! Not here: finding out whether anything does.

use super::Plan;
use super::conflicts::Found;
use super::notice::notice_by;
use super::waves::Present;
use crate::code::Code;
use crate::forecast::WaveRow;
use crate::input::Wave;
use crate::moment::Moment;
use hostler_calendar::zone::Zone;
use hostler_core::duration::write_ms;

pub fn no_wave() -> Found {
    Found {
        code: Code::NoWave,
        subject: "the waves".to_owned(),
        what: "no wave takes it, and the run fails where its waves are made".to_owned(),
        when: None,
        remedy: "end `order` with a wave without `match` and `take`".to_owned(),
    }
}

/// The wave wants to open while the one before is still watched.
pub fn soak(zone: &Zone, wave: &Wave, before: &WaveRow, wanted: Moment, soaked: Moment) -> Found {
    Found {
        code: Code::SoakOverlap,
        subject: format!("wave {}", wave.name),
        what: format!(
            "it opens {}, but {} is watched until {}",
            wanted.people(zone),
            before.name,
            soaked.people(zone)
        ),
        when: Some(soaked),
        remedy: format!(
            "let it open later, or shorten the soak of {} ({})",
            before.name,
            write_ms(before.soak_ms)
        ),
    }
}

/// What keeps an asset from running in any slot.
pub fn impossible(plan: &Plan<'_>, place: usize, present: &Present<'_>) -> Option<Found> {
    let asset = plan.assets[place];
    if asset.windows.is_empty() {
        return Some(Found {
            code: Code::NoWindow,
            subject: format!("customer {}", asset.customer),
            what: "it has no window, so nothing says when it may be disturbed".to_owned(),
            when: None,
            remedy: "give it a `window` in the estate's files".to_owned(),
        });
    }
    if present.opens >= plan.cycle.ends {
        return Some(Found {
            code: Code::WaveTooLate,
            subject: format!("wave {}", present.wave.name),
            what: format!(
                "it opens {}, when the next cycle has begun",
                present.opens.people(&plan.input.zone)
            ),
            when: Some(present.opens),
            remedy: "let it open earlier, or shorten the soaks before it".to_owned(),
        });
    }
    untold(plan, place).or_else(|| keeps_all(plan, place))
}

fn untold(plan: &Plan<'_>, place: usize) -> Option<Found> {
    let customer = &plan.assets[place].customer;
    let told = &plan.told[customer];
    let subject = format!("customer {customer}");
    if told.nobody() {
        return Some(Found {
            code: Code::NobodyToTell,
            subject,
            what: "it has no contact for notices".to_owned(),
            when: None,
            remedy: "add a person with the role `notices` to the customer".to_owned(),
        });
    }
    let days = plan.input.terms.contact_fresh_days;
    told.stale.as_ref().map(|people| Found {
        code: Code::StaleContact,
        subject,
        what: format!("no contact was confirmed in the {days} days before the notice: {people}"),
        when: Some(plan.ready),
        remedy: "ask them whether they are still right, and write the date to `confirmed`"
            .to_owned(),
    })
}

fn keeps_all(plan: &Plan<'_>, place: usize) -> Option<Found> {
    let name = plan.assets[place].group.as_ref()?;
    let group = plan.input.groups.get(name)?;
    (group.keep_up >= group.members).then(|| Found {
        code: Code::KeepsAll,
        subject: format!("group {name}"),
        what: format!(
            "{} of its {} members must stay up",
            group.keep_up, group.members
        ),
        when: None,
        remedy: "lower `keep_up`, or add a member".to_owned(),
    })
}

fn too_long(window: &str, needed_ms: u64, longest_ms: u64) -> Found {
    Found {
        code: Code::TooLong,
        subject: format!("window {window}"),
        what: format!(
            "steps and rollback need {}, the longest opening is {}",
            write_ms(needed_ms),
            write_ms(longest_ms)
        ),
        when: None,
        remedy: "make the window longer, the steps faster, or say in fit.yaml of the policies how long they take"
            .to_owned(),
    }
}

fn never_opens(plan: &Plan<'_>, place: usize, present: &Present<'_>) -> Found {
    let (window, zone) = (&plan.class(place).window, &plan.customer(place).zone);
    Found {
        code: Code::NeverOpens,
        subject: format!("wave {}, window {window}", present.wave.name),
        what: format!(
            "after the wave opens {} it does not open before the next cycle begins {}",
            present.opens.people(zone),
            plan.cycle.ends.people(zone)
        ),
        when: Some(present.opens),
        remedy: "choose a window that opens more often, or let the wave open earlier".to_owned(),
    }
}

/// No slot after the wave's opening, whatever the notice: never open, too short, or frozen.
pub fn closed(plan: &Plan<'_>, place: usize, present: &Present<'_>) -> Found {
    let (class, needed_ms) = (plan.class(place), plan.needed_ms(place));
    let longest_ms = class.longest_ms();
    if longest_ms > 0 && longest_ms < needed_ms {
        return too_long(&class.window, needed_ms, longest_ms);
    }
    let Some(open) = class.first(&class.open, present.opens, needed_ms) else {
        return never_opens(plan, place, present);
    };
    let from = Moment(class.open[open].from).max(present.opens);
    let zone = &plan.customer(place).zone;
    Found {
        code: Code::Frozen,
        subject: format!(
            "customer {}, window {}",
            plan.assets[place].customer, class.window
        ),
        what: format!(
            "every opening until the next cycle is frozen ({}), the first {}",
            class.freezes.join(", "),
            from.people(zone)
        ),
        when: Some(from),
        remedy: "add a window after the freeze, or let the freeze end earlier".to_owned(),
    }
}

/// The notice for the slot `wanted` had to leave before it could.
pub fn lead(plan: &Plan<'_>, place: usize, present: &Present<'_>, wanted: usize) -> Found {
    let (customer, terms) = (plan.customer(place), &plan.input.terms);
    let class = plan.class(place);
    let opens = Moment(class.free[wanted].from).max(present.opens);
    let by = notice_by(customer, terms, opens);
    let said = |moment: Moment| moment.people(&customer.zone);
    let asked = plan.cycle.asked;
    let (code, why, remedy) = match by {
        None => (
            Code::Lead,
            "its calendar has not enough business days".to_owned(),
            "mend `business_days` and the holidays of its calendar",
        ),
        Some(by) if by >= asked => (
            Code::ApprovalLate,
            format!("enough approvers are there only from {}", said(plan.ready)),
            "name a stand-in for those who are away",
        ),
        Some(_) => (
            Code::Lead,
            format!("the approval is asked for {}", said(asked)),
            "let the wave open later, or publish a yearly calendar for its ring",
        ),
    };
    let had = by.map_or_else(String::new, |by| format!(" by {}", said(by)));
    Found {
        code,
        subject: format!("customer {}", plan.assets[place].customer),
        what: format!("for {} the notice had to leave{had}; {why}", said(opens)),
        when: by.or(Some(opens)),
        remedy: remedy.to_owned(),
    }
}

/// Its windows were full.
pub fn full(plan: &Plan<'_>, place: usize, present: &Present<'_>, code: Code) -> Found {
    let window = &plan.class(place).window;
    let most = plan.input.overflow.at_most;
    let what = match code {
        Code::OverflowUsed => format!("its window and {most} further ones are too short for all"),
        _ => "its windows are too short for all, and the next cycle begins".to_owned(),
    };
    Found {
        code,
        subject: format!("wave {}, window {window}", present.wave.name),
        what,
        when: None,
        remedy: "raise `at_once`, or spread the servers over more windows".to_owned(),
    }
}
