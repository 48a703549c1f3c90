//! Second factors of people: the secret that their authenticator app has, too, and the codes that come of it (RFC 6238).
//!
//! Codes are reckoned from the secret, so it cannot be kept as a digest: it lies in a file of its own, and never in
//! the store. Neither a secret nor a code is ever shown by `Debug` or by an error. Not here: whether a code still
//! counts (services), and where the file lies.

use data_encoding::BASE32_NOPAD;
use hostler_core::id::Digest;
use hostler_ports::clock::Ids;
use ring::hmac;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use thiserror::Error;

/// Length of a secret: as long as the digest that it keys (RFC 4226 asks for 160 bits).
const SECRET_BYTES: usize = 20;
/// A code counts for so long, in milliseconds: what all apps know.
const STEP_MS: i64 = 30_000;
/// Digits of a code.
const DIGITS: usize = 6;
/// The first number with more digits.
const CODES: u32 = 1_000_000;

/// A code as somebody has typed it. JSON: a text of six digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Passcode(u32);

impl Passcode {
    /// Six digits, in groups if need be (`123 456`). None for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|sign| !sign.is_whitespace()).collect();
        let fits = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| digits.parse().ok().map(Self)).flatten()
    }
}

impl fmt::Debug for Passcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passcode(…)")
    }
}

impl Serialize for Passcode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{:0DIGITS$}", self.0))
    }
}

impl<'de> Deserialize<'de> for Passcode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Whatever it was: an error that names the value would show the code.
        let value = Value::deserialize(deserializer)?;
        let code = value.as_str().and_then(Self::parse);
        code.ok_or_else(|| D::Error::custom("`code` is a text of six digits"))
    }
}

/// What a person's app has.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; SECRET_BYTES]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// Two fresh ids have more than 160 bits of chance between them.
    fn fresh(ids: &dyn Ids) -> Self {
        let chance = [ids.fresh().into_bytes(), ids.fresh().into_bytes()].concat();
        let mut secret = [0; SECRET_BYTES];
        secret.copy_from_slice(&Digest::of(&chance).0[..SECRET_BYTES]);
        Self(secret)
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes = BASE32_NOPAD.decode(text.as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// As people type it into an app, in base32.
    #[must_use]
    pub fn text(&self) -> String {
        BASE32_NOPAD.encode(&self.0)
    }

    /// As apps read it from a QR code: `otpauth://totp/…`.
    #[must_use]
    pub fn uri(&self, realm: &str, person: &str) -> String {
        let (issuer, person) = (encoded(&format!("Hostler {realm}")), encoded(person));
        format!(
            "otpauth://totp/{issuer}:{person}?secret={}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={}",
            self.text(),
            STEP_MS / 1_000
        )
    }

    /// The code of a step of time.
    #[must_use]
    pub fn code(&self, step: u64) -> Passcode {
        Passcode(self.number(step) % CODES)
    }

    /// The 31 bits of RFC 4226, 5.3.
    fn number(&self, step: u64) -> u32 {
        // SHA-1 is what apps know; as a keyed digest of a number it is not broken.
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let last = tag.last().copied().unwrap_or_default();
        let from = usize::from(last & 0x0f);
        let word = tag.iter().skip(from).take(size_of::<u32>());
        word.fold(0u32, |number, byte| (number << 8) | u32::from(*byte)) & 0x7fff_ffff
    }
}

/// The step of time of an instant, in milliseconds since 1970.
#[must_use]
pub fn step(at_ms: i64) -> u64 {
    u64::try_from(at_ms.div_euclid(STEP_MS)).unwrap_or_default()
}

fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[derive(Debug, Error)]
pub enum StepUpError {
    /// Without the line itself, which may hold a secret.
    #[error("line {line} cannot be read: entries are [[person]] with id and secret")]
    Unreadable { line: usize },
    #[error("the secret of {person} is no base32 text of 160 bits")]
    NoSecret { person: String },
    #[error("{person} stands there twice")]
    Twice { person: String },
    #[error("it cannot be written")]
    Unwritable,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    person: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Id of the person in the estate.
    id: String,
    secret: String,
}

/// Everybody who has a second factor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Enrolled(BTreeMap<String, Secret>);

impl Enrolled {
    /// # Errors
    /// When the text is no such file; never with a part of it.
    pub fn parse(text: &str) -> Result<Self, StepUpError> {
        let file: File = toml::from_str(text).map_err(|fault| {
            let until = fault.span().map_or(0, |span| span.start);
            let before = text.bytes().take(until).filter(|byte| *byte == b'\n');
            StepUpError::Unreadable {
                line: before.count() + 1,
            }
        })?;
        let mut people = BTreeMap::new();
        for Entry { id, secret } in file.person {
            let Some(secret) = Secret::parse(&secret) else {
                return Err(StepUpError::NoSecret { person: id });
            };
            if people.insert(id.clone(), secret).is_some() {
                return Err(StepUpError::Twice { person: id });
            }
        }
        Ok(Self(people))
    }

    /// # Errors
    /// Never for entries of this type; the writer says so.
    pub fn to_text(&self) -> Result<String, StepUpError> {
        let entry = |(id, secret): (&String, &Secret)| Entry {
            id: id.clone(),
            secret: secret.text(),
        };
        let person = self.0.iter().map(entry).collect();
        toml::to_string(&File { person }).map_err(|_| StepUpError::Unwritable)
    }

    /// Makes the secret of a person, in place of one that was there.
    pub fn enrol(&mut self, ids: &dyn Ids, person: &str) -> Secret {
        let secret = Secret::fresh(ids);
        self.0.insert(person.to_owned(), secret.clone());
        secret
    }

    /// Takes the secret of a person away; false when there was none.
    pub fn remove(&mut self, person: &str) -> bool {
        self.0.remove(person).is_some()
    }

    #[must_use]
    pub fn secret(&self, person: &str) -> Option<&Secret> {
        self.0.get(person)
    }

    #[must_use]
    pub fn has(&self, person: &str) -> bool {
        self.0.contains_key(person)
    }

    pub fn people(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
