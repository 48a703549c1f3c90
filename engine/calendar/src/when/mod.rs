//! When a schedule fires: rules for days with times of day, cron fields, or a period.
//!
//! Not here: zones and instants.

mod cron;
mod days;
mod every;
mod rule;

pub use cron::Cron;
pub use days::{Base, DayRule, OFFSET_MAX_DAYS};
pub use every::{EVERY_MAX_MS, EVERY_MIN_MS, every};

use crate::fault::TextFault;
use crate::words;
use jiff::civil::Time;

/// What `when:` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// `second tuesday + 9 days`: the times of day stand elsewhere.
    Days(DayRule),
    /// `30 2 * * *`: days and times of day.
    Cron(Box<Cron>),
}

/// Reads a rule for days, or five cron fields.
///
/// # Errors
/// With the place of the first wrong word and how to mend it.
pub fn parse(text: &str) -> Result<Rule, TextFault> {
    words::bounded(text, rule::REMEDY)?;
    let first = text.trim_start();
    if let Some(alias) = first.strip_prefix('@') {
        let offset = text.len() - first.len();
        return Err(TextFault::new(
            offset,
            alias.trim_end().len() + 1,
            "short names of cron are not read",
            "write `daily`, `monday` or `first day`, and the time of day beside it in `at`",
        ));
    }
    let number = first.starts_with(|c: char| c.is_ascii_digit());
    let fields = first.split_ascii_whitespace().count();
    // `2nd tuesday` begins with a digit too; the reader of rules knows what is meant by it.
    if first.starts_with(['*', '?']) || (number && (fields > 3 || is_field(first))) {
        return Cron::parse(text).map(|cron| Rule::Cron(Box::new(cron)));
    }
    rule::parse(text).map(Rule::Days)
}

/// Whether the first word has only what cron fields have.
fn is_field(text: &str) -> bool {
    let word = text.split_ascii_whitespace().next().unwrap_or_default();
    word.bytes()
        .all(|byte| byte.is_ascii_digit() || b"*/,-".contains(&byte))
}

/// `HH:MM`, in 24 hours.
///
/// # Errors
/// For anything else, `2:00` included.
pub fn time(text: &str) -> Result<Time, TextFault> {
    let bad = || {
        TextFault::new(
            0,
            text.len(),
            format!("`{text}` is no time of day"),
            "write hours and minutes as `\"02:00\"`, in quotes",
        )
    };
    let number = |part: &str| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<i8>().ok().filter(|_| digits)
    };
    let (hour, minute) = text.split_once(':').ok_or_else(bad)?;
    let (hour, minute) = (
        number(hour).ok_or_else(bad)?,
        number(minute).ok_or_else(bad)?,
    );
    Time::new(hour, minute, 0, 0).map_err(|_| bad())
}
