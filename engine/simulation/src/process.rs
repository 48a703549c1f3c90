//! One worker process: the real driver and outbox, its loops, and what may become of it.
//!
//! Not here: what the driver does.

use crate::chance::Chance;
use crate::clockwork::{Owner, WORLD, locked};
use crate::estate::{Estate, Literals, Post};
use crate::host::Host;
use crate::link::{Line, Link};
use crate::shape::{Sabotage, Trouble};
use crate::sim::{OwnClock, Sim};
use hostler_ports::clock::Clock;
use hostler_ports::store::{Claim, ClaimAsk, Queue, Store, StoreError};
use hostler_worker::{Driver, Outbox, OutboxParts, Parts, Settings};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Lanes held at the same time by one process.
const PERMITS: usize = 3;
/// Timers and leases moved by one tick.
const TICK_MAX: usize = 100;
/// Between two ticks of one process.
const TICK_MS: i64 = 4_000;
/// Clocks go at most this much too fast or too slow, in a thousandth. A lease that is cut at 28 s
/// of a slow clock is cut before the store's 30 s are over.
const DRIFT_MAX: i64 = 20;

/// What the loops of a process share.
#[derive(Clone)]
pub struct Process {
    sim: Arc<Sim>,
    owner: Owner,
    clock: Arc<OwnClock>,
    link: Arc<Link>,
    driver: Arc<Driver>,
    outbox: Arc<Outbox>,
    settings: Settings,
    held: Arc<AtomicUsize>,
}

fn own_clock(sim: &Sim, chance: &mut Chance) -> OwnClock {
    let (offset, drift) = (
        chance.between(0, 1_000_000),
        chance.between(-DRIFT_MAX, DRIFT_MAX),
    );
    if sim.shape.has(Trouble::Skew) {
        sim.count("skewed clock");
        OwnClock::new(&sim.clockwork, offset, 1_000 + drift)
    } else {
        OwnClock::new(&sim.clockwork, 0, 1_000)
    }
}

/// A connection of a new process to the server that answers now.
pub fn connect(sim: &Arc<Sim>, owner: Owner, chance: &mut Chance) -> Arc<Link> {
    let mut lines = locked(&sim.lines);
    let life = lines.get(&WORLD).map_or(0, |line| line.life);
    let line = Line {
        life,
        ..Line::default()
    };
    lines.insert(owner, line);
    drop(lines);
    Arc::new(Link {
        sim: Arc::clone(sim),
        owner,
        clock: Arc::new(own_clock(sim, chance)),
    })
}

impl Process {
    pub fn begin(sim: &Arc<Sim>, owner: Owner, chance: &mut Chance) {
        let link = connect(sim, owner, chance);
        let clock = Arc::clone(&link.clock);
        let settle_ms = Settings::default().settle_ms;
        let settings = Settings {
            worker: format!("w{owner}"),
            settle_ms: if sim.sabotages(Sabotage::NoSettling) {
                0
            } else {
                settle_ms
            },
            ..Settings::default()
        };
        let host = Host {
            sim: Arc::clone(sim),
            owner,
            clock: Arc::clone(&clock),
        };
        let parts = Parts {
            store: Arc::clone(&link) as _,
            host: Arc::new(host),
            directory: Arc::new(Estate),
            evaluate: Arc::new(Literals),
            clock: Arc::clone(&clock) as _,
            settings: settings.clone(),
        };
        let mail = OutboxParts {
            store: Arc::clone(&link) as _,
            channel: Arc::new(Post),
            compose: Arc::new(Post),
            links: None,
            tags: None,
        };
        let process = Self {
            sim: Arc::clone(sim),
            owner,
            clock,
            link,
            driver: Driver::new(parts),
            outbox: Outbox::new(mail),
            settings,
            held: Arc::default(),
        };
        process.spawn(chance.between(0, 4_000));
    }

    fn spawn(self, phase_ms: i64) {
        self.sim.note(|| format!("w{} begins", self.owner));
        let clockwork = Arc::clone(&self.sim.clockwork);
        clockwork.spawn(self.owner, self.clone().claim_loop());
        clockwork.spawn(self.owner, self.clone().renew_loop());
        clockwork.spawn(self.owner, self.clone().fence_loop());
        clockwork.spawn(self.owner, self.clone().tick_loop(phase_ms));
    }

    async fn sleep(&self, own_ms: i64) {
        self.sim.clockwork.sleep(self.clock.true_ms(own_ms)).await;
    }

    async fn renew_loop(self) {
        loop {
            self.sleep(i64::try_from(self.settings.renew_ms).unwrap_or(10_000))
                .await;
            self.driver.renew_all().await;
            self.driver.report_let_go().await;
        }
    }

    async fn fence_loop(self) {
        loop {
            self.sleep(1_000).await;
            self.driver.cut_old_leases();
        }
    }

    async fn tick_loop(self, phase_ms: i64) {
        self.sleep(phase_ms).await;
        loop {
            let ticked = self.link.tick(TICK_MAX, self.settings.lease_ms).await;
            self.heed(ticked.as_ref().err());
            // An outage: the next tick looks again.
            let more = ticked.is_ok_and(|ticked| ticked.more);
            self.sleep(if more { 10 } else { TICK_MS }).await;
        }
    }

    fn heed(&self, fault: Option<&StoreError>) {
        if let Some(StoreError::Regressed { .. }) = fault {
            self.driver.forget_lanes();
        }
    }

    async fn claim_loop(self) {
        loop {
            let free = PERMITS.saturating_sub(self.held.load(Ordering::SeqCst));
            if free == 0 || !self.sim.may_claim() {
                self.idle().await;
                continue;
            }
            let mut some = false;
            for queue in [Queue::Run, Queue::Mail] {
                some |= self.claim(queue, free).await;
            }
            if !some {
                self.idle().await;
            }
        }
    }

    /// Until somebody writes something, or for a while.
    async fn idle(&self) {
        let rung = self.sim.rung.notified();
        tokio::select! {
            biased;
            () = rung => {}
            () = self.sleep(5_000) => {}
        }
    }

    async fn claim(&self, queue: Queue, max: usize) -> bool {
        let ask = ClaimAsk {
            queue,
            worker: self.settings.worker.clone(),
            max,
            at_least: None,
            lease_ms: self.settings.lease_ms,
            wait_ms: 0,
            until: None,
        };
        let asked_ms = self.clock.monotonic_ms();
        let claims = self.link.claim(&ask).await;
        self.heed(claims.as_ref().err());
        // An outage: asked again when something happens.
        let claims = claims.unwrap_or_default();
        let some = !claims.is_empty();
        for claim in claims {
            self.held.fetch_add(1, Ordering::SeqCst);
            let process = self.clone();
            self.sim
                .clockwork
                .spawn(self.owner, process.drive(queue, claim, asked_ms));
        }
        some
    }

    async fn drive(self, queue: Queue, claim: Claim, asked_ms: i64) {
        match queue {
            Queue::Run => Arc::clone(&self.driver).drive(claim, asked_ms).await,
            Queue::Mail => Arc::clone(&self.outbox).drive(claim).await,
        }
        self.held.fetch_sub(1, Ordering::SeqCst);
        self.sim.rung.notify_waiters();
    }
}
