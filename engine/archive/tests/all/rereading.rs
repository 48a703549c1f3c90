//! What has left the store is read from the folder as it was, and carried into a new folder.
//!
//! Not here: what leaves, and when (`trimming`).

use super::desk::{Desk, World, key};
use super::support;
use super::trimming::{all_from, first, one, reader, reader_of};
use hostler_archive::seal::{ObjectShelf, SealError, Sealer, Trust, carry};
use hostler_ledger::key::SigningKey;
use hostler_ports::sealed::{SealedError, SealedLedger};
use hostler_ports::store::{LedgerEntry, LedgerLine, Start, Store};
use std::path::Path;
use std::sync::Arc;

#[tokio::test]
async fn every_entry_is_read_as_it_was_from_either_side_of_the_border() {
    let world = World::new();
    world.tell(300, "zażółć 🐎\\n").await;
    for number in 1..=3 {
        let body = ["short".to_owned(), "long".repeat(40_000), String::new()];
        let line = |body| LedgerLine { body };
        let started = Start {
            ledger: body.map(line).into(),
            ..support::World::asked(number, 1)
        };
        world.store.start(started).await.unwrap();
        world.tell(1, &"ü".repeat(70_000)).await;
    }
    world.tell(1_500, "x").await;
    let before = all_from(&world, 0).await;
    world.seal().await.unwrap();
    let border = first(&world).await;
    assert!((300..before.len() as u64).contains(&border), "{border}");
    let reader = reader(&world);
    for (number, entry) in (0_u64..).zip(&before) {
        // Every number of the long ones and around the border, some of the others.
        if (295..330).contains(&number) || number % 97 == 0 || number.abs_diff(border) < 3 {
            assert_eq!(one(&world, &reader, number).await, *entry, "{number}");
        }
    }
    // Page by page, all of them; the folder has those too that the store still has.
    let mut read: Vec<LedgerEntry> = Vec::new();
    while read.len() < before.len() {
        read.extend(reader.entries(read.len() as u64).await.unwrap());
    }
    assert!(read == before);
    let behind = reader.entries(before.len() as u64).await.unwrap_err();
    assert!(matches!(behind, SealedError::Absent(_)), "{behind}");
}

#[tokio::test]
async fn a_new_folder_begins_with_the_old_ones_entries_after_a_loss() {
    let world = World::new();
    world.tell(1_500, "x").await;
    world.seal().await.unwrap();
    world.store.replicate_late(100);
    world.tell(20, "lost").await;
    world.seal().await.unwrap();
    assert_eq!(first(&world).await, 512);
    // The newest trimming is lost too.
    assert_eq!(world.store.fail_over(21), 21);
    assert_eq!(first(&world).await, 256);
    let stopped = world.seal().await.unwrap_err();
    assert!(stopped.to_string().contains("--below 1500"), "{stopped}");
    world.tell(40, "y").await;
    let entries = all_from(&world, 256).await;

    // Too many: the store has others there.
    for (below, is_fine) in [(1_510, false), (1_500, true)] {
        let new = Arc::new(Desk::default());
        let begun = carry(reader(&world), below, Arc::clone(&new) as _, key()).await;
        assert_eq!(begun.unwrap(), below);
        let world = World {
            store: Arc::clone(&world.store),
            desk: new,
        };
        match world.seal().await {
            Ok(done) => assert!(is_fine && done.size == 1_540),
            Err(fault) => {
                assert!(!is_fine);
                assert!(matches!(fault, SealError::Rewritten { .. }), "{fault}");
                continue;
            }
        }
        assert_eq!(world.desk.report().fault, None);
        let reader = reader(&world);
        for entry in &entries {
            assert_eq!(one(&world, &reader, entry.number).await, *entry);
        }
        assert!(reader.entries(0).await.is_ok());
    }
    let new = Arc::new(Desk::default());
    let short = carry(reader(&world), 1_600, new, key()).await.unwrap_err();
    assert!(
        short.to_string().contains("it ends before entry 1520"),
        "{short}"
    );
}

#[tokio::test]
async fn a_folder_is_read_without_the_key_and_found_damaged_without_it() {
    let world = World::new();
    world.tell(300, "x").await;
    world.tell(1, &"long".repeat(30_000)).await;
    let top = tempfile::tempdir().unwrap();
    let folder = top.path().join("not yet here, with blanks");
    let realm = |name: &str| Trust::Realm(name.to_owned());
    let reading = |trust| reader_of(Arc::new(ObjectShelf::reading(&folder).unwrap()), trust);
    let absent = reading(realm("main")).entries(0).await.unwrap_err();
    let is = matches!(&absent, SealedError::Absent(why) if why.contains("the desk"));
    assert!(is && !folder.exists(), "{absent}");

    let shelf = Arc::new(ObjectShelf::open(&folder).unwrap());
    let sealer = Sealer::new(world.source(), shelf, key(), "main").unwrap();
    sealer.pass().await.unwrap();
    let found = reading(realm("main")).entries(290).await.unwrap();
    assert_eq!(found, world.store.ledger(290).await.unwrap());
    for (trust, is_absent) in [
        (realm("other"), true),
        (Trust::Key(foreign().verifier().clone()), false),
    ] {
        let fault = reading(trust).entries(0).await.unwrap_err();
        assert_eq!(
            matches!(fault, SealedError::Absent(_)),
            is_absent,
            "{fault}"
        );
    }
    let body = std::fs::read_dir(folder.join("body")).unwrap().next();
    damage(&body.unwrap().unwrap().path());
    let fault = reading(realm("main")).entries(290).await.unwrap_err();
    assert!(matches!(fault, SealedError::Damaged(_)), "{fault}");
    damage(&folder.join("tile/0/000"));
    let fault = reading(realm("main")).entries(0).await.unwrap_err();
    assert!(matches!(fault, SealedError::Damaged(_)), "{fault}");
}

fn foreign() -> SigningKey {
    SigningKey::from_seed("main", [8; 32]).unwrap()
}

fn damage(file: &Path) {
    let mut bytes = std::fs::read(file).unwrap();
    bytes[20] ^= 1;
    std::fs::write(file, bytes).unwrap();
}
