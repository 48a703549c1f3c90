//! The heads that a folder must pass, by size.

use crate::hash::Hash;
use crate::proof::Head;
use std::collections::{BTreeMap, BTreeSet};

/// What the checkpoints of one size say of a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Some checkpoint has this root.
    pub agrees: bool,
    /// Some checkpoint has another one.
    pub contradicts: bool,
}

pub struct Marks(BTreeMap<u64, BTreeSet<Hash>>);

impl Marks {
    pub fn new(heads: impl Iterator<Item = Head>) -> Self {
        let mut marks: BTreeMap<u64, BTreeSet<Hash>> = BTreeMap::new();
        for head in heads {
            marks.entry(head.size).or_default().insert(head.root);
        }
        Self(marks)
    }

    pub fn largest(&self) -> Option<u64> {
        self.0.last_key_value().map(|(size, _)| *size)
    }

    /// The first size of a checkpoint that is not below `size`.
    pub fn from(&self, size: u64) -> Option<u64> {
        self.0.range(size..).next().map(|(size, _)| *size)
    }

    pub fn answer(&self, size: u64, root: Hash) -> Answer {
        let roots = self.0.get(&size);
        Answer {
            agrees: roots.is_some_and(|roots| roots.contains(&root)),
            contradicts: roots.is_some_and(|roots| roots.iter().any(|other| *other != root)),
        }
    }
}
