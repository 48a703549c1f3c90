//! One wave in simulated time: who is let in when, as the engine would do if every server went well.
//!
//! In order of the list; who does not fit into the rest of the window goes to the next one. A server
//! that waits for its group is looked at again only when a place in that group is free, so that the
//! work grows with the number of servers. Not here: which wave, and why nothing is possible at all.

use super::slots::fits;
use crate::moment::Moment;
use hostler_calendar::interval::Interval;
use hostler_core::decide::LIVE_MAX;
use hostler_core::definition::Ramp;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// One server that has at least one slot.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    pub slots: &'a [Interval],
    /// Place of the first slot in which it fits.
    pub home: usize,
    /// Not before.
    pub earliest: Moment,
    pub needed_ms: u64,
    pub steps_ms: u64,
    /// Places of its group and its parent in the list of limits.
    pub keys: [Option<usize>; 2],
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Done {
        slot: usize,
        starts: Moment,
        ends: Moment,
        overflow: u32,
    },
    /// As many further windows as are allowed were too full.
    OverflowUsed,
    /// The cycle ends before another window.
    NoRoom,
}

/// How many may be disturbed at once.
pub struct Limits<'a> {
    pub ramp: &'a Ramp,
    /// Of the wave.
    pub size: usize,
    pub overflow_at_most: u32,
    /// By key.
    pub keys: &'a [u32],
}

/// Ends before arrivals: what is given back can be taken at the same instant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    End(usize),
    Arrive(usize),
}

/// The fate of each job, by its place.
pub fn run(jobs: &[Job<'_>], limits: &Limits<'_>, looks: &mut usize) -> Vec<Fate> {
    let mut floor = Floor::new(jobs, limits);
    while let Some(Reverse((now, _))) = floor.events.peek() {
        let now = *now;
        floor.pass(now);
    }
    *looks += floor.looks;
    floor.fates
}

struct Floor<'a> {
    jobs: &'a [Job<'a>],
    limits: &'a Limits<'a>,
    events: BinaryHeap<Reverse<(Moment, Event)>>,
    ready: BTreeSet<usize>,
    keys: Vec<Key>,
    live: u32,
    good: u32,
    /// Present slot and how many were too full, by job.
    at: Vec<(usize, u32)>,
    fates: Vec<Fate>,
    looks: usize,
}

#[derive(Clone, Default)]
struct Key {
    taken: u32,
    waiting: BTreeSet<usize>,
}

impl<'a> Floor<'a> {
    fn new(jobs: &'a [Job<'a>], limits: &'a Limits<'a>) -> Self {
        let arrive = |(place, job): (usize, &Job<'_>)| {
            let slot = job.slots.get(job.home)?;
            let at = Moment(slot.from).max(job.earliest);
            Some(Reverse((at, Event::Arrive(place))))
        };
        Self {
            jobs,
            limits,
            events: jobs.iter().enumerate().filter_map(arrive).collect(),
            ready: BTreeSet::new(),
            keys: vec![Key::default(); limits.keys.len()],
            live: 0,
            good: 0,
            at: jobs.iter().map(|job| (job.home, 0)).collect(),
            fates: vec![Fate::NoRoom; jobs.len()],
            looks: 0,
        }
    }

    /// Everything of one instant.
    fn pass(&mut self, now: Moment) {
        while let Some(Reverse((at, event))) = self.events.peek().copied() {
            if at > now {
                break;
            }
            self.events.pop();
            match event {
                Event::End(place) => self.end(place),
                Event::Arrive(place) => {
                    self.ready.insert(place);
                }
            }
        }
        while self.live < self.most() {
            let Some(place) = self.ready.pop_first() else {
                break;
            };
            self.look(place, now);
        }
    }

    fn end(&mut self, place: usize) {
        self.live -= 1;
        self.good += 1;
        for key in self.jobs[place].keys.into_iter().flatten() {
            self.keys[key].taken -= 1;
            self.wake(key);
        }
    }

    /// The first that waits for this key is looked at again, if there is room.
    fn wake(&mut self, key: usize) {
        if self.has_room(key)
            && let Some(next) = self.keys[key].waiting.pop_first()
        {
            self.ready.insert(next);
        }
    }

    fn has_room(&self, key: usize) -> bool {
        self.keys[key].taken < self.limits.keys[key]
    }

    fn look(&mut self, place: usize, now: Moment) {
        self.looks += 1;
        let job = &self.jobs[place];
        let (slot, overflow) = self.at[place];
        let keys = || job.keys.into_iter().flatten();
        if !fits(&job.slots[slot], now, job.needed_ms) {
            self.advance(place, now);
            // It may have been woken for a place that it does not take.
            keys().for_each(|key| self.wake(key));
            return;
        }
        if let Some(full) = keys().find(|key| !self.has_room(*key)) {
            self.keys[full].waiting.insert(place);
            keys()
                .filter(|key| *key != full)
                .for_each(|key| self.wake(key));
            return;
        }
        keys().for_each(|key| self.keys[key].taken += 1);
        self.live += 1;
        let ends = now.plus(job.steps_ms.max(1));
        self.events.push(Reverse((ends, Event::End(place))));
        self.fates[place] = Fate::Done {
            slot,
            starts: now,
            ends,
            overflow,
        };
    }

    /// To the next slot in which it fits, unless that are too many.
    fn advance(&mut self, place: usize, now: Moment) {
        let job = &self.jobs[place];
        let (present, mut overflow) = self.at[place];
        for (slot, interval) in job.slots.iter().enumerate().skip(present + 1) {
            if !fits(interval, job.earliest, job.needed_ms) {
                continue;
            }
            overflow += 1;
            if overflow > self.limits.overflow_at_most {
                self.fates[place] = Fate::OverflowUsed;
                return;
            }
            if fits(interval, now, job.needed_ms) {
                self.at[place] = (slot, overflow);
                let at = Moment(interval.from).max(now);
                self.events.push(Reverse((at, Event::Arrive(place))));
                return;
            }
        }
        self.fates[place] = Fate::NoRoom;
    }

    fn most(&self) -> u32 {
        let wanted = match self.limits.ramp {
            Ramp::Fixed(number) => (*number).max(1),
            Ramp::Percent(percent) => {
                let share = self.limits.size as u64 * u64::from(*percent) / 100;
                u32::try_from(share.max(1)).unwrap_or(u32::MAX)
            }
            Ramp::Stages(stages) => staged(stages, self.good),
        };
        wanted.min(LIVE_MAX)
    }
}

/// Each stage lasts until as many as it allows have gone well in a row, as in the core.
fn staged(stages: &[u32], mut good: u32) -> u32 {
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
