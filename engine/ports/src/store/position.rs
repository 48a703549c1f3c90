//! Positions inside ordered reads, written so that text order is the order of the entries. All
//! adapters use the same form, so a cursor survives a change of adapter.

use super::{Cursor, StoreError, StoreResult};

/// A signed number as 16 hex digits whose text order is the number's order.
#[must_use]
pub fn score_text(score: i64) -> String {
    format!("{:016x}", biased(score))
}

/// A signed number moved so that unsigned order is its order.
#[must_use]
pub fn biased(score: i64) -> u64 {
    score.cast_unsigned() ^ (1 << 63)
}

#[must_use]
pub fn unbiased(value: u64) -> i64 {
    (value ^ (1 << 63)).cast_signed()
}

/// `score_text` and member: the place of an index entry.
#[must_use]
pub fn entry_text(score: i64, member: &str) -> String {
    format!("{}{member}", score_text(score))
}

/// Reads back `entry_text`.
pub fn parse_entry(text: &str) -> StoreResult<(i64, &str)> {
    let bad = || StoreError::Bounds("a cursor that this store did not give out".into());
    let (score, member) = text.split_at_checked(16).ok_or_else(bad)?;
    let value = u64::from_str_radix(score, 16).map_err(|_| bad())?;
    Ok((unbiased(value), member))
}

/// A cursor that is a count of entries already read.
pub fn parse_count(cursor: &Cursor) -> StoreResult<u64> {
    match &cursor.0 {
        None => Ok(0),
        Some(text) => text
            .parse()
            .map_err(|_| StoreError::Bounds("a cursor that this store did not give out".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_order_is_number_order() {
        let scores = [i64::MIN, -5, -1, 0, 1, 255, 256, i64::MAX];
        let texts: Vec<String> = scores.iter().map(|score| score_text(*score)).collect();
        assert!(texts.is_sorted());
        for score in scores {
            assert_eq!(parse_entry(&entry_text(score, "m")), Ok((score, "m")));
        }
    }
}
