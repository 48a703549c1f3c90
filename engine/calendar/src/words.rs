//! Words of rules with their place, names of days, and the known word that was probably meant.
//!
//! Not here: what a list of words means.

use crate::fault::TextFault;
use jiff::civil::Weekday;

/// Longest text of a rule in bytes; the longest that makes sense has about 60.
pub const TEXT_MAX_BYTES: usize = 256;

pub const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

pub const ORDINALS: [&str; 6] = ["first", "second", "third", "fourth", "fifth", "last"];

/// One word and where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<'a> {
    pub text: &'a str,
    pub offset: usize,
}

impl Word<'_> {
    pub fn fault(&self, message: impl Into<String>, remedy: impl Into<String>) -> TextFault {
        TextFault::new(self.offset, self.text.len(), message, remedy)
    }
}

/// The words between blanks; a sign before a number is a word of its own.
pub fn words(text: &str) -> Vec<Word<'_>> {
    let mut found = Vec::new();
    for text_word in text.split_ascii_whitespace() {
        // A part of `text`, so that the difference of the addresses is its offset.
        let offset = text_word.as_ptr() as usize - text.as_ptr() as usize;
        match text_word.strip_prefix(['+', '-']) {
            Some(rest) if !rest.is_empty() => {
                found.push(Word {
                    text: &text_word[..1],
                    offset,
                });
                found.push(Word {
                    text: rest,
                    offset: offset + 1,
                });
            }
            _ => found.push(Word {
                text: text_word,
                offset,
            }),
        }
    }
    found
}

/// Refuses what is too long to be a rule, or empty.
pub fn bounded(text: &str, remedy: &str) -> Result<(), TextFault> {
    if text.trim().is_empty() {
        return Err(TextFault::new(0, text.len(), "there is nothing", remedy));
    }
    if text.len() > TEXT_MAX_BYTES {
        let message = format!(
            "the text has {} bytes, at most {TEXT_MAX_BYTES} are read",
            text.len()
        );
        return Err(TextFault::new(0, text.len(), message, remedy));
    }
    Ok(())
}

pub fn weekday(text: &str) -> Option<Weekday> {
    let found = WEEKDAYS.iter().find(|(name, _)| *name == text);
    found.map(|(_, day)| *day)
}

/// A weekday by its first three letters (`tue`).
pub fn weekday_short(text: &str) -> Option<Weekday> {
    let found = WEEKDAYS.iter().find(|(name, _)| &name[..3] == text);
    found.map(|(_, day)| *day)
}

pub fn weekday_name(day: Weekday) -> &'static str {
    let found = WEEKDAYS.iter().find(|(_, known)| *known == day);
    found.map_or("", |(name, _)| name)
}

/// `did you mean …?` when a known word is near or begins like this one, else all that is known.
pub fn remedy(word: &str, known: &[&str]) -> String {
    match nearest(word, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write one of: {}", known.join(", ")),
    }
}

pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let begins = known
        .iter()
        .find(|name| word.len() >= 3 && name.starts_with(word));
    let near = || {
        let far = |name: &&&str| strsim::damerau_levenshtein(word, name);
        let reach = (word.chars().count() / 3).clamp(1, 3);
        known
            .iter()
            .min_by_key(far)
            .filter(|name| far(name) <= reach)
    };
    begins.or_else(near).copied()
}
