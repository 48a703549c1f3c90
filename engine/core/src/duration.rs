//! Durations as people write them: `90m`, `2h30m`, `7d`, `2s`, `250ms`. Business days are not here:
//! they need a calendar.

/// Longest duration that is read: ten years in milliseconds. More is a slip of the pen.
pub const DURATION_MAX_MS: u64 = 10 * 366 * 86_400_000;

/// Milliseconds of a duration; none when it is not one, or over the limit. Units `ms s m h d w`,
/// the larger before the smaller, each once.
#[must_use]
pub fn parse_ms(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 6] = [
        ("w", 604_800_000),
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ];
    let mut rest = text.trim();
    let mut total: u64 = 0;
    let mut next_unit = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .filter(|length| (1..=15).contains(length))?;
        let number: u64 = rest[..digits].parse().ok()?;
        let unit_length = rest[digits..]
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len() - digits);
        let unit = &rest[digits..digits + unit_length];
        let index = UNITS
            .iter()
            .position(|(name, _)| *name == unit)
            .filter(|index| *index >= next_unit)?;
        total = total.checked_add(number.checked_mul(UNITS[index].1)?)?;
        next_unit = index + 1;
        rest = &rest[digits + unit_length..];
    }
    (total <= DURATION_MAX_MS).then_some(total)
}

/// The shortest text that `parse_ms` reads back.
#[must_use]
pub fn write_ms(mut ms: u64) -> String {
    if ms == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, size) in [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ] {
        if ms >= size {
            text.push_str(&format!("{}{unit}", ms / size));
            ms %= size;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written_back() {
        for (text, ms) in [
            ("90m", 5_400_000),
            ("2h30m", 9_000_000),
            ("5d", 432_000_000),
            ("2s", 2_000),
            ("250ms", 250),
            ("1w", 604_800_000),
        ] {
            assert_eq!(parse_ms(text), Some(ms), "{text}");
            assert_eq!(parse_ms(&write_ms(ms)), Some(ms), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "5",
            "d",
            "5x",
            "-5d",
            "5bd",
            "1.5h",
            "30m2h",
            "5m5m",
            "99999999999999999d",
            "100000d",
            "5 d",
            "５d",
        ] {
            assert_eq!(parse_ms(text), None, "{text}");
        }
    }
}
