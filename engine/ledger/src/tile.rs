//! Tiles as c2sp.org/tlog-tiles lays them out: up to 256 hashes of one level, or 256 entries, a file.

use crate::SIZE_MAX;
use crate::hash::{HASH_BYTES, Hash};
use thiserror::Error;

/// Hashes of a full tile, entries of a full bundle.
pub const WIDTH: u64 = 256;
/// Levels of tiles that a ledger of `SIZE_MAX` entries has.
pub const LEVELS: u8 = 6;
/// Bytes of a full tile.
pub const TILE_BYTES: usize = WIDTH as usize * HASH_BYTES;
/// Name of the folder's own checkpoint.
pub const CHECKPOINT: &str = "checkpoint";
/// Longest path of a tile.
const PATH_MAX_BYTES: usize = 64;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Hashes; level 0 has those of the leaves.
    Hashes(u8),
    Entries,
}

/// One file of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    pub level: Level,
    /// Its number within the level.
    pub index: u64,
    /// Hashes or entries in it: 1 to `WIDTH`.
    pub width: u64,
}

#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TileError {
    #[error("{path:?} is no path of a tile: tile/<level>/<x… groups of three digits>[.p/<width>]")]
    Path { path: String },
    #[error("a tile of {width} hashes has {expected} bytes, this one has {found}")]
    Length {
        width: u64,
        expected: usize,
        found: usize,
    },
}

impl Tile {
    /// The same tile when it is full.
    #[must_use]
    pub fn full(self) -> Self {
        Self {
            width: WIDTH,
            ..self
        }
    }

    /// `tile/0/x001/x234/067`, `tile/entries/273.p/112`.
    #[must_use]
    pub fn path(&self) -> String {
        let level = match self.level {
            Level::Hashes(level) => level.to_string(),
            Level::Entries => "entries".to_owned(),
        };
        let mut groups = vec![format!("{:03}", self.index % 1_000)];
        let mut rest = self.index / 1_000;
        while rest > 0 {
            groups.push(format!("x{:03}", rest % 1_000));
            rest /= 1_000;
        }
        groups.reverse();
        let path = format!("tile/{level}/{}", groups.join("/"));
        if self.width == WIDTH {
            path
        } else {
            format!("{path}.p/{}", self.width)
        }
    }

    /// # Errors
    /// For any text that `path` does not write.
    pub fn parse(path: &str) -> Result<Self, TileError> {
        let found = (path.len() <= PATH_MAX_BYTES).then(|| read(path)).flatten();
        found
            .filter(|tile| tile.path() == path)
            .ok_or_else(|| TileError::Path {
                path: path.chars().take(PATH_MAX_BYTES).collect(),
            })
    }

    /// Leaves below the whole tile: from its first to the one after its last.
    #[must_use]
    pub fn leaves(&self) -> (u64, u64) {
        let each = each(self.level);
        let first = self.index * WIDTH * each;
        (first, first + self.width * each)
    }
}

/// Leaves below one hash or entry of a level.
#[must_use]
pub fn each(level: Level) -> u64 {
    match level {
        Level::Hashes(level) => 1 << (8 * u32::from(level)),
        Level::Entries => 1,
    }
}

/// What `path` may have written; the caller compares.
fn read(path: &str) -> Option<Tile> {
    let (level, rest) = path.strip_prefix("tile/")?.split_once('/')?;
    let level = match level {
        "entries" => Level::Entries,
        digits => Level::Hashes(digits.parse().ok().filter(|level| *level < LEVELS)?),
    };
    let (groups, width) = match rest.split_once(".p/") {
        Some((groups, width)) => (groups, width.parse().ok()?),
        None => (rest, WIDTH),
    };
    let mut index: u64 = 0;
    for group in groups.split('/') {
        let digits = group.strip_prefix('x').unwrap_or(group);
        let number: u64 = digits.parse().ok().filter(|number| *number < 1_000)?;
        index = index.checked_mul(1_000)?.checked_add(number)?;
    }
    let last = SIZE_MAX.checked_div(each(level))?;
    ((1..=WIDTH).contains(&width) && index < last).then_some(Tile {
        level,
        index,
        width,
    })
}

/// The tiles at the right edge of a tree of `size` leaves that are not full.
#[must_use]
pub fn edge(size: u64) -> Vec<Tile> {
    let levels = (0..LEVELS).map(Level::Hashes);
    let all = std::iter::once(Level::Entries).chain(levels);
    let tile = |level| {
        let count = size / each(level);
        Tile {
            level,
            index: count / WIDTH,
            width: count % WIDTH,
        }
    };
    all.map(tile).filter(|tile| tile.width > 0).collect()
}

/// The bytes of a tile.
#[must_use]
pub fn encode(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// The hashes of a tile of this width.
///
/// # Errors
/// Unless the bytes are exactly so many hashes.
pub fn decode(bytes: &[u8], width: u64) -> Result<Vec<Hash>, TileError> {
    let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
    if !rest.is_empty() || hashes.len() as u64 != width || width > WIDTH {
        return Err(TileError::Length {
            width,
            expected: usize::try_from(width.min(WIDTH)).unwrap_or(0) * HASH_BYTES,
            found: bytes.len(),
        });
    }
    Ok(hashes.iter().map(|hash| Hash(*hash)).collect())
}
