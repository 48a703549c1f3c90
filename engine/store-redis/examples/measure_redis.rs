//! Commits a second against a running server: `measure_redis redis://127.0.0.1:6379/`. It writes a realm
//! of its own, `measure-<lanes>`. Not a test: it asserts nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a measurement that cannot go on says where it stopped"
)]

use hostler_ports::clock::Ids;
use hostler_ports::store::conformance::commits_per_second;
use hostler_store_redis::{Endpoint, Options, open};
use std::sync::Arc;
use uuid::Uuid;

struct Chance;

impl Ids for Chance {
    fn fresh(&self) -> Uuid {
        Uuid::new_v4()
    }
}

#[tokio::main]
async fn main() {
    let address = std::env::args()
        .nth(1)
        .expect("the address of a Redis server");
    for (lanes, each) in [(1, 2_000), (16, 2_000), (64, 2_000), (256, 800)] {
        let endpoint = Endpoint::Server(address.clone());
        let options = Options {
            allow_loss: true,
            ..Options::new(endpoint, &format!("measure-{lanes}"))
        };
        let store = open(options, Arc::new(Chance)).await.unwrap();
        let measured = commits_per_second(&store, lanes, each).await;
        println!(
            "{lanes:4} lanes in flight: {:8.0} commits/s",
            measured.per_second()
        );
    }
}
