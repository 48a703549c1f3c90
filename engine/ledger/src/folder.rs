//! How the files of a ledger are read, whoever keeps them, and proofs from its tiles.

use crate::bundle::BUNDLE_MAX_BYTES;
use crate::hash::Hash;
use crate::proof::Nodes;
use crate::tile::{self, Level, TILE_BYTES, Tile, TileError, WIDTH};
use crate::tree::root_of;
use std::collections::BTreeMap;
use thiserror::Error;

/// A file that is there and cannot be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{path} cannot be read: {why}")]
pub struct FolderError {
    pub path: String,
    pub why: String,
}

/// One file, ready to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub path: String,
    pub bytes: Vec<u8>,
}

/// The files of a ledger. May block: whoever is async reads aside.
pub trait Folder {
    /// The bytes of a file; none where there is none.
    ///
    /// # Errors
    /// When it cannot be read, or is longer than `max_bytes`.
    fn read(&self, path: &str, max_bytes: usize) -> Result<Option<Vec<u8>>, FolderError>;
}

/// Files in memory.
impl Folder for BTreeMap<String, Vec<u8>> {
    fn read(&self, path: &str, max_bytes: usize) -> Result<Option<Vec<u8>>, FolderError> {
        match self.get(path) {
            Some(bytes) if bytes.len() > max_bytes => Err(FolderError {
                path: path.to_owned(),
                why: format!("it has {} bytes, {max_bytes} at most", bytes.len()),
            }),
            found => Ok(found.cloned()),
        }
    }
}

/// Longest file of this kind, in bytes.
#[must_use]
pub fn max_bytes(level: Level) -> usize {
    match level {
        Level::Entries => BUNDLE_MAX_BYTES,
        Level::Hashes(_) => TILE_BYTES,
    }
}

/// A tile, or the full one where the asked width is not kept any more. Gives the width that was read.
///
/// # Errors
/// When a file is there and cannot be read.
pub fn read_tile(folder: &dyn Folder, tile: Tile) -> Result<Option<(Vec<u8>, u64)>, FolderError> {
    let limit = max_bytes(tile.level);
    if let Some(bytes) = folder.read(&tile.path(), limit)? {
        return Ok(Some((bytes, tile.width)));
    }
    if tile.width == WIDTH {
        return Ok(None);
    }
    let full = folder.read(&tile.full().path(), limit)?;
    Ok(full.map(|bytes| (bytes, WIDTH)))
}

#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NodeError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("{0} is missing: restore the folder from a backup")]
    Missing(String),
    #[error("{path}: {fault}")]
    Tile { path: String, fault: TileError },
}

/// The hashes of a tree of `size` leaves, from its tiles.
pub struct Tiles<'a> {
    pub folder: &'a dyn Folder,
    pub size: u64,
}

impl Tiles<'_> {
    /// The hashes of a tile as it is in the tree of this size.
    ///
    /// # Errors
    /// When it is missing or no tile.
    pub fn hashes(&self, level: u8, index: u64) -> Result<Vec<Hash>, NodeError> {
        let count = self.size / tile::each(Level::Hashes(level));
        let tile = Tile {
            level: Level::Hashes(level),
            index,
            width: count.saturating_sub(index * WIDTH).clamp(1, WIDTH),
        };
        let found = read_tile(self.folder, tile)?;
        let (bytes, width) = found.ok_or_else(|| NodeError::Missing(tile.path()))?;
        let fault = |fault| NodeError::Tile {
            path: tile.path(),
            fault,
        };
        let mut hashes = tile::decode(&bytes, width).map_err(fault)?;
        hashes.truncate(usize::try_from(tile.width).unwrap_or(usize::MAX));
        Ok(hashes)
    }
}

impl Nodes for Tiles<'_> {
    type Error = NodeError;

    fn node(&self, level: u32, index: u64) -> Result<Hash, NodeError> {
        let (tile_level, within) = (level / 8, level % 8);
        let first = index << within;
        let hashes = self.hashes(u8::try_from(tile_level).unwrap_or(u8::MAX), first / WIDTH)?;
        let from = usize::try_from(first % WIDTH).unwrap_or(usize::MAX);
        let row = hashes.get(from..from.saturating_add(1 << within));
        let row =
            row.ok_or_else(|| NodeError::Missing(format!("hash {index} of level {level}")))?;
        Ok(root_of(row))
    }
}
