//! The archive's twin in memory, with damage on demand. For tests only.

use super::{Archive, ArchiveError, LIST_MAX, OBJECT_MAX_BYTES};
use async_trait::async_trait;
use hostler_core::id::Digest;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
pub struct MemoryArchive {
    objects: Mutex<BTreeMap<Digest, Vec<u8>>>,
    away: AtomicBool,
}

impl MemoryArchive {
    fn objects(&self) -> MutexGuard<'_, BTreeMap<Digest, Vec<u8>>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the first byte of every object, as a bad disk would.
    pub fn damage_all(&self) {
        for bytes in self.objects().values_mut() {
            if let Some(first) = bytes.first_mut() {
                *first = !*first;
            }
        }
    }

    /// From now on it does not answer, or does again.
    pub fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    fn reached(&self) -> Result<(), ArchiveError> {
        if self.away.load(Ordering::SeqCst) {
            return Err(ArchiveError::Unavailable("as planned".into()));
        }
        Ok(())
    }
}

#[async_trait]
impl Archive for MemoryArchive {
    async fn put(&self, bytes: &[u8]) -> Result<Digest, ArchiveError> {
        self.reached()?;
        if bytes.len() > OBJECT_MAX_BYTES {
            return Err(ArchiveError::TooLarge(bytes.len()));
        }
        let digest = Digest::of(bytes);
        self.objects().insert(digest, bytes.to_vec());
        Ok(digest)
    }

    async fn get(&self, digest: Digest) -> Result<Option<Vec<u8>>, ArchiveError> {
        self.reached()?;
        match self.objects().get(&digest) {
            Some(bytes) if Digest::of(bytes) != digest => Err(ArchiveError::Damaged(digest)),
            found => Ok(found.cloned()),
        }
    }

    async fn list(&self, after: Option<Digest>) -> Result<Vec<Digest>, ArchiveError> {
        self.reached()?;
        let objects = self.objects();
        let names = objects
            .keys()
            .filter(|name| after.is_none_or(|after| **name > after));
        Ok(names.take(LIST_MAX).copied().collect())
    }
}

#[cfg(all(test, feature = "conformance"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_memory_twin_conforms() {
        assert!(super::super::conformance::all(MemoryArchive::default).await >= 4);
    }
}
