//! How many commits a store makes, for the examples that measure. Not a fact: nothing asserts on it.

use super::kit::*;
use crate::store::{Batch, ClaimAsk, Store};
use tokio::time::Instant;

/// Size of one event, about what a step writes.
const EVENT_BYTES: usize = 150;

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub commits: u64,
    pub seconds: f64,
}

impl Measured {
    #[must_use]
    pub fn per_second(&self) -> f64 {
        self.commits as f64 / self.seconds
    }
}

/// `lanes` lanes commit two events each time, one after the other, all lanes at once.
pub async fn commits_per_second(store: &dyn Store, lanes: u32, commits_per_lane: u64) -> Measured {
    for number in 0..lanes {
        store.start(start(number)).await.unwrap();
    }
    let ask = ClaimAsk {
        lease_ms: 3_600_000,
        ..ask(lanes as usize)
    };
    let claims = store.claim(&ask).await.unwrap();
    assert_eq!(claims.len(), lanes as usize);
    let begun = Instant::now();
    let writing = claims.iter().map(|claim| async {
        for number in 0..commits_per_lane {
            let batch = Batch {
                events: vec!["e".repeat(EVENT_BYTES); 2],
                ..Batch::default()
            };
            store
                .commit(claim.lane, &claim.fence, 1 + 2 * number, batch)
                .await
                .unwrap();
        }
    });
    futures::future::join_all(writing).await;
    let commits = u64::from(lanes) * commits_per_lane;
    Measured {
        commits,
        seconds: begun.elapsed().as_secs_f64(),
    }
}
