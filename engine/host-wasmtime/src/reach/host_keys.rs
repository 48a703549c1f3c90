//! Which SSH host keys are accepted.
//!
//! Not here: any trust on first use. An unknown key is never accepted.

use russh::keys::{Algorithm, HashAlg, PublicKey};
use std::collections::BTreeSet;

/// Host keys that are accepted, as fingerprints; and their algorithms, if all are known.
pub struct Pinned {
    pub fingerprints: BTreeSet<String>,
    pub algorithms: Option<Vec<Algorithm>>,
}

impl Pinned {
    pub fn read<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let mut pinned = Self {
            fingerprints: BTreeSet::new(),
            algorithms: Some(Vec::new()),
        };
        for text in texts.map(str::trim).filter(|text| !text.is_empty()) {
            if let Some(hash) = text.strip_prefix("SHA256:") {
                pinned
                    .fingerprints
                    .insert(format!("SHA256:{}", hash.trim_end_matches('=')));
                pinned.algorithms = None;
                continue;
            }
            let key = public_key(text).ok_or_else(|| {
                format!("{text:?} is no host key: write `ssh-ed25519 AAAA…` or `SHA256:…` (ssh-keyscan shows them)")
            })?;
            pinned
                .fingerprints
                .insert(key.fingerprint(HashAlg::Sha256).to_string());
            if let Some(algorithms) = &mut pinned.algorithms {
                algorithms.push(key.algorithm());
            }
        }
        Ok(pinned)
    }
}

/// An OpenSSH public key, or a `known_hosts` line with one.
fn public_key(text: &str) -> Option<PublicKey> {
    PublicKey::from_openssh(text).ok().or_else(|| {
        let (_host, key) = text.split_once(' ')?;
        PublicKey::from_openssh(key).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

    #[test]
    fn a_host_key_is_read_in_each_of_its_forms() {
        let fingerprint = public_key(KEY)
            .unwrap()
            .fingerprint(HashAlg::Sha256)
            .to_string();
        for text in [
            KEY.to_owned(),
            format!("{KEY} root@host"),
            format!("192.0.2.1 {KEY}"),
            fingerprint.clone(),
        ] {
            let pinned = Pinned::read([text.as_str()].into_iter()).unwrap();
            assert_eq!(
                pinned.fingerprints.into_iter().collect::<Vec<_>>(),
                std::slice::from_ref(&fingerprint),
                "{text}"
            );
        }
        assert!(
            Pinned::read(["ssh-ed25519 nonsense"].into_iter())
                .is_err_and(|why| why.contains("ssh-keyscan"))
        );
    }

    #[test]
    fn a_fingerprint_alone_leaves_the_kind_of_key_open() {
        assert!(
            Pinned::read([KEY].into_iter())
                .unwrap()
                .algorithms
                .is_some()
        );
        assert!(
            Pinned::read([KEY, "SHA256:abc"].into_iter())
                .unwrap()
                .algorithms
                .is_none()
        );
    }
}
