//! Events of a step whose work is done by child lanes.

use crate::command::RetryItem;
use crate::deferral::Deferral;
use crate::event::{ChildEnd, Event, Stage};
use crate::lane::{
    ChildMove, Children, ChildrenKind, CustomerShare, FellBack, Lane, Live, Phase, SetAside,
    group_of,
};
use crate::result::LaneResult;

pub fn apply(lane: &mut Lane, event: &Event, at_ms: i64) {
    if let Event::SpawnPlanned {
        kind,
        items,
        total,
        waves,
        customers,
    } = event
    {
        let mut children = Children::new(*kind, at_ms);
        children.items = *items;
        children.total = *total;
        children.waves.clone_from(waves);
        let share = |left: &u32| CustomerShare {
            left: *left,
            ..CustomerShare::default()
        };
        children.customers = customers
            .iter()
            .map(|(id, left)| (id.clone(), share(left)))
            .collect();
        lane.children = Some(Box::new(children));
        lane.phase = Phase::Children;
        return;
    }
    let Some(children) = lane.children.as_deref_mut() else {
        return;
    };
    match event {
        Event::ChildrenAdmitted {
            children: admitted,
            passed,
            next,
        } => {
            let came = |index: &u32| admitted.iter().any(|child| child.index == *index);
            children.again.retain(|index| !came(index));
            children.passed.clone_from(passed);
            children.next = *next;
            children.next_round_ms = None;
            if children.kind == ChildrenKind::Rounds {
                children.round += 1;
            }
            for child in admitted {
                if let Some(item) = children.put_off.get_mut(&child.index) {
                    item.back = true;
                }
                let live = Live {
                    lane: child.lane,
                    index: child.index,
                    iteration: child.iteration,
                    groups: child.groups.clone(),
                    began: false,
                    held_ms: None,
                };
                children.live.insert(child.key.clone(), live);
            }
        }
        Event::ChildrenEnded { ends } => ends.iter().for_each(|end| ended(children, end, at_ms)),
        Event::AdmissionStopped { why } => children.stopped = Some(why.clone()),
        Event::WaveThrough { soak_until_ms } => {
            children.soak_until_ms = *soak_until_ms;
            children.gate_due = true;
            children.next_round_ms = None;
        }
        Event::SoakEnded => children.soak_until_ms = None,
        Event::GatePassed => gate_passed(children, at_ms),
        Event::RoundDue { at_ms } => children.next_round_ms = Some(*at_ms),
        Event::ItemsReopened { items, groups, .. } => {
            for (position, item) in items.iter().enumerate() {
                reopened(
                    children,
                    item,
                    groups.get(position).map_or(&[], Vec::as_slice),
                );
            }
            children.gate_due = false;
            children.soak_until_ms = None;
            children.next_round_ms = None;
            children.failed_in_row = 0;
            lane.phase = Phase::Children;
        }
        Event::NoticeDue {
            customer, instead, ..
        } => {
            if let Some(share) = children.customers.get_mut(customer) {
                told(share, event);
                share.fell_back |= instead.is_some();
            }
            lane.fell_back.extend(instead.iter().map(|to| FellBack {
                customer: customer.clone(),
                to: to.clone(),
                at_ms,
            }));
        }
        Event::AnnouncementStands { customer } => {
            if let Some(share) = children.customers.get_mut(customer) {
                share.stale_ms = None;
            }
        }
        Event::SharesDue { at_ms } => children.shares_ms = *at_ms,
        Event::ChildMoved { moved: it } => moved(children, it, at_ms),
        Event::TurnsPutOff { deferral } => put_off(children, deferral, at_ms),
        _ => {}
    }
}

/// What a customer hears.
fn told(share: &mut CustomerShare, event: &Event) {
    let Event::NoticeDue {
        stage,
        revision,
        slot,
        remind_ms,
        rolling,
        ..
    } = event
    else {
        return;
    };
    share.rolling = rolling.or(share.rolling);
    match stage {
        Stage::Scheduled | Stage::Changed => {
            (share.revision, share.slot) = (*revision, *slot);
            (share.remind_ms, share.stale_ms) = (*remind_ms, None);
        }
        Stage::Reminder => share.remind_ms = None,
        Stage::Started => share.started = true,
        Stage::Completed | Stage::Cancelled => share.told_end = true,
        Stage::Progress | Stage::Report | Stage::Asked => {}
    }
}

/// A child that is held beyond what was announced makes the announcement doubtful.
fn moved(children: &mut Children, moved: &ChildMove, at_ms: i64) {
    let Some(live) = children.live.get_mut(&moved.key) else {
        return;
    };
    live.began |= moved.held_ms.is_none();
    live.held_ms = moved.held_ms;
    let customer = group_of(&live.groups, "customer");
    let share = customer.and_then(|id| children.customers.get_mut(id));
    if let (Some(share), Some(held_ms)) = (share, moved.held_ms)
        && share.slot.is_none_or(|slot| !slot.covers(held_ms))
    {
        share.stale_ms.get_or_insert(at_ms);
    }
}

/// What was announced of these servers is not so any more.
fn put_off(children: &mut Children, deferral: &Deferral, at_ms: i64) {
    for turn in &deferral.turns {
        let item = SetAside {
            key: turn.key.clone(),
            put_off: deferral.of(turn),
            back: false,
        };
        children.put_off.insert(turn.index, item);
    }
    if let Some(share) = children.customers.get_mut(&deferral.customer) {
        share.stale_ms.get_or_insert(at_ms);
    }
}

fn ended(children: &mut Children, end: &ChildEnd, at_ms: i64) {
    let Some(live) = children.live.remove(&end.key) else {
        return;
    };
    if end.result == LaneResult::Deferred && children.set_aside(live.index).is_some() {
        // It counts nowhere until the lane of its later turn ends.
        *children.iterations.entry(live.index).or_default() += 1;
        return;
    }
    children.put_off.remove(&live.index);
    children.tally.add(end.result);
    children.wave_tally.add(end.result);
    children.last = Some(end.result);
    if end.result.is_done() {
        children.failed_in_row = 0;
        children.good_in_row += 1;
    } else if end.result.is_failure() {
        children.failed_in_row += 1;
        children.good_in_row = 0;
        for group in &live.groups {
            *children.failed_per.entry(group.clone()).or_default() += 1;
        }
    }
    // Held, deferred, cancelled, nothing to do: neither breaks a row nor proves anything.
    if end.open_undo && children.kind != ChildrenKind::Each {
        children.open_undo.push(end.lane);
    }
    if let Some(share) =
        group_of(&live.groups, "customer").and_then(|id| children.customers.get_mut(id))
    {
        share.left = share.left.saturating_sub(1);
        share.done += u32::from(end.result.is_done());
        // Left out before anything of theirs began: it was announced, and does not happen.
        if !share.started && !end.result.is_done() && share.left > 0 {
            share.stale_ms.get_or_insert(at_ms);
        }
    }
    // Every failed item was run again and went well: nothing stands against the others.
    if children.live.is_empty() && children.again.is_empty() && children.tally.failures() == 0 {
        children.stopped = None;
    }
}

/// As if the item had not ended: it counts nowhere until its next child ends.
fn reopened(children: &mut Children, item: &RetryItem, groups: &[String]) {
    children.tally.remove(item.result);
    let first = children.present_wave().map_or(0, |wave| wave.from);
    if item.index >= first {
        children.wave_tally.remove(item.result);
    }
    *children.iterations.entry(item.index).or_default() += 1;
    children.again.push(item.index);
    if item.result.is_failure() {
        for group in groups {
            if let Some(failed) = children.failed_per.get_mut(group) {
                *failed = failed.saturating_sub(1);
            }
        }
    }
    if let Some(share) = group_of(groups, "customer").and_then(|id| children.customers.get_mut(id))
    {
        share.left += 1;
        share.told_end = false;
    }
}

/// People (or nobody, where no gate stands) let the next items go: the rest of a stopped wave first.
fn gate_passed(children: &mut Children, at_ms: i64) {
    children.gate_due = false;
    children.soak_until_ms = None;
    children.stopped = None;
    if children.wave_is_through() && !children.waits_for_put_off() {
        children.wave += 1;
        let counts = children.present_wave().map(|wave| wave.counts_windows);
        children.wave_began_ms = counts.unwrap_or(false).then_some(at_ms);
        children.wave_tally = crate::lane::Tally::default();
    }
}
