//! Intervals of time, and what several lists of them have together, in common, or left.
//!
//! Lists are in order and their intervals do not touch; every function here keeps that.

use jiff::Timestamp;

/// From an instant (included) to another (not included).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Interval {
    /// None when it would be empty.
    #[must_use]
    pub fn new(from: Timestamp, to: Timestamp) -> Option<Self> {
        (from < to).then_some(Self { from, to })
    }

    /// Elapsed time in milliseconds, whatever the clocks on the walls did meanwhile.
    #[must_use]
    pub fn elapsed_ms(&self) -> u64 {
        let length = self.to.as_millisecond() - self.from.as_millisecond();
        u64::try_from(length).unwrap_or_default()
    }

    #[must_use]
    pub fn contains(&self, instant: Timestamp) -> bool {
        self.from <= instant && instant < self.to
    }

    /// What lies in both.
    #[must_use]
    pub fn common(&self, other: &Self) -> Option<Self> {
        Self::new(self.from.max(other.from), self.to.min(other.to))
    }
}

/// What lies in at least one of them. The input need not be in order.
#[must_use]
pub fn union(mut all: Vec<Interval>) -> Vec<Interval> {
    all.sort_unstable_by_key(|interval| (interval.from, interval.to));
    let mut merged: Vec<Interval> = Vec::with_capacity(all.len());
    for interval in all {
        match merged.last_mut() {
            Some(last) if interval.from <= last.to => last.to = last.to.max(interval.to),
            _ => merged.push(interval),
        }
    }
    merged
}

/// What lies in both lists.
#[must_use]
pub fn intersection(left: &[Interval], right: &[Interval]) -> Vec<Interval> {
    let (mut one, mut other) = (0, 0);
    let mut common = Vec::new();
    while let (Some(a), Some(b)) = (left.get(one), right.get(other)) {
        common.extend(a.common(b));
        if a.to <= b.to {
            one += 1;
        } else {
            other += 1;
        }
    }
    common
}

/// What lies in the first list and not in the second.
#[must_use]
pub fn without(left: &[Interval], right: &[Interval]) -> Vec<Interval> {
    let mut rest = Vec::new();
    for interval in left {
        let mut from = interval.from;
        for cut in right.iter().filter(|cut| cut.common(interval).is_some()) {
            rest.extend(Interval::new(from, cut.from));
            from = from.max(cut.to);
        }
        rest.extend(Interval::new(from, interval.to));
    }
    rest
}
