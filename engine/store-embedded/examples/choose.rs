//! Measures three embedded stores with the writes of this adapter: groups of small commits, each
//! group one durable transaction. Run it with `--features choose`; the result is in the README.
//!
//! Not here: anything the adapter uses.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement that cannot go on says where it stopped"
)]

use std::path::Path;
use std::time::Instant;

const GROUPS: u64 = 150;
/// Commits of one group: what waits while the group before it is written.
const GROUP: u64 = 64;
const LANES: u64 = 2_000;

enum Change {
    Put(Vec<u8>, Vec<u8>),
    Delete(Vec<u8>),
}

/// What one commit with two events writes: events, the lane, its place in the feed, counters.
fn commit(number: u64) -> Vec<Change> {
    let lane = (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % LANES).to_be_bytes();
    let key = |letter: u8, rest: &[u8]| [&[letter], &lane[..], &[0; 8], rest].concat();
    let feed = |number: u64| [b"f".as_slice(), &number.to_be_bytes()].concat();
    vec![
        Change::Put(key(b'g', &(2 * number).to_be_bytes()), vec![b'e'; 160]),
        Change::Put(key(b'g', &(2 * number + 1).to_be_bytes()), vec![b'e'; 160]),
        Change::Put(key(b'l', &[]), vec![b'l'; 420]),
        Change::Put(feed(number), lane.to_vec()),
        Change::Delete(feed(number.saturating_sub(LANES))),
        Change::Put(b"M".to_vec(), vec![b'm'; 180]),
    ]
}

fn measure(name: &str, mut write: impl FnMut(Vec<Change>)) {
    let begun = Instant::now();
    for group in 0..GROUPS {
        write(
            (group * GROUP..(group + 1) * GROUP)
                .flat_map(commit)
                .collect(),
        );
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{name:8} {:9.0} commits/s",
        (GROUPS * GROUP) as f64 / seconds
    );
}

fn fjall(folder: &Path) {
    let db = fjall::Database::builder(folder.join("fjall"))
        .open()
        .unwrap();
    let map = db
        .keyspace("map", fjall::KeyspaceCreateOptions::default)
        .unwrap();
    measure("fjall", |changes| {
        let mut batch = db.batch().durability(Some(fjall::PersistMode::SyncData));
        for change in changes {
            match change {
                Change::Put(key, value) => batch.insert(&map, key, value),
                Change::Delete(key) => batch.remove(&map, key),
            }
        }
        batch.commit().unwrap();
    });
}

fn redb(folder: &Path) {
    const MAP: redb::TableDefinition<&[u8], &[u8]> = redb::TableDefinition::new("map");
    let db = redb::Database::create(folder.join("redb")).unwrap();
    measure("redb", |changes| {
        let write = db.begin_write().unwrap();
        {
            let mut map = write.open_table(MAP).unwrap();
            for change in changes {
                match change {
                    Change::Put(key, value) => drop(map.insert(&*key, &*value).unwrap()),
                    Change::Delete(key) => drop(map.remove(&*key).unwrap()),
                }
            }
        }
        write.commit().unwrap();
    });
}

fn sqlite(folder: &Path) {
    let mut db = rusqlite::Connection::open(folder.join("sqlite")).unwrap();
    db.pragma_update(None, "journal_mode", "wal").unwrap();
    db.pragma_update(None, "synchronous", "full").unwrap();
    db.execute(
        "create table map (key blob primary key, value blob) without rowid",
        (),
    )
    .unwrap();
    measure("SQLite", |changes| {
        let write = db.transaction().unwrap();
        {
            let mut put = write
                .prepare_cached("insert or replace into map values (?, ?)")
                .unwrap();
            let mut delete = write
                .prepare_cached("delete from map where key = ?")
                .unwrap();
            for change in changes {
                match change {
                    Change::Put(key, value) => put.execute((key, value)).unwrap(),
                    Change::Delete(key) => delete.execute((key,)).unwrap(),
                };
            }
        }
        write.commit().unwrap();
    });
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let inside = tempfile::tempdir_in(folder.path()).unwrap();
        fjall(inside.path());
        redb(inside.path());
        sqlite(inside.path());
    }
}
