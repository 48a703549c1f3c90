//! Rules for days, and the dates that they name.
//!
//! Not here: reading them from text; times of day.

use crate::business::BusinessDays;
use crate::zone::later;
use jiff::civil::{Date, Weekday};
use std::fmt;

/// A rule further away from its anchor than this is another rule.
pub const OFFSET_MAX_DAYS: u32 = 60;

/// Which days a rule begins from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    Daily,
    Weekly(Weekday),
    EachBusinessDay,
    /// 1 to 31; a month that is too short has none.
    DayOfMonth(i8),
    LastDay,
    /// 1 to 5, or -1 for the last; a month that has no fifth has none.
    NthWeekday(i8, Weekday),
    /// 1 to 5, or -1 for the last.
    NthBusinessDay(i8),
}

/// A base and how far from it: `last business day - 2bd`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayRule {
    pub base: Base,
    /// Signed, at most [`OFFSET_MAX_DAYS`].
    pub offset: i32,
    /// Whether `offset` counts business days.
    pub offset_is_business: bool,
}

impl DayRule {
    /// Whether its dates depend on who works when.
    #[must_use]
    pub fn needs_business_days(&self) -> bool {
        let base = matches!(self.base, Base::EachBusinessDay | Base::NthBusinessDay(_));
        base || self.offset_is_business
    }

    /// Its dates from `from` to `to`, both included, in order. Without business days, a rule that
    /// needs them has none.
    #[must_use]
    pub fn dates(&self, from: Date, to: Date, business: Option<&BusinessDays>) -> Vec<Date> {
        let none = BusinessDays::default();
        let business = business.unwrap_or(&none);
        let (Some(first), Some(last)) = self.reach(from, to, business) else {
            return Vec::new();
        };
        let moved = anchors(self.base, first, last, business)
            .into_iter()
            .filter_map(|anchor| self.moved(anchor, business));
        let mut dates: Vec<Date> = moved.filter(|date| (from..=to).contains(date)).collect();
        // Neighbouring anchors can land on one business day.
        dates.dedup();
        dates
    }

    fn moved(&self, anchor: Date, business: &BusinessDays) -> Option<Date> {
        if self.offset_is_business {
            business.add(anchor, self.offset)
        } else {
            later(anchor, i64::from(self.offset))
        }
    }

    /// Where the anchors of dates in this range lie. Moving keeps the order of dates, so one
    /// business day more on each side is enough.
    fn reach(&self, from: Date, to: Date, business: &BusinessDays) -> (Option<Date>, Option<Date>) {
        let back = -self.offset;
        if !self.offset_is_business {
            let days = i64::from(back);
            return (later(from, days), later(to, days));
        }
        let first = business.add(from, back - 1);
        let last = business.add(to, back + 1);
        (
            first.map(|date| date.min(from)),
            last.map(|date| date.max(to)),
        )
    }
}

/// The anchors between two dates, both included, in order.
fn anchors(base: Base, from: Date, to: Date, business: &BusinessDays) -> Vec<Date> {
    let monthly = |of_month: &dyn Fn(Date) -> Option<Date>| {
        let found = months(from, to).filter_map(of_month);
        found.filter(|date| (from..=to).contains(date)).collect()
    };
    match base {
        Base::Daily => each(from, to).collect(),
        Base::Weekly(day) => each(from, to)
            .filter(|date| date.weekday() == day)
            .collect(),
        Base::EachBusinessDay => each(from, to)
            .filter(|date| business.is_business(*date))
            .collect(),
        Base::DayOfMonth(day) => monthly(&|first| Date::new(first.year(), first.month(), day).ok()),
        Base::LastDay => monthly(&|first| Some(first.last_of_month())),
        Base::NthWeekday(nth, day) => monthly(&|first| first.nth_weekday_of_month(nth, day).ok()),
        Base::NthBusinessDay(nth) => monthly(&|first| nth_business_day(first, nth, business)),
    }
}

fn each(from: Date, to: Date) -> impl Iterator<Item = Date> {
    let next = |date: &Date| date.tomorrow().ok();
    std::iter::successors(Some(from), next).take_while(move |date| *date <= to)
}

/// The first days of the months that these dates touch.
fn months(from: Date, to: Date) -> impl Iterator<Item = Date> {
    let next = |date: &Date| date.last_of_month().tomorrow().ok();
    std::iter::successors(Some(from.first_of_month()), next).take_while(move |date| *date <= to)
}

fn nth_business_day(first: Date, nth: i8, business: &BusinessDays) -> Option<Date> {
    let mut days = each(first, first.last_of_month()).filter(|date| business.is_business(*date));
    match usize::try_from(nth) {
        Ok(nth) => days.nth(nth.saturating_sub(1)),
        Err(_) => days.last(),
    }
}

impl fmt::Display for DayRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::rule::write(self, f)
    }
}
