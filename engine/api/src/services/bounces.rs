//! Reports of mail servers that somebody brings over HTTP: signed with a shared key, fresh, and each only once.
//!
//! Not here: what a report says and what follows from it (behind `TakeReport`).

use super::document;
use crate::Api;
use crate::authorize::{Action, Resource, Subject, authorize};
use crate::durable::kept;
use crate::problem::{Code, Problem};
use hostler_ports::returned::{Counts, TakeReport, Taken, Vouched};
use hostler_ports::store::CommitError;
use ring::hmac;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A signature is as old as this at most, and at most as far ahead: clocks differ.
const AGE_MAX_MS: i64 = 300_000;
/// So long a nonce is known: longer than any signature over it is fresh.
const NONCE_KEPT_MS: i64 = 600_000;
/// Most nonces that are known at a time; further reports are refused until some are old.
const NONCES_MAX: usize = 2_000;
const NONCE_BYTES: std::ops::RangeInclusive<usize> = 8..=64;
/// The shortest key that nobody guesses, in bytes.
pub const KEY_BYTES_MIN: usize = 32;
/// Attempts against others who write at the same moment.
const TRIES_MAX: u32 = 5;
/// The document of the nonces that are known.
const NONCES: &str = "bounce-nonces";

/// The door for reports.
pub struct Bounces {
    pub take: Arc<dyn TakeReport>,
    /// None: nobody may bring them over HTTP.
    key: Option<hmac::Key>,
}

/// A report as it was brought.
pub struct Brought<'a> {
    /// Seconds since 1970, as the sender wrote them.
    pub timestamp: Option<&'a str>,
    pub nonce: Option<&'a str>,
    /// `sha256=` and hexadecimal digits of the HMAC over `<timestamp>.<nonce>.<body>`.
    pub signature: Option<&'a str>,
    pub body: &'a [u8],
    pub now_ms: i64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Nonces {
    /// With the instant at which each came.
    known: Vec<(String, i64)>,
}

impl Bounces {
    /// # Errors
    /// For a key that is too short to be one.
    pub fn new(take: Arc<dyn TakeReport>, key: Option<&[u8]>) -> Result<Self, String> {
        if key.is_some_and(|key| key.len() < KEY_BYTES_MIN) {
            return Err(format!(
                "the key has less than {KEY_BYTES_MIN} bytes: make one with `openssl rand -hex 32`"
            ));
        }
        let key = key.map(|key| hmac::Key::new(hmac::HMAC_SHA256, key));
        Ok(Self { take, key })
    }

    /// Takes one report in.
    ///
    /// # Errors
    /// `unauthenticated` for a signature that is wrong, old or used before, `not-found` where nobody may bring
    /// reports, `too-early` when it is to come again, `store-full` for too many at a time, the store's.
    pub async fn bring(&self, api: &Api, brought: &Brought<'_>) -> Result<Taken, Problem> {
        let Some(key) = &self.key else {
            return Err(Problem::not_found("way to bring reports", "over HTTP")
                .remedy("name a file with a key: bounces.key_file"));
        };
        let nonce = signed(key, brought)?;
        once(api, nonce, brought.now_ms).await?;
        match self.take.take(brought.body, &Vouched::Signed).await {
            Ok(Taken::NotYet) => Err(Problem::new(
                Code::TooEarly,
                "the message is not known to have been handed over yet",
            )
            .remedy("bring the report again in a minute, signed anew")),
            Ok(taken) => Ok(taken),
            Err(fault) => Err(Problem::new(Code::StoreUnavailable, fault)
                .remedy("bring the report again, signed anew")),
        }
    }
}

/// What became of the reports that came to this process, by mail and over HTTP.
///
/// # Errors
/// `forbidden`, `not-found` where none are taken.
pub fn counts(bounces: Option<&Bounces>, subject: &Subject) -> Result<Counts, Problem> {
    authorize(subject, Action::ReadNotices, Resource::Realm).check(subject)?;
    let bounces = bounces.ok_or_else(not_taken)?;
    Ok(bounces.take.counts())
}

/// Where the settings name neither an address nor a key.
#[must_use]
pub fn not_taken() -> Problem {
    Problem::not_found("intake of reports", "here")
        .remedy("set bounces.listen or bounces.key_file in the settings")
}

/// The nonce of a report whose signature is right and fresh.
fn signed<'a>(key: &hmac::Key, brought: &Brought<'a>) -> Result<&'a str, Problem> {
    let refused = |detail: &str| {
        Problem::new(Code::Unauthenticated, detail).remedy(
            "send X-Hostler-Timestamp (seconds), X-Hostler-Nonce and X-Hostler-Signature: sha256=HMAC of \
             timestamp.nonce.body",
        )
    };
    let missing = || refused("a header of the signature is missing");
    let timestamp = brought.timestamp.ok_or_else(missing)?;
    let nonce = brought.nonce.ok_or_else(missing)?;
    let signature = brought.signature.ok_or_else(missing)?;
    let wrong = || refused("the signature does not fit");
    let digits = signature.strip_prefix("sha256=").ok_or_else(wrong)?;
    let tag = bytes(digits).ok_or_else(wrong)?;
    let mut text = format!("{timestamp}.{nonce}.").into_bytes();
    text.extend_from_slice(brought.body);
    // In constant time.
    hmac::verify(key, &text, &tag).map_err(|_| wrong())?;
    let seconds: i64 = timestamp.parse().map_err(|_| wrong())?;
    let age_ms = seconds
        .checked_mul(1_000)
        .map(|at_ms| at_ms.abs_diff(brought.now_ms));
    if age_ms.is_none_or(|age_ms| age_ms > AGE_MAX_MS.unsigned_abs()) {
        return Err(refused(
            "the signature is older than five minutes, or of the future",
        ));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if !NONCE_BYTES.contains(&nonce.len()) || !nonce.bytes().all(plain) {
        return Err(refused("a nonce has 8 to 64 letters, digits, - or _"));
    }
    Ok(nonce)
}

/// 32 bytes in hexadecimal digits.
fn bytes(digits: &str) -> Option<[u8; 32]> {
    let digits = digits.as_bytes();
    let mut bytes = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(bytes)
}

/// Each nonce opens once, at whichever process.
async fn once(api: &Api, nonce: &str, now_ms: i64) -> Result<(), Problem> {
    for _ in 0..TRIES_MAX {
        let found = document::read::<Nonces>(api, NONCES).await?;
        let mut nonces = found.value.unwrap_or_default().unwrap_or_default();
        nonces
            .known
            .retain(|(_, at_ms)| now_ms.saturating_sub(*at_ms) < NONCE_KEPT_MS);
        if nonces.known.iter().any(|(known, _)| known == nonce) {
            return Err(
                Problem::new(Code::Unauthenticated, "this nonce was used before")
                    .remedy("sign each request anew, with a nonce of its own"),
            );
        }
        if nonces.known.len() >= NONCES_MAX {
            let detail = format!("{NONCES_MAX} reports came within ten minutes");
            return Err(Problem::new(Code::StoreFull, detail).remedy("bring it again later"));
        }
        nonces.known.push((nonce.to_owned(), now_ms));
        match document::write(api, NONCES, found.version, &nonces, None).await {
            Ok(seq) => return kept(api, Some(seq)).await,
            Err(CommitError::Store(fault)) => return Err(fault.into()),
            Err(_) => {}
        }
    }
    Err(Problem::new(Code::Changed, "others bring reports all the time").remedy("bring it again"))
}
