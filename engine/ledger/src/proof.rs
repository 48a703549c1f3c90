//! Inclusion and consistency proofs of RFC 6962, and their verification as RFC 9162 writes it.
//!
//! Not here: where the hashes lie (`Nodes`).

use crate::SIZE_MAX;
use crate::hash::Hash;
use crate::tree::split;

/// Most hashes of a proof: one for each level on either side.
pub const PROOF_MAX: usize = 2 * SIZE_MAX.ilog2() as usize;

/// Gives the roots of full subtrees: of the leaves `index << level .. (index + 1) << level`.
pub trait Nodes {
    type Error;
    /// # Errors
    /// When the hash cannot be read, or the tree is smaller.
    fn node(&self, level: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// The root over the leaves `from..to`; `from` is a multiple of a power of two not below their count.
fn root_between<N: Nodes + ?Sized>(nodes: &N, from: u64, to: u64) -> Result<Hash, N::Error> {
    let count = to - from;
    if count.is_power_of_two() {
        return nodes.node(count.ilog2(), from >> count.ilog2());
    }
    let middle = from + split(count);
    let left = root_between(nodes, from, middle)?;
    Ok(Hash::node(left, root_between(nodes, middle, to)?))
}

/// The root of the first `size` leaves.
///
/// # Errors
/// What `nodes` cannot give.
pub fn root_at<N: Nodes + ?Sized>(nodes: &N, size: u64) -> Result<Hash, N::Error> {
    match size {
        0 => Ok(Hash::empty()),
        size => root_between(nodes, 0, size),
    }
}

/// The hashes beside the way from leaf `index` to the root of the first `size` leaves; none where
/// there is no such leaf.
///
/// # Errors
/// What `nodes` cannot give.
pub fn inclusion<N: Nodes + ?Sized>(
    nodes: &N,
    index: u64,
    size: u64,
) -> Result<Option<Vec<Hash>>, N::Error> {
    if index >= size || size > SIZE_MAX {
        return Ok(None);
    }
    let (mut from, mut to) = (0, size);
    let mut path = Vec::new();
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            path.push(root_between(nodes, middle, to)?);
            to = middle;
        } else {
            path.push(root_between(nodes, from, middle)?);
            from = middle;
        }
    }
    path.reverse();
    Ok(Some(path))
}

/// What shows that the tree of `old` leaves is the beginning of the one of `new`; none unless
/// `old <= new`.
///
/// # Errors
/// What `nodes` cannot give.
pub fn consistency<N: Nodes + ?Sized>(
    nodes: &N,
    old: u64,
    new: u64,
) -> Result<Option<Vec<Hash>>, N::Error> {
    if old > new || new > SIZE_MAX {
        return Ok(None);
    }
    if old == 0 || old == new {
        return Ok(Some(Vec::new()));
    }
    let (mut from, mut to) = (0, new);
    let mut path = Vec::new();
    // Down to the subtree that ends where the old tree ends.
    while to != old {
        let middle = from + split(to - from);
        if old <= middle {
            path.push(root_between(nodes, middle, to)?);
            to = middle;
        } else {
            path.push(root_between(nodes, from, middle)?);
            from = middle;
        }
    }
    // Who verifies knows the root of the old tree already.
    if from > 0 {
        path.push(root_between(nodes, from, to)?);
    }
    path.reverse();
    Ok(Some(path))
}

/// Whether `leaf` is number `index` of the `size` leaves below `root`.
#[must_use]
pub fn includes(leaf: Hash, index: u64, size: u64, root: Hash, path: &[Hash]) -> bool {
    if index >= size || path.len() > PROOF_MAX {
        return false;
    }
    let (mut place, mut last) = (index, size - 1);
    let mut hash = leaf;
    for beside in path {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            hash = Hash::node(*beside, hash);
            let up = if place == 0 {
                0
            } else {
                place.trailing_zeros()
            };
            (place, last) = (place >> up, last >> up);
        } else {
            hash = Hash::node(hash, *beside);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    last == 0 && hash == root
}

/// The two trees of a consistency proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub size: u64,
    pub root: Hash,
}

/// Whether the tree `old` is the beginning of the tree `new`.
#[must_use]
pub fn continues(old: Head, new: Head, path: &[Hash]) -> bool {
    if old.size > new.size || path.len() > PROOF_MAX {
        return false;
    }
    if old.size == new.size {
        return path.is_empty() && old.root == new.root;
    }
    if old.size == 0 {
        return path.is_empty() && old.root == Hash::empty();
    }
    let up = (old.size - 1).trailing_ones();
    let (mut place, mut last) = ((old.size - 1) >> up, (new.size - 1) >> up);
    let (first, rest) = match (old.size.is_power_of_two(), path) {
        (true, path) => (old.root, path),
        (false, [first, rest @ ..]) => (*first, rest),
        (false, []) => return false,
    };
    let (mut old_hash, mut new_hash) = (first, first);
    for beside in rest {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            old_hash = Hash::node(*beside, old_hash);
            new_hash = Hash::node(*beside, new_hash);
            let up = if place == 0 {
                0
            } else {
                place.trailing_zeros()
            };
            (place, last) = (place >> up, last >> up);
        } else {
            new_hash = Hash::node(new_hash, *beside);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    last == 0 && old_hash == old.root && new_hash == new.root
}
