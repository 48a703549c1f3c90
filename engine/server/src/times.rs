//! Instants and lengths of time as people read them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `2026-11-21 22:04:46` in the viewer's zone.
pub fn local(ms: i64) -> String {
    match Timestamp::from_millisecond(ms) {
        Ok(at) => at
            .to_zoned(TimeZone::system())
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string(),
        Err(_) => ms.to_string(),
    }
}

/// RFC 3339 in UTC, for machines and evidence.
pub fn utc(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |at| at.to_string())
}

/// `1h 5m`, `42s`, `250ms`: the two largest units.
pub fn length(ms: i64) -> String {
    const UNITS: [(i64, &str); 4] = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1_000, "s"),
    ];
    let ms = ms.max(0);
    if ms < 1_000 {
        return format!("{ms}ms");
    }
    let mut left = ms;
    let mut parts = Vec::new();
    for (size, name) in UNITS {
        let count = left / size;
        left %= size;
        if count > 0 {
            parts.push(format!("{count}{name}"));
        }
    }
    parts.truncate(2);
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn lengths_show_their_two_largest_units() {
        for (ms, text) in [
            (0, "0ms"),
            (999, "999ms"),
            (61_000, "1m 1s"),
            (90_061_000, "1d 1h"),
            (-5, "0ms"),
        ] {
            assert_eq!(super::length(ms), text);
        }
    }
}
