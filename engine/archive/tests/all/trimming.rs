//! Sealed entries leave the store.
//!
//! Not here: how the folder comes about (`sealing`), how it is read (`rereading`), and what a store makes of a trimming (its own suite).

use super::desk::{World, key};
use async_trait::async_trait;
use hostler_archive::seal::{KEEP_SEALED, SealError, SealedReader, Sealer, Shelf, Source, Trust};
use hostler_ports::sealed::SealedLedger;
use hostler_ports::store::{Confirmed, Counts, LedgerEntry, Seq, Store, StoreError, StoreResult};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Mutex;

/// Number of the first entry that the store has.
pub(super) async fn first(world: &World) -> u64 {
    world.store.ledger(0).await.unwrap()[0].number
}

pub(super) async fn all_from(world: &World, first: u64) -> Vec<LedgerEntry> {
    let mut entries: Vec<LedgerEntry> = Vec::new();
    loop {
        let next = first + entries.len() as u64;
        let page = world.store.ledger(next).await.unwrap();
        if page.is_empty() {
            return entries;
        }
        entries.extend(page);
    }
}

pub(super) fn reader_of(shelf: Arc<dyn Shelf>, trust: Trust) -> SealedReader {
    SealedReader::new(shelf, "the desk".to_owned(), trust)
}

pub(super) fn reader(world: &World) -> SealedReader {
    let trust = Trust::Key(key().verifier().clone());
    reader_of(Arc::clone(&world.desk) as _, trust)
}

/// A number from where it lies: the store first, then the folder.
pub(super) async fn one(world: &World, reader: &SealedReader, number: u64) -> LedgerEntry {
    let page = world.store.ledger(number).await.unwrap();
    let here = page.into_iter().next();
    match here.filter(|entry| entry.number == number) {
        Some(entry) => entry,
        None => reader.entries(number).await.unwrap().remove(0),
    }
}

/// What happens to a sealer at its calls of the store.
#[derive(Default)]
struct Fate {
    /// The next trimming is not carried out, or its answer is lost.
    trims: Mutex<Option<bool>>,
    /// Calls of `ledger` until another sealer does all that there is to do.
    overtaken: Mutex<Option<(usize, Sealer)>>,
    calls: AtomicUsize,
    /// A line that reads otherwise than it was written.
    changed: Option<u64>,
}

struct Fated {
    inner: Arc<dyn Source>,
    fate: Arc<Fate>,
}

fn fated(world: &World, fate: Fate) -> (Sealer, Arc<Fate>) {
    let fate = Arc::new(fate);
    let inner = world.source();
    let source = Fated {
        inner,
        fate: Arc::clone(&fate),
    };
    (world.sealer_of(Arc::new(source)), fate)
}

#[async_trait]
impl Source for Fated {
    async fn counts(&self) -> StoreResult<Counts> {
        self.inner.counts().await
    }
    async fn confirm(&self, seq: Seq) -> StoreResult<Confirmed> {
        self.inner.confirm(seq).await
    }
    async fn ledger(&self, from: u64) -> StoreResult<Vec<LedgerEntry>> {
        let call = self.fate.calls.fetch_add(1, Ordering::SeqCst);
        let mut overtaken = self.fate.overtaken.lock().await;
        if let Some((_, other)) = overtaken.take_if(|(at, _)| *at == call) {
            while other.pass().await.unwrap().more {}
        }
        let mut page = self.inner.ledger(from).await?;
        let changed = page
            .iter_mut()
            .find(|line| Some(line.number) == self.fate.changed);
        if let Some(line) = changed {
            line.body.push('!');
        }
        Ok(page)
    }
    async fn trim(&self, below: u64, max: usize) -> StoreResult<bool> {
        let lost = || StoreError::Unavailable("as planned".into());
        match self.fate.trims.lock().await.take() {
            None => self.inner.trim(below, max).await,
            Some(true) => {
                self.inner.trim(below, max).await?;
                Err(lost())
            }
            Some(false) => Err(lost()),
        }
    }
}

#[tokio::test]
async fn what_is_sealed_leaves_the_store_but_for_a_margin() {
    let world = World::new();
    world.tell(KEEP_SEALED as usize + 255, "x").await;
    let sealer = world.sealer();
    sealer.pass().await.unwrap();
    assert_eq!(
        first(&world).await,
        0,
        "no bundle is whole behind the margin"
    );
    world.tell(1, "x").await;
    sealer.pass().await.unwrap();
    assert_eq!(first(&world).await, 256);
    world.tell(1_300, "y").await;
    let done = sealer.pass().await.unwrap();
    assert_eq!((done.size, done.added), (KEEP_SEALED + 1_556, 1_300));
    assert_eq!(first(&world).await, 1_536);
    assert_eq!(world.store.counts().await.unwrap().ledger, done.size);
    // A sealer that begins finds all as it was.
    assert_eq!(world.sealer().look().await.unwrap(), (done.size, 0));
    assert_eq!(world.seal().await.unwrap().added, 0);
    assert_eq!(world.desk.report().fault, None);
}

#[tokio::test]
async fn what_is_not_sealed_never_leaves() {
    let world = World::new();
    world.tell(8_000, "x").await;
    assert_eq!(world.seal().await.unwrap().size, 5_000);
    assert_eq!(first(&world).await, 3_840);
    // Somebody takes out more than that: it is no other sealer, and a person must look.
    world.store.trim_ledger(5_500, 1_000).await.unwrap();
    world.store.trim_ledger(5_500, 1_000).await.unwrap();
    let stopped = world.seal().await.unwrap_err();
    assert!(
        matches!(stopped, SealError::Gap { number: 4_999 }),
        "{stopped}"
    );
    assert!(stopped.needs_person());
}

#[tokio::test]
async fn a_crash_before_the_trimming_is_mended_by_the_next_pass() {
    for is_carried_out in [false, true] {
        let world = World::new();
        world.tell(2_000, "x").await;
        let trims = Mutex::new(Some(is_carried_out));
        let fate = Fate {
            trims,
            ..Fate::default()
        };
        let (sealer, _) = fated(&world, fate);
        let fault = sealer.pass().await.unwrap_err();
        assert!(!fault.needs_person(), "{fault}");
        assert_eq!(world.desk.report().head.size, 2_000);
        let left = if is_carried_out { 500 } else { 0 };
        assert_eq!(first(&world).await, left);
        // The same process, or another one.
        assert_eq!(sealer.pass().await.unwrap().added, 0);
        assert_eq!(first(&world).await, 768);
        assert_eq!(world.seal().await.unwrap().added, 0);
        assert_eq!(first(&world).await, 768);
    }
}

#[tokio::test]
async fn a_sealer_that_lags_behind_goes_on_from_the_new_checkpoint() {
    // The other one comes before its first page, and between two of them.
    for call in 0..4 {
        let world = World::new();
        world.tell(600, "x").await;
        world.seal().await.unwrap();
        world.tell(4_000, "y").await;
        let fate = Fate {
            overtaken: Mutex::new(Some((call, world.sealer()))),
            ..Fate::default()
        };
        let (late, _) = fated(&world, fate);
        let done = late.pass().await.unwrap();
        assert_eq!(
            (done.size, done.added, done.more),
            (4_600, 0, true),
            "{call}"
        );
        assert_eq!(first(&world).await, 3_584);
        world.tell(10, "z").await;
        assert_eq!(late.pass().await.unwrap().added, 10);
        assert_eq!(late.look().await.unwrap(), (4_610, 0));
        assert_eq!(world.desk.report().fault, None);
    }
}

#[tokio::test]
async fn two_sealers_that_trim_lose_no_entry() {
    let world = World::new();
    let (one, other) = (world.sealer(), world.sealer());
    for _ in 0..8 {
        world.tell(700, "x").await;
        let (one, other) = tokio::join!(one.pass(), other.pass());
        one.unwrap();
        other.unwrap();
    }
    world.seal().await.unwrap();
    assert_eq!(first(&world).await, 4_352);
    let (reader, mut next) = (reader(&world), 0);
    while next < 5_600 {
        next += reader.entries(next).await.unwrap().len() as u64;
    }
    assert_eq!(world.desk.report().fault, None);
}

/// 2,000 sealed entries, all of them still in the store.
async fn sealed_and_kept() -> World {
    let world = World::new();
    world.tell(2_000, "x").await;
    let fate = Fate {
        trims: Mutex::new(Some(false)),
        ..Fate::default()
    };
    fated(&world, fate).0.pass().await.unwrap_err();
    world
}

#[tokio::test]
async fn nothing_leaves_that_is_not_read_back_from_the_folder() {
    for path in ["tile/entries/001", "tile/0/001", "tile/1/000.p/7"] {
        for is_gone in [false, true] {
            let world = sealed_and_kept().await;
            let mut files = world.desk.files.lock().unwrap().clone();
            match is_gone {
                true => drop(files.remove(path).unwrap()),
                false => files.get_mut(path).unwrap()[40] ^= 1,
            }
            *world.desk.files.lock().unwrap() = files;
            let stopped = world.seal().await.unwrap_err();
            assert!(matches!(stopped, SealError::Damaged { .. }), "{stopped}");
            assert_eq!(first(&world).await, 0, "{path} {stopped}");
        }
    }
    let world = sealed_and_kept().await;
    let fate = Fate {
        changed: Some(300),
        ..Fate::default()
    };
    let stopped = fated(&world, fate).0.pass().await.unwrap_err();
    let is = matches!(stopped, SealError::Rewritten { number: 300 });
    assert!(is, "{stopped}");
    assert_eq!(first(&world).await, 0);
}
