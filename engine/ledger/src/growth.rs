//! A ledger that grows: entries go in, the files of its tree come out.
//!
//! Not here: writing them. Tiles must be durable before a checkpoint that counts them.

use crate::bundle::{self, BundleError};
use crate::folder::{self, File, Folder, FolderError, NodeError, Tiles};
use crate::hash::Hash;
use crate::tile::{self, LEVELS, Level, Tile, WIDTH};
use crate::tree::{Tree, root_of};
use thiserror::Error;

/// The tiles at the right edge: fewer than `WIDTH` hashes of each level.
#[derive(Clone, Debug)]
pub struct Levels {
    size: u64,
    rows: Vec<Vec<Hash>>,
    /// Tiles that became full since they were last taken, with their hashes.
    full: Vec<(Tile, Vec<Hash>)>,
}

impl Default for Levels {
    fn default() -> Self {
        Self {
            size: 0,
            rows: vec![Vec::new(); usize::from(LEVELS)],
            full: Vec::new(),
        }
    }
}

impl Levels {
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends the hash of a leaf.
    pub fn append(&mut self, leaf: Hash) {
        let mut hash = leaf;
        self.size += 1;
        for (level, row) in (0..LEVELS).zip(&mut self.rows) {
            row.push(hash);
            if row.len() as u64 != WIDTH {
                return;
            }
            hash = root_of(row);
            let level = Level::Hashes(level);
            let tile = Tile {
                level,
                index: self.size / tile::each(level) / WIDTH - 1,
                width: WIDTH,
            };
            self.full.push((tile, std::mem::take(row)));
        }
    }

    /// The full tiles since the last call.
    pub fn take_full(&mut self) -> Vec<(Tile, Vec<Hash>)> {
        std::mem::take(&mut self.full)
    }

    /// The tiles that are not full, as they are now.
    #[must_use]
    pub fn partial(&self) -> Vec<(Tile, &[Hash])> {
        let rows = (0..LEVELS)
            .zip(&self.rows)
            .filter(|(_, row)| !row.is_empty());
        rows.map(|(level, row)| {
            (
                self.partial_tile(Level::Hashes(level), row.len()),
                row.as_slice(),
            )
        })
        .collect()
    }

    fn partial_tile(&self, level: Level, width: usize) -> Tile {
        Tile {
            level,
            index: self.size / tile::each(level) / WIDTH,
            width: width as u64,
        }
    }

    /// The root of all leaves so far. What is below a level's last hash is its right end.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut below: Option<Hash> = None;
        for row in &self.rows {
            let mut tree = Tree::default();
            tree.extend(row.iter().copied().chain(below));
            below = (tree.size() > 0).then(|| tree.root());
        }
        below.unwrap_or_else(Hash::empty)
    }
}

#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum GrowthError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Node(#[from] NodeError),
    #[error("{path}: {fault}")]
    Bundle { path: String, fault: BundleError },
}

/// The right edge of a ledger with the entries of its last bundle.
#[derive(Clone, Debug, Default)]
pub struct Growth {
    levels: Levels,
    bundle: Vec<u8>,
    full: Vec<File>,
}

impl Growth {
    /// The edge of a ledger of `size` entries. Whether it is the right one, its root says.
    ///
    /// # Errors
    /// When a file of the edge is missing or damaged.
    pub fn open(folder: &dyn Folder, size: u64) -> Result<Self, GrowthError> {
        let mut growth = Self::default();
        growth.levels.size = size;
        let tiles = Tiles { folder, size };
        for tile in tile::edge(size) {
            match tile.level {
                Level::Hashes(level) => {
                    growth.levels.rows[usize::from(level)] = tiles.hashes(level, tile.index)?;
                }
                Level::Entries => growth.bundle = read_bundle(folder, tile)?,
            }
        }
        Ok(growth)
    }

    #[must_use]
    pub fn size(&self) -> u64 {
        self.levels.size
    }

    #[must_use]
    pub fn root(&self) -> Hash {
        self.levels.root()
    }

    /// The last entry, unless it lies in a bundle that is full.
    #[must_use]
    pub fn last(&self) -> Option<Vec<u8>> {
        let (entries, _) = bundle::split(&self.bundle, self.levels.size % WIDTH);
        entries.last().map(|entry| entry.to_vec())
    }

    /// # Errors
    /// For an entry that no bundle can hold; nothing was appended then.
    pub fn append(&mut self, entry: &[u8]) -> Result<(), BundleError> {
        bundle::push(&mut self.bundle, entry)?;
        self.levels.append(Hash::leaf(entry));
        for (tile, hashes) in self.levels.take_full() {
            if tile.level == Level::Hashes(0) {
                let level = Level::Entries;
                self.full.push(File {
                    path: Tile { level, ..tile }.path(),
                    bytes: std::mem::take(&mut self.bundle),
                });
            }
            self.full.push(file(tile, &hashes));
        }
        Ok(())
    }

    /// All files that the tree has now and did not have at the last call: the full ones, then the edge.
    pub fn files(&mut self) -> Vec<File> {
        let mut files = std::mem::take(&mut self.full);
        if !self.bundle.is_empty() {
            let width = usize::try_from(self.levels.size % WIDTH).unwrap_or(0);
            let tile = self.levels.partial_tile(Level::Entries, width);
            files.push(File {
                path: tile.path(),
                bytes: self.bundle.clone(),
            });
        }
        let partial = self.levels.partial();
        files.extend(partial.into_iter().map(|(tile, row)| file(tile, row)));
        files
    }
}

fn file(tile: Tile, hashes: &[Hash]) -> File {
    File {
        path: tile.path(),
        bytes: tile::encode(hashes),
    }
}

/// The bundle of the edge, cut to the width that it has there.
fn read_bundle(folder: &dyn Folder, tile: Tile) -> Result<Vec<u8>, GrowthError> {
    let missing = || NodeError::Missing(tile.path());
    let (bytes, width) = folder::read_tile(folder, tile)?.ok_or_else(missing)?;
    let (entries, fault) = bundle::split(&bytes, width);
    if let Some(fault) = fault {
        let path = tile.path();
        return Err(GrowthError::Bundle { path, fault });
    }
    let length: usize = entries
        .iter()
        .take(usize::try_from(tile.width).unwrap_or(usize::MAX))
        .map(|entry| 2 + entry.len())
        .sum();
    Ok(bytes[..length].to_vec())
}
