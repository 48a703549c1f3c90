//! Turns free permits into claims. One pump for all priorities, one for the emergency reserve.
//!
//! Not here: what a lane does. A claim in flight is never dropped, or its lanes would wait for
//! their leases to run out.

use crate::Settings;
use crate::backoff::Backoff;
use crate::permits::{Permits, Place, take_free};
use hostler_ports::clock::Clock;
use hostler_ports::store::{Claim, ClaimAsk, Priority, Store};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

/// Most lanes one claim asks for: one round trip fills a small worker, and a large one is not filled
/// by a single process while others stand idle.
const CLAIM_MAX: usize = 32;
/// A lease is renewed this many times in its length while its lane waits to be alone.
const RENEWALS_PER_LEASE: i64 = 3;

/// A claim with its permit: given back when the lane is let go.
pub struct Job {
    pub(crate) claim: Claim,
    /// Monotonic instant before the lease was asked for: how old it is, however long this process
    /// was stopped in between.
    pub(crate) asked_ms: i64,
    pub(crate) place: Place,
    pub(crate) permit: OwnedSemaphorePermit,
}

impl Job {
    pub(crate) fn span(&self) -> tracing::Span {
        tracing::info_span!("lane", lane = %self.claim.lane, run = %self.claim.header.run)
    }
}

pub(crate) struct Pump {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    ask: ClaimAsk,
    permits: Permits,
    from: Arc<Semaphore>,
    jobs: mpsc::Sender<Job>,
    shutdown: CancellationToken,
}

impl Pump {
    pub(crate) fn all(
        store: &Arc<dyn Store>,
        clock: &Arc<dyn Clock>,
        settings: &Settings,
        permits: &Permits,
        jobs: &mpsc::Sender<Job>,
        shutdown: &CancellationToken,
    ) -> Vec<Self> {
        let pump = |from: &Arc<Semaphore>, at_least| Self {
            store: Arc::clone(store),
            clock: Arc::clone(clock),
            ask: ClaimAsk {
                queue: settings.queue,
                worker: settings.worker.clone(),
                max: 1,
                at_least,
                lease_ms: settings.lease_ms,
                wait_ms: settings.wait_ms,
                until: None,
            },
            permits: permits.clone(),
            from: Arc::clone(from),
            jobs: jobs.clone(),
            shutdown: shutdown.clone(),
        };
        let mut pumps = vec![pump(&permits.common, None)];
        if settings.emergency_permits > 0 {
            pumps.push(pump(&permits.emergency, Some(Priority::Emergency)));
        }
        pumps
    }

    /// Ends at a stop, or when nobody takes jobs any more.
    pub(crate) async fn run(mut self) {
        let mut backoff = Backoff::new(&self.ask.worker);
        while !self.shutdown.is_cancelled() {
            let free = tokio::select! {
                () = self.shutdown.cancelled() => break,
                free = take_free(&self.from, CLAIM_MAX) => free,
            };
            let Some(free) = free else { break };
            let (beside, until) = tokio::select! {
                () = self.shutdown.cancelled() => break,
                beside = self.permits.beside() => beside,
            };
            self.ask.max = free.len();
            // A lane that must be alone would wait for this pump as long as for a lane.
            self.ask.until = Some(until);
            let asked_ms = self.clock.monotonic_ms();
            match self.store.claim(&self.ask).await {
                Ok(claims) => {
                    backoff.succeeded();
                    if !self.hand_out(claims, asked_ms, free, beside).await {
                        break;
                    }
                }
                Err(fault) => {
                    drop((free, beside));
                    self.pause(&mut backoff, &fault.to_string()).await;
                }
            }
        }
    }

    async fn pause(&self, backoff: &mut Backoff, fault: &str) {
        let pause = backoff.failed();
        tracing::warn!(
            worker = self.ask.worker,
            fault,
            pause_ms = pause.as_millis() as u64,
            "no claim"
        );
        tokio::select! {
            () = self.shutdown.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }

    /// False when nobody takes jobs any more.
    async fn hand_out(
        &self,
        claims: Vec<Claim>,
        asked_ms: i64,
        free: Vec<OwnedSemaphorePermit>,
        beside: Arc<tokio::sync::OwnedRwLockReadGuard<()>>,
    ) -> bool {
        if let [claim] = claims.as_slice()
            && claim.alone
        {
            drop(beside);
            // It may wait for long: what came with it is old by then.
            let carried = None;
            let claim = Claim {
                carried,
                ..claim.clone()
            };
            return match free.into_iter().next() {
                Some(permit) => self.hand_out_alone(claim, asked_ms, permit).await,
                None => true,
            };
        }
        for (claim, permit) in claims.into_iter().zip(free) {
            let place = Place::Beside(Arc::clone(&beside));
            if self
                .jobs
                .send(Job {
                    claim,
                    asked_ms,
                    place,
                    permit,
                })
                .await
                .is_err()
            {
                return false;
            }
        }
        true
    }

    /// Waits until nothing else runs here, and keeps the lease meanwhile. A lost lease ends the wait.
    async fn hand_out_alone(
        &self,
        claim: Claim,
        mut asked_ms: i64,
        permit: OwnedSemaphorePermit,
    ) -> bool {
        tracing::warn!(lane = %claim.lane, strikes = claim.strikes, "this lane runs alone");
        let between = Duration::from_millis((self.ask.lease_ms / RENEWALS_PER_LEASE).max(1) as u64);
        let alone = self.permits.alone();
        tokio::pin!(alone);
        let place = loop {
            tokio::select! {
                place = &mut alone => break place,
                () = tokio::time::sleep(between) => {
                    let held = [(claim.lane, claim.fence.clone())];
                    let now_ms = self.clock.monotonic_ms();
                    match self.store.renew(&held, self.ask.lease_ms).await {
                        Ok(lost) if lost.is_empty() => asked_ms = now_ms,
                        Ok(_) => return true,
                        // It grows older; the engine looks at its age.
                        Err(_) => {}
                    }
                }
            }
        };
        self.jobs
            .send(Job {
                claim,
                asked_ms,
                place: Place::Alone(place),
                permit,
            })
            .await
            .is_ok()
    }
}
