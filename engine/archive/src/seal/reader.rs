//! Sealed entries read back from the folder. What is told was proved: its leaf lies under the root of the
//! folder's checkpoint.
//!
//! Not here: whether several checkpoints fit together; `hostler ledger verify` tells that.

use super::edge::fetch;
use super::{Shelf, ShelfError};
use async_trait::async_trait;
use hostler_ledger::bundle;
use hostler_ledger::checkpoint::{Checkpoint, CheckpointError};
use hostler_ledger::entry::{Body, Entry, body_path};
use hostler_ledger::folder::{Tiles, read_tile};
use hostler_ledger::hash::Hash;
use hostler_ledger::key::VerifierKey;
use hostler_ledger::proof::{Head, Nodes, includes, inclusion};
use hostler_ledger::tile::{self, CHECKPOINT, LEVELS, Level, Tile, WIDTH};
use hostler_ports::sealed::{SealedError, SealedLedger};
use hostler_ports::store::LedgerEntry;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A page ends once it has this many bytes of bodies: a bundle can refer to gigabytes of them.
const BYTES_A_PAGE: usize = 8 * 1024 * 1024;

/// Whose checkpoint is believed.
#[derive(Clone)]
pub enum Trust {
    /// It is signed by this key.
    Key(VerifierKey),
    /// It names this realm. For machines without the key: what is damaged is found, who may write the
    /// folder is believed.
    Realm(String),
}

pub struct SealedReader {
    shelf: Arc<dyn Shelf>,
    /// What people call the folder.
    place: String,
    trust: Trust,
}

fn damaged(fault: impl ToString) -> SealedError {
    SealedError::Damaged(fault.to_string())
}

fn away(fault: ShelfError) -> SealedError {
    SealedError::Unavailable(fault.to_string())
}

impl SealedReader {
    #[must_use]
    pub fn new(shelf: Arc<dyn Shelf>, place: String, trust: Trust) -> Self {
        Self {
            shelf,
            place,
            trust,
        }
    }

    /// What the checkpoint counts.
    async fn head(&self) -> Result<Head, SealedError> {
        let text = self.shelf.read(CHECKPOINT).await.map_err(away)?;
        let text = text.ok_or_else(|| self.absent("there is no checkpoint"))?;
        let head = match &self.trust {
            Trust::Key(key) => Checkpoint::open(&text, key).map(|checkpoint| checkpoint.head()),
            Trust::Realm(realm) => Checkpoint::said(&text, realm),
        };
        head.map_err(|fault| match fault {
            CheckpointError::Origin { found, .. } => {
                self.absent(&format!("it is the ledger of the realm {found:?}"))
            }
            fault => damaged(fault),
        })
    }

    fn absent(&self, why: &str) -> SealedError {
        SealedError::Absent(format!("{} ({why})", self.place))
    }

    /// The leaves of the bundle that has entry `number`, from that entry on.
    async fn leaves(&self, number: u64, head: Head) -> Result<Vec<Vec<u8>>, SealedError> {
        let mut files = BTreeMap::new();
        for tile in needed(number, head.size) {
            let fetched = fetch(&*self.shelf, tile, &mut files).await;
            fetched.map_err(away)?;
        }
        let wanted = tile_of(Level::Entries, number, head.size);
        let found = read_tile(&files, wanted).map_err(damaged)?;
        let (bytes, width) = found.ok_or_else(|| damaged(missing(&wanted.path())))?;
        let (entries, fault) = bundle::split(&bytes, width);
        if let Some(fault) = fault {
            return Err(damaged(format!("{}: {fault}", wanted.path())));
        }
        let (first, end) = wanted.leaves();
        let leaves: Vec<(u64, &[u8])> = (first..end).zip(entries).collect();
        prove(&files, head, number, &leaves)?;
        let told = leaves.into_iter().filter(|(place, _)| *place >= number);
        Ok(told.map(|(_, leaf)| leaf.to_vec()).collect())
    }

    async fn told(&self, number: u64, leaf: &[u8]) -> Result<LedgerEntry, SealedError> {
        let wrong =
            |fault: &dyn ToString| damaged(format!("entry {number}: {}", fault.to_string()));
        let entry = Entry::parse(leaf).map_err(|fault| wrong(&fault))?;
        if entry.number != number {
            return Err(wrong(&format!("it says {} of itself", entry.number)));
        }
        let lane = entry.lane.as_deref().map(str::parse).transpose();
        let body = match entry.body {
            Body::Here(text) => text,
            Body::Elsewhere { sha256, .. } => self.body(sha256).await?,
        };
        Ok(LedgerEntry {
            number,
            lane: lane.map_err(|_| wrong(&"its lane is none"))?,
            version: entry.version,
            at_ms: entry.at_ms,
            body,
        })
    }

    async fn body(&self, sha256: Hash) -> Result<String, SealedError> {
        let path = body_path(sha256);
        let bytes = self.shelf.read(&path).await.map_err(away)?;
        let bytes = bytes.ok_or_else(|| damaged(missing(&path)))?;
        if Hash::plain(&bytes) != sha256 {
            return Err(damaged(format!("{path} is not what its name says")));
        }
        String::from_utf8(bytes).map_err(|_| damaged(format!("{path} is no UTF-8")))
    }
}

#[async_trait]
impl SealedLedger for SealedReader {
    async fn entries(&self, from: u64) -> Result<Vec<LedgerEntry>, SealedError> {
        let head = self.head().await?;
        if from >= head.size {
            return Err(self.absent(&format!("it ends before entry {}", head.size)));
        }
        let (mut entries, mut bytes) = (Vec::new(), 0);
        for (number, leaf) in (from..).zip(self.leaves(from, head).await?) {
            let entry = self.told(number, &leaf).await?;
            bytes += entry.body.len();
            entries.push(entry);
            if bytes >= BYTES_A_PAGE {
                break;
            }
        }
        Ok(entries)
    }
}

/// All leaves of a bundle, one of which is `number`, lie below the root of the checkpoint.
fn prove(
    files: &BTreeMap<String, Vec<u8>>,
    head: Head,
    number: u64,
    leaves: &[(u64, &[u8])],
) -> Result<(), SealedError> {
    let size = head.size;
    let tiles = Tiles {
        folder: files,
        size,
    };
    for (place, leaf) in leaves {
        if tiles.node(0, *place).map_err(damaged)? != Hash::leaf(leaf) {
            return Err(damaged(format!("entry {place} is not what its tile says")));
        }
    }
    // The way of one leaf to the root has all hashes of its tile in it.
    let leaf = tiles.node(0, number).map_err(damaged)?;
    let path = inclusion(&tiles, number, size).map_err(damaged)?;
    match path.is_some_and(|path| includes(leaf, number, size, head.root, &path)) {
        true => Ok(()),
        false => Err(damaged("its tiles are not those of its checkpoint")),
    }
}

fn missing(path: &str) -> String {
    format!("{path} is missing")
}

/// The tile of a level that has the leaf, as wide as a tree of `size` leaves makes it; a width of 0 says
/// that the tree has none.
fn tile_of(level: Level, leaf: u64, size: u64) -> Tile {
    let (each, count) = (tile::each(level), size / tile::each(level));
    let index = leaf / each / WIDTH;
    let width = count.saturating_sub(index * WIDTH).min(WIDTH);
    Tile {
        level,
        index,
        width,
    }
}

/// What the proof of a leaf is made from: the tiles above it, and those at the right edge.
fn needed(leaf: u64, size: u64) -> Vec<Tile> {
    let levels = std::iter::once(Level::Entries).chain((0..LEVELS).map(Level::Hashes));
    let above = levels.map(|level| tile_of(level, leaf, size));
    let above = above.filter(|tile| tile.width > 0);
    let edge = tile::edge(size).into_iter();
    above
        .chain(edge.filter(|tile| tile.level != Level::Entries))
        .collect()
}
