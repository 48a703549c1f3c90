//! What the adapter does when the server goes away, stands still or refuses: a commit is carried
//! out once or not at all, whatever becomes of its answer.

use crate::conformance::at_noon;
use crate::server::{SYNCED, Server};
use hostler_core::id::LaneId;
use hostler_ports::store::conformance::{Kit, Subject};
use hostler_ports::store::{
    Batch, Claim, CommitError, Spawn, Start, StartError, Store, StoreError,
};
use hostler_store_redis::{Endpoint, Options, RedisStore};
use std::sync::atomic::{AtomicBool, Ordering};

/// A store over the server's own clock.
struct Plain(RedisStore);

#[async_trait::async_trait]
impl Subject for Plain {
    fn store(&self) -> &dyn Store {
        &self.0
    }
    async fn advance(&self, _by_ms: i64) {
        unreachable!("the server's clock goes by itself");
    }
}

fn quick(server: &Server) -> Options {
    Options {
        answer_ms: 300,
        connect_ms: 300,
        ..server.options("main")
    }
}

/// Commits events that name their position until told to stop; every answer must be a success.
async fn write_on(store: &RedisStore, claim: &Claim, stop: &AtomicBool) -> u64 {
    let mut version = 1;
    while !stop.load(Ordering::SeqCst) {
        let batch = Batch {
            events: vec![format!("event {version}")],
            ..Batch::default()
        };
        let done = store
            .commit(claim.lane, &claim.fence, version, batch)
            .await
            .unwrap();
        assert_eq!(done.version, version + 1);
        version += 1;
    }
    version
}

async fn assert_log(store: &RedisStore, lane: LaneId, version: u64) {
    let mut read = 1;
    while read < version {
        let page = store.load(lane, read).await.unwrap().unwrap();
        assert_eq!(page.header.version, version);
        for event in page.events {
            assert_eq!(event, format!("event {read}"));
            read += 1;
        }
    }
}

/// Lets ten lanes write while `trouble` happens; then every log has every event exactly once.
async fn nothing_is_lost_or_doubled(store: RedisStore, trouble: impl Future<Output = ()>) {
    let subject = Plain(store);
    let kit = Kit::new(&subject);
    let mut claims = Vec::new();
    for number in 0..10 {
        claims.push(kit.held(number).await);
    }
    let stop = AtomicBool::new(false);
    let writing = claims
        .iter()
        .map(|claim| write_on(&subject.0, claim, &stop));
    let trouble = async {
        trouble.await;
        stop.store(true, Ordering::SeqCst);
    };
    let (versions, ()) = futures::future::join(futures::future::join_all(writing), trouble).await;
    for (claim, version) in claims.iter().zip(versions) {
        assert!(version > 1, "nothing was written");
        assert_log(&subject.0, claim.lane, version).await;
    }
}

/// Waits until the realm has seen this many more commits.
async fn more_commits(server: &Server, count: u64) {
    let mut admin = server.admin().await;
    let mut first = None;
    loop {
        let mut get = redis::cmd("HGET");
        let seq: u64 = get
            .arg("h:{main}.meta")
            .arg("seq")
            .query_async(&mut admin)
            .await
            .unwrap();
        if seq >= *first.get_or_insert(seq) + count {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_the_server_loses_and_doubles_nothing() {
    let mut server = Server::start(SYNCED).await;
    let store = server.store_with(quick(&server)).await;
    let trouble = async {
        for _ in 0..5 {
            more_commits(&server, 200).await;
            server.kill();
            server.restart().await;
        }
        more_commits(&server, 200).await;
    };
    nothing_is_lost_or_doubled(store, trouble).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stalled_server_loses_and_doubles_nothing() {
    let server = Server::start(&[]).await;
    let store = server.store_with(quick(&server)).await;
    let trouble = async {
        for _ in 0..3 {
            more_commits(&server, 200).await;
            server.stop();
            // Longer than an answer is waited for: outcomes become unknown.
            tokio::time::sleep(std::time::Duration::from_millis(900)).await;
            server.go_on();
        }
        more_commits(&server, 200).await;
    };
    nothing_is_lost_or_doubled(store, trouble).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_functions_and_connections_are_mended() {
    let server = Server::start(&[]).await;
    let store = server.store_with(quick(&server)).await;
    let trouble = async {
        for words in ["FUNCTION FLUSH", "CLIENT KILL TYPE normal", "SCRIPT FLUSH"] {
            more_commits(&server, 100).await;
            // The administrator's own connection may be among those that are cut.
            let mut words = words.split(' ');
            let mut command = redis::cmd(words.next().unwrap());
            command.arg(words.collect::<Vec<_>>());
            let _: Result<redis::Value, _> = command.query_async(&mut server.admin().await).await;
        }
        more_commits(&server, 100).await;
    };
    nothing_is_lost_or_doubled(store, trouble).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_no_primary_is_waited_for() {
    let server = Server::start(&[]).await;
    let store = server.store_with(quick(&server)).await;
    let trouble = async {
        more_commits(&server, 100).await;
        server.tell("REPLICAOF 127.0.0.1 1").await;
        let refused = async {
            loop {
                let info: String = redis::cmd("INFO")
                    .arg("errorstats")
                    .query_async(&mut server.admin().await)
                    .await
                    .unwrap();
                if info.contains("READONLY") {
                    return;
                }
            }
        };
        refused.await;
        server.tell("REPLICAOF NO ONE").await;
        more_commits(&server, 100).await;
    };
    nothing_is_lost_or_doubled(store, trouble).await;
}

#[tokio::test]
async fn an_absent_server_is_reported_when_patience_ends() {
    let mut server = Server::start(&[]).await;
    let options = Options {
        patience_ms: 300,
        ..quick(&server)
    };
    let store = server.store_with(options).await;
    server.kill();
    assert!(matches!(
        store.counts().await,
        Err(StoreError::Unavailable(_))
    ));
    server.restart().await;
    assert!(store.counts().await.is_ok());
}

#[tokio::test]
async fn over_its_memory_limit_the_server_finishes_but_starts_nothing() {
    let server = Server::start(&[]).await;
    let subject = at_noon(&server, "main").await;
    let kit = Kit::new(&subject);
    let claim = kit.held(1).await;
    server.tell("CONFIG SET maxmemory 1").await;
    let child = Spawn {
        lane: claim.lane.child("s", 0, "k"),
        run: claim.header.run,
        parent: Some(claim.lane),
        key: Some("k".into()),
        queue: claim.header.queue,
        priority: claim.header.priority,
        events: vec!["born".into()],
        summary: String::new(),
    };
    let grow = Batch {
        spawn: vec![child.clone()],
        ..Batch::default()
    };
    let refused = kit.try_commit(&claim, 1, grow).await;
    assert!(
        matches!(refused, Err(CommitError::Store(StoreError::Full(_)))),
        "{refused:?}"
    );
    let start = Start {
        run: hostler_core::id::RunId(uuid::Uuid::from_u128(9)),
        body: hostler_core::id::Digest::of(b"x"),
        root: Spawn {
            parent: None,
            key: None,
            ..child
        },
        blobs: vec![],
        plan: None,
        index: vec![],
        ledger: vec![],
        run_summary: String::new(),
    };
    let refused = subject.store.start(start).await;
    assert!(
        matches!(refused, Err(StartError::Store(StoreError::Full(_)))),
        "{refused:?}"
    );
    let batch = Batch {
        events: vec!["done".into()],
        ..Batch::default()
    };
    assert_eq!(kit.commit(&claim, 1, batch).await.version, 2);
    kit.tick().await;
    assert!(kit.renew(&claim).await);
}

#[tokio::test]
async fn a_server_that_comes_back_from_an_old_copy_is_found_at_the_first_call() {
    let mut server = Server::start(&[]).await;
    let store = server.store_with(quick(&server)).await;
    let subject = Plain(store);
    let claim = Kit::new(&subject).held(1).await;
    server.kill();
    // Without a log the server comes back empty.
    server.restart().await;
    let refused = Kit::new(&subject)
        .try_commit(&claim, 1, Batch::default())
        .await;
    assert!(
        matches!(
            refused,
            Err(CommitError::Store(StoreError::Regressed { .. }))
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn what_an_interrupted_call_left_in_a_log_is_not_read_and_goes_away() {
    let server = Server::start(&[]).await;
    let subject = at_noon(&server, "main").await;
    let kit = Kit::new(&subject);
    let claim = kit.held(1).await;
    let log = [b"h:{main}.g:", &claim.lane.0.as_bytes()[..]].concat();
    let mut torn = redis::cmd("RPUSH");
    torn.arg(log).arg("torn");
    let length: u64 = torn.query_async(&mut server.admin().await).await.unwrap();
    assert_eq!(length, 2);
    assert_eq!(kit.load(claim.lane).await.events, ["born"]);
    kit.commit(
        &claim,
        1,
        Batch {
            events: vec!["next".into()],
            ..Batch::default()
        },
    )
    .await;
    assert_eq!(kit.load(claim.lane).await.events, ["born", "next"]);
}

#[tokio::test]
async fn an_address_with_a_password_is_never_repeated() {
    let options = Options::new(Endpoint::Server("redis://:s3cret@[bad".into()), "main");
    let Err(error) = hostler_store_redis::check(&options).await else {
        panic!("it is not readable")
    };
    assert!(!error.to_string().contains("s3cret"));
}
