//! The embedded store keeps the port's promises, over a restart too.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stopped"
)]

use hostler_ports::store::conformance::{Effort, Kit, Subject, all};
use hostler_ports::store::memory::{CountedIds, ManualClock};
use hostler_ports::store::{Batch, Store, Then};
use hostler_store_embedded::{EmbeddedStore, OpenError, Options, open};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

const NOON_MS: i64 = 1_767_225_600_000;

struct InFolder {
    // Dropped first: the folder outlives the store.
    store: EmbeddedStore,
    clock: Arc<ManualClock>,
    _folder: Option<TempDir>,
}

#[async_trait::async_trait]
impl Subject for InFolder {
    fn store(&self) -> &dyn Store {
        &self.store
    }
    async fn advance(&self, by_ms: i64) {
        self.clock.advance(by_ms);
    }
}

fn open_in(folder: &Path, fsync: bool) -> Result<InFolder, OpenError> {
    let clock = Arc::new(ManualClock::at(NOON_MS));
    let options = Options {
        fsync,
        ..Options::default()
    };
    let store = open(
        folder,
        options,
        Arc::clone(&clock) as _,
        Arc::new(CountedIds::default()),
    )?;
    Ok(InFolder {
        store,
        clock,
        _folder: None,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_store_conforms() {
    let make = |_| async {
        let folder = tempfile::tempdir().unwrap();
        let opened = open_in(folder.path(), false).unwrap();
        InFolder {
            _folder: Some(folder),
            ..opened
        }
    };
    let effort = Effort {
        model_steps: 5_000,
        lock_steps: 2_000,
        seed: 11,
    };
    assert!(all(make, effort).await > 80);
}

#[tokio::test]
async fn a_folder_in_use_is_refused_and_free_after_the_drop() {
    let folder = tempfile::tempdir().unwrap();
    let first = open_in(folder.path(), true).unwrap();
    assert!(matches!(
        open_in(folder.path(), true),
        Err(OpenError::InUse(_))
    ));
    drop(first);
    open_in(folder.path(), true).unwrap();
}

#[tokio::test]
async fn everything_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path(), true).unwrap();
    let kit = Kit::new(&store);
    let claim = kit.held(1).await;
    let batch = Batch {
        events: vec!["a".into()],
        snapshot: Some("s".into()),
        ..Batch::default()
    };
    let done = kit.commit(&claim, 1, batch).await;
    kit.start(2).await;
    drop(store);
    let store = open_in(folder.path(), true).unwrap();
    let kit = Kit::new(&store);
    assert_eq!(kit.load(claim.lane).await.snapshot, Some((2, "s".into())));
    let counts = store.store.counts().await.unwrap();
    assert_eq!(
        (counts.seq, counts.ready, counts.leased),
        (done.seq.0 + 1, 2, 0)
    );
}

#[tokio::test]
async fn opening_voids_leases_with_a_strike_only_for_a_call_in_flight() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path(), true).unwrap();
    let kit = Kit::new(&store);
    let (idle, calling) = (kit.held(1).await, kit.held(2).await);
    let begin = Batch {
        in_call: Some(true),
        ..Batch::default()
    };
    kit.commit(&calling, 1, begin).await;
    drop(store);
    let store = open_in(folder.path(), true).unwrap();
    let kit = Kit::new(&store);
    assert!(
        kit.try_commit(&idle, 1, Batch::default()).await.is_err(),
        "the fence is void"
    );
    let mut claims = kit.claim(9).await;
    claims.sort_by_key(|claim| claim.strikes);
    let strikes: Vec<_> = claims
        .iter()
        .map(|claim| (claim.lane, claim.strikes))
        .collect();
    assert_eq!(strikes, [(idle.lane, 0), (calling.lane, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_come_together_are_all_answered_and_all_durable() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path(), true).unwrap();
    let kit = Kit::new(&store);
    let mut claims = Vec::new();
    for number in 0..64 {
        claims.push(kit.held(number).await);
    }
    for round in 0..20 {
        let batch = || Batch {
            events: vec![format!("e{round}")],
            ..Batch::default()
        };
        let commits = claims
            .iter()
            .map(|claim| kit.commit(claim, 1 + round, batch()));
        let mut seqs: Vec<u64> = futures::future::join_all(commits)
            .await
            .into_iter()
            .map(|done| done.seq.0)
            .collect();
        seqs.sort_unstable();
        assert!(
            seqs.windows(2).all(|pair| pair[0] + 1 == pair[1]),
            "one seq a commit"
        );
    }
    for claim in &claims {
        kit.commit(
            claim,
            21,
            Batch {
                then: Then::Requeue,
                ..Batch::default()
            },
        )
        .await;
    }
    drop(store);
    let store = open_in(folder.path(), true).unwrap();
    for claim in &claims {
        assert_eq!(Kit::new(&store).load(claim.lane).await.header.version, 21);
    }
}
