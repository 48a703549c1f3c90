//! The text that opens a question from a message. Whoever holds it stands for the recipient, so it is in the message
//! and nowhere else: the message's log keeps its digest.
//!
//! Chosen over a text derived from a key of the realm: there is no key that every machine must have and that opens
//! everything when it is lost; the digest is durable before the message leaves, so any process that reads the store
//! knows it; and it goes when the run leaves the store. A worker that is killed between the two leaves a digest that
//! opens for nobody.

use crate::id::{Digest, LaneId, RunId};
use std::fmt;
use uuid::Uuid;

/// Hexadecimal digits of the message's lane, and of the chance behind them (256 bits).
const LANE_DIGITS: usize = 32;
const CHANCE_DIGITS: usize = 64;

/// `<lane of the message><chance>`.
#[derive(Clone, PartialEq, Eq)]
pub struct Link(String);

impl Link {
    /// Three fresh ids have more than 256 bits of chance between them.
    #[must_use]
    pub fn new(message: LaneId, fresh: [Uuid; 3]) -> Self {
        let chance: Vec<u8> = fresh.iter().flat_map(Uuid::as_bytes).copied().collect();
        Self(format!("{}{}", message.0.simple(), Digest::of(&chance)))
    }

    /// None for what no message ever had.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let fits = text.len() == LANE_DIGITS + CHANCE_DIGITS && text.bytes().all(plain);
        fits.then(|| Self(text.to_owned()))
    }

    /// The message that it came with.
    #[must_use]
    pub fn message(&self) -> Option<LaneId> {
        let digits = self.0.get(..LANE_DIGITS)?;
        Uuid::try_parse(digits).ok().map(LaneId)
    }

    /// For what must open as long as anything is known of the run, in the archive too: `<run>.<link>`.
    #[must_use]
    pub fn text_in(&self, run: RunId) -> String {
        format!("{}.{}", run.0.simple(), self.0)
    }

    /// The other way round; none for what no message ever had.
    #[must_use]
    pub fn parse_in(text: &str) -> Option<(RunId, Self)> {
        let (run, link) = text.split_once('.')?;
        let link = Self::parse(link)?;
        let run = RunId(Uuid::try_parse(run).ok()?);
        (link.text_in(run) == text).then_some((run, link))
    }

    /// What is kept of it.
    #[must_use]
    pub fn sha256(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }

    /// For the message.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Link(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_reads_back_names_its_message_and_does_not_show_itself() {
        let message = LaneId(Uuid::from_u128(7));
        let link = Link::new(message, [1, 2, 3].map(Uuid::from_u128));
        let read = Link::parse(link.text()).unwrap();
        assert_eq!(
            (read.message(), read.sha256()),
            (Some(message), link.sha256())
        );
        assert_eq!(format!("{link:?}"), "Link(…)");
        let other = Link::new(message, [1, 2, 4].map(Uuid::from_u128));
        assert_ne!(other.sha256(), link.sha256());
        let run = RunId(Uuid::from_u128(9));
        let long = link.text_in(run);
        assert_eq!(Link::parse_in(&long), Some((run, link.clone())));
        assert_eq!(Link::parse(&long), None, "each opens at its own door");
        for wrong in [link.text(), &long.to_uppercase(), &long[1..], ".", ""] {
            assert_eq!(Link::parse_in(wrong), None, "{wrong}");
        }
        for wrong in [&link.text()[1..], &link.text().to_uppercase(), "", "é"] {
            assert_eq!(Link::parse(wrong), None, "{wrong}");
        }
    }
}
