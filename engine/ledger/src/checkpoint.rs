//! Checkpoints: size and root of the ledger at one moment, signed (c2sp.org/tlog-checkpoint over
//! c2sp.org/signed-note). The origin is the realm, and so is the name of the key.

use crate::SIZE_MAX;
use crate::hash::Hash;
use crate::key::{SIGNATURE_BYTES, SigningKey, VerifierKey};
use crate::lines::number;
use crate::proof::Head;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

/// Longest text of a checkpoint in bytes: room for the signatures of witnesses.
pub const CHECKPOINT_MAX_BYTES: usize = 128 * 1024;
/// Most signatures that are looked at.
const SIGNATURES_MAX: usize = 64;
const DASH: &str = "\u{2014} ";

#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CheckpointError {
    #[error("line {line} of the checkpoint: {why}")]
    Malformed { line: usize, why: &'static str },
    #[error("the checkpoint has {0} bytes, at most {CHECKPOINT_MAX_BYTES} are read")]
    TooLong(usize),
    #[error(
        "the checkpoint is of the realm {found:?}, the key of {expected:?}: take the key of that realm"
    )]
    Origin { expected: String, found: String },
    #[error("the checkpoint is not signed by the key {0}")]
    Unsigned(String),
    #[error(
        "a signature under the name of the key {0} is not of that key: the checkpoint was changed"
    )]
    Forged(String),
}

/// What a checkpoint says. Only `open` and `sign` make one: it was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    head: Head,
    text: String,
}

impl Checkpoint {
    /// Signs a head as the realm that the key is named after.
    #[must_use]
    pub fn sign(key: &SigningKey, head: Head) -> Self {
        let origin = key.verifier().name().to_owned();
        let body = body(&origin, head);
        let mut signature = key.verifier().id().to_vec();
        signature.extend(key.sign(body.as_bytes()));
        let signature = STANDARD.encode(signature);
        let text = format!("{body}\n{DASH}{origin} {signature}\n");
        Self { origin, head, text }
    }

    /// Reads a checkpoint and checks its signature.
    ///
    /// # Errors
    /// Unless the text is exactly a checkpoint of the key's realm, signed by the key. Signatures of
    /// others are passed over.
    pub fn open(text: &[u8], key: &VerifierKey) -> Result<Self, CheckpointError> {
        let text = plain(text)?;
        let (origin, head, signed) = note(text)?;
        signatures(&text[signed.len() + 1..], signed, key)?;
        if origin != key.name() {
            return Err(CheckpointError::Origin {
                expected: key.name().to_owned(),
                found: origin.to_owned(),
            });
        }
        Ok(Self {
            origin: origin.to_owned(),
            head,
            text: text.to_owned(),
        })
    }

    /// What the text of a checkpoint of this realm says, signed or not. Enough to find damage, not to find
    /// who lies: nothing is verified by it.
    ///
    /// # Errors
    /// Unless the text is a checkpoint that names the realm.
    pub fn said(text: &[u8], realm: &str) -> Result<Head, CheckpointError> {
        let (origin, head, _) = note(plain(text)?)?;
        match origin == realm {
            true => Ok(head),
            false => Err(CheckpointError::Origin {
                expected: realm.to_owned(),
                found: origin.to_owned(),
            }),
        }
    }

    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// The whole text, with all its signatures.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

fn malformed(line: usize, why: &'static str) -> CheckpointError {
    CheckpointError::Malformed { line, why }
}

fn plain(text: &[u8]) -> Result<&str, CheckpointError> {
    if text.len() > CHECKPOINT_MAX_BYTES {
        return Err(CheckpointError::TooLong(text.len()));
    }
    let text = std::str::from_utf8(text).map_err(|_| malformed(1, "it is no UTF-8"))?;
    if let Some(at) = text.find(|c: char| c.is_control() && c != '\n') {
        let line = 1 + text[..at].matches('\n').count();
        return Err(malformed(line, "it has a control character"));
    }
    Ok(text)
}

fn body(origin: &str, head: Head) -> String {
    format!("{origin}\n{}\n{}\n", head.size, head.root.to_base64())
}

/// Origin and head of a checkpoint, and the text that is signed: its three lines.
fn note(text: &str) -> Result<(&str, Head, &str), CheckpointError> {
    let mut lines = text.split('\n');
    let mut line = |at, why| lines.next().ok_or(malformed(at, why));
    let origin = line(1, "the realm belongs here")?;
    if origin.is_empty() {
        return Err(malformed(1, "the realm belongs here"));
    }
    let bad_size = "the number of entries belongs here";
    let size = number(line(2, bad_size)?).filter(|size| *size <= SIZE_MAX);
    let size = size.ok_or(malformed(2, bad_size))?;
    let bad_root = "the root belongs here: 32 bytes in base64";
    let root = Hash::from_base64(line(3, bad_root)?).ok_or(malformed(3, bad_root))?;
    let end = "an empty line belongs here: no further lines are known to this version";
    if !line(4, end)?.is_empty() {
        return Err(malformed(4, end));
    }
    let head = Head { size, root };
    let signed = body(origin, head).len();
    match text.get(..signed) {
        Some(signed) if text.len() > signed.len() => Ok((origin, head, signed)),
        _ => Err(malformed(5, "a signature belongs here")),
    }
}

/// Looks through the signature lines; `signed` is the text above them.
fn signatures(lines: &str, signed: &str, key: &VerifierKey) -> Result<(), CheckpointError> {
    let lines = lines
        .strip_suffix('\n')
        .ok_or(malformed(5, "the last line does not end"))?;
    let mut found = false;
    for (at, line) in lines.split('\n').enumerate() {
        let why = "a signature belongs here: a dash, a name, and base64";
        let broken = malformed(5 + at, why);
        if at >= SIGNATURES_MAX {
            return Err(malformed(5 + at, "there are more signatures than are read"));
        }
        let (name, signature) = line
            .strip_prefix(DASH)
            .and_then(|rest| rest.split_once(' '))
            .ok_or(broken.clone())?;
        let bytes = STANDARD.decode(signature).map_err(|_| broken.clone())?;
        crate::key::check_name(name).map_err(|_| broken.clone())?;
        let (id, signature) = bytes.split_first_chunk::<4>().ok_or(broken)?;
        if name != key.name() || *id != key.id() {
            continue;
        }
        if signature.len() != SIGNATURE_BYTES || !key.holds(signed.as_bytes(), signature) {
            return Err(CheckpointError::Forged(key.to_string()));
        }
        found = true;
    }
    match found {
        true => Ok(()),
        false => Err(CheckpointError::Unsigned(key.to_string())),
    }
}
