//! The Functions keep the port's promises: the same suite as every other store.

use crate::server::Server;
use hostler_ports::store::Store;
use hostler_ports::store::conformance::{Effort, Subject, all};
use hostler_store_redis::{RedisStore, TEST_CLOCK_KEY};
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;

pub struct OnServer {
    pub store: RedisStore,
    pub clock: MultiplexedConnection,
}

#[async_trait::async_trait]
impl Subject for OnServer {
    fn store(&self) -> &dyn Store {
        &self.store
    }
    async fn advance(&self, by_ms: i64) {
        let _: i64 = self
            .clock
            .clone()
            .incr(TEST_CLOCK_KEY, by_ms)
            .await
            .unwrap();
    }
}

pub async fn at_noon(server: &Server, realm: &str) -> OnServer {
    let mut clock = server.admin().await;
    let _: () = clock
        .set(TEST_CLOCK_KEY, 1_767_225_600_000_i64)
        .await
        .unwrap();
    OnServer {
        store: server.store_at_test_clock(realm).await,
        clock,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_redis_store_conforms() {
    let server = Server::start(&[]).await;
    let effort = Effort {
        model_steps: 20_000,
        lock_steps: 4_000,
        seed: 3,
    };
    assert!(all(async |realm| at_noon(&server, realm).await, effort).await > 80);
}

#[tokio::test]
async fn realms_on_one_server_do_not_meet() {
    use hostler_ports::store::conformance::Kit;
    let server = Server::start(&[]).await;
    let (one, two) = (at_noon(&server, "one").await, at_noon(&server, "two").await);
    Kit::new(&one).held(1).await;
    Kit::new(&two).nothing_is_ready().await;
    assert_eq!(two.store.counts().await.unwrap().seq, 0);
}
