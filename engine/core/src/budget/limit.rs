//! What was agreed, as it binds one asset at one instant, and what counts against it.
//!
//! Not here: what was spent.

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
}

/// What a budget counts: disruptions, and their downtime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    pub disruptions: u32,
    pub downtime_ms: u64,
}

impl Sum {
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            disruptions: self.disruptions.saturating_add(other.disruptions),
            downtime_ms: self.downtime_ms.saturating_add(other.downtime_ms),
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

    #[must_use]
    pub fn fits(&self, sum: Sum) -> bool {
        self.disruptions.is_none_or(|max| sum.disruptions <= max)
            && self.downtime_ms.is_none_or(|max| sum.downtime_ms <= max)
    }

    /// What adds nothing, for it overlaps with what was spent, overdraws nothing.
    pub(super) fn breaks(&self, before: Sum, after: Sum) -> bool {
        let over = |max: u64, before: u64, after: u64| after > max && after > before;
        let (count, time) = (self.disruptions, self.downtime_ms);
        count.is_some_and(|max| {
            over(
                max.into(),
                before.disruptions.into(),
                after.disruptions.into(),
            )
        }) || time.is_some_and(|max| over(max, before.downtime_ms, after.downtime_ms))
    }

    /// `2 disruptions and 4h of downtime`.
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
        format!(
            "{}{each} {within}",
            agreed(self.disruptions, self.downtime_ms)
        )
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
