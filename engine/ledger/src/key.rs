//! Ed25519 keys in the text form of signed notes: `name+id+key`, and `PRIVATE+KEY+name+id+seed`.
//!
//! Not here: files, and chance: the seed of a new key comes from outside.

use crate::hash::Hash;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use std::fmt;
use thiserror::Error;

/// The type byte of Ed25519 in the text form of a key.
const ED25519_TYPE: u8 = 1;
const PRIVATE: &str = "PRIVATE+KEY+";
/// Bytes of a seed, and of a public key.
pub const SEED_BYTES: usize = 32;
/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = 64;
/// Longest name of a key in bytes.
pub const NAME_MAX_BYTES: usize = 255;

#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum KeyError {
    #[error(
        "{0:?} cannot name a key: write 1 to 255 bytes without spaces, plus and control characters"
    )]
    Name(String),
    #[error(
        "this is no public key of a ledger: write the line that `hostler ledger key new` prints, name+id+key"
    )]
    Public,
    #[error("this is no private key of a ledger: make one with `hostler ledger key new FILE`")]
    Private,
    #[error("the id of the key {0} does not belong to it: the line was changed or cut")]
    Id(String),
}

/// Whether a key may be called so.
///
/// # Errors
/// When it may not.
pub fn check_name(name: &str) -> Result<(), KeyError> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if name.is_empty() || name.len() > NAME_MAX_BYTES || name.contains(bad) {
        let shown = name.chars().take(40).collect();
        return Err(KeyError::Name(shown));
    }
    Ok(())
}

/// Checks what the ledger says: a public key and its name.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    public: [u8; SEED_BYTES],
}

impl VerifierKey {
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first bytes of a hash of name and key: tells apart keys of one name.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let mut text = self.name.clone().into_bytes();
        text.extend([b'\n', ED25519_TYPE]);
        text.extend(self.public);
        let [a, b, c, d, ..] = Hash::plain(&text).0;
        [a, b, c, d]
    }

    /// # Errors
    /// For a text that is no key, or one whose id does not belong to it.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let (name, id, public) = parts(text).ok_or(KeyError::Public)?;
        check_name(name)?;
        let key = Self {
            name: name.to_owned(),
            public,
        };
        if hex::encode(key.id()) != id {
            return Err(KeyError::Id(name.to_owned()));
        }
        Ok(key)
    }

    /// Whether `signature` over `text` is of this key.
    #[must_use]
    pub fn holds(&self, text: &[u8], signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, self.public);
        key.verify(text, signature).is_ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_key(f, &self.name, self.id(), &self.public)
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Signs what the ledger says. Whoever holds it can make a ledger that verifies.
pub struct SigningKey {
    seed: [u8; SEED_BYTES],
    pair: Ed25519KeyPair,
    verifier: VerifierKey,
}

impl SigningKey {
    /// The key that grows from `seed`, which nobody may be able to guess.
    ///
    /// # Errors
    /// For a name that no key can have.
    pub fn from_seed(name: &str, seed: [u8; SEED_BYTES]) -> Result<Self, KeyError> {
        check_name(name)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| KeyError::Private)?;
        let public = pair.public_key().as_ref();
        let verifier = VerifierKey {
            name: name.to_owned(),
            public: public.try_into().map_err(|_| KeyError::Private)?,
        };
        Ok(Self {
            seed,
            pair,
            verifier,
        })
    }

    /// # Errors
    /// For a text that is no private key.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let rest = text.strip_prefix(PRIVATE).ok_or(KeyError::Private)?;
        let (name, id, seed) = parts(rest).ok_or(KeyError::Private)?;
        let key = Self::from_seed(name, seed)?;
        if hex::encode(key.verifier.id()) != id {
            return Err(KeyError::Id(name.to_owned()));
        }
        Ok(key)
    }

    /// The text of the private file. It must be readable by its owner only.
    #[must_use]
    pub fn to_private_text(&self) -> String {
        struct Text<'a>(&'a SigningKey);
        impl fmt::Display for Text<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let verifier = &self.0.verifier;
                write_key(f, &verifier.name, verifier.id(), &self.0.seed)
            }
        }
        format!("{PRIVATE}{}\n", Text(self))
    }

    #[must_use]
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    #[must_use]
    pub fn sign(&self, text: &[u8]) -> Vec<u8> {
        self.pair.sign(text).as_ref().to_vec()
    }
}

/// Name, id and the 32 bytes of a key.
fn parts(text: &str) -> Option<(&str, &str, [u8; SEED_BYTES])> {
    // Only the last part may contain a plus.
    let mut parts = text.splitn(3, '+');
    let (name, id, key) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = STANDARD.decode(key).ok()?;
    let (kind, key) = bytes.split_first()?;
    let key = key.try_into().ok().filter(|_| *kind == ED25519_TYPE)?;
    Some((name, id, key))
}

fn write_key(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    id: [u8; 4],
    key: &[u8; SEED_BYTES],
) -> fmt::Result {
    let mut bytes = vec![ED25519_TYPE];
    bytes.extend(key);
    write!(f, "{name}+{}+{}", hex::encode(id), STANDARD.encode(bytes))
}
