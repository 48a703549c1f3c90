//! What leaves a template: bounded, without control characters, escaped where it is HTML.

use std::io;

/// Collects at most so many bytes, then refuses.
pub(super) struct Bounded {
    bytes: Vec<u8>,
    limit: usize,
    overflowed: bool,
}

impl Bounded {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            bytes: Vec::new(),
            limit,
            overflowed: false,
        }
    }

    pub(super) fn overflowed(&self) -> bool {
        self.overflowed
    }

    pub(super) fn into_text(self) -> Option<String> {
        String::from_utf8(self.bytes)
            .ok()
            .filter(|_| !self.overflowed)
    }
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.limit {
            self.overflowed = true;
            return Err(io::Error::other("too long"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Characters that could steer a terminal, a mail program or the reader's eye (bidirectional
/// overrides make a text read as another).
fn steers(character: char) -> bool {
    let bidirectional = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (character.is_control() && character != '\n') || bidirectional || character == '\u{feff}'
}

/// A value in a text part.
pub(super) fn text_value(value: &str) -> String {
    clean(value)
}

/// A value in an HTML part.
pub(super) fn html_value(value: &str) -> String {
    handlebars::html_escape(&clean(value))
}

/// All kinds of line breaks become `\n`, tabs a space, and what steers goes.
pub(super) fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => out.push('\n'),
            '\t' => out.push(' '),
            steering if steers(steering) => {}
            other => out.push(other),
        }
    }
    out
}

/// One line for a header: white space becomes one space, cut at so many characters.
pub(super) fn one_line(text: &str, characters_max: usize) -> String {
    let line = clean(text).split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= characters_max {
        return line;
    }
    line.chars().take(characters_max - 1).chain(['…']).collect()
}
