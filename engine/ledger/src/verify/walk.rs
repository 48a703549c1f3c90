//! The one pass: entries against their hashes, hashes against tiles, roots against checkpoints.
//!
//! Not here: what an anomaly means for the entries around it (`settle`).

use super::fault::{Fault, Kind};
use super::marks::Marks;
use super::nothing;
use crate::bundle;
use crate::entry::{BODY_MAX_BYTES, Body, Entry, body_path};
use crate::folder::{self, Folder, FolderError};
use crate::growth::Levels;
use crate::hash::Hash;
use crate::proof::Head;
use crate::tile::{self, Level, Tile, WIDTH};

/// Something that is not as it should be, before anybody knows which side is right.
pub struct Anomaly {
    pub kind: Kind,
    pub index: u64,
}

pub struct Walk<'a> {
    pub(super) folder: &'a dyn Folder,
    pub(super) marks: Marks,
    /// Hashes of the entries that were read.
    pub(super) levels: Levels,
    pub(super) agreed: Head,
    /// A checkpoint said otherwise; whether that is a fork, a later one tells.
    pub(super) pending: Option<Fault>,
}

/// The entries and hashes of one bundle, as far as they can be read.
pub struct Row {
    pub entries: Vec<Vec<u8>>,
    pub hashes: Vec<Hash>,
    /// Why there are fewer than `width` of them.
    pub entries_fault: Option<Kind>,
    pub hashes_fault: Option<Kind>,
}

impl<'a> Walk<'a> {
    pub fn new(folder: &'a dyn Folder, marks: Marks) -> Self {
        Self {
            folder,
            marks,
            levels: Levels::default(),
            agreed: nothing(),
            pending: None,
        }
    }

    /// The largest head that a checkpoint and the folder agree in.
    pub fn agreed(&self) -> Head {
        self.agreed
    }

    /// Walks over the first `end` entries, where a checkpoint must be; the first fault.
    pub fn run(&mut self, end: u64) -> Result<Option<Fault>, FolderError> {
        self.mark();
        let mut anomaly = None;
        while anomaly.is_none() && self.levels.size() < end {
            let index = self.levels.size() / WIDTH;
            let width = WIDTH.min(end - index * WIDTH);
            let row = row(self.folder, index, width)?;
            anomaly = self.entries(&row, width)?;
            if anomaly.is_none() {
                anomaly = self.full_tiles()?;
            }
        }
        if anomaly.is_none() {
            anomaly = self.edge()?;
        }
        match (self.pending.take(), anomaly) {
            // Whatever comes after it is not the first.
            (Some(pending), _) => Ok(Some(pending)),
            (None, Some(anomaly)) => self.settle(anomaly).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// Compares the root with the checkpoints of this size, if there are any.
    fn mark(&mut self) {
        let size = self.levels.size();
        if self.marks.from(size) != Some(size) {
            return;
        }
        let root = self.levels.root();
        let answer = self.marks.answer(size, root);
        if answer.contradicts && self.pending.is_none() {
            self.pending = Some(Fault {
                kind: Kind::Rewritten { size },
                index: self.agreed.size,
                sure_to: self.agreed.size,
            });
        }
        match &mut self.pending {
            Some(pending) if answer.agrees => {
                if let Kind::Rewritten { size } = pending.kind {
                    pending.kind = Kind::Fork { size };
                }
            }
            None if answer.agrees => self.agreed = Head { size, root },
            _ => {}
        }
    }

    fn entries(&mut self, row: &Row, width: u64) -> Result<Option<Anomaly>, FolderError> {
        for at in 0..usize::try_from(width).unwrap_or(0) {
            let index = self.levels.size();
            let found = |kind: Option<Kind>| kind.map(|kind| Anomaly { kind, index });
            let Some(bytes) = row.entries.get(at) else {
                return Ok(found(row.entries_fault.clone()));
            };
            let leaf = Hash::leaf(bytes);
            if let Some(kind) = self.strange(index, bytes, leaf, row.hashes.get(at))? {
                return Ok(found(Some(kind)));
            }
            if row.hashes.len() <= at {
                return Ok(found(row.hashes_fault.clone()));
            }
            self.levels.append(leaf);
            self.mark();
        }
        // Nothing may stand behind the last entry.
        let index = self.levels.size();
        let behind = row.entries_fault.clone();
        let behind = behind.filter(|kind| matches!(kind, Kind::Unreadable { .. }));
        Ok(behind.map(|kind| Anomaly { kind, index }))
    }

    /// What is strange about one entry.
    fn strange(
        &self,
        index: u64,
        bytes: &[u8],
        leaf: Hash,
        hash: Option<&Hash>,
    ) -> Result<Option<Kind>, FolderError> {
        let entry = match Entry::parse(bytes) {
            Ok(entry) if entry.number == index => entry,
            Ok(entry) => {
                let found = entry.number;
                return Ok(Some(Kind::Misplaced { found }));
            }
            Err(fault) => {
                let why = fault.to_string();
                return Ok(Some(Kind::Unreadable { why }));
            }
        };
        if hash.is_some_and(|hash| *hash != leaf) {
            return Ok(Some(Kind::Edited));
        }
        let Body::Elsewhere { sha256, bytes } = entry.body else {
            return Ok(None);
        };
        let path = body_path(sha256);
        let found = self.folder.read(&path, BODY_MAX_BYTES)?;
        let same =
            found.is_some_and(|body| body.len() as u64 == bytes && Hash::plain(&body) == sha256);
        Ok((!same).then_some(Kind::Body { path }))
    }

    /// Compares the tiles above the leaves that became full.
    fn full_tiles(&mut self) -> Result<Option<Anomaly>, FolderError> {
        for (tile, hashes) in self.levels.take_full() {
            if let Some(anomaly) = self.compare(tile, &hashes)? {
                return Ok(Some(anomaly));
            }
        }
        Ok(None)
    }

    fn edge(&self) -> Result<Option<Anomaly>, FolderError> {
        for (tile, hashes) in self.levels.partial() {
            if let Some(anomaly) = self.compare(tile, hashes)? {
                return Ok(Some(anomaly));
            }
        }
        Ok(None)
    }

    fn compare(&self, tile: Tile, hashes: &[Hash]) -> Result<Option<Anomaly>, FolderError> {
        // The hashes of the leaves were compared one by one.
        if tile.level == Level::Hashes(0) {
            return Ok(None);
        }
        let (found, _) = read_hashes(self.folder, tile)?;
        let differs = |at: &usize| found.get(*at) != hashes.get(*at);
        let at = (0..hashes.len()).find(differs);
        Ok(at.map(|at| Anomaly {
            kind: Kind::Tile { path: tile.path() },
            index: tile.leaves().0 + at as u64 * tile::each(tile.level),
        }))
    }
}

/// One bundle and its tile, `width` entries of them.
pub fn row(folder: &dyn Folder, index: u64, width: u64) -> Result<Row, FolderError> {
    let tile = |level| Tile {
        level,
        index,
        width,
    };
    let (hashes, hashes_fault) = read_hashes(folder, tile(Level::Hashes(0)))?;
    let (entries, entries_fault) = read_entries(folder, tile(Level::Entries))?;
    Ok(Row {
        entries,
        hashes,
        entries_fault,
        hashes_fault,
    })
}

fn read_hashes(folder: &dyn Folder, tile: Tile) -> Result<(Vec<Hash>, Option<Kind>), FolderError> {
    let path = tile.path();
    let Some((bytes, width)) = longest(folder, tile)? else {
        return Ok((Vec::new(), Some(Kind::Tile { path })));
    };
    match tile::decode(&bytes, width) {
        Ok(hashes) => Ok((hashes, Some(Kind::Tile { path }))),
        Err(_) => Ok((Vec::new(), Some(Kind::Tile { path }))),
    }
}

fn read_entries(
    folder: &dyn Folder,
    tile: Tile,
) -> Result<(Vec<Vec<u8>>, Option<Kind>), FolderError> {
    let missing = Kind::Missing { path: tile.path() };
    let Some((bytes, width)) = longest(folder, tile)? else {
        return Ok((Vec::new(), Some(missing)));
    };
    let (entries, fault) = bundle::split(&bytes, width);
    let why = fault.map(|fault| fault.to_string());
    let fault = why.map_or(missing, |why| Kind::Unreadable { why });
    Ok((
        entries.iter().map(|entry| entry.to_vec()).collect(),
        Some(fault),
    ))
}

/// The file of this width, or the full one, or else the widest that is left: then the first entry
/// that is missing can be named. Looks for every width only where something is wrong.
fn longest(folder: &dyn Folder, tile: Tile) -> Result<Option<(Vec<u8>, u64)>, FolderError> {
    if let Some(found) = folder::read_tile(folder, tile)? {
        return Ok(Some(found));
    }
    for width in (1..WIDTH).rev() {
        let path = Tile { width, ..tile }.path();
        if let Some(bytes) = folder.read(&path, folder::max_bytes(tile.level))? {
            return Ok(Some((bytes, width)));
        }
    }
    Ok(None)
}
