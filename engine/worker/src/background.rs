//! What goes on beside the lanes: renewing leases, and the store's clock.

use crate::Driver;
use hostler_ports::store::StoreError;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// Timers and expired leases moved by one call.
const TICK_MAX: usize = 500;
/// Leases renewed by one call.
const RENEW_MAX: usize = 200;
/// How often old leases are looked for, even while a renewal hangs.
const FENCE_EVERY: Duration = Duration::from_secs(1);
/// Longest wait between two tries while the store is away.
const BACKOFF_MAX: Duration = Duration::from_secs(5);

impl Driver {
    /// Runs until `shutdown`; survives every outage of the store.
    pub async fn background(self: &Arc<Self>, shutdown: CancellationToken) {
        tokio::join!(
            self.renew_loop(&shutdown),
            self.fence_loop(&shutdown),
            self.tick_loop(&shutdown)
        );
    }

    async fn renew_loop(&self, shutdown: &CancellationToken) {
        let pause = Duration::from_millis(self.parts.settings.renew_ms.max(10));
        while !sleep(pause, shutdown).await {
            self.renew_all().await;
            self.report_let_go().await;
        }
    }

    /// Tells the store that no call of ours is in flight in the lanes that were let go: an outage of the
    /// store is no strike against a lane. Whoever has them by now has another fence.
    pub async fn report_let_go(&self) {
        let let_go = self.held.take_let_go();
        for lanes in let_go.chunks(RENEW_MAX) {
            if let Err(fault) = self.parts.store.calm(lanes).await {
                warn!(%fault, "lanes that were let go were not reported");
                self.held.put_let_go(lanes.iter().cloned());
            }
        }
    }

    /// Renews everything held. A lane that the store does not know under our fence is cut off.
    pub async fn renew_all(&self) {
        for leases in self.held.all().chunks(RENEW_MAX) {
            let asked_ms = self.parts.clock.monotonic_ms();
            let asked: Vec<_> = leases.iter().map(|l| (l.lane, l.fence.clone())).collect();
            match self
                .parts
                .store
                .renew(&asked, self.parts.settings.lease_ms)
                .await
            {
                Ok(lost) => {
                    for lease in leases {
                        if lost.contains(&lease.lane) {
                            warn!(lane = %lease.lane, "the lease was lost");
                            lease.lost.cancel();
                        } else {
                            lease.confirm(asked_ms);
                        }
                    }
                }
                // The leases grow older; from a certain age on no call begins.
                Err(fault) => {
                    self.heed(&fault);
                    warn!(%fault, "leases were not renewed");
                }
            }
        }
    }

    /// A store that has gone back takes with it what was read of lanes that are not held.
    fn heed(&self, fault: &StoreError) {
        if matches!(fault, StoreError::Regressed { .. }) {
            self.forget_lanes();
        }
    }

    async fn fence_loop(&self, shutdown: &CancellationToken) {
        while !sleep(FENCE_EVERY, shutdown).await {
            self.cut_old_leases();
        }
    }

    /// Self-fencing: a lease that was not confirmed for too long is treated as lost, and its
    /// sockets are cut before another worker may get the lane.
    pub fn cut_old_leases(&self) {
        let now_ms = self.parts.clock.monotonic_ms();
        let age_max_ms = self
            .parts
            .settings
            .lease_age_max_ms
            .max(self.parts.settings.lease_ms - 2_000);
        for lease in self.held.all() {
            if !lease.is_young(now_ms, age_max_ms) {
                lease.lost.cancel();
            }
        }
    }

    async fn tick_loop(&self, shutdown: &CancellationToken) {
        let usual = Duration::from_millis(self.parts.settings.tick_ms.max(1));
        let mut pause = usual;
        while !sleep(pause, shutdown).await {
            pause = match self
                .parts
                .store
                .tick(TICK_MAX, self.parts.settings.lease_ms)
                .await
            {
                Ok(ticked) => {
                    if ticked.leases_expired > 0 {
                        debug!(ticked.leases_expired, "leases went back");
                    }
                    if ticked.more { Duration::ZERO } else { usual }
                }
                Err(fault) => {
                    self.heed(&fault);
                    warn!(%fault, "the clock of the store was not read");
                    (pause * 2).clamp(usual, BACKOFF_MAX)
                }
            };
        }
    }
}

/// True when the shutdown came first.
async fn sleep(pause: Duration, shutdown: &CancellationToken) -> bool {
    tokio::select! {
        () = shutdown.cancelled() => true,
        () = tokio::time::sleep(pause) => false,
    }
}
