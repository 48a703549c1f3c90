//! The archive over `object_store`: one compressed file for each object, in folders by the first two
//! digits of its name.
//!
//! Not here: other services than a local folder. They are a feature of the library and a line in `open`.

use async_trait::async_trait;
use futures::TryStreamExt;
use hostler_core::id::Digest;
use hostler_ports::archive::{Archive, ArchiveError, LIST_MAX, OBJECT_MAX_BYTES};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Place;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use thiserror::Error;

/// Compression level: a finished run becomes about a tenth; higher ones cost ten times the time.
const LEVEL: i32 = 3;
const FOLDER: &str = "runs";
const ENDING: &str = ".ndjson.zst";

#[derive(Debug, Error)]
#[error("the archive folder {folder} cannot be used: {why}")]
pub struct OpenError {
    folder: String,
    why: String,
}

/// An archive in whatever `object_store` reaches.
pub struct ObjectArchive {
    store: Arc<dyn ObjectStore>,
}

impl ObjectArchive {
    /// An archive in a local folder, which is made if it is not there. Every object is synced to the
    /// disk before it counts.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let failed = |why: String| OpenError {
            folder: folder.display().to_string(),
            why,
        };
        std::fs::create_dir_all(folder).map_err(|fault| failed(fault.to_string()))?;
        let local = LocalFileSystem::new_with_prefix(folder)
            .map_err(|fault| failed(fault.to_string()))?
            .with_fsync(true);
        Ok(Self {
            store: Arc::new(local),
        })
    }

    async fn names_below(&self, first: u8) -> Result<Vec<Digest>, ArchiveError> {
        let folder = Place::from(format!("{FOLDER}/{first:02x}"));
        let found: Vec<_> = self
            .store
            .list(Some(&folder))
            .try_collect()
            .await
            .map_err(unavailable)?;
        let name = |place: &Place| place.filename()?.strip_suffix(ENDING)?.parse().ok();
        let mut names: Vec<Digest> = found
            .iter()
            .filter_map(|object| name(&object.location))
            .collect();
        names.sort();
        Ok(names)
    }
}

fn place(digest: Digest) -> Place {
    let name = digest.to_string();
    Place::from(format!("{FOLDER}/{}/{name}{ENDING}", &name[..2]))
}

fn unavailable(fault: impl ToString) -> ArchiveError {
    ArchiveError::Unavailable(fault.to_string())
}

/// Packing and unpacking are work for a thread that may be busy for a while.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ArchiveError> {
    tokio::task::spawn_blocking(work).await.map_err(unavailable)
}

/// None for what is damaged or longer than an object may be.
fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let limit = OBJECT_MAX_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    let decoder = zstd::Decoder::new(packed).ok()?;
    decoder.take(limit).read_to_end(&mut bytes).ok()?;
    (bytes.len() <= OBJECT_MAX_BYTES).then_some(bytes)
}

#[async_trait]
impl Archive for ObjectArchive {
    async fn put(&self, bytes: &[u8]) -> Result<Digest, ArchiveError> {
        if bytes.len() > OBJECT_MAX_BYTES {
            return Err(ArchiveError::TooLarge(bytes.len()));
        }
        let owned = bytes.to_vec();
        let packed = move || {
            let digest = Digest::of(&owned);
            zstd::encode_all(owned.as_slice(), LEVEL).map(|packed| (digest, packed))
        };
        let (digest, packed) = aside(packed).await?.map_err(unavailable)?;
        let place = place(digest);
        let put = self.store.put(&place, PutPayload::from(packed));
        put.await.map_err(unavailable)?;
        Ok(digest)
    }

    async fn get(&self, digest: Digest) -> Result<Option<Vec<u8>>, ArchiveError> {
        let found = match self.store.get(&place(digest)).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            found => found.map_err(unavailable)?,
        };
        let packed = found.bytes().await.map_err(unavailable)?;
        let unpacked = aside(move || unpack(&packed).filter(|bytes| Digest::of(bytes) == digest));
        match unpacked.await? {
            Some(bytes) => Ok(Some(bytes)),
            None => Err(ArchiveError::Damaged(digest)),
        }
    }

    async fn list(&self, after: Option<Digest>) -> Result<Vec<Digest>, ArchiveError> {
        let mut names = Vec::new();
        for first in after.map_or(0, |after| after.0[0])..=u8::MAX {
            let below = self.names_below(first).await?;
            names.extend(
                below
                    .into_iter()
                    .filter(|name| after.is_none_or(|after| *name > after)),
            );
            if names.len() >= LIST_MAX {
                break;
            }
        }
        names.truncate(LIST_MAX);
        Ok(names)
    }
}
