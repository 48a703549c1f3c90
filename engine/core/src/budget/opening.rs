//! Openings of windows: whatever is disturbed of a customer in one of them counts once, in the month of its first day.
//!
//! The forecast of a cycle and the gates of a run count by the same rule. Not here: when windows open (calendar), and
//! what was spent.

use serde::{Deserialize, Serialize};

/// The budget that a customer's contract is (`reboots: 2 per month`). No budget of the policies can have such a name.
pub const REBOOTS: &str = "contract:reboots";
/// A window that is open for longer is no disruption as a whole: each day on which work starts in it is one.
pub const OPENING_MAX_MS: u64 = 86_400_000;

/// One opening of a window, or one day of a window that is open all the time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Opening {
    /// Name of the window; of several, joined by `+`. Empty: outside of any.
    pub window: String,
    /// First instant of the day that counts, in the customer's zone.
    pub day_ms: i64,
    /// When it closes. None: the day counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_ms: Option<i64>,
}

impl Opening {
    /// For work that starts at an instant, in the window that is open then, from and to other instants; none: outside of
    /// any. `day` gives the first instant of the day of an instant, in the customer's zone.
    #[must_use]
    pub fn of(open: Option<(&str, i64, i64)>, starts_ms: i64, day: impl Fn(i64) -> i64) -> Self {
        let (window, from_ms, to_ms) = open.unwrap_or(("", starts_ms, starts_ms));
        let is_long = to_ms.saturating_sub(from_ms) > OPENING_MAX_MS.cast_signed();
        let by_day = is_long || open.is_none();
        Self {
            window: window.to_owned(),
            day_ms: day(if by_day { starts_ms } else { from_ms }),
            closes_ms: (!by_day).then_some(to_ms),
        }
    }
}

/// `1 window with disruptions`, `2 windows with disruptions`.
pub(super) fn windows(count: u32) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count} window{end} with disruptions")
}
