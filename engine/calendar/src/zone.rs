//! Time zones: names of the IANA table, and local times that exist never, once or twice.
//!
//! Not here: which local times are wanted.

use crate::fault::TextFault;
use crate::occurrence::{Change, Occurrence};
use crate::words;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

/// A zone by its IANA name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    name: String,
    tz: TimeZone,
}

/// What becomes of a local time that the clock jumps over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gap {
    /// As much later as the clock jumped: 02:30 is 03:30 on that day.
    #[default]
    Shift,
    /// It does not take place on that day.
    Skip,
    /// The first moment after the jump. For windows: what lies inside them then is inside.
    End,
}

/// Which of two equal local times counts when the clock is put back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fold {
    #[default]
    First,
    Second,
    Both,
}

impl Zone {
    /// # Errors
    /// For abbreviations (`CST` is six different zones), offsets and unknown names.
    pub fn parse(text: &str) -> Result<Self, TextFault> {
        let shaped = text.contains('/') || text == "UTC";
        match TimeZone::get(text) {
            Ok(tz) if shaped => Ok(Self {
                name: tz.iana_name().unwrap_or(text).to_owned(),
                tz,
            }),
            _ => Err(TextFault::new(
                0,
                text.len(),
                format!("`{text}` is no time zone"),
                near(text),
            )),
        }
    }

    #[must_use]
    pub fn utc() -> Self {
        Self {
            name: "UTC".to_owned(),
            tz: TimeZone::UTC,
        }
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the clock on the wall says, and how far it is from UTC.
    #[must_use]
    pub fn wall(&self, instant: Timestamp) -> (DateTime, Offset) {
        let offset = self.tz.to_offset(instant);
        (offset.to_datetime(instant), offset)
    }

    /// The instants of one local time: none, one, or two (only for [`Fold::Both`]). None also when
    /// the time lies outside of the years that exist.
    #[must_use]
    pub fn resolve(&self, wanted: DateTime, gap: Gap, fold: Fold) -> [Option<Occurrence>; 2] {
        let at = |offset: Offset, change| self.placed(wanted, offset, change);
        match self.tz.to_ambiguous_timestamp(wanted).offset() {
            AmbiguousOffset::Unambiguous { offset } => [at(offset, Change::None), None],
            AmbiguousOffset::Gap { before, after } => match gap {
                Gap::Skip => [None, None],
                Gap::Shift => [at(before, Change::Shifted), None],
                Gap::End => [self.after_gap(wanted, after), None],
            },
            AmbiguousOffset::Fold { before, after } => match fold {
                Fold::First => [at(before, Change::First), None],
                Fold::Second => [at(after, Change::Second), None],
                Fold::Both => [at(before, Change::First), at(after, Change::Second)],
            },
        }
    }

    /// The one instant of a local time: the end of a gap, the first of two.
    #[must_use]
    pub fn instant(&self, wanted: DateTime) -> Option<Timestamp> {
        let [found, _] = self.resolve(wanted, Gap::End, Fold::First);
        found.map(|occurrence| occurrence.instant)
    }

    fn placed(&self, wanted: DateTime, offset: Offset, change: Change) -> Option<Occurrence> {
        let instant = offset.to_timestamp(wanted).ok()?;
        Some(self.occurrence(wanted, instant, change))
    }

    fn after_gap(&self, wanted: DateTime, after: Offset) -> Option<Occurrence> {
        // Read with the later offset, a time in the gap lies before the jump.
        let before_jump = after.to_timestamp(wanted).ok()?;
        let jump = self.tz.following(before_jump).next()?.timestamp();
        Some(self.occurrence(wanted, jump, Change::Shifted))
    }

    fn occurrence(&self, wanted: DateTime, instant: Timestamp, change: Change) -> Occurrence {
        let (wall, offset) = self.wall(instant);
        Occurrence {
            wanted,
            wall,
            instant,
            offset,
            change,
        }
    }

    /// The time around this date in which the clock is not touched, as dates with a day to spare on
    /// both sides, and the offset there. None close to a change.
    pub(crate) fn calm(&self, date: Date) -> Option<Calm> {
        let noon = self.tz.to_timestamp(date.at(12, 0, 0, 0)).ok()?;
        let offset = self.tz.to_offset(noon);
        let day_of = |instant: Timestamp| offset.to_datetime(instant).date();
        let last = self.tz.preceding(noon).next();
        let next = self.tz.following(noon).next();
        let from = last.map_or(Some(Date::MIN), |change| {
            later(day_of(change.timestamp()), 2)
        });
        let to = next.map_or(Some(Date::MAX), |change| {
            later(day_of(change.timestamp()), -2)
        });
        let calm = Calm {
            from: from?,
            to: to?,
            offset,
        };
        (calm.from <= date && date <= calm.to).then_some(calm)
    }
}

/// Dates between which every local time exists once, with one offset.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calm {
    pub from: Date,
    pub to: Date,
    pub offset: Offset,
}

pub(crate) fn later(date: Date, days: i64) -> Option<Date> {
    date.checked_add(jiff::Span::new().try_days(days).ok()?)
        .ok()
}

fn near(text: &str) -> String {
    let known: Vec<String> = jiff::tz::db()
        .available()
        .map(|name| name.as_str().to_owned())
        .filter(|name| name.contains('/'))
        .collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    match words::nearest(text, &known).filter(|_| text.len() <= 64) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write an IANA name such as `America/Chicago` or `UTC`".to_owned(),
    }
}
