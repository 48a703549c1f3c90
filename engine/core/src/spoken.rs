//! How an answer for somebody reads: by whom it was given, and on whose word.
//!
//! Not here: who may.

/// `ada`, or `olga (on the word of ada)`.
#[must_use]
pub fn by_whom(by: &str, word_of: Option<&str>) -> String {
    match word_of {
        Some(person) => format!("{by} (on the word of {person})"),
        None => by.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::by_whom;

    #[test]
    fn whoever_speaks_for_another_is_named_with_them() {
        assert_eq!(by_whom("ada", None), "ada");
        assert_eq!(by_whom("olga", Some("ada")), "olga (on the word of ada)");
    }
}
