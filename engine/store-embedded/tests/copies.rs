//! Copies of a store that works, and what becomes of them.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stopped"
)]

use hostler_ports::store::conformance::{Kit, Subject};
use hostler_ports::store::copy::restore::Restoring;
use hostler_ports::store::copy::{CopyFault, Copying};
use hostler_ports::store::generation::DECISION;
use hostler_ports::store::histories;
use hostler_ports::store::memory::{CountedIds, ManualClock};
use hostler_ports::store::{Batch, Claim, Cursor, LedgerLine, Store, Then, Upkeep};
use hostler_store_embedded::{EmbeddedStore, Options, RestoreError, open, restore};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tempfile::TempDir;

const NOON_MS: i64 = 1_767_225_600_000;
/// Lanes that write while the copy is taken.
const WRITERS: u32 = 16;
/// Commits of each before and after the copy, at least.
const AT_LEAST: u64 = 40;

struct Opened {
    store: EmbeddedStore,
    clock: Arc<ManualClock>,
}

#[async_trait::async_trait]
impl Subject for Opened {
    fn store(&self) -> &dyn Store {
        &self.store
    }
    async fn advance(&self, by_ms: i64) {
        self.clock.advance(by_ms);
    }
}

fn opened(folder: &Path) -> Opened {
    let clock = Arc::new(ManualClock::at(NOON_MS));
    let ids = Arc::new(CountedIds::default());
    let options = Options {
        fsync: false,
        ..Options::default()
    };
    let store = open(folder, options, Arc::clone(&clock) as _, ids).unwrap();
    Opened { store, clock }
}

fn why() -> Restoring {
    Restoring {
        by: "ada".into(),
        reason: "the disk broke".into(),
    }
}

async fn copied(store: &EmbeddedStore) -> Vec<u8> {
    let view = store.view().await.unwrap().unwrap();
    let taken_ms = store.now_ms().await.unwrap();
    let mut copying = Copying::new(view, "main", taken_ms).unwrap();
    let mut file = Vec::new();
    while let Some(frame) = copying.frame().unwrap() {
        file.extend(frame);
    }
    file
}

fn put(folder: &TempDir, bytes: &[u8]) -> PathBuf {
    let file = folder.path().join("copy");
    std::fs::write(&file, bytes).unwrap();
    file
}

fn restored(folder: &TempDir, bytes: &[u8]) -> Result<Opened, RestoreError> {
    let (file, store) = (put(folder, bytes), folder.path().join("store"));
    restore(&file, &store, &why(), &ManualClock::at(NOON_MS + 9_000))?;
    Ok(opened(&store))
}

/// Commits until it is told to stop; how far it came is told after each answer.
async fn write_on(opened: &Opened, claim: &Claim, stop: &AtomicBool, acknowledged: &AtomicU64) {
    let mut version = 1;
    while !stop.load(Ordering::SeqCst) {
        let event = format!("event {version}");
        let batch = Batch {
            events: vec![event.clone()],
            summary: Some(event),
            ..Batch::default()
        };
        Kit::new(opened).commit(claim, version, batch).await;
        version += 1;
        acknowledged.store(version, Ordering::SeqCst);
    }
}

async fn reached(acknowledged: &[AtomicU64], count: u64) {
    while acknowledged
        .iter()
        .any(|known| known.load(Ordering::SeqCst) < count)
    {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_taken_under_load_has_all_that_was_acknowledged_before_and_is_one_state() {
    let folder = tempfile::tempdir().unwrap();
    let source = opened(&folder.path().join("source"));
    let mut claims = Vec::new();
    for number in 0..WRITERS {
        claims.push(Kit::new(&source).held(number).await);
    }
    let stop = AtomicBool::new(false);
    let acknowledged: Vec<AtomicU64> = claims.iter().map(|_| AtomicU64::new(1)).collect();
    let writing = claims.iter().zip(&acknowledged);
    let writing = writing.map(|(claim, known)| write_on(&source, claim, &stop, known));
    let copying = async {
        reached(&acknowledged, AT_LEAST).await;
        let before: Vec<u64> = acknowledged
            .iter()
            .map(|known| known.load(Ordering::SeqCst))
            .collect();
        let copy = copied(&source.store).await;
        reached(&acknowledged, 2 * AT_LEAST).await;
        stop.store(true, Ordering::SeqCst);
        (before, copy)
    };
    let (_, (before, copy)) =
        futures::future::join(futures::future::join_all(writing), copying).await;
    let target = restored(&folder, &copy).unwrap();
    let kit = Kit::new(&target);
    let mut commits = 0;
    for (claim, before) in claims.iter().zip(before) {
        let loaded = kit.load(claim.lane).await;
        let version = loaded.header.version;
        assert!(version >= before, "{version} of {before} acknowledged");
        assert_eq!(loaded.header.summary, format!("event {}", version - 1));
        assert_eq!(loaded.events.len() as u64, version);
        commits += version;
    }
    // Each lane was started once and committed version - 1 times; one more is the decision.
    let seq = target.store.state().await.unwrap().seq;
    assert_eq!(seq, commits + 1, "the lanes are those of one instant");
    println!(
        "{commits} commits of {WRITERS} lanes in a copy of {} bytes",
        copy.len()
    );
}

#[tokio::test]
async fn a_copy_of_a_trimmed_ledger_goes_on_with_its_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let source = opened(&folder.path().join("source"));
    let line = |number: u64| LedgerLine {
        body: number.to_string(),
    };
    let change = Upkeep {
        ledger: (0..6).map(line).collect(),
        ..Upkeep::default()
    };
    source.store.upkeep(change).await.unwrap();
    assert!(source.store.trim_ledger(4, 10).await.unwrap());
    let copy = copied(&source.store).await;
    let target = restored(&folder, &copy).unwrap();
    let ledger = target.store.ledger(0).await.unwrap();
    let numbers: Vec<u64> = ledger.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, [4, 5, 6], "the last one is the decision");
    assert!(target.store.trim_ledger(6, 10).await.unwrap());
    assert_eq!(target.store.ledger(0).await.unwrap()[0].number, 6);
    assert_eq!(target.store.state().await.unwrap().ledger, 7);
}

#[tokio::test]
async fn what_calls_took_is_in_the_copy() {
    let folder = tempfile::tempdir().unwrap();
    let source = opened(&folder.path().join("source"));
    for ms in [20, 40] {
        let kept = histories::note(&source.store, "guest.reboot", "ssh/virtual", ms).await;
        assert_eq!(kept, Ok(true));
    }
    let copy = copied(&source.store).await;
    let target = restored(&folder, &copy).unwrap();
    let before = histories::all(&source.store).await.unwrap();
    assert_eq!(before[0].history.lasted_ms, [20, 40]);
    assert_eq!(histories::all(&target.store).await, Ok(before));
}

#[tokio::test]
async fn a_restored_store_has_void_leases_no_strikes_and_says_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    let source = opened(&folder.path().join("source"));
    let claim = Kit::new(&source).held(1).await;
    Kit::new(&source).mark(&claim, true).await;
    Kit::new(&source).parked(2).await;
    let copy = copied(&source.store).await;
    let target = restored(&folder, &copy).unwrap();
    let kit = Kit::new(&target);
    let late = kit.try_commit(&claim, 1, Batch::default()).await;
    assert_eq!(late, Err(hostler_ports::store::CommitError::Fence));
    let again = kit.claim_only(claim.lane).await;
    assert_eq!(again.strikes, 0, "no worker was lost");
    let state = target.store.state().await.unwrap();
    let mark = state.generation.copy.unwrap();
    assert_eq!((state.generation.number, mark.taken_ms), (1, NOON_MS));
    assert!(mark.at_ms > NOON_MS);
    assert_eq!(kit.load(claim.lane).await.generation, state.generation);
    let found = target
        .store
        .documents(&[DECISION.to_owned()])
        .await
        .unwrap();
    let decision = found[0].clone().unwrap().body.unwrap();
    assert!(decision.contains("the disk broke") && decision.contains("\"ada\""));
    let ledger = target.store.ledger(0).await.unwrap();
    assert_eq!(ledger.last().unwrap().body, decision);
    let kit = Kit::new(&target);
    kit.commit(
        &again,
        1,
        Batch {
            then: Then::End,
            ..Batch::default()
        },
    )
    .await;
    assert_eq!(
        target
            .store
            .lanes(Cursor::default())
            .await
            .unwrap()
            .entries
            .len(),
        2
    );
}

async fn some_copy(folder: &TempDir) -> Vec<u8> {
    let source = opened(&folder.path().join("source"));
    for number in 0..20 {
        Kit::new(&source).parked(number).await;
    }
    copied(&source.store).await
}

#[tokio::test]
async fn a_damaged_copy_is_refused_with_the_place_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let copy = some_copy(&folder).await;
    let mut damaged = 0;
    for at in (0..copy.len()).step_by(7) {
        let mut bytes = copy.clone();
        bytes[at] ^= 0x40;
        match restored(&folder, &bytes) {
            Err(RestoreError::Copy(CopyFault::Damaged { from, to, .. })) => {
                assert!(
                    (from..to).contains(&(at as u64)),
                    "{at} is not in {from}..{to}"
                );
                damaged += 1;
            }
            Err(RestoreError::Copy(CopyFault::Foreign | CopyFault::Short { .. })) => {}
            Err(other) => panic!("{at}: {other}"),
            Ok(_) => panic!("byte {at} was changed and nobody saw it"),
        }
        assert!(!folder.path().join("store").exists());
    }
    assert!(damaged > copy.len() / 10, "{damaged} places were named");
    for length in (0..copy.len()).step_by(5) {
        let cut = restored(&folder, &copy[..length]);
        let fits = matches!(
            cut,
            Err(RestoreError::Copy(
                CopyFault::Short { .. } | CopyFault::Foreign
            ))
        );
        assert!(fits, "cut after {length} bytes");
    }
    assert!(restored(&folder, &copy).is_ok());
}

#[tokio::test]
async fn frames_in_another_order_are_another_content() {
    let folder = tempfile::tempdir().unwrap();
    let copy = some_copy(&folder).await;
    // The manifest, the pairs, the end: without the pairs every frame is whole, the copy is not.
    let length = |at: usize| {
        let bytes: [u8; 4] = copy[at + 1..at + 5].try_into().unwrap();
        37 + u32::from_be_bytes(bytes) as usize
    };
    let pairs = 15 + length(15);
    let end = pairs + length(pairs);
    let without = [&copy[..pairs], &copy[end..]].concat();
    let refused = restored(&folder, &without).err().unwrap();
    assert!(
        matches!(refused, RestoreError::Copy(CopyFault::Content { .. })),
        "{refused}"
    );
}

#[tokio::test]
async fn a_store_that_is_not_empty_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let copy = some_copy(&folder).await;
    drop(restored(&folder, &copy).unwrap());
    let refused = restored(&folder, &copy).err().unwrap();
    assert!(matches!(refused, RestoreError::NotEmpty(_)), "{refused}");
    assert!(refused.to_string().contains("Move the folder away"));
    let kept = opened(&folder.path().join("store"));
    assert_eq!(kept.store.state().await.unwrap().generation.number, 1);
}
