//! The folder that the sealer writes, over `object_store`.
//!
//! Not here: what is written and in which order.

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use hostler_ledger::folder::File;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Place;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use std::path::Path;
use std::sync::Arc;
use thiserror::Error;

/// Most files that one cleaning removes: no tile has more widths.
const REMOVE_MAX: usize = 256;

/// Nothing is known of what happened: try again later.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the folder of the ledger did not answer: {0}")]
pub struct ShelfError(pub String);

/// Whether a file that may be written once lies there as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It was written, or lay there with these very bytes.
    Same,
    /// Another one lies there, and was left.
    Other,
}

/// A folder of a ledger that grows. Called every two seconds by the sealer; what a verb has answered
/// is durable.
#[async_trait]
pub trait Shelf: Send + Sync + 'static {
    /// None where there is no such file.
    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, ShelfError>;
    /// Writes a file that never changes.
    async fn keep(&self, file: &File) -> Result<Kept, ShelfError>;
    /// Writes a file that may change, whole or not at all.
    async fn replace(&self, file: &File) -> Result<(), ShelfError>;
    /// Removes the files of a folder, at most a few hundred.
    async fn remove_below(&self, folder: &str) -> Result<(), ShelfError>;
}

/// A ledger's folder in whatever `object_store` reaches.
pub struct ObjectShelf {
    store: Arc<dyn ObjectStore>,
}

impl ObjectShelf {
    /// A local folder, which is made if it is not there. Every file is synced to the disk.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: &Path) -> Result<Self, ShelfError> {
        let failed = |why: String| ShelfError(format!("{}: {why}", folder.display()));
        std::fs::create_dir_all(folder).map_err(|fault| failed(fault.to_string()))?;
        let local = LocalFileSystem::new_with_prefix(folder)
            .map_err(|fault| failed(fault.to_string()))?
            .with_fsync(true);
        let store = Arc::new(local);
        Ok(Self { store })
    }

    /// A local folder to read from. It is not made: while it is not there, no file is.
    ///
    /// # Errors
    /// When the path is none.
    pub fn reading(folder: &Path) -> Result<Self, ShelfError> {
        let why = |fault: String| ShelfError(format!("{}: {fault}", folder.display()));
        let folder = std::path::absolute(folder).map_err(|fault| why(fault.to_string()))?;
        let prefix = Place::from_absolute_path(&folder).map_err(|fault| why(fault.to_string()))?;
        let store = Arc::new(PrefixStore::new(LocalFileSystem::new(), prefix));
        Ok(Self { store })
    }
}

fn failed(fault: impl ToString) -> ShelfError {
    ShelfError(fault.to_string())
}

#[async_trait]
impl Shelf for ObjectShelf {
    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, ShelfError> {
        let found = match self.store.get(&Place::from(path)).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            found => found.map_err(failed)?,
        };
        Ok(Some(found.bytes().await.map_err(failed)?.to_vec()))
    }

    async fn keep(&self, file: &File) -> Result<Kept, ShelfError> {
        let payload = PutPayload::from(file.bytes.clone());
        let options = PutOptions::from(PutMode::Create);
        let place = Place::from(file.path.as_str());
        match self.store.put_opts(&place, payload, options).await {
            Ok(_) => return Ok(Kept::Same),
            Err(object_store::Error::AlreadyExists { .. }) => {}
            Err(fault) => return Err(failed(fault)),
        }
        // It may have been removed since: then it was superseded.
        match self.read(&file.path).await? {
            Some(bytes) if bytes != file.bytes => Ok(Kept::Other),
            _ => Ok(Kept::Same),
        }
    }

    async fn replace(&self, file: &File) -> Result<(), ShelfError> {
        let payload = PutPayload::from(file.bytes.clone());
        let place = Place::from(file.path.as_str());
        self.store.put(&place, payload).await.map_err(failed)?;
        Ok(())
    }

    async fn remove_below(&self, folder: &str) -> Result<(), ShelfError> {
        let folder = Place::from(folder);
        let listed = self.store.list(Some(&folder)).take(REMOVE_MAX);
        let found: Vec<_> = listed.try_collect().await.map_err(failed)?;
        for object in found {
            match self.store.delete(&object.location).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(fault) => return Err(failed(fault)),
            }
        }
        Ok(())
    }
}
