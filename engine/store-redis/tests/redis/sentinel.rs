//! A failover by Sentinel: the store finds the new primary by itself.

use crate::server::Server;
use hostler_ports::store::conformance::{Kit, Subject};
use hostler_ports::store::{Batch, Confirmed, Store};
use hostler_store_redis::{Durability, Endpoint, Options, RedisStore};

struct Followed(RedisStore);

#[async_trait::async_trait]
impl Subject for Followed {
    fn store(&self) -> &dyn Store {
        &self.0
    }
    async fn advance(&self, _by_ms: i64) {
        unreachable!("the server's clock goes by itself");
    }
}

async fn attached(primary: &Server) {
    loop {
        let info: String = redis::cmd("INFO")
            .arg("replication")
            .query_async(&mut primary.admin().await)
            .await
            .unwrap();
        if info.contains("state=online") {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// A Sentinel can only promote a replica that it has heard of.
async fn knows_the_replica(sentinel: &Server) {
    loop {
        let known = sentinel.tell("SENTINEL replicas estate").await;
        if matches!(known, redis::Value::Array(replicas) if !replicas.is_empty()) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn confirmed_commits_survive_a_failover_and_work_goes_on() {
    let mut primary = Server::start(&[]).await;
    let replica = Server::start(&["--replicaof", &format!("127.0.0.1 {}", primary.port)]).await;
    attached(&primary).await;
    let sentinel = Server::sentinel(&primary, "estate").await;
    knows_the_replica(&sentinel).await;
    let options = Options {
        endpoint: Endpoint::Sentinel {
            sentinels: vec![sentinel.address()],
            name: "estate".into(),
            template: "redis://127.0.0.1:1/".into(),
        },
        durability: Durability::Replicas(1),
        answer_ms: 500,
        connect_ms: 500,
        ..primary.options("main")
    };
    let subject = Followed(primary.store_with(options).await);
    let kit = Kit::new(&subject);
    let claim = kit.held(1).await;
    let batch = |version: u64| Batch {
        events: vec![format!("event {version}")],
        ..Batch::default()
    };
    for version in 1..=20 {
        let done = kit.commit(&claim, version, batch(version)).await;
        assert_eq!(subject.0.confirm(done.seq).await, Ok(Confirmed::Durable));
    }
    primary.kill();
    // The next commit waits for the failover; its fence and version still hold.
    for version in 21..=25 {
        kit.commit(&claim, version, batch(version)).await;
    }
    let role = replica.tell("ROLE").await;
    assert!(
        format!("{role:?}").contains("bulk-string('\"master\"')"),
        "{role:?}"
    );
    let loaded = kit.load(claim.lane).await;
    let expected: Vec<String> = (1..=25).map(|version| format!("event {version}")).collect();
    assert_eq!(loaded.events[1..], expected);
}
