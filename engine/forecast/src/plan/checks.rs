//! What stands in the way of more than one asset: redundancy groups, and the approval.
//!
//! Not here: customers' own (notices, budgets, deadlines).

use super::Plan;
use super::conflicts::Found;
use super::slots::fits;
use crate::code::Code;
use crate::forecast::{Approval, Outcome, WaveRow};
use crate::moment::Moment;
use hostler_core::duration::write_ms;
use std::collections::BTreeMap;

pub fn all(plan: &mut Plan<'_>, waves: &[WaveRow]) {
    for (found, places) in groups(plan, waves) {
        for place in places {
            let asset = plan.assets[place].id.as_str();
            plan.conflicts.add(found.clone(), Some(asset));
        }
    }
    if let Some(found) = plan.approval.as_ref().and_then(|one| approvers(plan, one)) {
        plan.conflicts.add(found, None);
    }
}

/// Groups that share one window in one wave, and do not fit into it one after the other.
fn groups(plan: &Plan<'_>, waves: &[WaveRow]) -> Vec<(Found, Vec<usize>)> {
    let mut together: BTreeMap<(usize, usize, usize), Vec<usize>> = BTreeMap::new();
    for place in 0..plan.assets.len() {
        let [group, _] = plan.keys[place];
        // What is held for another reason has been told.
        let told = match &plan.outcomes[place] {
            Some(Outcome::Held { code, .. }) => ![Code::OverflowUsed, Code::NoRoom].contains(code),
            _ => false,
        };
        if let (Some(group), Some(wave), false) = (group, plan.wave_of[place], told) {
            let key = (group, wave, plan.classes.of[place]);
            together.entry(key).or_default().push(place);
        }
    }
    let all = together.into_iter();
    let pairs = all.filter(|(_, places)| places.len() > 1);
    pairs
        .filter_map(|((group, wave, _), places)| {
            let opens = waves.get(wave)?.opens;
            let found = too_long(plan, plan.limits[group], opens, &places)?;
            Some((found, places))
        })
        .collect()
}

fn too_long(plan: &Plan<'_>, limit: u32, opens: Moment, places: &[usize]) -> Option<Found> {
    let place = *places.first()?;
    let steps = |place: &usize| plan.input.durations.of(&plan.assets[*place].id).steps_ms;
    let rounds = places.len().div_ceil(limit.max(1) as usize) as u64;
    let longest = places.iter().map(steps).max()?;
    let last = places.iter().map(|place| plan.needed_ms(*place)).max()?;
    let needed_ms = longest.saturating_mul(rounds - 1).saturating_add(last);
    let class = plan.class(place);
    if class.free.iter().any(|slot| fits(slot, opens, needed_ms)) {
        return None;
    }
    let name = plan.assets[place].group.as_deref()?;
    Some(Found {
        code: Code::PairTooLong,
        subject: format!("group {name}"),
        what: format!(
            "its {} members have only the window {}, and one after the other need {} of it; the longest opening is {}",
            places.len(),
            class.window,
            write_ms(needed_ms),
            write_ms(class.longest_ms())
        ),
        when: None,
        remedy: "give them different windows, or put them into different waves".to_owned(),
    })
}

fn approvers(plan: &Plan<'_>, approval: &Approval) -> Option<Found> {
    let zone = &plan.input.zone;
    let holders = plan.input.approvers.people.len();
    if holders < approval.quorum as usize {
        return Some(Found {
            code: Code::NoApprover,
            subject: "the approval".to_owned(),
            what: format!(
                "{} of {} must approve, {holders} could; nothing of this takes place",
                approval.quorum, approval.who
            ),
            when: Some(approval.asked),
            remedy: format!("give more people {}", approval.who),
        });
    }
    approval.possible_from.is_none().then(|| Found {
        code: Code::ApproversAway,
        subject: "the approval".to_owned(),
        what: format!(
            "too few of {} are there from {} until it expires {}; nothing of this takes place",
            approval.who,
            approval.asked.people(zone),
            approval.expires.people(zone)
        ),
        when: Some(approval.asked),
        remedy: "name stand-ins who are there, or let it expire later".to_owned(),
    })
}
