//! The machine's clock and chance: the one place where they are read.
//!
//! Not here: the time of leases and timers, which is the store's.

use hostler_ports::clock::{Clock, Ids};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

pub struct SystemClock {
    origin: Instant,
    origin_ms: i64,
    latest: AtomicI64,
}

impl SystemClock {
    #[allow(
        clippy::disallowed_methods,
        reason = "the composition root is where the machine's clock is read"
    )]
    pub fn new() -> Self {
        Self {
            origin: Instant::now(),
            origin_ms: now_ms(),
            latest: AtomicI64::new(0),
        }
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the composition root is where the machine's clock is read"
)]
fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        now_ms()
    }

    /// The later of two clocks: one never goes back, the other goes on while the machine sleeps. A
    /// lease that looks older than it is costs a renewal; one that looks younger costs a fence.
    #[allow(
        clippy::disallowed_methods,
        reason = "the composition root is where the machine's clock is read"
    )]
    fn monotonic_ms(&self) -> i64 {
        let steady = i64::try_from(Instant::now().duration_since(self.origin).as_millis())
            .unwrap_or(i64::MAX);
        let now = steady.max(now_ms() - self.origin_ms);
        now.max(self.latest.fetch_max(now, Ordering::SeqCst))
    }
}

pub struct SystemIds;

impl Ids for SystemIds {
    #[allow(
        clippy::disallowed_methods,
        reason = "the composition root is where chance comes from"
    )]
    fn fresh(&self) -> Uuid {
        Uuid::new_v4()
    }
}
