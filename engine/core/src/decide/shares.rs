//! What customers hear of their shares: announced, changed, reminded, begun, going on, over.
//!
//! A change is told once it has settled, so that a hundred servers that are held over are one message. Not here:
//! what differs (the worker compares), and who has the announcement (the outbox knows).

use super::Draft;
use crate::command::{Comparison, StandIns};
use crate::definition::NoticePlan;
use crate::event::{Event, Stage};
use crate::lane::{ChildMove, CustomerShare, Live, Origin, PROGRESS_MAX, Rolling, Slot, group_of};
use crate::refusal::Refusal;
use std::collections::BTreeMap;

/// Revision and slot of an announcement.
type About = (u32, Option<Slot>);

impl Draft<'_> {
    /// The first word to each customer: what is planned, and when.
    pub(super) fn announce_first(&mut self, slots: &BTreeMap<String, Slot>) {
        self.tell(Stage::Scheduled, &|customer, share| {
            (share.left > 0).then(|| (0, slots.get(customer).copied()))
        });
    }

    /// Tells customers of what they know already, where the step sends notices.
    pub(super) fn announce(&mut self, stage: Stage, whom: &dyn Fn(&CustomerShare) -> bool) {
        self.tell(stage, &|_, share| {
            whom(share).then_some((share.revision, share.slot))
        });
    }

    fn tell(&mut self, stage: Stage, what: &dyn Fn(&str, &CustomerShare) -> Option<About>) {
        let Some(notices) = self.step().and_then(|step| step.notices.as_ref()) else {
            return;
        };
        let Some(children) = self.lane.children.as_deref() else {
            return;
        };
        let due: Vec<_> = children
            .customers
            .iter()
            .filter_map(|(customer, share)| {
                let about = what(customer, share)?;
                Some(due(notices, stage, (customer, share), about, self.at_ms))
            })
            .collect();
        due.into_iter().for_each(|event| self.push(event));
    }

    /// Nobody there has what was announced, or ever will: alternate contacts hear of it as it is now, once.
    pub(super) fn unreached(&mut self, unreached: Vec<StandIns>) -> Result<(), Refusal> {
        let (step, _) = self.present_step()?;
        let Some(notices) = step.notices.as_ref().filter(|notices| notices.alternates) else {
            return self.unexpected("alternate contacts");
        };
        for StandIns {
            customer,
            slot,
            people,
        } in unreached
        {
            let share = self.children()?.customers.get(&customer);
            let Some(share) = share.filter(|share| share.may_fall_back()) else {
                continue;
            };
            let about = (share.revision, slot);
            let of = (customer.as_str(), share);
            let mut event = due(notices, Stage::Scheduled, of, about, self.at_ms);
            if let Event::NoticeDue { instead, .. } = &mut event {
                *instead = Some(people);
            }
            self.push(event);
        }
        Ok(())
    }

    /// A child is held, or has begun. Passed on where the announcement was made further up.
    pub(super) fn child_moved(&mut self, moved: ChildMove) -> Result<(), Refusal> {
        let children = self.lane.children.as_deref();
        let live = children.and_then(|children| children.live.get(&moved.key));
        let is_news = |live: &&Live| {
            let same = live.lane == moved.lane && live.iteration == moved.iteration;
            same && !live.began && (moved.held_ms.is_none() || live.held_ms != moved.held_ms)
        };
        let live = live.filter(is_news).ok_or_else(|| Refusal::StaleChild {
            key: moved.key.clone(),
        })?;
        let customer = group_of(&live.groups, "customer").map(str::to_owned);
        let held_ms = moved.held_ms;
        self.push(Event::ChildMoved { moved });
        if held_ms.is_none() {
            self.tell(Stage::Started, &|id, share| {
                let first = Some(id) == customer.as_deref() && !share.started;
                first.then_some((share.revision, share.slot))
            });
        }
        self.tell_parent(held_ms);
        Ok(())
    }

    /// What this lane does was announced further up: there it is known whether it is held, or (none) has begun.
    pub(super) fn tell_parent(&mut self, held_ms: Option<i64>) {
        let Origin::Program(program) = self.lane.opening.origin else {
            return;
        };
        let announced = self.context.definition.announcement(program).is_some();
        if announced && self.lane.opening.parent.is_some() && !self.lane.begun {
            self.push(Event::MoveTold { held_ms });
        }
    }

    /// What the worker found about announcements that may no longer be so.
    pub(super) fn compared(&mut self, compared: Vec<Comparison>) -> Result<(), Refusal> {
        let at_ms = self.at_ms;
        for Comparison {
            customer,
            slot,
            differs,
        } in compared
        {
            let children = self.children()?;
            let share = children.customers.get(&customer);
            if !share.is_some_and(|share| share.is_compared(at_ms)) {
                continue;
            }
            if differs {
                self.tell(Stage::Changed, &|id, share| {
                    (id == customer).then_some((share.revision + 1, slot))
                });
            } else {
                self.push(Event::AnnouncementStands { customer });
            }
        }
        Ok(())
    }

    /// Whether anybody is reminded, or hears how it goes, now: one message, however many have come due meanwhile.
    pub(super) fn remind_shares(&mut self) -> bool {
        let (at_ms, before) = (self.at_ms, self.events.len());
        self.announce(Stage::Reminder, &|share| share.is_reminded(at_ms));
        self.announce(Stage::Progress, &|share| share.hears_progress(at_ms));
        self.events.len() > before
    }

    /// The shares ring once more when the next of them is due.
    pub(super) fn set_shares(&mut self) {
        let Some(children) = self.lane.children.as_deref() else {
            return;
        };
        let next_ms = children
            .customers
            .values()
            .filter_map(CustomerShare::next_ms);
        let at_ms = next_ms.min();
        if !self.lane.has_ended() && at_ms != children.shares_ms {
            self.push(Event::SharesDue { at_ms });
        }
    }
}

/// One stage for one customer.
fn due(
    notices: &NoticePlan,
    stage: Stage,
    (customer, share): (&str, &CustomerShare),
    (revision, slot): About,
    at_ms: i64,
) -> Event {
    let announces = matches!(stage, Stage::Scheduled | Stage::Changed);
    let remind_ms = |slot: Slot| {
        let due_ms = slot.starts_ms.saturating_sub_unsigned(notices.remind_ms?);
        // Who hears of it now need not be reminded at once.
        (announces && due_ms > at_ms).then_some(due_ms)
    };
    Event::NoticeDue {
        stage,
        customer: customer.to_owned(),
        template: notices.template.clone(),
        revision,
        slot,
        remind_ms: slot.and_then(remind_ms),
        rolling: rolling(notices, stage, share, slot, at_ms),
        instead: None,
    }
}

/// Where a customer stands behind this message in those on how it goes; none: where it stood. What is announced for
/// later is not going on before then.
fn rolling(
    notices: &NoticePlan,
    stage: Stage,
    share: &CustomerShare,
    slot: Option<Slot>,
    at_ms: i64,
) -> Option<Rolling> {
    let every_ms = notices.every_ms?;
    let sent = share.rolling.unwrap_or_default().number;
    let (number, from_ms) = match stage {
        Stage::Scheduled | Stage::Changed if !share.started => {
            (sent, slot.map_or(at_ms, |slot| slot.starts_ms.max(at_ms)))
        }
        Stage::Started => (sent, at_ms),
        Stage::Progress => (sent + 1, at_ms),
        _ => return None,
    };
    let next_ms = from_ms.saturating_add_unsigned(every_ms);
    Some(Rolling {
        number,
        next_ms: (number < PROGRESS_MAX).then_some(next_ms),
    })
}
