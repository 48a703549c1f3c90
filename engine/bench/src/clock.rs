//! The machine's clock and chance, read where measurements are taken.

use hostler_ports::clock::{Clock, Ids};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

pub struct MachineClock(Instant);

impl MachineClock {
    pub fn new() -> Self {
        Self(now())
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "a measurement reads the machine's clock"
)]
pub fn now() -> Instant {
    Instant::now()
}

impl Clock for MachineClock {
    #[allow(
        clippy::disallowed_methods,
        reason = "a measurement reads the machine's clock"
    )]
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    fn monotonic_ms(&self) -> i64 {
        i64::try_from(now().duration_since(self.0).as_millis()).unwrap_or(i64::MAX)
    }
}

pub struct FreshIds;

impl Ids for FreshIds {
    #[allow(
        clippy::disallowed_methods,
        reason = "the composition root is where chance is read"
    )]
    fn fresh(&self) -> Uuid {
        Uuid::new_v4()
    }
}
