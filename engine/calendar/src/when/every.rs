//! `every: 15m`: a period, counted in UTC from the start of 1970, so that every machine counts alike.

use crate::fault::TextFault;
use hostler_core::duration::parse_ms;

/// Shorter is no schedule but a loop.
pub const EVERY_MIN_MS: u64 = 60_000;
/// Longer ones drift through the calendar; a rule for days says what is meant.
pub const EVERY_MAX_MS: u64 = 7 * 86_400_000;

/// Milliseconds of a period: a whole number of minutes, from a minute to a week.
///
/// # Errors
/// For what is no duration, or out of these bounds.
pub fn every(text: &str) -> Result<u64, TextFault> {
    let bad = |message: &str, remedy: &str| {
        TextFault::new(0, text.len(), format!("`{text}` {message}"), remedy)
    };
    match parse_ms(text) {
        None => Err(bad("is no duration", "write `15m`, `2h` or `1d`")),
        Some(ms) if ms < EVERY_MIN_MS || ms % 60_000 != 0 => Err(bad(
            "is not whole minutes",
            "write `1m` or more, in minutes",
        )),
        Some(ms) if ms > EVERY_MAX_MS => Err(bad(
            "is longer than a week",
            "write a rule for days: `when: first monday` and `at`",
        )),
        Some(ms) => Ok(ms),
    }
}
