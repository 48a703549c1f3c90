//! How many children may live, who comes next, and when to admit no more.

use super::{ADMIT_MAX, LIVE_MAX, LOOK_AHEAD_MAX};
use crate::definition::{AtOnce, Each, Ramp, StopAt};
use crate::event::Admitted;
use crate::id::LaneId;
use crate::lane::{Children, Item};

/// An operator's retry of items makes new children; a new visit of the step makes all new.
pub const ITERATIONS_PER_VISIT: u32 = 1_000;

/// Most live children at this moment.
#[must_use]
pub fn limit(at_once: &AtOnce, children: &Children) -> u32 {
    let wanted = match &at_once.ramp {
        Ramp::Fixed(number) => (*number).max(1),
        Ramp::Percent(percent) => {
            let size = children
                .present_wave()
                .map_or(children.total, |wave| wave.to - wave.from);
            (u64::from(size) * u64::from(*percent) / 100)
                .max(1)
                .try_into()
                .unwrap_or(u32::MAX)
        }
        Ramp::Stages(stages) => ramp(stages, children.good_in_row),
    };
    wanted.min(LIVE_MAX)
}

/// Each stage lasts until as many children as it allows have gone well in a row; a failure begins
/// the ramp anew.
fn ramp(stages: &[u32], mut good: u32) -> u32 {
    let mut present = 1;
    for stage in stages {
        present = (*stage).max(1);
        if good < present {
            break;
        }
        good -= present;
    }
    present
}

/// What one decision lets in.
pub struct Admission {
    pub admitted: Vec<Admitted>,
    pub passed: Vec<u32>,
    pub next: u32,
}

/// Picks the next items in order, passing over those whose group is full and, without keeping their place, those that
/// were put off: these come first once their time has come, of whatever wave. While the wave is not open: only they, and
/// those that are run again.
pub fn admit(
    each: &Each,
    children: &Children,
    items: &[Item],
    place: Place<'_>,
    (open, at_ms): (bool, i64),
) -> Admission {
    let mut groups = Groups::of(&each.at_once, children);
    let room = (limit(&each.at_once, children) as usize)
        .saturating_sub(children.live.len())
        .min(ADMIT_MAX);
    let end = children
        .present_wave()
        .map_or(children.total, |wave| wave.to);
    let mut admission = Admission {
        admitted: Vec::new(),
        passed: Vec::new(),
        next: children.next,
    };
    for index in &children.again {
        let item = items.get(*index as usize);
        if let Some(item) = item
            && admission.admitted.len() < room
            && groups.enter(item)
        {
            admission
                .admitted
                .push(place.admitted(children, *index, item));
        }
    }
    if children.stopped.is_some() {
        admission.passed.clone_from(&children.passed);
        return admission;
    }
    for index in children.put_off_due(at_ms) {
        let item = items.get(index as usize);
        if let Some(item) = item.filter(|_| admission.admitted.len() < room)
            && groups.enter(item)
        {
            let child = place.admitted(children, index, item);
            admission.admitted.push(child);
        }
    }
    if !open {
        admission.passed.clone_from(&children.passed);
        return admission;
    }
    let mut waiting = children.passed.iter().copied();
    loop {
        let index = match waiting.next() {
            Some(index) => index,
            None if admission.passed.len() >= LOOK_AHEAD_MAX || admission.next >= end => break,
            None if admission.admitted.len() >= room => break,
            None => {
                admission.next += 1;
                admission.next - 1
            }
        };
        let Some(item) = items.get(index as usize) else {
            continue;
        };
        if children.is_put_off(index, at_ms) {
            continue;
        }
        if admission.admitted.len() < room && groups.enter(item) {
            admission
                .admitted
                .push(place.admitted(children, index, item));
        } else {
            admission.passed.push(index);
        }
    }
    admission
}

/// Where children of a step are placed.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub lane: LaneId,
    pub step: &'a str,
    pub visit: u32,
}

impl Place<'_> {
    pub fn iteration(self, reopened: u32) -> u32 {
        self.visit * ITERATIONS_PER_VISIT + reopened
    }

    fn admitted(self, children: &Children, index: u32, item: &Item) -> Admitted {
        let iteration = self.iteration(children.iterations.get(&index).copied().unwrap_or(0));
        Admitted {
            index,
            key: item.key.clone(),
            lane: self.lane.child(self.step, iteration, &item.key),
            iteration,
            groups: item.groups.clone(),
        }
    }
}

/// Live children per group value.
struct Groups<'a> {
    limits: &'a AtOnce,
    taken: std::collections::BTreeMap<String, u32>,
}

impl<'a> Groups<'a> {
    fn of(limits: &'a AtOnce, children: &Children) -> Self {
        let mut groups = Self {
            limits,
            taken: std::collections::BTreeMap::new(),
        };
        for live in children.live.values() {
            for group in &live.groups {
                *groups.taken.entry(group.clone()).or_default() += 1;
            }
        }
        groups
    }

    fn enter(&mut self, item: &Item) -> bool {
        let free = self.limits.per.iter().all(|per| {
            item.group(&per.attribute).is_none_or(|value| {
                let taken = self
                    .taken
                    .get(&format!("{}={value}", per.attribute))
                    .copied()
                    .unwrap_or(0);
                taken < per.limit.max(1)
            })
        });
        if free {
            for group in &item.groups {
                *self.taken.entry(group.clone()).or_default() += 1;
            }
        }
        free
    }
}

/// Why no more may be admitted, if a bound is reached. Asked after each end that is a failure.
pub fn stop_reason(stop_at: &StopAt, children: &Children) -> Option<String> {
    let failed = children.tally.failures();
    let ended = children.tally.total();
    if stop_at.count.is_some_and(|count| failed >= count) {
        return Some(format!("{failed} failed"));
    }
    if let Some(percent) = stop_at.percent
        && ended >= stop_at.after
        && u64::from(failed) * 100 >= u64::from(percent) * u64::from(ended.max(1))
    {
        return Some(format!(
            "{failed} of {ended} failed ({percent} % is the limit)"
        ));
    }
    if stop_at
        .consecutive
        .is_some_and(|count| children.failed_in_row >= count)
    {
        return Some(format!("{} failed in a row", children.failed_in_row));
    }
    if let Some(wave) = children.present_wave() {
        let limit = stop_at
            .waves
            .iter()
            .find(|(name, _)| *name == wave.name)
            .map(|(_, limit)| *limit);
        let in_wave = children.wave_tally.failures();
        if limit.is_some_and(|limit| in_wave >= limit) {
            return Some(format!("{in_wave} failed in the wave {}", wave.name));
        }
    }
    stop_at.per.iter().find_map(|per| {
        let prefix = format!("{}=", per.attribute);
        let (group, failed) = children
            .failed_per
            .iter()
            .find(|(group, n)| group.starts_with(&prefix) && **n >= per.limit)?;
        Some(format!("{failed} failed in {group}"))
    })
}
