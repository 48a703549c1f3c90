//! Bearer tokens of people: kept as SHA-256, so that the file gives nobody away.
//!
//! A token is a random text of its own, so a plain digest is enough: there is nothing to guess.

use hostler_core::id::Digest;
use hostler_ports::clock::Ids;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// What tokens begin with, so that scanners find lost ones.
const PREFIX: &str = "hostler_";

/// One line of the tokens file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Id of the person in the estate.
    pub person: String,
    pub sha256: Digest,
    /// Milliseconds since 1970 after which it counts no more; none for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The key of a customer's calendar feed: calendar programs send nothing but an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedEntry {
    /// Id of the customer in the estate.
    pub customer: String,
    pub sha256: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    token: Vec<Entry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    feed: Vec<FeedEntry>,
}

#[derive(Debug, Error)]
pub enum TokensError {
    #[error("the tokens file cannot be read: {0}")]
    Unreadable(#[from] toml::de::Error),
    #[error("the tokens file cannot be written: {0}")]
    Unwritable(#[from] toml::ser::Error),
}

/// All tokens that open this door.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    people: BTreeMap<Digest, Entry>,
    feeds: BTreeMap<Digest, FeedEntry>,
}

impl Tokens {
    /// # Errors
    /// When the text is not a tokens file.
    pub fn parse(text: &str) -> Result<Self, TokensError> {
        let file: File = toml::from_str(text)?;
        let people = file.token.into_iter();
        let feeds = file.feed.into_iter();
        Ok(Self {
            people: people.map(|entry| (entry.sha256, entry)).collect(),
            feeds: feeds.map(|entry| (entry.sha256, entry)).collect(),
        })
    }

    /// # Errors
    /// Never for entries of this type; the writer says so.
    pub fn to_text(&self) -> Result<String, TokensError> {
        Ok(toml::to_string(&File {
            token: self.people.values().cloned().collect(),
            feed: self.feeds.values().cloned().collect(),
        })?)
    }

    /// Makes a token; its text is given out here and nowhere else.
    pub fn issue(
        &mut self,
        ids: &dyn Ids,
        person: &str,
        expires_ms: Option<i64>,
        note: Option<String>,
    ) -> String {
        let (text, sha256) = fresh(ids);
        self.people.insert(
            sha256,
            Entry {
                person: person.to_owned(),
                sha256,
                expires_ms,
                note,
            },
        );
        text
    }

    /// Makes the key of a customer's feed; its text is given out here and nowhere else.
    pub fn issue_feed(&mut self, ids: &dyn Ids, customer: &str, note: Option<String>) -> String {
        let (text, sha256) = fresh(ids);
        let customer = customer.to_owned();
        let entry = FeedEntry {
            customer,
            sha256,
            note,
        };
        self.feeds.insert(sha256, entry);
        text
    }

    /// What is known of all tokens.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.people.values()
    }

    /// What is known of all keys of feeds.
    pub fn feeds(&self) -> impl Iterator<Item = &FeedEntry> {
        self.feeds.values()
    }

    /// Takes away all keys of a customer's feed; how many there were.
    pub fn revoke_feed(&mut self, customer: &str) -> usize {
        let before = self.feeds.len();
        self.feeds.retain(|_, entry| entry.customer != customer);
        before - self.feeds.len()
    }

    /// The customer whose feed this key opens.
    #[must_use]
    pub fn customer(&self, key: &str) -> Option<&str> {
        let entry = self.feeds.get(&Digest::of(key.as_bytes()))?;
        Some(&entry.customer)
    }

    /// Takes away all tokens of a person; how many there were.
    pub fn revoke(&mut self, person: &str) -> usize {
        let before = self.people.len();
        self.people.retain(|_, entry| entry.person != person);
        before - self.people.len()
    }

    /// The person whose token this is. The look-up is by digest: its time tells nothing of the text.
    #[must_use]
    pub fn person(&self, token: &str, now_ms: i64) -> Option<&str> {
        let entry = self.people.get(&Digest::of(token.as_bytes()))?;
        let over = entry.expires_ms.is_some_and(|end| end <= now_ms);
        (!over).then_some(entry.person.as_str())
    }
}

fn fresh(ids: &dyn Ids) -> (String, Digest) {
    let text = format!("{PREFIX}{}{}", ids.fresh().simple(), ids.fresh().simple());
    let sha256 = Digest::of(text.as_bytes());
    (text, sha256)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hostler_ports::store::memory::CountedIds;

    #[test]
    fn the_key_of_a_feed_opens_that_feed_until_it_is_revoked_and_stands_for_nobody() {
        let (mut tokens, ids) = (Tokens::default(), CountedIds::default());
        let key = tokens.issue_feed(&ids, "chem", None);
        let person = tokens.issue(&ids, "olga", None, None);
        let text = tokens.to_text().unwrap();
        assert!(!text.contains(&key));
        let mut read = Tokens::parse(&text).unwrap();
        assert_eq!(
            (read.customer(&key), read.person(&key, 0)),
            (Some("chem"), None)
        );
        assert_eq!(read.customer(&person), None);
        assert_eq!((read.revoke_feed("chem"), read.customer(&key)), (1, None));
        assert_eq!(read.person(&person, 0), Some("olga"));
    }

    #[test]
    fn a_token_opens_until_it_expires_and_its_text_is_not_in_the_file() {
        let mut tokens = Tokens::default();
        let ids = CountedIds::default();
        let (olga, pat) = (
            tokens.issue(&ids, "olga", None, None),
            tokens.issue(&ids, "pat", Some(50), None),
        );
        assert_ne!(olga, pat);
        let text = tokens.to_text().unwrap();
        assert!(!text.contains(&olga) && !text.contains(&pat));
        let read = Tokens::parse(&text).unwrap();
        let cases = [
            (&olga, 99, Some("olga")),
            (&pat, 49, Some("pat")),
            (&pat, 50, None),
        ];
        for (token, now_ms, person) in cases {
            assert_eq!(read.person(token, now_ms), person);
        }
        assert_eq!(read.person("hostler_else", 0), None);
        assert_eq!((tokens.revoke("olga"), tokens.revoke("olga")), (1, 0));
        assert_eq!(tokens.person(&olga, 0), None);
        assert_eq!(tokens.person(&pat, 0), Some("pat"));
    }
}
