//! Walking the calendar: from local days and times to instants in order, each once.
//!
//! Not here: which days a rule names, and what one local time becomes in a zone.

use crate::business::BusinessDays;
use crate::occurrence::{Change, Occurrence};
use crate::schedule::{Schedule, When};
use crate::zone::{Calm, Fold, Gap, Zone, later};
use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Most occurrences of one question.
pub const OCCURRENCES_MAX: usize = 10_000;
/// Most days walked for one question: rules as rare as the 29th of February are found.
const DAYS_MAX: i64 = 366 * 30;
/// Days whose dates are asked of a rule together; a month or two, so that the anchors of a monthly
/// rule are not looked for day by day.
const BLOCK_DAYS: i64 = 45;
/// A clock moves by a day at most, and dates of one instant differ by one between zones.
const MARGIN_DAYS: i64 = 2;

/// Occurrences in order, each later than the one before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub list: Vec<Occurrence>,
    /// Where the answer was cut off, because it has as many as were asked for or the walk was too
    /// long: the list is complete before this instant. None: it is complete.
    pub cut: Option<Timestamp>,
}

/// The firings from `from` (included) to `to` (not included), at most `max` of them (and never more
/// than [`OCCURRENCES_MAX`]). The answer for an instant does not depend on the range asked for.
#[must_use]
pub fn occurrences(schedule: &Schedule, from: Timestamp, to: Timestamp, max: usize) -> Found {
    let range = Range {
        from,
        to,
        max: max.min(OCCURRENCES_MAX),
    };
    match schedule.when() {
        When::Every(ms) => every(schedule.zone(), *ms, &range),
        When::Days { rule, at } => {
            let business = schedule.business();
            Walk::new(schedule.zone(), schedule.gap(), schedule.fold()).through(
                &range,
                |from, to| rule.dates(from, to, business),
                at,
            )
        }
        When::Cron(cron) => Walk::new(schedule.zone(), schedule.gap(), schedule.fold()).through(
            &range,
            |from, to| matching(cron, from, to),
            cron.times(),
        ),
    }
}

/// The openings of a window: days at one time, where what lies in a gap begins at its end.
pub(crate) fn openings(
    zone: &Zone,
    rule: &crate::when::DayRule,
    at: Time,
    business: Option<&BusinessDays>,
    range: &Range,
) -> Found {
    Walk::new(zone, Gap::End, Fold::First).through(
        range,
        |from, to| rule.dates(from, to, business),
        &[at],
    )
}

/// A half-open range of instants, and the most that is wanted of it.
pub(crate) struct Range {
    pub from: Timestamp,
    pub to: Timestamp,
    pub max: usize,
}

fn matching(cron: &crate::when::Cron, from: Date, to: Date) -> Vec<Date> {
    let next = |date: &Date| date.tomorrow().ok();
    let dates = std::iter::successors(Some(from), next).take_while(|date| *date <= to);
    dates.filter(|date| cron.matches(*date)).collect()
}

fn every(zone: &Zone, ms: u64, range: &Range) -> Found {
    let mut found = Found::default();
    let Ok(period) = i64::try_from(ms.max(1)) else {
        return found;
    };
    // The first multiple at or after `from`, also when that has a part of a millisecond.
    let whole = range.from.as_millisecond().div_euclid(period);
    let mut at = Timestamp::from_millisecond(whole * period).ok();
    if at.is_some_and(|at| at < range.from) {
        at = Timestamp::from_millisecond((whole + 1) * period).ok();
    }
    while let Some(instant) = at.filter(|at| *at < range.to) {
        if found.list.len() == range.max {
            found.cut = Some(instant);
            break;
        }
        let (wall, offset) = zone.wall(instant);
        found.list.push(Occurrence {
            wanted: wall,
            wall,
            instant,
            offset,
            change: Change::None,
        });
        at = instant
            .checked_add(SignedDuration::from_millis(period))
            .ok();
    }
    found
}

struct Walk<'a> {
    zone: &'a Zone,
    gap: Gap,
    fold: Fold,
    calm: Option<Calm>,
    /// Found, but perhaps not the next: a later day can come before them when clocks go back.
    pending: BTreeMap<Timestamp, Occurrence>,
}

impl<'a> Walk<'a> {
    fn new(zone: &'a Zone, gap: Gap, fold: Fold) -> Self {
        Self {
            zone,
            gap,
            fold,
            calm: None,
            pending: BTreeMap::new(),
        }
    }

    fn through(
        mut self,
        range: &Range,
        dates: impl Fn(Date, Date) -> Vec<Date>,
        times: &[Time],
    ) -> Found {
        let mut found = Found::default();
        if range.from >= range.to {
            return found;
        }
        let day = |instant, days| later(self.zone.wall(instant).0.date(), days);
        let mut first = day(range.from, -MARGIN_DAYS).unwrap_or(Date::MIN);
        let last = day(range.to, MARGIN_DAYS).unwrap_or(Date::MAX);
        let end = later(first, DAYS_MAX).unwrap_or(Date::MAX).min(last);
        while first <= end {
            let block_end = later(first, BLOCK_DAYS).unwrap_or(end).min(end);
            for date in dates(first, block_end) {
                self.day(date, times);
                if !self.settle(date, range, &mut found) {
                    return found;
                }
            }
            let Ok(next) = block_end.tomorrow() else {
                break;
            };
            first = next;
        }
        // What is left lies before the end, or the walk ended early.
        let reached = self.zone.instant(end.at(0, 0, 0, 0)).unwrap_or(range.to);
        if self.take(reached.min(range.to), range, &mut found) && end < last {
            found.cut = Some(reached);
        }
        found
    }

    /// Adds the instants of one day.
    fn day(&mut self, date: Date, times: &[Time]) {
        if !self
            .calm
            .is_some_and(|calm| calm.from <= date && date <= calm.to)
        {
            self.calm = self.zone.calm(date);
        }
        for time in times {
            let wanted = date.to_datetime(*time);
            let landings = match self.calm {
                Some(calm) => {
                    let instant = calm.offset.to_timestamp(wanted).ok();
                    [instant.map(|instant| plain(wanted, instant, calm)), None]
                }
                None => self.zone.resolve(wanted, self.gap, self.fold),
            };
            for landing in landings.into_iter().flatten() {
                self.add(landing);
            }
        }
    }

    /// One firing an instant: a shifted one gives way to the one that belongs there.
    fn add(&mut self, landing: Occurrence) {
        let rank = |one: &Occurrence| (one.change == Change::Shifted, one.wanted);
        let there = self.pending.entry(landing.instant).or_insert(landing);
        if rank(&landing) < rank(there) {
            *there = landing;
        }
    }

    /// Hands out what no later day can precede or replace. False when there are enough.
    fn settle(&mut self, date: Date, range: &Range, found: &mut Found) -> bool {
        let day = later(date, -MARGIN_DAYS).map(|date| date.at(0, 0, 0, 0));
        let sure = match (day, self.calm) {
            (Some(day), Some(calm)) if calm.from <= day.date() && day.date() <= calm.to => {
                calm.offset.to_timestamp(day).ok()
            }
            (Some(day), _) => self.zone.instant(day),
            (None, _) => None,
        };
        match sure {
            Some(sure) => self.take(sure.min(range.to), range, found),
            None => true,
        }
    }

    /// Hands out everything before an instant. False when there are enough.
    fn take(&mut self, before: Timestamp, range: &Range, found: &mut Found) -> bool {
        while let Some(entry) = self.pending.first_entry() {
            if *entry.key() >= before {
                break;
            }
            let occurrence = entry.remove();
            if occurrence.instant < range.from {
                continue;
            }
            if found.list.len() == range.max {
                found.cut = Some(occurrence.instant);
                return false;
            }
            found.list.push(occurrence);
        }
        true
    }
}

fn plain(wanted: jiff::civil::DateTime, instant: Timestamp, calm: Calm) -> Occurrence {
    Occurrence {
        wanted,
        wall: wanted,
        instant,
        offset: calm.offset,
        change: Change::None,
    }
}
