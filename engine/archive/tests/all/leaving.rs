//! Which runs leave, and what is left of them.

use crate::support::*;
use hostler_archive::{Keeper, Settings};
use hostler_core::id::Digest;
use hostler_core::view::index;
use hostler_ports::archive::{Archive, ArchiveView, ArchivedRun};
use hostler_ports::store::{Counts, Cursor, Sent, StartError, Started, Store};
use std::sync::Arc;

/// Everything that readers of a run ask for, as text.
async fn seen(store: &dyn Store, number: u128) -> String {
    let root = run(number).root();
    let mut seen = String::new();
    for lane in [root, child(number), lease(number)] {
        let loaded = store.load(lane, 0).await.unwrap().unwrap();
        let (header, log) = (loaded.header, store.log(lane, 0).await.unwrap());
        seen += &format!(
            "{header:?} {:?} {:?} {log:?}\n",
            loaded.snapshot, loaded.events
        );
        seen += &format!("{:?}\n", store.headers(&[lane]).await);
    }
    let notices = index::notices(run(number));
    seen += &format!("{:?}\n", store.children(root, Cursor::default()).await);
    seen += &format!(
        "{:?}\n",
        store.child_records(root, &["patch/web1".into()]).await
    );
    seen += &format!(
        "{:?}\n",
        store.query(&notices, true, Cursor::default()).await
    );
    seen += &format!(
        "{:?}\n",
        store.query(index::RUNS, true, Cursor::default()).await
    );
    seen += &format!("{:?}", store.run_summary(run(number)).await);
    seen
}

async fn view(world: &World, number: u128) -> ArchiveView {
    let record = world.store.run_record(run(number)).await.unwrap().unwrap();
    let bytes = world
        .archive
        .get(record.archive.unwrap())
        .await
        .unwrap()
        .unwrap();
    let archived = ArchivedRun::from_bytes(&bytes).unwrap();
    ArchiveView::new(Arc::clone(&world.store) as _, archived)
}

#[tokio::test]
async fn an_ended_run_leaves_with_all_its_lanes_and_reads_as_before() {
    let world = World::new();
    world.ended(1).await;
    let before = seen(&*world.store, 1).await;
    let keeper = world.keeper(Settings::default());
    assert_eq!(keeper.pass().await.unwrap().archived, 0, "it is young");
    world.clock.advance(7 * DAY_MS);
    let pass = keeper.pass().await.unwrap();
    assert_eq!((pass.archived, pass.purged, pass.failed.len()), (1, 1, 0));
    for lane in [run(1).root(), child(1), lease(1)] {
        assert!(world.store.load(lane, 0).await.unwrap().is_none());
        assert_eq!(world.store.log(lane, 0).await, Ok(vec![]));
    }
    let notices = index::notices(run(1));
    let left = world.store.query(&notices, true, Cursor::default()).await;
    assert_eq!(left.unwrap().entries, []);
    let archived = view(&world, 1).await;
    assert_eq!(seen(&archived, 1).await, before);
    let (own, shared) = (plan(1), definition());
    for (blob, bytes) in [(own, plan_text(1).into()), (shared, DEFINITION.to_vec())] {
        assert_eq!(archived.blob(blob).await, Ok(Some(bytes)));
    }
    assert_eq!(
        world.store.blob(own).await,
        Ok(None),
        "no other run names it"
    );
    assert!(world.store.blob(shared).await.unwrap().is_some());
    println!(
        "{} bytes of answers are the same from the archive",
        before.len()
    );
    assert_eq!(
        keeper.pass().await.unwrap(),
        hostler_archive::Pass::default()
    );
    let backlog = Keeper::backlog(&*world.store, 0).await.unwrap();
    assert_eq!(backlog, hostler_archive::Backlog::default());
}

#[tokio::test]
async fn a_late_duplicate_of_the_start_makes_no_second_run() {
    let world = World::new();
    let now_ms = world.now_ms().await;
    world.ended(1).await;
    world.clock.advance(8 * DAY_MS);
    assert_eq!(
        world
            .keeper(Settings::default())
            .pass()
            .await
            .unwrap()
            .purged,
        1
    );
    let same = world.store.start(World::asked(1, now_ms)).await;
    assert_eq!(same, Ok(Started::Same));
    let other = hostler_ports::store::Start {
        body: Digest::of(b"another"),
        ..World::asked(1, now_ms)
    };
    assert_eq!(world.store.start(other).await, Err(StartError::Conflict));
    let late = world
        .store
        .send(run(1).root(), uuid::Uuid::from_u128(9), "{}".into());
    assert_eq!(late.await, Ok(Sent::Gone));
    let counts = world.store.counts().await.unwrap();
    assert!(matches!(
        counts,
        Counts {
            ready: 0,
            leased: 0,
            ..
        }
    ));
}

#[tokio::test]
async fn a_run_whose_lease_lives_stays_and_leaves_after_it() {
    let world = World::new();
    let root = world.begun(1).await;
    let first = world.end_next().await;
    assert_eq!(first, child(1));
    world.end_root(&root, 1).await;
    world.clock.advance(8 * DAY_MS);
    let keeper = world.keeper(Settings::default());
    let pass = keeper.pass().await.unwrap();
    assert_eq!((pass.archived, pass.purged), (0, 0), "the lease lives");
    assert!(world.store.load(child(1), 0).await.unwrap().is_some());
    assert_eq!(world.end_next().await, lease(1));
    assert_eq!(
        keeper.pass().await.unwrap().archived,
        0,
        "it is looked at later"
    );
    world.clock.advance(600_000);
    let pass = keeper.pass().await.unwrap();
    assert_eq!((pass.archived, pass.purged), (1, 1));
}

#[tokio::test]
async fn many_runs_leave_in_bounded_passes_and_none_twice() {
    let world = World::new();
    for number in 1..=25 {
        world.ended(number).await;
        world.clock.advance(1_000);
    }
    let living = world.begun(26).await;
    world.clock.advance(8 * DAY_MS);
    let settings = Settings {
        runs_a_pass: 4,
        calls_a_pass: 7,
        deletions_a_call: 100,
        ..Settings::default()
    };
    let (mut archived, mut purged, mut passes) = (0, 0, 0);
    while purged < 25 {
        let pass = world.keeper(settings.clone()).pass().await.unwrap();
        assert!(pass.archived <= 4, "{pass:?}");
        assert_eq!(pass.failed, []);
        (archived, purged, passes) = (archived + pass.archived, purged + pass.purged, passes + 1);
        assert!(passes < 200, "the backlog goes down");
    }
    println!("25 runs left in {passes} passes");
    assert_eq!(archived, 25);
    assert_eq!(world.archive.list(None).await.unwrap().len(), 25);
    assert!(world.store.load(living.lane, 0).await.unwrap().is_some());
}

#[tokio::test]
async fn a_run_that_is_its_root_alone_leaves_too() {
    let world = World::new();
    let now_ms = world.now_ms().await;
    world.store.start(World::asked(1, now_ms)).await.unwrap();
    let root = world.claim().await;
    world.end_bare(&root, 1).await;
    world.clock.advance(8 * DAY_MS);
    let pass = world.keeper(Settings::default()).pass().await.unwrap();
    assert_eq!((pass.archived, pass.purged), (1, 1), "{:?}", pass.failed);
}

#[tokio::test]
async fn two_keepers_at_the_same_time_take_every_run_out_once() {
    let world = World::new();
    for number in 1..=40 {
        world.ended(number).await;
        world.clock.advance(1_000);
    }
    world.clock.advance(8 * DAY_MS);
    let keeper = |begins_with| {
        world.keeper(Settings {
            begins_with,
            ..Settings::default()
        })
    };
    let (one, other) = (keeper(0), keeper(20));
    let (one, other) = tokio::join!(one.pass(), other.pass());
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!((one.failed, other.failed), (Vec::new(), Vec::new()));
    let shared = (one.archived + other.archived).saturating_sub(40);
    assert!(
        shared <= 8,
        "each takes its own half: {shared} were taken twice"
    );
    let last = keeper(0).pass().await.unwrap();
    assert_eq!((last.archived, last.more), (0, false));
    for number in 1..=40 {
        let record = world.store.run_record(run(number)).await.unwrap().unwrap();
        assert!(record.archive.is_some(), "run {number}");
        let log = world.store.log(run(number).root(), 0).await;
        assert_eq!(log, Ok(vec![]), "run {number}");
    }
}
