//! Who says it: an HMAC over instant, nonce and body, as reports are signed that come in.
//!
//! Not here: where the key comes from.

use hostler_core::id::Digest;
use ring::hmac;

/// Headers of one request.
pub struct Signed {
    /// Seconds since 1970.
    pub timestamp: String,
    pub nonce: String,
    /// `sha256=` and hexadecimal digits.
    pub signature: String,
}

/// Signs a body. The same message at the same second has the same nonce: a repeat is recognised by it.
pub fn sign(key: &[u8], message_id: &str, now_ms: i64, body: &[u8]) -> Signed {
    let timestamp = (now_ms / 1_000).to_string();
    let nonce = Digest::of(format!("{message_id}.{timestamp}").as_bytes()).to_string();
    let nonce: String = nonce.chars().take(32).collect();
    let mut text = format!("{timestamp}.{nonce}.").into_bytes();
    text.extend_from_slice(body);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), &text);
    let digits: String = tag
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Signed {
        timestamp,
        nonce,
        signature: format!("sha256={digits}"),
    }
}
