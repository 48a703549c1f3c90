//! From instants to places on the picture, and the axis with months, days and weekends.
//!
//! Days are those of the realm's zone: on the day of a change of clocks one is an hour narrower or wider.

use super::pen::{Area, At, Pen};
use super::{CHART_LEFT, CHART_WIDTH};
use crate::forecast::Forecast;
use crate::moment::Moment;
use crate::plan::days_after;
use hostler_calendar::zone::Zone;
use jiff::civil::{Date, Weekday};

/// Days before the anchor that are shown, for notices that had to leave then.
const BEFORE_MAX_DAYS: i64 = 21;
/// Days after the anchor that are shown.
const AFTER_MAX_DAYS: i64 = 70;
/// Narrower days carry a number only on Mondays.
const DAY_MIN_WIDTH: i64 = 170;

pub struct Scale {
    pub zone: Zone,
    from: Moment,
    to: Moment,
    /// First and last day, both shown whole.
    days: (Date, Date),
}

impl Scale {
    pub fn of(forecast: &Forecast) -> Self {
        let zone = Zone::parse(&forecast.zone).unwrap_or_else(|_| Zone::utc());
        let day = |moment: Moment| zone.wall(moment.0).0.date();
        let anchor = day(forecast.anchor);
        let bound = |days| days_after(anchor, days).unwrap_or(anchor);
        let marks = forecast.conflicts.iter().filter_map(|one| one.when);
        let notices = forecast.customers.iter().filter_map(|row| row.notice_by);
        let first = marks.chain(notices).map(day).min().unwrap_or(anchor);
        let first = first.clamp(bound(-BEFORE_MAX_DAYS), anchor);
        let last = day(forecast.ends).clamp(anchor, bound(AFTER_MAX_DAYS));
        let midnight = |date: Date| zone.instant(date.at(0, 0, 0, 0)).map(Moment);
        let from = midnight(first).unwrap_or(forecast.anchor);
        let end = days_after(last, 1).and_then(midnight);
        Self {
            from,
            to: end.unwrap_or(forecast.ends),
            days: (first, last),
            zone,
        }
    }

    /// Tenths of a pixel, within the chart.
    pub fn x(&self, moment: Moment) -> i64 {
        let span = i128::from(self.to.since(self.from).max(1));
        let passed = i128::from(moment.max(self.from).min(self.to).since(self.from));
        let x = passed * i128::from(CHART_WIDTH) / span;
        CHART_LEFT + i64::try_from(x).unwrap_or(CHART_WIDTH)
    }

    pub fn shows(&self, moment: Moment) -> bool {
        self.from <= moment && moment <= self.to
    }

    fn midnight(&self, date: Date) -> Option<i64> {
        let instant = self.zone.instant(date.at(0, 0, 0, 0))?;
        Some(self.x(Moment(instant)))
    }

    /// Each day with its left and right border.
    fn each_day(&self) -> Vec<(Date, i64, i64)> {
        let (first, last) = self.days;
        let dates = std::iter::successors(Some(first), |date| days_after(*date, 1));
        dates
            .take_while(|date| *date <= last)
            .filter_map(|date| {
                let next = days_after(date, 1)?;
                Some((date, self.midnight(date)?, self.midnight(next)?))
            })
            .collect()
    }

    /// Weekends and the lines between days, behind everything else.
    pub fn ground(&self, pen: &mut Pen, top: i64, bottom: i64) {
        for (date, left, right) in self.each_day() {
            let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
            if weekend {
                let area = Area {
                    x: left,
                    y: top,
                    width: right - left,
                    height: bottom - top,
                };
                pen.rect("weekend", area, "");
            }
            let class = if date.weekday() == Weekday::Monday || date.day() == 1 {
                "week"
            } else {
                "day"
            };
            pen.line(class, (left, top), (left, bottom));
        }
    }

    /// Months, weekdays and days, above `y`.
    pub fn axis(&self, pen: &mut Pen, y: i64) {
        let mut month = None;
        for (date, left, right) in self.each_day() {
            // Not where the next month would be written over it.
            let room = date.last_of_month().day() - date.day() > 3 || date == self.days.1;
            if month != Some(date.month()) && room {
                let name = date.strftime("%B %Y").to_string();
                pen.text("month", (left + 20, y - 330), At::Start, &name);
            }
            month = Some(date.month());
            let middle = (left + right) / 2;
            let wide = right - left >= DAY_MIN_WIDTH;
            if wide || date.weekday() == Weekday::Monday {
                let letter = date.strftime("%a").to_string();
                let letter: String = letter.chars().take(if wide { 2 } else { 3 }).collect();
                pen.text("weekday", (middle, y - 180), At::Middle, &letter);
                let number = date.day().to_string();
                pen.text("number", (middle, y - 60), At::Middle, &number);
            }
        }
    }
}
