//! The right edge of a sealed ledger, read from its folder and compared with its checkpoint.

use super::{SealError, Shelf, ShelfError};
use hostler_ledger::folder::Tiles;
use hostler_ledger::growth::Growth;
use hostler_ledger::hash::Hash;
use hostler_ledger::proof::{Head, Nodes};
use hostler_ledger::tile::{self, Level, Tile, WIDTH};
use std::collections::BTreeMap;

pub fn damaged(fault: impl ToString) -> SealError {
    SealError::Damaged {
        why: fault.to_string(),
    }
}

/// What can be appended to, and the leaf that was sealed last.
pub async fn open(shelf: &dyn Shelf, sealed: Head) -> Result<(Growth, Option<Hash>), SealError> {
    let size = sealed.size;
    let mut files = BTreeMap::new();
    for tile in tile::edge(size).into_iter().chain(last_tile(size)) {
        fetch(shelf, tile, &mut files).await?;
    }
    let growth = Growth::open(&files, size).map_err(damaged)?;
    if growth.root() != sealed.root {
        return Err(damaged("its tiles are not those of its checkpoint"));
    }
    let tiles = Tiles {
        folder: &files,
        size,
    };
    let last = size.checked_sub(1).map(|last| tiles.node(0, last));
    Ok((growth, last.transpose().map_err(damaged)?))
}

/// The tile that has the last leaf.
fn last_tile(size: u64) -> Option<Tile> {
    let last = size.checked_sub(1)?;
    Some(Tile {
        level: Level::Hashes(0),
        index: last / WIDTH,
        width: last % WIDTH + 1,
    })
}

/// The tile as it is needed, or the full one where that is kept only.
pub async fn fetch(
    shelf: &dyn Shelf,
    tile: Tile,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), ShelfError> {
    for path in [tile.path(), tile.full().path()] {
        if let Some(bytes) = shelf.read(&path).await? {
            files.insert(path, bytes);
            return Ok(());
        }
    }
    Ok(())
}
