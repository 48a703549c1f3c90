//! The map as the writer sees it: the hot part in memory, the rest on disk, and over both what the
//! calls of the current group have changed.
//!
//! Not here: when a group ends.

use crate::disk::{Changes, Disk, View};
use hostler_ports::store::StoreResult;
use hostler_ports::store::verbs::keys::{HOT, is_hot};
use hostler_ports::store::verbs::kv::{Journaled, Kv, KvMut, Pair, Span};
use std::collections::BTreeMap;

/// Entries read at once while the hot part is filled.
const FILL: usize = 10_000;

/// What a group writes under a key; none removes it.
type Change = Option<Vec<u8>>;

pub struct Group {
    hot: Journaled,
    /// What is on disk, without this group.
    view: View,
    /// What the group will write.
    changes: Changes,
    /// What the current call has replaced in `changes`.
    undo: Vec<(Vec<u8>, Option<Change>)>,
}

impl Group {
    /// Reads the hot part into memory.
    pub fn open(disk: &Disk) -> StoreResult<Self> {
        let view = disk.view();
        let mut hot = Journaled::default();
        for letter in HOT {
            let mut span = Span::prefix(vec![*letter]);
            loop {
                let found = view.range(&span, FILL)?;
                let Some((last, _)) = found.last() else { break };
                span = span.after(last);
                for (key, value) in found {
                    hot.seed(key, value);
                }
            }
        }
        Ok(Self {
            hot,
            view,
            changes: Changes::new(),
            undo: Vec::new(),
        })
    }

    /// Begins a call.
    pub fn begin(&mut self) {
        self.hot.begin();
        self.undo.clear();
    }

    /// Takes back the current call.
    pub fn rollback(&mut self) {
        self.hot.rollback();
        while let Some((key, old)) = self.undo.pop() {
            match old {
                Some(change) => self.changes.insert(key, change),
                None => self.changes.remove(&key),
            };
        }
    }

    /// Writes the group; the next one begins over it.
    pub fn finish(&mut self, disk: &Disk) -> StoreResult<()> {
        if !self.changes.is_empty() {
            disk.write(&self.changes)?;
            self.changes.clear();
            self.view = disk.view();
        }
        Ok(())
    }

    fn change(&mut self, key: Vec<u8>, value: Change) {
        let old = self.changes.insert(key.clone(), value);
        self.undo.push((key, old));
    }
}

impl Kv for Group {
    fn get(&self, key: &[u8]) -> StoreResult<Option<Vec<u8>>> {
        if is_hot(key) {
            return self.hot.get(key);
        }
        match self.changes.get(key) {
            Some(change) => Ok(change.clone()),
            None => self.view.get(key),
        }
    }

    fn range(&self, span: &Span, limit: usize) -> StoreResult<Vec<Pair>> {
        if is_hot(&span.from) {
            return self.hot.range(span, limit);
        }
        if span.from >= span.to {
            return Ok(Vec::new());
        }
        let changed: Vec<_> = self
            .changes
            .range(span.from.clone()..span.to.clone())
            .collect();
        // Each change hides at most one entry of the disk.
        let below = self.view.range(span, limit + changed.len())?;
        if changed.is_empty() {
            return Ok(below);
        }
        let mut merged: BTreeMap<Vec<u8>, Vec<u8>> = below.into_iter().collect();
        for (key, change) in changed {
            match change {
                Some(value) => merged.insert(key.clone(), value.clone()),
                None => merged.remove(key),
            };
        }
        Ok(if span.reverse {
            merged.into_iter().rev().take(limit).collect()
        } else {
            merged.into_iter().take(limit).collect()
        })
    }
}

impl KvMut for Group {
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        if is_hot(&key) {
            self.hot.put(key.clone(), value.clone());
        }
        self.change(key, Some(value));
    }

    fn delete(&mut self, key: &[u8]) {
        if is_hot(key) {
            self.hot.delete(key);
        }
        self.change(key.to_vec(), None);
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        reason = "a test that cannot go on says where it stopped"
    )]
    use super::*;
    use crate::Options;

    fn keys(group: &Group, reverse: bool, limit: usize) -> Vec<Vec<u8>> {
        let span = Span::prefix(vec![b'x']).reversed(reverse);
        group
            .range(&span, limit)
            .unwrap()
            .into_iter()
            .map(|(key, _)| key)
            .collect()
    }

    #[test]
    fn a_range_merges_the_disk_with_the_group() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::open(folder.path(), Options::default()).unwrap();
        let mut group = Group::open(&disk).unwrap();
        group.begin();
        for key in [b"x1", b"x3", b"x5"] {
            group.put(key.to_vec(), b"disk".to_vec());
        }
        group.finish(&disk).unwrap();
        group.begin();
        group.put(b"x2".to_vec(), b"group".to_vec());
        group.delete(b"x3");
        assert_eq!(keys(&group, false, 2), [b"x1", b"x2"]);
        assert_eq!(keys(&group, true, 9), [b"x5", b"x2", b"x1"]);
        group.rollback();
        assert_eq!(keys(&group, false, 9), [b"x1", b"x3", b"x5"]);
    }

    #[test]
    fn the_hot_part_is_there_after_opening_again() {
        let folder = tempfile::tempdir().unwrap();
        for expected in [None, Some(b"meta".to_vec())] {
            let disk = Disk::open(folder.path(), Options::default()).unwrap();
            let mut group = Group::open(&disk).unwrap();
            assert_eq!(group.get(b"M").unwrap(), expected);
            group.begin();
            group.put(b"M".to_vec(), b"meta".to_vec());
            group.finish(&disk).unwrap();
        }
    }
}
