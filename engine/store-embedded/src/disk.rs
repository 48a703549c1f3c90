//! The folder: one ordered map on disk, written in durable batches and read in snapshots.
//!
//! Not here: what is hot, what a call is, threads.

use crate::Options;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable, Snapshot};
use hostler_ports::store::verbs::kv::{Kv, Pair, Span};
use hostler_ports::store::{StoreError, StoreResult};
use std::path::Path;
use thiserror::Error;

/// Why a folder did not open.
#[derive(Debug, Error)]
pub enum OpenError {
    #[error(
        "the store folder {0} is in use by another process: stop that one, or let the command talk \
         to the running server instead"
    )]
    InUse(String),
    #[error("the store folder {0} cannot be read: {1}")]
    Unreadable(String, String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Changes by key; none is a removal.
pub type Changes = std::collections::BTreeMap<Vec<u8>, Option<Vec<u8>>>;

#[derive(Clone)]
pub struct Disk {
    db: Database,
    map: Keyspace,
    sync: Option<PersistMode>,
}

impl Disk {
    pub fn open(folder: &Path, options: Options) -> Result<Self, OpenError> {
        let shown = folder.display().to_string();
        let unreadable =
            |error: fjall::Error| OpenError::Unreadable(shown.clone(), error.to_string());
        std::fs::create_dir_all(folder).map_err(|error| unreadable(error.into()))?;
        let db = match Database::builder(folder)
            .cache_size(options.cache_bytes)
            .open()
        {
            Err(fjall::Error::Locked) => return Err(OpenError::InUse(shown)),
            other => other.map_err(unreadable)?,
        };
        let map = db
            .keyspace("map", KeyspaceCreateOptions::default)
            .map_err(unreadable)?;
        let sync = options.fsync.then_some(PersistMode::SyncData);
        Ok(Self { db, map, sync })
    }

    /// Writes all of them, durably, or none. After an error nothing can be written any more until
    /// the folder is opened again: what the disk holds is not known.
    pub fn write(&self, changes: &Changes) -> StoreResult<()> {
        let mut batch = self.db.batch().durability(Some(PersistMode::Buffer));
        if let Some(mode) = self.sync {
            batch = batch.durability(Some(mode));
        }
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(&self.map, key.as_slice(), value.as_slice()),
                None => batch.remove(&self.map, key.as_slice()),
            }
        }
        batch.commit().map_err(|error| {
            StoreError::Unavailable(format!(
                "the disk refused a write ({error}): make room and restart"
            ))
        })
    }

    /// What is durable now.
    pub fn view(&self) -> View {
        View {
            snapshot: self.db.snapshot(),
            map: self.map.clone(),
        }
    }
}

/// One consistent state of the map.
pub struct View {
    snapshot: Snapshot,
    map: Keyspace,
}

fn failed(error: fjall::Error) -> StoreError {
    StoreError::Corrupt(format!("the disk: {error}"))
}

impl Kv for View {
    fn get(&self, key: &[u8]) -> StoreResult<Option<Vec<u8>>> {
        Ok(self
            .snapshot
            .get(&self.map, key)
            .map_err(failed)?
            .map(|value| value.to_vec()))
    }

    fn range(&self, span: &Span, limit: usize) -> StoreResult<Vec<Pair>> {
        if span.from >= span.to {
            return Ok(Vec::new());
        }
        let entries = self
            .snapshot
            .range(&self.map, span.from.as_slice()..span.to.as_slice());
        let read = |guard: fjall::Guard| {
            let (key, value) = guard.into_inner().map_err(failed)?;
            Ok((key.to_vec(), value.to_vec()))
        };
        if span.reverse {
            entries.rev().take(limit).map(read).collect()
        } else {
            entries.take(limit).map(read).collect()
        }
    }
}
