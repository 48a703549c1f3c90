//! The shell against the store's twin in memory: who runs beside whom, and how it stops.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stopped"
)]

use hostler_core::id::{Digest, LaneId, RunId};
use hostler_ports::clock::Clock;
use hostler_ports::store::memory::{Fault, ManualClock, MemoryStore};
use hostler_ports::store::{Batch, Claim, Priority, Queue, Spawn, Start, Store, Then};
use hostler_queue_apalis::{Drained, RunError, Settings, run};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const LEASE_MS: i64 = 30_000;
/// Well above what an answer takes, well below a wait for work.
const SOON: std::time::Duration = std::time::Duration::from_secs(20);

fn settings(permits: usize, emergency_permits: usize) -> Settings {
    Settings {
        queue: Queue::Run,
        worker: "test".into(),
        permits,
        emergency_permits,
        lease_ms: LEASE_MS,
        wait_ms: 20,
        drain_ms: 5_000,
    }
}

fn lane(number: u128) -> LaneId {
    RunId(Uuid::from_u128(number)).root()
}

async fn start(store: &MemoryStore, number: u128, priority: Priority) {
    let run = RunId(Uuid::from_u128(number));
    let root = Spawn {
        lane: run.root(),
        run,
        parent: None,
        key: None,
        queue: Queue::Run,
        priority,
        events: vec!["opened".into()],
        summary: "{}".into(),
    };
    let start = Start {
        run,
        body: Digest::of(b"asked"),
        root,
        blobs: vec![],
        plan: None,
        index: vec![],
        ledger: vec![],
        run_summary: "{}".into(),
    };
    store.start(start).await.unwrap();
}

async fn end(store: &MemoryStore, claim: &Claim) {
    let batch = Batch {
        then: Then::End,
        ..Batch::default()
    };
    store
        .commit(claim.lane, &claim.fence, claim.header.version, batch)
        .await
        .unwrap();
}

/// A queue whose lanes stop at a gate: `open` lets so many pass.
struct Bench {
    store: Arc<MemoryStore>,
    open: Arc<Semaphore>,
    /// Who came in, and how many were then inside.
    entered: mpsc::UnboundedReceiver<(LaneId, usize)>,
    most: Arc<AtomicUsize>,
    shutdown: CancellationToken,
    queue: tokio::task::JoinHandle<Result<Drained, RunError>>,
}

impl Bench {
    fn begin(store: MemoryStore, settings: Settings) -> Self {
        let store = Arc::new(store);
        let open = Arc::new(Semaphore::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let inside = Arc::new(AtomicUsize::new(0));
        let (tell, entered) = mpsc::unbounded_channel();
        let handler = {
            let (store, open, most) = (Arc::clone(&store), Arc::clone(&open), Arc::clone(&most));
            move |claim: Claim, _: i64| {
                let (store, open, most) =
                    (Arc::clone(&store), Arc::clone(&open), Arc::clone(&most));
                let (inside, tell) = (Arc::clone(&inside), tell.clone());
                async move {
                    let now_inside = inside.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(now_inside, Ordering::SeqCst);
                    tell.send((claim.lane, now_inside)).unwrap();
                    open.acquire().await.unwrap().forget();
                    end(&store, &claim).await;
                    inside.fetch_sub(1, Ordering::SeqCst);
                }
            }
        };
        let shutdown = CancellationToken::new();
        let queue = tokio::spawn(run(
            Arc::clone(&store) as _,
            MemoryStore::with_manual_clock().1,
            settings,
            handler,
            shutdown.clone(),
        ));
        Self {
            store,
            open,
            entered,
            most,
            shutdown,
            queue,
        }
    }

    async fn enter(&mut self, count: usize) -> Vec<LaneId> {
        let mut lanes = Vec::new();
        for _ in 0..count {
            lanes.push(self.entered.recv().await.unwrap().0);
        }
        lanes
    }

    async fn stop(self) -> Drained {
        self.shutdown.cancel();
        self.queue.await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn no_more_lanes_are_claimed_than_there_are_permits() {
    let (store, _) = MemoryStore::with_manual_clock();
    for number in 0..20 {
        start(&store, number, Priority::Scheduled).await;
    }
    let mut bench = Bench::begin(store, settings(3, 0));
    bench.enter(3).await;
    let counts = bench.store.counts().await.unwrap();
    assert_eq!((counts.leased, counts.ready), (3, 17));
    bench.open.add_permits(20);
    bench.enter(17).await;
    assert_eq!(bench.most.load(Ordering::SeqCst), 3);
    assert_eq!(bench.stop().await, Drained::Empty);
}

#[tokio::test]
async fn an_emergency_finds_a_place_when_all_others_are_taken() {
    let (store, _) = MemoryStore::with_manual_clock();
    for number in 0..3 {
        start(&store, number, Priority::Operator).await;
    }
    let mut bench = Bench::begin(store, settings(2, 1));
    bench.enter(2).await;
    start(&bench.store, 9, Priority::Emergency).await;
    assert_eq!(bench.enter(1).await, [lane(9)]);
    bench.open.add_permits(4);
    bench.enter(1).await;
    assert_eq!(bench.stop().await, Drained::Empty);
}

/// Twice a worker is lost while it calls for these lanes.
async fn take_workers_down(store: &MemoryStore, clock: &ManualClock, lanes: usize) {
    for _ in 0..2 {
        let ask = hostler_ports::store::ClaimAsk {
            queue: Queue::Run,
            worker: "dies".into(),
            max: lanes,
            at_least: None,
            lease_ms: LEASE_MS,
            wait_ms: 0,
            until: None,
        };
        for claim in store.claim(&ask).await.unwrap() {
            let calls = Batch {
                in_call: Some(true),
                ..Batch::default()
            };
            store
                .commit(claim.lane, &claim.fence, claim.header.version, calls)
                .await
                .unwrap();
        }
        // In steps shorter than a stall, or the store would hold the lease for the dead.
        for _ in 0..11 {
            clock.advance(3_000);
            store.tick(10, LEASE_MS).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_lane_that_took_its_worker_down_twice_runs_with_nothing_beside_it() {
    let (store, clock) = MemoryStore::with_manual_clock();
    start(&store, 1, Priority::Operator).await;
    take_workers_down(&store, &clock, 1).await;
    for number in 2..5 {
        start(&store, number, Priority::Emergency).await;
    }
    let mut bench = Bench::begin(store, settings(8, 0));
    bench.enter(3).await;
    bench.open.add_permits(3);
    assert_eq!(bench.entered.recv().await, Some((lane(1), 1)));
    start(&bench.store, 5, Priority::Emergency).await;
    bench.open.add_permits(2);
    assert_eq!(bench.entered.recv().await, Some((lane(5), 1)));
    assert_eq!(bench.stop().await, Drained::Empty);
}

#[tokio::test]
async fn lanes_that_run_alone_do_not_wait_for_those_who_wait_for_an_emergency() {
    let (store, clock) = MemoryStore::with_manual_clock();
    for number in 0..20 {
        start(&store, number, Priority::Operator).await;
    }
    take_workers_down(&store, &clock, 20).await;
    let waits_long = Settings {
        wait_ms: 600_000,
        ..settings(8, 2)
    };
    let mut bench = Bench::begin(store, waits_long);
    bench.open.add_permits(20);
    let all = tokio::time::timeout(SOON, bench.enter(20)).await;
    all.expect("a lane stood behind somebody who only waited");
    assert_eq!(bench.most.load(Ordering::SeqCst), 1);
    let stopped = tokio::time::timeout(SOON, bench.stop()).await;
    assert_eq!(stopped.expect("a stop waits for no work"), Drained::Empty);
}

#[tokio::test]
async fn the_queue_outlives_an_outage_of_the_store() {
    let (store, _) = MemoryStore::with_manual_clock();
    start(&store, 1, Priority::Operator).await;
    store.set_faults(Box::new(|verb, number| {
        (verb == "claim" && number < 4).then_some(Fault::Unreached)
    }));
    let mut bench = Bench::begin(store, settings(1, 0));
    bench.open.add_permits(1);
    assert_eq!(bench.enter(1).await, [lane(1)]);
    assert_eq!(bench.stop().await, Drained::Empty);
}

#[tokio::test]
async fn a_stop_waits_for_the_lanes_that_are_held_and_claims_no_other() {
    let (store, _) = MemoryStore::with_manual_clock();
    for number in 0..2 {
        start(&store, number, Priority::Operator).await;
    }
    let mut bench = Bench::begin(store, settings(1, 0));
    bench.enter(1).await;
    bench.shutdown.cancel();
    let store = Arc::clone(&bench.store);
    bench.open.add_permits(2);
    assert_eq!(bench.stop().await, Drained::Empty);
    assert_eq!(store.counts().await.unwrap().ready, 1);
}

#[tokio::test]
async fn a_stop_gives_up_after_its_time() {
    let (store, _) = MemoryStore::with_manual_clock();
    start(&store, 1, Priority::Operator).await;
    let mut bench = Bench::begin(
        store,
        Settings {
            drain_ms: 10,
            ..settings(1, 0)
        },
    );
    bench.enter(1).await;
    assert_eq!(bench.stop().await, Drained::TimedOut);
}

#[tokio::test]
async fn a_panic_ends_one_turn_and_gives_its_permit_back() {
    let (store, clock) = MemoryStore::with_manual_clock();
    for number in 0..3 {
        start(&store, number, Priority::Operator).await;
    }
    let store: Arc<dyn Store> = Arc::new(store);
    let (tell, mut entered) = mpsc::unbounded_channel();
    let handler = move |claim: Claim, _: i64| {
        let tell = tell.clone();
        async move {
            tell.send(claim.lane).unwrap();
            panic!("as the test wants it");
        }
    };
    let shutdown = CancellationToken::new();
    let queue = tokio::spawn(run(store, clock, settings(1, 0), handler, shutdown.clone()));
    for _ in 0..3 {
        entered.recv().await.unwrap();
    }
    shutdown.cancel();
    assert_eq!(queue.await.unwrap().unwrap(), Drained::Empty);
}

#[tokio::test]
async fn a_queue_without_permits_is_refused() {
    let (store, clock) = MemoryStore::with_manual_clock();
    let refused = run(
        Arc::new(store),
        clock,
        settings(0, 1),
        |_, _| async {},
        CancellationToken::new(),
    )
    .await;
    assert!(matches!(refused, Err(RunError::NoPermits)));
}

#[tokio::test]
async fn the_age_of_a_lease_counts_from_before_it_was_asked_for() {
    let (store, clock) = MemoryStore::with_manual_clock();
    start(&store, 1, Priority::Operator).await;
    let before_ms = clock.monotonic_ms();
    let stopped = Arc::clone(&clock);
    // The process stands still between the store's answer and the handler.
    store.set_faults(Box::new(move |verb, _| {
        if verb == "claim" {
            stopped.advance(LEASE_MS);
        }
        None
    }));
    let (tell, mut entered) = mpsc::unbounded_channel();
    let handler = move |_: Claim, asked_ms: i64| {
        let tell = tell.clone();
        async move { tell.send(asked_ms).unwrap() }
    };
    let shutdown = CancellationToken::new();
    let (settings, store) = (settings(1, 0), Arc::new(store));
    let queue = tokio::spawn(run(store, clock, settings, handler, shutdown.clone()));
    assert_eq!(entered.recv().await.unwrap(), before_ms);
    shutdown.cancel();
    queue.await.unwrap().unwrap();
}
