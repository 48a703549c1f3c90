//! Lines of a store become a ledger that verifies, whatever happens to the sealer, the folder and the
//! store in between.

use super::desk::{Files, World, key};
use async_trait::async_trait;
use hostler_archive::seal::{ObjectShelf, SealError, Sealed, Sealer, Shelf, Source};
use hostler_ledger::checkpoint::Checkpoint;
use hostler_ledger::key::SigningKey;
use hostler_ledger::tile::CHECKPOINT;
use hostler_ledger::verify::verify;
use hostler_ports::store::{Confirmed, Counts, LedgerEntry, Seq, StoreResult};
use std::path::Path;
use std::sync::Arc;

fn sealed(size: u64, added: u64) -> Sealed {
    let more = false;
    Sealed { size, added, more }
}

/// The files below a folder of the disk.
fn on_disk(top: &Path, folder: &Path, files: &mut Files) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            on_disk(top, &path, files);
        } else {
            let name = path.strip_prefix(top).unwrap().to_str().unwrap();
            files.insert(name.to_owned(), std::fs::read(&path).unwrap());
        }
    }
}

#[tokio::test]
async fn lines_are_sealed_in_order_into_a_real_folder() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let shelf = Arc::new(ObjectShelf::open(folder.path()).unwrap());
    let sealer = Sealer::new(world.source(), shelf, key(), "main").unwrap();
    assert_eq!(sealer.pass().await.unwrap(), sealed(0, 0));
    let mut exported = Vec::new();
    for (count, size) in [(3, 3), (250, 253), (0, 253), (300, 553)] {
        world.tell(count, "x").await;
        assert_eq!(sealer.pass().await.unwrap(), sealed(size, count as u64));
        let text = std::fs::read(folder.path().join(CHECKPOINT)).unwrap();
        exported.push(Checkpoint::open(&text, key().verifier()).unwrap());
    }
    let mut files = Files::new();
    on_disk(folder.path(), folder.path(), &mut files);
    let report = verify(&files, key().verifier(), &exported).unwrap();
    assert_eq!((report.fault, report.head.size), (None, 553));
    // The narrower versions of a full tile are gone.
    let left = files
        .keys()
        .filter(|path| path.contains("000.p/") && !path.contains("tile/1"));
    assert_eq!(left.count(), 0, "{:?}", files.keys());
    // What the store said is what lies there.
    let bundle = String::from_utf8_lossy(&files["tile/entries/000"]).into_owned();
    assert!(bundle.contains("number 255\nlane -\n") && bundle.contains("{\"what\":\"x\",\"n\":2}"));
}

#[tokio::test]
async fn many_lines_take_several_passes() {
    let world = World::new();
    world.tell(5_300, "x").await;
    let first = world.seal().await.unwrap();
    assert_eq!((first.size, first.more), (5_000, true));
    assert_eq!(world.seal().await.unwrap(), sealed(5_300, 300));
    assert_eq!(world.desk.report().fault, None);
}

/// Seals 600 lines, the last 350 of them with a crash at this write; false when there was none.
async fn crashed_at(write: usize, done: bool) -> bool {
    let world = World::new();
    world.tell(250, "x").await;
    world.seal().await.unwrap();
    world.tell(350, "y").await;
    *world.desk.crash.lock().unwrap() = Some((write, done));
    let crashed = world.seal().await.is_err();
    *world.desk.crash.lock().unwrap() = None;
    // Whoever looks now finds all that the checkpoint counts.
    assert_eq!(
        world.desk.report().fault,
        None,
        "write {write}, done: {done}"
    );
    // Another line comes in before the next process begins.
    world.tell(1, "z").await;
    assert_eq!(world.seal().await.unwrap().size, 601);
    let report = world.desk.report();
    assert_eq!((report.fault, report.head.size), (None, 601));
    crashed
}

#[tokio::test]
async fn a_crash_at_any_write_loses_nothing_and_tells_nothing_twice() {
    for done in [false, true] {
        let mut write = 0;
        while crashed_at(write, done).await {
            write += 1;
        }
        // Two bundles, three tiles, the edge above, the checkpoint, and the cleaning.
        assert!(write >= 10, "{write}");
    }
}

#[tokio::test]
async fn two_sealers_make_one_tree() {
    let (world, alone) = (World::new(), World::new());
    for round in 0..12 {
        for world in [&world, &alone] {
            world.tell(90 + round, "x").await;
        }
        let (one, other) = (world.sealer(), world.sealer());
        let more = async {
            world.tell(7, "y").await;
            alone.tell(7, "y").await;
        };
        let (one, other, ()) = tokio::join!(one.pass(), other.pass(), more);
        one.unwrap();
        other.unwrap();
    }
    world.seal().await.unwrap();
    alone.seal().await.unwrap();
    let report = world.desk.report();
    assert_eq!(report.fault, None);
    assert_eq!(report.head, alone.desk.report().head);
}

#[tokio::test]
async fn a_store_that_went_back_behind_the_checkpoint_stops_the_sealer() {
    let world = World::new();
    world.store.replicate_late(100);
    world.tell(40, "x").await;
    world.seal().await.unwrap();
    assert_eq!(world.store.fail_over(10), 10);
    let stopped = world.seal().await.unwrap_err();
    let is = matches!(
        stopped,
        SealError::Regressed {
            sealed: 40,
            found: 30
        }
    );
    assert!(is && stopped.needs_person(), "{stopped}");
    // It goes on beyond the place: that is no way out.
    world.tell(9, "y").await;
    assert!(matches!(
        world.seal().await,
        Err(SealError::Regressed { .. })
    ));
    world.tell(50, "y").await;
    let stopped = world.seal().await.unwrap_err();
    assert!(
        matches!(stopped, SealError::Rewritten { number: 39 }),
        "{stopped}"
    );
    assert_eq!(world.desk.report().head.size, 40);
}

#[tokio::test]
async fn a_store_that_went_back_between_tiles_and_checkpoint_stops_the_sealer() {
    let world = World::new();
    world.tell(10, "x").await;
    world.seal().await.unwrap();
    world.store.replicate_late(100);
    world.tell(10, "x").await;
    *world.desk.crash.lock().unwrap() = Some((1, true));
    world.seal().await.unwrap_err();
    *world.desk.crash.lock().unwrap() = None;
    world.store.fail_over(10);
    world.tell(10, "y").await;
    let stopped = world.seal().await.unwrap_err();
    assert!(matches!(stopped, SealError::Other { .. }), "{stopped}");
    assert_eq!(world.desk.report().head.size, 10);
}

/// A store that somebody has his hands in.
struct Touched {
    inner: Arc<dyn Source>,
    confirms: bool,
    /// A line that was deleted.
    lost: Option<u64>,
}

#[async_trait]
impl Source for Touched {
    async fn counts(&self) -> StoreResult<Counts> {
        self.inner.counts().await
    }
    async fn confirm(&self, seq: Seq) -> StoreResult<Confirmed> {
        match self.confirms {
            true => self.inner.confirm(seq).await,
            false => Ok(Confirmed::Unknown),
        }
    }
    async fn ledger(&self, from: u64) -> StoreResult<Vec<LedgerEntry>> {
        let mut page = self.inner.ledger(from).await?;
        page.retain(|line| Some(line.number) != self.lost);
        Ok(page)
    }
    async fn trim(&self, below: u64, max: usize) -> StoreResult<bool> {
        self.inner.trim(below, max).await
    }
}

#[tokio::test]
async fn what_is_not_confirmed_is_not_sealed() {
    let world = World::new();
    world.tell(5, "x").await;
    world.seal().await.unwrap();
    world.tell(5, "x").await;
    let doubtful = Touched {
        inner: world.source(),
        confirms: false,
        lost: None,
    };
    let doubtful = world.sealer_of(Arc::new(doubtful));
    assert_eq!(doubtful.pass().await.unwrap(), sealed(5, 0));
    assert_eq!(world.seal().await.unwrap(), sealed(10, 5));
}

#[tokio::test]
async fn a_line_that_was_deleted_before_it_was_sealed_stops_the_sealer() {
    // The last of a pass, with others behind it, among them.
    for (lines, lost) in [(10, 0), (10, 7), (10, 9), (5_010, 4_999)] {
        let world = World::new();
        world.tell(lines, "x").await;
        let touched = Touched {
            inner: world.source(),
            confirms: true,
            lost: Some(lost),
        };
        let stopped = world.sealer_of(Arc::new(touched)).pass().await.unwrap_err();
        let is = matches!(stopped, SealError::Gap { number } if number == lost);
        assert!(is && stopped.needs_person(), "{stopped}");
    }
}

#[tokio::test]
async fn a_long_line_lies_beside_its_entry() {
    let world = World::new();
    world.tell(1, "short").await;
    world.tell(1, &"long".repeat(30_000)).await;
    assert_eq!(world.seal().await.unwrap(), sealed(2, 2));
    let bodies = |files: &Files| {
        files
            .keys()
            .filter(|path| path.starts_with("body/"))
            .count()
    };
    assert_eq!(bodies(&world.desk.files.lock().unwrap()), 1);
    assert_eq!(world.desk.report().fault, None);
}

#[tokio::test]
async fn a_folder_that_was_touched_or_is_of_another_realm_stops_the_sealer() {
    let world = World::new();
    world.tell(10, "x").await;
    world.seal().await.unwrap();
    world.tell(1, "x").await;
    let tile = "tile/0/000.p/10";
    world.desk.files.lock().unwrap().get_mut(tile).unwrap()[3] ^= 1;
    let stopped = world.seal().await.unwrap_err();
    assert!(matches!(stopped, SealError::Damaged { .. }), "{stopped}");
    world.desk.files.lock().unwrap().remove(tile);
    let stopped = world.seal().await.unwrap_err();
    assert!(stopped.to_string().contains(tile), "{stopped}");
    let foreign = SigningKey::from_seed("main", [8; 32]).unwrap();
    let desk = Arc::clone(&world.desk) as Arc<dyn Shelf>;
    let other = Sealer::new(world.source(), Arc::clone(&desk), foreign, "main").unwrap();
    assert!(matches!(other.pass().await, Err(SealError::Checkpoint(_))));
    let realm = Sealer::new(world.source(), desk, key(), "prod");
    assert!(matches!(realm, Err(SealError::Realm { .. })));
}
