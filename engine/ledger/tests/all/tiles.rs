//! Paths, tiles and bundles as c2sp.org/tlog-tiles has them.

use crate::support::{Files, entries, grown};
use hostler_ledger::bundle::{self, BundleError, ENTRY_MAX_BYTES};
use hostler_ledger::folder::Tiles;
use hostler_ledger::growth::Growth;
use hostler_ledger::hash::Hash;
use hostler_ledger::proof::Head;
use hostler_ledger::proof::{consistency, continues, includes, inclusion, root_at};
use hostler_ledger::tile::{self, Level, Tile, TileError, WIDTH};
use hostler_ledger::tree::Tree;
use proptest::prelude::*;

fn hashes(level: u8, index: u64, width: u64) -> Tile {
    let level = Level::Hashes(level);
    Tile {
        level,
        index,
        width,
    }
}

#[test]
fn paths_are_those_of_the_specification() {
    let bundle = Tile {
        level: Level::Entries,
        ..hashes(0, 273, 112)
    };
    let cases = [
        (hashes(0, 1_234_067, WIDTH), "tile/0/x001/x234/067"),
        (hashes(0, 273, 112), "tile/0/273.p/112"),
        (hashes(2, 0, 1), "tile/2/000.p/1"),
        (bundle, "tile/entries/273.p/112"),
        (hashes(1, 1_000, 255), "tile/1/x001/000.p/255"),
    ];
    for (tile, path) in cases {
        assert_eq!(tile.path(), path);
        assert_eq!(Tile::parse(path), Ok(tile));
    }
}

#[test]
fn other_ways_of_writing_a_path_are_refused() {
    for path in [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/00/000",
        "tile/6/000",
        "tile/0/1",
        "tile/0/0001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/x000/000",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/+01",
        "tile/entries/../000",
        "/tile/0/000",
        "tile/0/000/",
        "tile/x/000",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/-1/000",
    ] {
        assert!(
            matches!(Tile::parse(path), Err(TileError::Path { .. })),
            "{path}"
        );
    }
}

#[test]
fn the_edge_is_that_of_the_specifications_example() {
    let paths: Vec<String> = tile::edge(70_000).iter().map(Tile::path).collect();
    assert_eq!(
        paths,
        [
            "tile/entries/273.p/112",
            "tile/0/273.p/112",
            "tile/1/001.p/17",
            "tile/2/000.p/1",
        ]
    );
    let paths: Vec<String> = tile::edge(256).iter().map(Tile::path).collect();
    assert_eq!(paths, ["tile/1/000.p/1"]);
    assert_eq!(tile::edge(0), []);
}

#[test]
fn a_grown_folder_has_exactly_the_files_of_the_specification() {
    let (files, _) = grown(&entries(600));
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "tile/0/000",
            "tile/0/001",
            "tile/0/002.p/88",
            "tile/1/000.p/2",
            "tile/entries/000",
            "tile/entries/001",
            "tile/entries/002.p/88",
        ]
    );
    assert_eq!(files["tile/0/000"].len(), tile::TILE_BYTES);
}

#[test]
fn a_tile_of_another_length_is_refused() {
    for (bytes, width) in [(0, 1), (31, 1), (33, 1), (64, 1), (32, 2), (257 * 32, 257)] {
        let decoded = tile::decode(&vec![0; bytes], width);
        assert!(
            matches!(decoded, Err(TileError::Length { .. })),
            "{bytes} {width}"
        );
    }
}

#[test]
fn an_entry_longer_than_its_length_field_is_refused_and_nothing_appended() {
    let mut growth = Growth::default();
    growth.append(&vec![b'x'; ENTRY_MAX_BYTES]).unwrap();
    let root = growth.root();
    let long = vec![b'x'; ENTRY_MAX_BYTES + 1];
    assert_eq!(
        growth.append(&long),
        Err(BundleError::TooLong(ENTRY_MAX_BYTES + 1))
    );
    assert_eq!((growth.size(), growth.root()), (1, root));
}

#[test]
fn a_broken_bundle_is_read_up_to_the_break() {
    let mut bytes = Vec::new();
    for entry in [b"one".as_slice(), b"", b"three"] {
        bundle::push(&mut bytes, entry).unwrap();
    }
    let (found, fault) = bundle::split(&bytes, 3);
    assert_eq!(
        (found, fault),
        (vec![b"one".as_slice(), b"", b"three"], None)
    );
    let (found, fault) = bundle::split(&bytes[..bytes.len() - 1], 3);
    assert_eq!(
        (found.len(), fault),
        (2, Some(BundleError::Short { at: 2 }))
    );
    let (found, fault) = bundle::split(&bytes, 2);
    assert_eq!((found.len(), fault), (2, Some(BundleError::Long { at: 2 })));
}

/// A folder that was sealed again and again, as it grew by these steps.
fn step_by_step(all: &[Vec<u8>], steps: &[usize]) -> (Files, Vec<Head>) {
    let (mut files, mut heads, mut done) = (Files::new(), Vec::new(), 0);
    for step in steps {
        let mut growth = Growth::open(&files, done as u64).unwrap();
        let next = (done + step).min(all.len());
        for entry in &all[done..next] {
            growth.append(entry).unwrap();
        }
        done = next;
        files.extend(
            growth
                .files()
                .into_iter()
                .map(|file| (file.path, file.bytes)),
        );
        heads.push(Head {
            size: growth.size(),
            root: growth.root(),
        });
    }
    (files, heads)
}

#[test]
fn a_ledger_with_a_third_level_goes_on_from_its_files() {
    let all = entries(66_000);
    let (files, heads) = step_by_step(&all, &[65_535, 1, 1, 463]);
    let mut tree = Tree::default();
    tree.extend(all.iter().map(|entry| Hash::leaf(entry)));
    assert_eq!(heads[3].root, tree.root());
    assert!(files.contains_key("tile/2/000.p/1"));
    let tiles = Tiles {
        folder: &files,
        size: 66_000,
    };
    for index in [0, 65_535, 65_536, 65_999] {
        let path = inclusion(&tiles, index, 66_000).unwrap().unwrap();
        let leaf = Hash::leaf(&all[usize::try_from(index).unwrap()]);
        assert!(includes(leaf, index, 66_000, heads[3].root, &path));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_ledger_goes_on_from_its_files(steps in prop::collection::vec(0usize..400, 1..6)) {
        let total: usize = steps.iter().sum();
        let all = entries(total as u64);
        let (files, heads) = step_by_step(&all, &steps);
        let mut tree = Tree::default();
        tree.extend(all.iter().map(|entry| Hash::leaf(entry)));
        prop_assert_eq!(heads.last().unwrap().root, tree.root());
        // All that was ever published is the beginning of what there is, and can be shown from the files.
        let size = total as u64;
        let tiles = Tiles { folder: &files, size };
        for head in &heads {
            prop_assert_eq!(root_at(&tiles, head.size).unwrap(), head.root);
            let path = consistency(&tiles, head.size, size).unwrap().unwrap();
            prop_assert!(continues(*head, *heads.last().unwrap(), &path));
        }
    }

    #[test]
    fn reading_any_bytes_as_a_bundle_ends(bytes in prop::collection::vec(any::<u8>(), 0..2_000), width in 0u64..300) {
        let (found, fault) = bundle::split(&bytes, width);
        let read: usize = found.iter().map(|entry| entry.len() + 2).sum();
        prop_assert!(read <= bytes.len());
        prop_assert!(fault.is_some() || (found.len() as u64 == width.min(256) && read == bytes.len()));
    }

    #[test]
    fn every_tile_has_one_path(level in 0u8..6, index in 0u64..256, width in 1u64..=256) {
        let tile = hashes(level, index, width);
        prop_assert_eq!(Tile::parse(&tile.path()), Ok(tile));
    }
}
