//! The tag in the address to which one message comes back: `bounces+<tag>@runs.example`. It is chance, in the envelope of
//! that message and nowhere else, and its digest lies in the message's log: whoever never handled the message cannot
//! report that it did not arrive.
//!
//! Not here: reports, and who else is believed.

use crate::id::Digest;
use std::fmt;
use uuid::Uuid;

/// Hexadecimal digits of a tag (128 bits).
const DIGITS: usize = 32;
/// Longest part before the `@` (RFC 5321).
const LOCAL_MAX_BYTES: usize = 64;

#[derive(Clone, PartialEq, Eq)]
pub struct ReturnTag(String);

impl ReturnTag {
    /// Two fresh ids have more than 128 bits of chance between them.
    #[must_use]
    pub fn new(fresh: [Uuid; 2]) -> Self {
        let chance: Vec<u8> = fresh.iter().flat_map(Uuid::as_bytes).copied().collect();
        let mut digits = Digest::of(&chance).to_string();
        digits.truncate(DIGITS);
        Self(digits)
    }

    /// None for what no message ever had. Mail servers may change small and capital letters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        fits.then(|| Self(text.to_ascii_lowercase()))
    }

    /// The tag of an address that belongs to ours.
    #[must_use]
    pub fn of(address: &str, ours: &str) -> Option<Self> {
        let ((local, domain), (name, host)) = (address.rsplit_once('@')?, ours.rsplit_once('@')?);
        let (own, tag) = local.rsplit_once('+')?;
        let is_ours = own.eq_ignore_ascii_case(name) && domain.eq_ignore_ascii_case(host);
        Self::parse(tag).filter(|_| is_ours)
    }

    /// Our address with the tag; none where it would be too long.
    #[must_use]
    pub fn beside(&self, ours: &str) -> Option<String> {
        let (name, host) = ours.rsplit_once('@')?;
        let local = format!("{name}+{}", self.0);
        (local.len() <= LOCAL_MAX_BYTES).then(|| format!("{local}@{host}"))
    }

    /// What is kept of it.
    #[must_use]
    pub fn sha256(&self) -> Digest {
        Digest::of(format!("return {}", self.0).as_bytes())
    }
}

impl fmt::Debug for ReturnTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReturnTag(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_stands_in_our_address_and_is_read_back_from_no_other() {
        let tag = ReturnTag::new([1, 2].map(Uuid::from_u128));
        let ours = "bounces@runs.example";
        let address = tag.beside(ours).unwrap();
        assert!(address.starts_with("bounces+") && address.ends_with("@runs.example"));
        assert_eq!(ReturnTag::of(&address, ours), Some(tag.clone()));
        let loud = address.to_uppercase();
        assert_eq!(
            ReturnTag::of(&loud, ours),
            Some(tag.clone()),
            "as servers pass it on"
        );
        for other in [
            ours.to_owned(),
            address.replace("bounces", "bounce"),
            address.replace("runs", "run"),
            address.replacen('+', "++x", 1),
            address.replace("@", "0@"),
            String::new(),
        ] {
            assert_eq!(ReturnTag::of(&other, ours), None, "{other}");
        }
        let other = ReturnTag::new([1, 3].map(Uuid::from_u128));
        assert_ne!(other.sha256(), tag.sha256());
        assert_eq!(format!("{tag:?}"), "ReturnTag(…)");
        let long = format!("{}@runs.example", "b".repeat(32));
        assert_eq!((tag.beside(&long), tag.beside("nobody")), (None, None));
    }
}
