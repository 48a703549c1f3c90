//! Which side of an anomaly is right: the next checkpoint tells, by the entries or by the hashes.

use super::fault::{Fault, Kind};
use super::walk::{Anomaly, Row, Walk, row};
use crate::folder::FolderError;
use crate::growth::Levels;
use crate::hash::Hash;
use crate::tile::WIDTH;

/// The two stories from the anomaly on; None once one breaks off.
struct Stories {
    entries: Option<Levels>,
    hashes: Option<Levels>,
}

impl Stories {
    fn go_on(&mut self, row: &Row, at: usize) {
        append(
            &mut self.entries,
            row.entries.get(at).map(|entry| Hash::leaf(entry)),
        );
        append(&mut self.hashes, row.hashes.get(at).copied());
    }
}

fn append(story: &mut Option<Levels>, leaf: Option<Hash>) {
    match (&mut *story, leaf) {
        (Some(levels), Some(leaf)) => {
            levels.append(leaf);
            // Only the roots are wanted.
            levels.take_full();
        }
        _ => *story = None,
    }
}

impl Walk<'_> {
    /// Goes on to the next checkpoint and says what the anomaly was.
    pub(super) fn settle(&self, anomaly: Anomaly) -> Result<Fault, FolderError> {
        let Anomaly { kind, index } = anomaly;
        // A tile above the leaves is compared after its entries were read.
        let read_to = self.levels.size();
        let after = read_to.max(index + 1);
        if self.agreed.size == read_to && read_to > index {
            return Ok(exact(kind, index));
        }
        let Some(size) = self.marks.from(after) else {
            return Ok(self.unsure(kind, index));
        };
        let stories = self.stories(size)?;
        let told = |story: &Option<Levels>| {
            let root = story.as_ref().map(Levels::root);
            root.is_some_and(|root| self.marks.answer(size, root).agrees)
        };
        let whole = read_to <= index;
        Ok(match (told(&stories.entries), told(&stories.hashes)) {
            (true, _) => exact(right_entry(kind, index), index),
            (false, true) if whole => exact(kind, index),
            _ => self.unsure(kind, index),
        })
    }

    fn stories(&self, size: u64) -> Result<Stories, FolderError> {
        let mut stories = Stories {
            entries: Some(self.levels.clone()),
            hashes: Some(self.levels.clone()),
        };
        let mut next = self.levels.size();
        while next < size && (stories.entries.is_some() || stories.hashes.is_some()) {
            let index = next / WIDTH;
            let row = row(self.folder, index, WIDTH.min(size - index * WIDTH))?;
            let end = size.min((index + 1) * WIDTH);
            for place in next..end {
                stories.go_on(&row, usize::try_from(place % WIDTH).unwrap_or(usize::MAX));
            }
            next = end;
        }
        Ok(stories)
    }

    fn unsure(&self, kind: Kind, index: u64) -> Fault {
        let sure_to = self.agreed.size.min(index);
        // Entries agree with the hashes below a tile that no checkpoint vouches for.
        match kind {
            Kind::Tile { .. } => Fault {
                kind: Kind::Edited,
                index,
                sure_to,
            },
            kind => Fault {
                kind,
                index,
                sure_to,
            },
        }
    }
}

fn exact(kind: Kind, index: u64) -> Fault {
    Fault {
        kind,
        index,
        sure_to: index,
    }
}

/// The entries are as they were sealed: then it is the hash that was changed.
fn right_entry(kind: Kind, index: u64) -> Kind {
    match kind {
        Kind::Edited => {
            let tile = crate::tile::Tile {
                level: crate::tile::Level::Hashes(0),
                index: index / WIDTH,
                width: WIDTH,
            };
            Kind::Tile { path: tile.path() }
        }
        kind => kind,
    }
}
