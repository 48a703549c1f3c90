//! Pauses after a failed claim: growing, bounded, and different from worker to worker.
//!
//! Not here: chance. The spread comes from the worker's name, so a test sees the same pauses.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

const FIRST_MS: u64 = 100;
/// Long enough to leave a store in trouble alone, short enough to be back when people notice.
const LONGEST_MS: u64 = 5_000;
/// 100 ms doubled six times is over the longest pause.
const DOUBLINGS_MAX: u32 = 6;

pub(crate) struct Backoff {
    worker: String,
    failures: u32,
}

impl Backoff {
    pub(crate) fn new(worker: &str) -> Self {
        Self {
            worker: worker.to_owned(),
            failures: 0,
        }
    }

    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Half of the pause is fixed, the other half is spread.
    pub(crate) fn failed(&mut self) -> Duration {
        let full = (FIRST_MS << self.failures.min(DOUBLINGS_MAX)).min(LONGEST_MS);
        let mut hasher = DefaultHasher::new();
        (&self.worker, self.failures).hash(&mut hasher);
        self.failures = self.failures.saturating_add(1);
        Duration::from_millis(full / 2 + hasher.finish() % (full / 2 + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_begin_anew_after_a_success() {
        let mut backoff = Backoff::new("w");
        let pauses: Vec<_> = (0..40).map(|_| backoff.failed()).collect();
        assert!(pauses[0] <= Duration::from_millis(FIRST_MS));
        assert!(
            pauses
                .iter()
                .all(|pause| *pause <= Duration::from_millis(LONGEST_MS))
        );
        assert!(pauses[39] >= Duration::from_millis(LONGEST_MS / 2));
        backoff.succeeded();
        assert!(backoff.failed() <= Duration::from_millis(FIRST_MS));
    }

    #[test]
    fn two_workers_do_not_come_back_together() {
        let pauses = |name: &str| {
            let mut backoff = Backoff::new(name);
            (0..8).map(|_| backoff.failed()).collect::<Vec<_>>()
        };
        assert_ne!(pauses("a"), pauses("b"));
    }
}
