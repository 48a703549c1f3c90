//! A growing Merkle tree that keeps one hash for each bit of its size.

use crate::hash::Hash;

/// The largest power of two below `count`, where RFC 6962 splits; `count` is at least 2.
pub(crate) fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

/// The root over a row of hashes, which may be leaves or roots of equally large subtrees.
#[must_use]
pub fn root_of(row: &[Hash]) -> Hash {
    let mut tree = Tree::default();
    row.iter().for_each(|hash| tree.append(*hash));
    tree.root()
}

/// The right edge of a tree: enough to append to it and to tell its root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    /// Roots of the full subtrees, the largest first: as many as `size` has set bits.
    edge: Vec<Hash>,
}

impl Tree {
    /// Leaves so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends the hash of a leaf.
    pub fn append(&mut self, leaf: Hash) {
        let mut hash = leaf;
        // Each set bit at the end is a full subtree that is merged with the new one.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.edge.pop() {
                hash = Hash::node(left, hash);
            }
        }
        self.edge.push(hash);
        self.size += 1;
    }

    /// Appends the hashes of a batch of leaves, in their order.
    pub fn extend(&mut self, leaves: impl IntoIterator<Item = Hash>) {
        leaves.into_iter().for_each(|leaf| self.append(leaf));
    }

    #[must_use]
    pub fn root(&self) -> Hash {
        let mut from_right = self.edge.iter().rev().copied();
        let Some(last) = from_right.next() else {
            return Hash::empty();
        };
        from_right.fold(last, |right, left| Hash::node(left, right))
    }
}
