//! Identifiers. All of them are values handed in or derived; none is made here by chance.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// Namespace of every derived id of this product.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f1d_3f6c_52a4_5b0e_9a35_7d20_4c8e_11b7);

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

uuid_id! {
    /// One execution of a plan.
    RunId
}
uuid_id! {
    /// One strictly sequential program of a run.
    LaneId
}

impl RunId {
    /// The run's first lane.
    #[must_use]
    pub fn root(self) -> LaneId {
        LaneId(derive(&[self.0.as_bytes(), b"root"]))
    }

    /// The run that a caller's own key names: the same key is the same run.
    #[must_use]
    pub fn of_client_key(realm: &str, key: &str) -> Self {
        Self(derive(&[realm.as_bytes(), key.as_bytes()]))
    }
}

impl LaneId {
    /// A child of this lane. The same step, iteration and key give the same child.
    #[must_use]
    pub fn child(self, step: &str, iteration: u32, key: &str) -> Self {
        Self(derive(&[
            self.0.as_bytes(),
            step.as_bytes(),
            &iteration.to_be_bytes(),
            key.as_bytes(),
        ]))
    }

    /// The key a target sees on every attempt of a step, in this visit of it.
    #[must_use]
    pub fn idempotency_key(self, step: &str, visit: u32) -> Uuid {
        derive(&[
            self.0.as_bytes(),
            b"step",
            step.as_bytes(),
            &visit.to_be_bytes(),
        ])
    }

    /// A command that follows from this lane's own history (the same cause, the same id).
    #[must_use]
    pub fn command(self, cause: &str, number: u64) -> Uuid {
        derive(&[
            self.0.as_bytes(),
            b"command",
            cause.as_bytes(),
            &number.to_be_bytes(),
        ])
    }
}

/// UUIDv5 over length-prefixed parts, so that no two lists of parts run together.
#[must_use]
pub fn derive(parts: &[&[u8]]) -> Uuid {
    let mut name = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        name.extend_from_slice(&(part.len() as u64).to_be_bytes());
        name.extend_from_slice(part);
    }
    Uuid::new_v5(&NAMESPACE, &name)
}

/// SHA-256 of some bytes; written as 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The first twelve hex digits, for people.
    #[must_use]
    pub fn short(&self) -> String {
        hex::encode(&self.0[..6])
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.short())
    }
}

impl FromStr for Digest {
    type Err = hex::FromHexError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(derive(&[b"ab", b"c"]), derive(&[b"a", b"bc"]));
    }

    #[test]
    fn a_digest_reads_back_what_it_writes() {
        let digest = Digest::of(b"plan");
        assert_eq!(digest.to_string().parse(), Ok(digest));
    }
}
