//! The archive lies, the store fails at every call: nothing is lost and nothing is purged unseen.

use crate::support::*;
use async_trait::async_trait;
use hostler_archive::Settings;
use hostler_core::id::Digest;
use hostler_ports::archive::{Archive, ArchiveError, ArchivedRun, MemoryArchive};
use hostler_ports::store::memory::Fault;
use hostler_ports::store::{Started, Store};
use std::sync::Arc;

/// Damages what it is given.
struct Lying(Arc<MemoryArchive>);

#[async_trait]
impl Archive for Lying {
    async fn put(&self, bytes: &[u8]) -> Result<Digest, ArchiveError> {
        let digest = self.0.put(bytes).await?;
        self.0.damage_all();
        Ok(digest)
    }
    async fn get(&self, digest: Digest) -> Result<Option<Vec<u8>>, ArchiveError> {
        self.0.get(digest).await
    }
    async fn list(&self, after: Option<Digest>) -> Result<Vec<Digest>, ArchiveError> {
        self.0.list(after).await
    }
}

#[tokio::test]
async fn nothing_leaves_when_the_archive_does_not_give_it_back() {
    let world = World::new();
    world.ended(1).await;
    world.clock.advance(8 * DAY_MS);
    let lying = Arc::new(Lying(Arc::clone(&world.archive)));
    let pass = world
        .keeper_with(lying, Settings::default())
        .pass()
        .await
        .unwrap();
    assert_eq!((pass.archived, pass.purged, pass.failed.len()), (0, 0, 1));
    println!("{}", pass.failed[0].1);
    let record = world.store.run_record(run(1)).await.unwrap().unwrap();
    assert_eq!(record.archive, None);
    assert_eq!(
        world
            .store
            .load(run(1).root(), 400)
            .await
            .unwrap()
            .unwrap()
            .header
            .version,
        402
    );
    world.clock.advance(600_000);
    let pass = world.keeper(Settings::default()).pass().await.unwrap();
    assert_eq!(
        (pass.archived, pass.purged),
        (1, 1),
        "a good archive mends it"
    );
}

#[tokio::test]
async fn an_archive_that_is_away_ends_the_pass_and_nothing_else() {
    let world = World::new();
    world.ended(1).await;
    world.clock.advance(8 * DAY_MS);
    world.archive.set_away(true);
    let keeper = world.keeper(Settings::default());
    assert!(keeper.pass().await.is_err());
    assert!(world.store.load(child(1), 0).await.unwrap().is_some());
    world.archive.set_away(false);
    assert_eq!(keeper.pass().await.unwrap().purged, 1);
}

/// One pass in which call `number` of the store fails so, then passes until the run is gone.
async fn disturbed(number: u64, fault: Fault) -> bool {
    let world = World::new();
    let now_ms = world.now_ms().await;
    world.ended(1).await;
    world.clock.advance(8 * DAY_MS);
    let first = std::sync::OnceLock::new();
    world.store.set_faults(Box::new(move |_, call| {
        let first = *first.get_or_init(|| call);
        (call - first == number).then_some(fault)
    }));
    let settings = Settings {
        calls_a_pass: 2,
        deletions_a_call: 90,
        ..Settings::default()
    };
    let mut failed = false;
    let mut gone = false;
    for _ in 0..60 {
        let pass = world.keeper(settings.clone()).pass().await;
        failed |= pass.as_ref().map_or(true, |pass| !pass.failed.is_empty());
        gone |= pass.is_ok_and(|pass| pass.purged > 0);
        world.clock.advance(600_000);
    }
    world.store.clear_faults();
    for lane in [run(1).root(), child(1), lease(1)] {
        assert_eq!(world.store.log(lane, 0).await, Ok(vec![]), "call {number}");
    }
    let record = world.store.run_record(run(1)).await.unwrap().unwrap();
    let bytes = world
        .archive
        .get(record.archive.unwrap())
        .await
        .unwrap()
        .unwrap();
    let archived = ArchivedRun::from_bytes(&bytes).unwrap();
    assert_eq!(archived.lanes.len(), 3, "call {number}");
    assert_eq!(archived.lanes[&run(1).root()].events.len(), 402);
    assert_eq!(
        world.archive.list(None).await.unwrap().len(),
        1,
        "call {number}"
    );
    let late = world.store.start(World::asked(1, now_ms)).await;
    assert_eq!(late, Ok(Started::Same), "call {number}");
    failed || gone
}

#[tokio::test]
async fn a_fault_at_every_call_loses_nothing_and_leaves_nothing_behind() {
    let mut tried = 0;
    for fault in [Fault::Unreached, Fault::AnswerLost] {
        for number in 0..60 {
            assert!(disturbed(number, fault).await);
            tried += 1;
        }
    }
    println!("{tried} passes with a fault at another call each");
}
