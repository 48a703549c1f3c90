//! Lengths of time as policies write them: elapsed (`48h`, `7d`) or in business days (`5bd`).
//!
//! Not here: on which date a business day falls, which is the calendar's answer.

use crate::fault::Bad;
use crate::text;
use hostler_calendar::deadline::Lead;
use serde::{Serialize, Serializer};
use std::fmt;

/// One day, in milliseconds.
pub const DAY_MS: u64 = 86_400_000;
/// More business days are no notice but a plan for the next quarter.
pub const BUSINESS_DAYS_MAX: u16 = 60;
/// Business days of a usual week; holidays and other calendars make a span longer, never shorter.
const WEEK: u64 = 5;

/// A length of time. Business days count in the calendar of whoever is told or asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Elapsed milliseconds; 0 is no time at all, written `none`.
    Elapsed(u64),
    /// 1 to [`BUSINESS_DAYS_MAX`], at the same local time.
    BusinessDays(u16),
}

impl Span {
    pub const NONE: Self = Self::Elapsed(0);

    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// The shortest that it can be, in milliseconds: every day is a business day.
    #[must_use]
    pub fn least_ms(self) -> u64 {
        match self {
            Self::Elapsed(ms) => ms,
            Self::BusinessDays(days) => u64::from(days) * DAY_MS,
        }
    }

    /// The longest that it can be in milliseconds, holidays apart: begun on a Friday.
    #[must_use]
    pub fn most_ms(self) -> u64 {
        match self {
            Self::Elapsed(ms) => ms,
            Self::BusinessDays(days) => {
                let days = u64::from(days);
                (days + 2 * days.div_ceil(WEEK)) * DAY_MS
            }
        }
    }

    /// Whether this one ends before the other whenever both begin together, holidays apart.
    #[must_use]
    pub fn shorter_than(self, other: Self) -> bool {
        match (self, other) {
            (Self::BusinessDays(mine), Self::BusinessDays(theirs)) => mine < theirs,
            _ => self.most_ms() < other.least_ms(),
        }
    }

    /// The same, or ending at the same moment.
    #[must_use]
    pub fn fits_into(self, other: Self) -> bool {
        match (self, other) {
            (Self::BusinessDays(mine), Self::BusinessDays(theirs)) => mine <= theirs,
            _ => self.most_ms() <= other.least_ms(),
        }
    }
}

/// `none`, `90m`, `48h`, `7d` or `5bd`.
pub fn parse(text: &str) -> Result<Span, Bad> {
    if text == "none" {
        return Ok(Span::NONE);
    }
    if let Some(days) = text.strip_suffix("bd") {
        let digits = !days.is_empty() && days.bytes().all(|byte| byte.is_ascii_digit());
        return match days.parse::<u16>() {
            Ok(days) if digits && (1..=BUSINESS_DAYS_MAX).contains(&days) => {
                Ok(Span::BusinessDays(days))
            }
            _ => Err(Bad::new(
                "are no business days",
                format!("write `1bd` to `{BUSINESS_DAYS_MAX}bd`"),
            )),
        };
    }
    text::duration_ms(text)
        .map(Span::Elapsed)
        .map_err(|why| Bad::new(why.why, "write `90m`, `48h`, `7d`, `5bd`, or `none`"))
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BusinessDays(days) => write!(f, "{days}bd"),
            Self::Elapsed(ms) => f.write_str(&written(*ms)),
        }
    }
}

/// Milliseconds as files write them: `2h30m`; `none` for less than a second.
pub fn written(ms: u64) -> String {
    let mut text = String::new();
    let mut left = ms;
    for (unit, unit_ms) in [("d", DAY_MS), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)] {
        if left >= unit_ms {
            text.push_str(&format!("{}{unit}", left / unit_ms));
            left %= unit_ms;
        }
    }
    if text.is_empty() {
        return "none".to_owned();
    }
    text
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl From<Span> for Lead {
    fn from(span: Span) -> Self {
        match span {
            Span::Elapsed(ms) => Self::Elapsed(ms),
            Span::BusinessDays(days) => Self::BusinessDays(days),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Span::{BusinessDays, Elapsed};

    #[test]
    fn spans_are_read_strictly_and_written_as_they_were_read() {
        for text in ["none", "30s", "1h30m", "2d", "7d", "5bd", "60bd"] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
        for text in [
            "", "5", "0bd", "61bd", "bd", "+5bd", "-1bd", "5 bd", "5BD", "0d", "367d",
        ] {
            assert!(parse(text).is_err(), "{text} must be refused");
        }
    }

    #[test]
    fn business_days_are_compared_with_elapsed_time_by_their_worst_case() {
        assert!(
            Elapsed(2 * DAY_MS).shorter_than(BusinessDays(5)),
            "48h lies in 5bd"
        );
        assert!(
            !Elapsed(5 * DAY_MS).shorter_than(BusinessDays(5)),
            "from a Monday on, both end together"
        );
        assert!(
            !BusinessDays(5).shorter_than(Elapsed(7 * DAY_MS)),
            "a week is both"
        );
        assert!(BusinessDays(5).fits_into(Elapsed(7 * DAY_MS)));
        assert!(
            !BusinessDays(1).fits_into(Elapsed(DAY_MS)),
            "from a Friday on, one business day is three days"
        );
        assert!(BusinessDays(1).shorter_than(BusinessDays(2)));
    }
}
