//! The lanes that this process holds, and how old each lease is.
//!
//! Ages are measured on a clock that never goes back and counts suspension.

use hostler_core::id::LaneId;
use hostler_ports::store::Fence;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// One held lane.
#[derive(Debug)]
pub struct Lease {
    pub lane: LaneId,
    pub fence: Fence,
    /// Monotonic instant at which the store last confirmed the lease (before the call was sent).
    confirmed_ms: AtomicI64,
    /// Cancelled when the lane is no longer ours: sockets are cut by it.
    pub lost: CancellationToken,
}

impl Lease {
    /// May a host call begin now?
    pub fn is_young(&self, now_ms: i64, age_max_ms: i64) -> bool {
        !self.lost.is_cancelled()
            && now_ms - self.confirmed_ms.load(Ordering::Acquire) <= age_max_ms
    }

    pub fn confirm(&self, at_ms: i64) {
        self.confirmed_ms.fetch_max(at_ms, Ordering::AcqRel);
    }
}

/// Lanes let go of that the store has yet to hear of; beyond it the oldest earn a strike.
const LET_GO_MAX: usize = 1_000;

#[derive(Debug, Default)]
pub struct Held {
    lanes: Mutex<BTreeMap<LaneId, Arc<Lease>>>,
    /// Let go of by a worker that lives on, perhaps with a call in flight as far as the store knows.
    let_go: Mutex<Vec<(LaneId, Fence)>>,
}

/// A lane in work, which is held as long as this lives: work that ends in any way, a panic too, must not leave
/// behind a lease that is renewed for ever.
pub struct InWork<'a> {
    held: &'a Held,
    pub lease: Arc<Lease>,
}

impl Drop for InWork<'_> {
    fn drop(&mut self) {
        self.held.leave(&self.lease);
    }
}

impl Held {
    /// `asked_ms`: monotonic instant before the claim was sent.
    pub fn enter(&self, lane: LaneId, fence: &Fence, asked_ms: i64) -> InWork<'_> {
        let lease = Arc::new(Lease {
            lane,
            fence: fence.clone(),
            confirmed_ms: AtomicI64::new(asked_ms),
            lost: CancellationToken::new(),
        });
        if let Some(old) = self.lock().insert(lane, Arc::clone(&lease)) {
            old.lost.cancel();
        }
        InWork { held: self, lease }
    }

    /// Forgets a lane unless it was claimed anew in the meantime.
    fn leave(&self, lease: &Lease) {
        let mut lanes = self.lock();
        if lanes
            .get(&lease.lane)
            .is_some_and(|held| held.fence == lease.fence)
        {
            lanes.remove(&lease.lane);
        }
    }

    /// The work on a lane could not go on. Its call is over, but the store does not know that.
    pub fn let_go(&self, lease: &Lease) {
        self.put_let_go([(lease.lane, lease.fence.clone())]);
    }

    /// Those that the store has yet to hear of, taken out.
    pub fn take_let_go(&self) -> Vec<(LaneId, Fence)> {
        std::mem::take(&mut *self.let_go.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The store did not hear of them.
    pub fn put_let_go(&self, lanes: impl IntoIterator<Item = (LaneId, Fence)>) {
        let mut let_go = self.let_go.lock().unwrap_or_else(PoisonError::into_inner);
        let_go.extend(lanes);
        let over = let_go.len().saturating_sub(LET_GO_MAX);
        let_go.drain(..over);
    }

    pub fn all(&self) -> Vec<Arc<Lease>> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<LaneId, Arc<Lease>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use uuid::Uuid;

    fn fence(text: &str) -> Fence {
        Fence(text.into())
    }

    #[test]
    fn work_that_panics_holds_its_lane_no_longer() {
        let held = Held::default();
        let work = || {
            let in_work = held.enter(LaneId(Uuid::from_u128(1)), &fence("1:a"), 0);
            assert_eq!(held.all().len(), 1);
            drop(in_work.lease.clone());
            panic!("as the test wants it");
        };
        assert!(catch_unwind(AssertUnwindSafe(work)).is_err());
        assert!(held.all().is_empty(), "its lease would be renewed for ever");
    }

    #[test]
    fn what_was_claimed_anew_stays_when_the_earlier_work_ends() {
        let held = Held::default();
        let lane = LaneId(Uuid::from_u128(1));
        let before = held.enter(lane, &fence("1:a"), 0);
        let now = held.enter(lane, &fence("2:b"), 5);
        assert!(before.lease.lost.is_cancelled());
        drop(before);
        assert_eq!(held.all()[0].fence, now.lease.fence);
    }
}
