//! Facts about confirming, about servers that are not fit, and about several processes on one realm.

use crate::server::{SYNCED, Server, TestIds};
use hostler_core::id::{Digest, RunId};
use hostler_ports::store::{
    ClaimAsk, Confirmed, Priority, Queue, Seq, Spawn, Start, Started, Store,
};
use hostler_store_redis::{Durability, OpenError, Options, RedisStore, open};
use uuid::Uuid;

pub fn start(number: u128) -> Start {
    let run = RunId(Uuid::from_u128(number));
    let root = Spawn {
        lane: run.root(),
        run,
        parent: None,
        key: None,
        queue: Queue::Run,
        priority: Priority::Scheduled,
        events: vec!["born".into()],
        summary: String::new(),
    };
    let run_summary = String::new();
    Start {
        run,
        body: Digest::of(b"x"),
        root,
        blobs: vec![],
        plan: None,
        index: vec![],
        ledger: vec![],
        run_summary,
    }
}

async fn started(store: &RedisStore, number: u128) -> Seq {
    match store.start(start(number)).await.unwrap() {
        Started::New(seq) => seq,
        Started::Same => panic!("{number} was started before"),
    }
}

#[tokio::test]
async fn a_commit_is_confirmed_when_a_replica_has_it() {
    let primary = Server::start(&[]).await;
    let replica = Server::start(&["--replicaof", &format!("127.0.0.1 {}", primary.port)]).await;
    let options = Options {
        durability: Durability::Replicas(1),
        confirm_ms: 500,
        ..primary.options("main")
    };
    let store = primary.store_with(options).await;
    let mut confirmed = Confirmed::Unknown;
    // The replica attaches in its own time.
    for number in 0..100 {
        let seq = started(&store, number).await;
        confirmed = store.confirm(seq).await.unwrap();
        if confirmed == Confirmed::Durable {
            break;
        }
    }
    assert_eq!(confirmed, Confirmed::Durable);
    replica.stop();
    let seq = started(&store, 1_000).await;
    assert_eq!(store.confirm(seq).await, Ok(Confirmed::Unknown));
    replica.go_on();
    // It catches up in its own time.
    let seq = started(&store, 1_001).await;
    while store.confirm(seq).await != Ok(Confirmed::Durable) {}
    let asks = (0..50).map(|_| store.confirm(seq));
    let answers = futures::future::join_all(asks).await;
    assert!(answers.contains(&Ok(Confirmed::Durable)), "{answers:?}");
}

#[tokio::test]
async fn a_confirmation_that_waits_holds_nobody_up() {
    let primary = Server::start(&[]).await;
    let replica = Server::start(&["--replicaof", &format!("127.0.0.1 {}", primary.port)]).await;
    let options = Options {
        durability: Durability::Replicas(1),
        confirm_ms: 5_000,
        ..primary.options("main")
    };
    let store = primary.store_with(options).await;
    replica.stop();
    let seq = started(&store, 1).await;
    let others = async {
        for number in 2..20 {
            started(&store, number).await;
        }
    };
    tokio::select! {
        biased;
        answer = store.confirm(seq) => panic!("the others waited for it: {answer:?}"),
        () = others => {}
    }
    replica.go_on();
}

#[tokio::test]
async fn a_commit_from_before_a_restart_is_not_called_durable() {
    let mut server = Server::start(SYNCED).await;
    let store = server.store("main").await;
    let seq = started(&store, 1).await;
    assert_eq!(store.confirm(seq).await, Ok(Confirmed::Durable));
    assert_eq!(
        store.confirm(Seq(seq.0 + 1)).await,
        Ok(Confirmed::Unknown),
        "never given out"
    );
    server.kill();
    server.restart().await;
    let after = started(&store, 2).await;
    assert_eq!(store.confirm(seq).await, Ok(Confirmed::Unknown));
    assert_eq!(store.confirm(after).await, Ok(Confirmed::Durable));
}

#[tokio::test]
async fn a_server_that_would_lose_runs_is_refused_with_the_remedy() {
    let server = Server::start(&["--maxmemory-policy", "allkeys-lru"]).await;
    let options = Options {
        allow_loss: false,
        ..server.options("main")
    };
    let Err(OpenError::Unfit(findings)) = open(options, TestIds::fresh_store()).await else {
        panic!("an unfit server was opened");
    };
    let codes: Vec<_> = findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, ["redis-eviction", "redis-no-log"]);
    assert!(findings[0].remedy.contains("noeviction"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_wait_are_woken_one_for_each_lane() {
    let server = Server::start(&[]).await;
    let stores = [
        server.store("main").await,
        server.store("main").await,
        server.store("main").await,
    ];
    let ask = ClaimAsk {
        queue: Queue::Run,
        worker: "w".into(),
        max: 1,
        at_least: None,
        lease_ms: 30_000,
        wait_ms: 60_000,
        until: None,
    };
    let claims = futures::future::join_all(stores.iter().map(|store| store.claim(&ask)));
    let starts = async {
        for number in 1..=3 {
            started(&stores[0], number).await;
        }
    };
    let (claims, ()) = futures::future::join(claims, starts).await;
    let mut lanes: Vec<_> = claims
        .into_iter()
        .flat_map(Result::unwrap)
        .map(|claim| claim.lane)
        .collect();
    lanes.sort();
    lanes.dedup();
    assert_eq!(lanes.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_server_process_holds_reclaiming_for_one_lease() {
    let mut server = Server::start(SYNCED).await;
    let store = server.store("main").await;
    started(&store, 1).await;
    assert_eq!(store.tick(10, 30_000).await.unwrap().held_until_ms, None);
    server.kill();
    server.restart().await;
    assert!(
        store
            .tick(10, 30_000)
            .await
            .unwrap()
            .held_until_ms
            .is_some()
    );
}
