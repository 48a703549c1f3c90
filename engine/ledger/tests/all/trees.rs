//! Roots and proofs: the vectors that certificate transparency publishes, and random trees.

use hostler_ledger::hash::Hash;
use hostler_ledger::proof::{Head, Nodes, consistency, continues, includes, inclusion, root_at};
use hostler_ledger::tree::Tree;
use proptest::prelude::*;
use std::convert::Infallible;

const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// The definition of RFC 6962, word for word.
fn defined(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::empty(),
        [leaf] => *leaf,
        leaves => {
            let mut split = 1;
            while split * 2 < leaves.len() {
                split *= 2;
            }
            Hash::node(defined(&leaves[..split]), defined(&leaves[split..]))
        }
    }
}

struct Row(Vec<Hash>);

impl Nodes for Row {
    type Error = Infallible;

    fn node(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
        let from = usize::try_from(index << level).unwrap();
        Ok(defined(&self.0[from..from + (1 << level)]))
    }
}

fn published() -> Row {
    let leaf = |text: &&str| Hash::leaf(&hex::decode(text).unwrap());
    Row(LEAVES.iter().map(leaf).collect())
}

fn hashes(texts: &[&str]) -> Vec<Hash> {
    let hash = |text: &&str| Hash(hex::decode(text).unwrap().try_into().unwrap());
    texts.iter().map(hash).collect()
}

fn row(count: u64) -> Row {
    Row((0..count).map(|n| Hash::leaf(&n.to_be_bytes())).collect())
}

fn head(row: &Row, size: u64) -> Head {
    Head {
        size,
        root: root_at(row, size).unwrap(),
    }
}

#[test]
fn the_roots_are_the_published_ones() {
    let row = published();
    let mut tree = Tree::default();
    assert_eq!(tree.root().to_string(), ROOTS[0]);
    for (size, leaf) in (1u64..).zip(&row.0) {
        tree.append(*leaf);
        let expected = ROOTS[usize::try_from(size).unwrap()];
        assert_eq!(tree.root().to_string(), expected);
        assert_eq!(root_at(&row, size).unwrap().to_string(), expected);
    }
}

#[test]
fn the_inclusion_proofs_are_the_published_ones() {
    let row = published();
    let cases: [(u64, u64, &[&str]); 4] = [
        (
            0,
            8,
            &[
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            5,
            8,
            &[
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (
            2,
            3,
            &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
        ),
        (
            1,
            5,
            &[
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ];
    for (index, size, expected) in cases {
        let path = inclusion(&row, index, size).unwrap().unwrap();
        assert_eq!(path, hashes(expected), "{index} of {size}");
        let leaf = row.0[usize::try_from(index).unwrap()];
        assert!(includes(leaf, index, size, head(&row, size).root, &path));
    }
}

#[test]
fn the_consistency_proofs_are_the_published_ones() {
    let row = published();
    let cases: [(u64, u64, &[&str]); 4] = [
        (1, 1, &[]),
        (
            1,
            8,
            &[
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            6,
            8,
            &[
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (
            2,
            5,
            &[
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ];
    for (old, new, expected) in cases {
        let path = consistency(&row, old, new).unwrap().unwrap();
        assert_eq!(path, hashes(expected), "{old} to {new}");
        assert!(continues(head(&row, old), head(&row, new), &path));
    }
}

#[test]
fn every_proof_of_every_small_tree_verifies_and_for_no_other_place() {
    let row = row(40);
    for size in 1..=40 {
        let root = head(&row, size).root;
        assert_eq!(root, defined(&row.0[..usize::try_from(size).unwrap()]));
        for index in 0..size {
            let path = inclusion(&row, index, size).unwrap().unwrap();
            let leaf = row.0[usize::try_from(index).unwrap()];
            for other in 0..=size {
                assert_eq!(includes(leaf, other, size, root, &path), other == index);
            }
        }
        for old in 0..=size {
            let path = consistency(&row, old, size).unwrap().unwrap();
            assert!(
                continues(head(&row, old), head(&row, size), &path),
                "{old} {size}"
            );
        }
    }
    assert_eq!(inclusion(&row, 40, 40), Ok(None));
    assert_eq!(consistency(&row, 41, 40), Ok(None));
    assert!(!includes(row.0[0], 0, 0, Hash::empty(), &[]));
}

#[test]
fn a_batch_gives_the_tree_of_its_leaves_one_by_one() {
    let row = row(1_000);
    let mut tree = Tree::default();
    for batch in row.0.chunks(77) {
        tree.extend(batch.iter().copied());
        let size = usize::try_from(tree.size()).unwrap();
        assert_eq!(tree.root(), defined(&row.0[..size]));
    }
    assert_eq!(tree.size(), 1_000);
}

/// The same bytes but for one bit.
fn flipped(hash: Hash, bit: usize) -> Hash {
    let mut bytes = hash.0;
    bytes[bit / 8 % 32] ^= 1 << (bit % 8);
    Hash(bytes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_proof_with_any_changed_bit_fails(size in 1u64..700, at in any::<u64>(), bit in 0usize..256, which in any::<usize>()) {
        let row = row(size);
        let index = at % size;
        let leaf = row.0[usize::try_from(index).unwrap()];
        let root = head(&row, size).root;
        let path = inclusion(&row, index, size).unwrap().unwrap();
        prop_assert!(includes(leaf, index, size, root, &path));
        prop_assert!(!includes(flipped(leaf, bit), index, size, root, &path));
        prop_assert!(!includes(leaf, index, size, flipped(root, bit), &path));
        if !path.is_empty() {
            let mut bad = path.clone();
            let place = which % bad.len();
            bad[place] = flipped(bad[place], bit);
            prop_assert!(!includes(leaf, index, size, root, &bad));
            bad.clone_from(&path);
            bad.remove(place);
            prop_assert!(!includes(leaf, index, size, root, &bad));
        }
        let mut long = path;
        long.push(root);
        prop_assert!(!includes(leaf, index, size, root, &long));
    }

    #[test]
    fn a_tree_continues_only_what_it_grew_from(new in 1u64..700, at in any::<u64>(), bit in 0usize..256, which in any::<usize>()) {
        let row = row(new);
        let old = at % (new + 1);
        let (before, after) = (head(&row, old), head(&row, new));
        let path = consistency(&row, old, new).unwrap().unwrap();
        prop_assert!(continues(before, after, &path));
        let other = Head { root: flipped(before.root, bit), ..before };
        prop_assert!(!continues(other, after, &path));
        if old > 0 {
            let other = Head { root: flipped(after.root, bit), ..after };
            prop_assert!(!continues(before, other, &path));
        }
        if !path.is_empty() {
            let mut bad = path.clone();
            let place = which % bad.len();
            bad[place] = flipped(bad[place], bit);
            prop_assert!(!continues(before, after, &bad));
        }
        let mut long = path;
        long.push(after.root);
        prop_assert!(!continues(before, after, &long));
    }
}
