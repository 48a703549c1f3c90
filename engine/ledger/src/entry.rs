//! One entry of the ledger as bytes: six lines for people and machines, an empty one, and the body
//! as it was given.
//!
//! Not here: what a body means.

use crate::bundle::ENTRY_MAX_BYTES;
use crate::folder::File;
use crate::hash::Hash;
use crate::lines::{number, signed};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use thiserror::Error;

/// First line of each entry.
const FORMAT: &str = "hostler-ledger-entry/1";
const NOTHING: &str = "-";
/// Longer bodies lie in a file of their own, under their hash; in bytes.
pub const BODY_INLINE_MAX_BYTES: usize = 60 * 1024;
/// Longest body in bytes: a commit of the store is not longer.
pub const BODY_MAX_BYTES: usize = 8 * 1024 * 1024;
/// Longest text that names a lane, in bytes.
const LANE_MAX_BYTES: usize = 64;
/// Bytes of a writer's MAC.
pub const MAC_BYTES: usize = 32;
const MAC_FORMAT: &str = "hostler-ledger-mac/1";

const _: () = assert!(BODY_INLINE_MAX_BYTES + 1_024 < ENTRY_MAX_BYTES);

#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum EntryError {
    #[error("line {line} of the entry: {why}")]
    Malformed { line: usize, why: &'static str },
    #[error("a body of {0} bytes is longer than the {BODY_MAX_BYTES} of an entry")]
    BodyTooLong(usize),
}

/// The body, or where it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    Here(String),
    Elsewhere { sha256: Hash, bytes: u64 },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the ledger, from 0.
    pub number: u64,
    /// None for what housekeeping wrote.
    pub lane: Option<String>,
    /// Version of the lane in whose commit it was written.
    pub version: u64,
    /// When, by the store's clock.
    pub at_ms: i64,
    /// What the writer made of lane, version and body with its own key; none where it has none.
    pub mac: Option<[u8; MAC_BYTES]>,
    pub body: Body,
}

impl Body {
    /// The body of an entry, and the file beside it that a long one needs.
    ///
    /// # Errors
    /// For a body that is longer than any commit.
    pub fn of(text: String) -> Result<(Self, Option<File>), EntryError> {
        match text.len() {
            length if length > BODY_MAX_BYTES => Err(EntryError::BodyTooLong(length)),
            length if length > BODY_INLINE_MAX_BYTES => {
                let sha256 = Hash::plain(text.as_bytes());
                let bytes = length as u64;
                let file = File {
                    path: body_path(sha256),
                    bytes: text.into_bytes(),
                };
                Ok((Self::Elsewhere { sha256, bytes }, Some(file)))
            }
            _ => Ok((Self::Here(text), None)),
        }
    }

    fn sha256(&self) -> Hash {
        match self {
            Self::Here(text) => Hash::plain(text.as_bytes()),
            Self::Elsewhere { sha256, .. } => *sha256,
        }
    }
}

/// Where a body lies that is too long for its entry.
#[must_use]
pub fn body_path(sha256: Hash) -> String {
    format!("body/{sha256}")
}

impl Entry {
    /// The leaf's bytes: the only way of writing this entry.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let lane = self.lane.as_deref().unwrap_or(NOTHING);
        let mac = self.mac.map(|mac| STANDARD.encode(mac));
        let mac = mac.as_deref().unwrap_or(NOTHING);
        let (body, text) = match &self.body {
            Body::Here(text) => (format!("body {}", text.len()), text.as_str()),
            Body::Elsewhere { sha256, bytes } => (format!("body-sha256 {sha256} {bytes}"), ""),
        };
        let (number, version, at_ms) = (self.number, self.version, self.at_ms);
        format!(
            "{FORMAT}\nnumber {number}\nlane {lane}\nversion {version}\nat_ms {at_ms}\nmac {mac}\n{body}\n\n{text}"
        )
        .into_bytes()
    }

    /// # Errors
    /// For any bytes that `to_bytes` does not write.
    pub fn parse(bytes: &[u8]) -> Result<Self, EntryError> {
        if bytes.len() > ENTRY_MAX_BYTES {
            return Err(malformed(1, "the entry is too long"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| malformed(1, "it is no UTF-8"))?;
        let (head, body) = text
            .split_once("\n\n")
            .ok_or(malformed(8, "an empty line belongs before the body"))?;
        let entry = read(head, body)?;
        match entry.to_bytes() == bytes {
            true => Ok(entry),
            false => Err(malformed(1, "it is not written in the one way for it")),
        }
    }

    /// The MAC of a writer over what it writes; number and instant are the store's to give.
    #[must_use]
    pub fn mac_of(key: &MacKey, lane: Option<&str>, version: u64, body: &Body) -> [u8; MAC_BYTES] {
        let tag = hmac::sign(&key.0, mac_text(lane, version, body).as_bytes());
        let mut mac = [0; MAC_BYTES];
        mac.copy_from_slice(tag.as_ref());
        mac
    }

    /// Whether the entry carries the MAC of this writer. A copy of a whole entry would carry it too:
    /// that an entry stands where it belongs, the tree says.
    #[must_use]
    pub fn mac_holds(&self, key: &MacKey) -> bool {
        let text = mac_text(self.lane.as_deref(), self.version, &self.body);
        self.mac
            .is_some_and(|mac| hmac::verify(&key.0, text.as_bytes(), &mac).is_ok())
    }
}

/// A writer's key for HMAC-SHA256.
pub struct MacKey(hmac::Key);

impl MacKey {
    #[must_use]
    pub fn new(secret: &[u8; MAC_BYTES]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }
}

fn mac_text(lane: Option<&str>, version: u64, body: &Body) -> String {
    let lane = lane.unwrap_or(NOTHING);
    format!("{MAC_FORMAT}\n{lane}\n{version}\n{}\n", body.sha256())
}

fn malformed(line: usize, why: &'static str) -> EntryError {
    EntryError::Malformed { line, why }
}

fn read(head: &str, body: &str) -> Result<Entry, EntryError> {
    let mut lines = head.split('\n');
    if lines.next() != Some(FORMAT) {
        return Err(malformed(1, "hostler-ledger-entry/1 belongs here"));
    }
    let mut field = |line, name: &str, why| {
        let rest = lines.next().and_then(|text| text.strip_prefix(name));
        rest.ok_or(malformed(line, why))
    };
    let numbers = "a field with a number belongs here";
    let text = field(2, "number ", numbers)?;
    let number_ = number(text).ok_or(malformed(2, numbers))?;
    let lane = lane(field(3, "lane ", "the lane belongs here")?)?;
    let version = number(field(4, "version ", numbers)?).ok_or(malformed(4, numbers))?;
    let at_ms = signed(field(5, "at_ms ", numbers)?).ok_or(malformed(5, numbers))?;
    let mac = mac(field(6, "mac ", "the MAC belongs here")?)?;
    let body = body_of(
        field(7, "body", "the length of the body belongs here")?,
        body,
    )?;
    match lines.next() {
        Some(_) => Err(malformed(8, "an empty line belongs here")),
        None => Ok(Entry {
            number: number_,
            lane,
            version,
            at_ms,
            mac,
            body,
        }),
    }
}

fn lane(text: &str) -> Result<Option<String>, EntryError> {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if text.is_empty() || text.len() > LANE_MAX_BYTES || !text.chars().all(good) {
        return Err(malformed(3, "this is no id of a lane"));
    }
    Ok((text != NOTHING).then(|| text.to_owned()))
}

fn mac(text: &str) -> Result<Option<[u8; MAC_BYTES]>, EntryError> {
    if text == NOTHING {
        return Ok(None);
    }
    let hash = Hash::from_base64(text).ok_or(malformed(6, "a MAC is 32 bytes in base64, or -"))?;
    Ok(Some(hash.0))
}

/// `length` is what follows `body` in line 7, `text` what follows the empty line.
fn body_of(length: &str, text: &str) -> Result<Body, EntryError> {
    let bad = malformed(7, "the body is not as long as the entry says");
    if let Some(length) = length.strip_prefix(' ') {
        let fits = text.len() <= BODY_INLINE_MAX_BYTES && number(length) == Some(text.len() as u64);
        return if fits {
            Ok(Body::Here(text.to_owned()))
        } else {
            Err(bad)
        };
    }
    let (sha256, bytes) = length
        .strip_prefix("-sha256 ")
        .and_then(|rest| rest.split_once(' '))
        .ok_or(bad.clone())?;
    let mut hash = [0; MAC_BYTES];
    hex::decode_to_slice(sha256, &mut hash).map_err(|_| bad.clone())?;
    let range = BODY_INLINE_MAX_BYTES as u64 + 1..=BODY_MAX_BYTES as u64;
    let bytes = number(bytes).filter(|bytes| range.contains(bytes));
    Ok(Body::Elsewhere {
        sha256: Hash(hash),
        bytes: bytes.filter(|_| text.is_empty()).ok_or(bad)?,
    })
}
