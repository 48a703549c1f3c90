//! Instants and lengths of time in the forms that the Alertmanager and runbooks write.
//!
//! Not here: a clock. Now comes with the call.

use hostler_sdk::Stop;

const DAY_MS: i64 = 86_400_000;

/// `2026-01-31T08:15:00.000Z`. The proleptic Gregorian calendar by eras of 400 years.
pub fn instant(ms: i64) -> String {
    let (days, rest) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS));
    // Days since 0000-03-01, so that a leap day is the last of its year.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}.{:03}Z",
        rest / 1000 % 60,
        rest % 1000
    )
}

/// Whether an instant that the Alertmanager wrote lies before another. Both in UTC, so that text compares
/// as time once the fractions are cut off.
pub fn before(one: &str, other: &str) -> bool {
    let seconds = |text: &str| text.chars().take(19).collect::<String>();
    seconds(one) < seconds(other)
}

/// `90m` in milliseconds.
///
/// # Errors
/// When it is not a number with s, m, h or d, or not between a second and `max_ms`.
pub fn length_ms(text: &str, max_ms: i64) -> Result<i64, Stop> {
    let unit = match text.chars().last() {
        Some('s') => 1_000,
        Some('m') => 60_000,
        Some('h') => 3_600_000,
        Some('d') => DAY_MS,
        _ => 0,
    };
    let number: i64 = text
        .get(..text.len().saturating_sub(1))
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0);
    let ms = number.saturating_mul(unit);
    if ms <= 0 || ms > max_ms {
        return Err(Stop::reject(format!(
            "`{text}` is not a length like 90m, of at most {} days",
            max_ms / DAY_MS
        )));
    }
    Ok(ms)
}
