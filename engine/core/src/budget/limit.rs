//! What was agreed, as it binds one asset at one instant, and what counts against it.
//!
//! Not here: what was spent.

use super::opening::{Opening, windows};
use serde::{Deserialize, Serialize};

/// In which time a budget counts, seen from one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Within {
    /// What began in so many milliseconds before.
    Rolling { ms: u64 },
    /// What began in this month of the customer; the end is the first instant after it.
    Month { from_ms: i64, to_ms: i64 },
}

/// A budget as it binds one asset at one instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    pub name: String,
    /// Each asset has the whole of it.
    pub per_asset: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disruptions: Option<u32>,
    /// Of all disruptions together: how long their disturbing calls may take at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downtime_ms: Option<u64>,
    /// Openings of windows in which anything of the customer is disturbed. It is the only number of a budget that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<u32>,
    pub within: Within,
    /// It holds work of the class that was asked about; other classes only count.
    pub holds: bool,
}

/// All that bind an asset; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budgets {
    pub customer: String,
    pub limits: Vec<Limit>,
    /// When the present opening of the asset's window ends; none: it is closed, or there is none.
    pub closes_ms: Option<i64>,
    /// The one that work of now would count to. None: openings are not counted.
    pub opening: Option<Opening>,
}

impl Budgets {
    /// Nothing but openings of windows is counted: then who comes into one that counts already need not be known.
    #[must_use]
    pub fn counts_windows_only(&self) -> bool {
        self.limits.iter().all(|limit| limit.windows.is_some())
    }
}

/// What a budget counts: disruptions, and their downtime; or openings of windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    pub disruptions: u32,
    pub downtime_ms: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub windows: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_zero(windows: &u32) -> bool {
    *windows == 0
}

impl Sum {
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            disruptions: self.disruptions.saturating_add(other.disruptions),
            downtime_ms: self.downtime_ms.saturating_add(other.downtime_ms),
            windows: self.windows.saturating_add(other.windows),
        }
    }

    pub(super) fn minus(self, other: Self) -> Self {
        Self {
            disruptions: self.disruptions.saturating_sub(other.disruptions),
            downtime_ms: self.downtime_ms.saturating_sub(other.downtime_ms),
            windows: self.windows.saturating_sub(other.windows),
        }
    }
}

impl Limit {
    pub(super) fn counts(&self, at_ms: i64, now_ms: i64) -> bool {
        match self.within {
            Within::Rolling { ms } => at_ms.saturating_add_unsigned(ms) > now_ms,
            Within::Month { from_ms, to_ms } => from_ms <= at_ms && at_ms < to_ms,
        }
    }

    /// What one more takes of it.
    pub(super) fn one(&self, downtime_ms: u64) -> Sum {
        match self.windows {
            Some(_) => Sum {
                windows: 1,
                ..Sum::default()
            },
            None => Sum {
                disruptions: 1,
                downtime_ms,
                windows: 0,
            },
        }
    }

    #[must_use]
    pub fn fits(&self, sum: Sum) -> bool {
        self.disruptions.is_none_or(|max| sum.disruptions <= max)
            && self.downtime_ms.is_none_or(|max| sum.downtime_ms <= max)
            && self.windows.is_none_or(|max| sum.windows <= max)
    }

    /// What adds nothing, for it overlaps with what was spent, overdraws nothing.
    pub(super) fn breaks(&self, before: Sum, after: Sum) -> bool {
        let over = |max: Option<u64>, before: u64, after: u64| {
            max.is_some_and(|max| after > max && after > before)
        };
        let numbers = |sum: Sum| (u64::from(sum.disruptions), u64::from(sum.windows));
        let ((disrupted, opened), (disrupts, opens)) = (numbers(before), numbers(after));
        over(self.disruptions.map(u64::from), disrupted, disrupts)
            || over(self.downtime_ms, before.downtime_ms, after.downtime_ms)
            || over(self.windows.map(u64::from), opened, opens)
    }

    /// What is spent of it: `2 and 1h`, or `2 windows with disruptions`.
    pub(super) fn spent(&self, sum: Sum) -> String {
        match self.windows {
            Some(_) => windows(sum.windows),
            None => format!("{} and {}", sum.disruptions, length(sum.downtime_ms)),
        }
    }

    /// `2 disruptions and 4h of downtime in 30d`, `2 windows with disruptions a month`.
    #[must_use]
    pub fn says(&self) -> String {
        let each = if self.per_asset {
            " of each server"
        } else {
            ""
        };
        let within = match self.within {
            Within::Rolling { ms } => format!("in {}", length(ms)),
            Within::Month { .. } => "a month".to_owned(),
        };
        let agreed = match self.windows {
            Some(max) => windows(max),
            None => agreed(self.disruptions, self.downtime_ms),
        };
        format!("{agreed}{each} {within}")
    }
}

/// `2 disruptions and 4h of downtime`.
#[must_use]
pub fn agreed(disruptions: Option<u32>, downtime_ms: Option<u64>) -> String {
    let count = disruptions.map(|max| match max {
        1 => "1 disruption".to_owned(),
        _ => format!("{max} disruptions"),
    });
    let time = downtime_ms.map(|ms| format!("{} of downtime", length(ms)));
    let both: Vec<_> = count.into_iter().chain(time).collect();
    both.join(" and ")
}

/// `30d`, `4h`, `45m`.
#[must_use]
pub fn length(ms: u64) -> String {
    let minutes = ms.div_ceil(60_000);
    match minutes {
        0 => "0m".to_owned(),
        m if m % 1_440 == 0 => format!("{}d", m / 1_440),
        m if m % 60 == 0 => format!("{}h", m / 60),
        m => format!("{m}m"),
    }
}
