//! Durable commits a second, by how many lanes are in flight. Not a test: it asserts nothing.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement that cannot go on says where it stopped"
)]

use hostler_ports::clock::Clock;
use hostler_ports::store::conformance::commits_per_second;
use hostler_ports::store::memory::CountedIds;
use hostler_store_embedded::{Options, open};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

struct Wall;

impl Clock for Wall {
    fn now_ms(&self) -> i64 {
        i64::try_from(
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap()
                .as_millis(),
        )
        .unwrap()
    }
    fn monotonic_ms(&self) -> i64 {
        self.now_ms()
    }
}

#[tokio::main]
async fn main() {
    for (lanes, each) in [(1, 500), (16, 500), (64, 1_000), (256, 500)] {
        let folder = tempfile::tempdir().unwrap();
        let ids = Arc::new(CountedIds::default());
        let store = open(folder.path(), Options::default(), Arc::new(Wall), ids).unwrap();
        let measured = commits_per_second(&store, lanes, each).await;
        println!(
            "{lanes:4} lanes in flight: {:8.0} commits/s",
            measured.per_second()
        );
    }
}
