//! An instant as a forecast tells it: RFC 3339 in UTC for machines, local time for people.
//!
//! Not here: which zone is whose.

use hostler_calendar::zone::Zone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub Timestamp);

impl Moment {
    /// `Tue 2026-12-08 18:00 -06:00`.
    #[must_use]
    pub fn people(self, zone: &Zone) -> String {
        let (wall, offset) = zone.wall(self.0);
        let seconds = offset.seconds();
        let minutes = seconds.unsigned_abs() / 60;
        let sign = if seconds < 0 { '-' } else { '+' };
        let clock = format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60);
        format!("{} {clock}", wall.strftime("%a %Y-%m-%d %H:%M"))
    }

    /// So many milliseconds later; the end of time when there is no such instant.
    #[must_use]
    pub(crate) fn plus(self, ms: u64) -> Self {
        let length = SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
        Self(self.0.checked_add(length).unwrap_or(Timestamp::MAX))
    }

    /// So many milliseconds earlier; the beginning of time when there is no such instant.
    #[must_use]
    pub(crate) fn minus(self, ms: u64) -> Self {
        let length = SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
        Self(self.0.checked_sub(length).unwrap_or(Timestamp::MIN))
    }

    /// Milliseconds since `earlier`; 0 when that is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        let length = self.0.as_millisecond() - earlier.0.as_millisecond();
        u64::try_from(length).unwrap_or_default()
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}
