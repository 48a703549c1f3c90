//! One firing: what the clock on the wall says, and which instant it is.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// What a change of the clock did to a firing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Nothing.
    #[default]
    None,
    /// The hour comes twice on that day; this is the first of them.
    First,
    /// The second of two equal times.
    Second,
    /// The wanted time does not exist on that day; it is this much later.
    Shifted,
}

impl Change {
    /// For people; empty when there is nothing to say.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::First => "first of two",
            Self::Second => "second of two",
            Self::Shifted => "shifted",
        }
    }
}

/// One firing of a schedule, or one opening of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// The local time that the rule asked for.
    pub wanted: DateTime,
    /// The local time that it is; another than `wanted` only if it was shifted.
    pub wall: DateTime,
    pub instant: Timestamp,
    pub offset: Offset,
    pub change: Change,
}
