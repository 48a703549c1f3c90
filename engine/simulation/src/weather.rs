//! What befalls processes and servers from outside: stalls, crashes, failovers.
//!
//! Not here: what befalls single calls (see `link` and `host`).

use crate::chance::Chance;
use crate::clockwork::{Owner, WORLD, locked};
use crate::process::Process;
use crate::shape::{Shape, Trouble};
use crate::sim::{LAG_MAX, Sim};
use hostler_core::id::LaneId;
use hostler_ports::store::Store;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Longest pause between two strikes.
const PAUSE_MAX_MS: i64 = 6_000;
/// A strike waits a little for a call to be in flight.
const IDLE_MS: i64 = 500;
const IDLE_MAX: u32 = 8;
/// Longest stall: two leases.
const STALL_MAX_MS: i64 = 60_000;

pub struct Weather {
    sim: Arc<Sim>,
    chance: Chance,
    /// Processes by their place; a crash puts a new one into the same place.
    places: Vec<Owner>,
    next: Owner,
}

impl Weather {
    pub fn new(sim: &Arc<Sim>, shape: &Shape) -> Self {
        Self {
            sim: Arc::clone(sim),
            chance: Chance::of(shape.seed, "weather"),
            places: (1..=shape.workers).collect(),
            next: shape.workers + 1,
        }
    }

    pub async fn blow(mut self) {
        for owner in self.places.clone() {
            let mut chance = Chance::of(self.sim.shape.seed, &format!("process {owner}"));
            Process::begin(&self.sim, owner, &mut chance);
        }
        let people = accept(Arc::clone(&self.sim));
        self.sim.clockwork.spawn(WORLD, people);
        while !self.sim.is_calm() {
            let pause_ms = self.chance.between(500, PAUSE_MAX_MS);
            self.sim.clockwork.sleep(pause_ms).await;
            // Then something happens sooner than later.
            for _ in 0..IDLE_MAX {
                if locked(&self.sim.busy).values().any(|calls| *calls > 0) {
                    break;
                }
                self.sim.clockwork.sleep(IDLE_MS).await;
            }
            let (place, kind) = (self.place(), self.chance.below(8));
            let for_ms = self.chance.between(500, STALL_MAX_MS);
            let lost = self.chance.at(LAG_MAX) + 1;
            match kind {
                0..=2 if self.strikes(Trouble::Stall) => self.stall(place, for_ms),
                3..=5 if self.strikes(Trouble::Crash) => self.crash(place, for_ms / 4),
                6 if self.strikes(Trouble::Failover) => self.fail_over(lost).await,
                _ => {}
            }
        }
    }

    /// A process to strike: more often than not one with a call in flight, where it hurts.
    fn place(&mut self) -> usize {
        let (any, aimed) = (self.chance.at(self.places.len()), self.chance.percent(75));
        let busy = locked(&self.sim.busy);
        let hurts = |owner: &Owner| busy.get(owner).is_some_and(|calls| *calls > 0);
        let found = self.places.iter().position(hurts);
        found.filter(|_| aimed).unwrap_or(any)
    }

    fn strikes(&self, trouble: Trouble) -> bool {
        self.sim.shape.has(trouble) && !self.sim.is_calm()
    }

    fn stall(&mut self, place: usize, for_ms: i64) {
        let (sim, owner) = (Arc::clone(&self.sim), self.places[place]);
        sim.count("stall");
        sim.note(|| format!("w{owner} stands still for {for_ms}"));
        sim.clockwork.stop(owner);
        self.sim.clockwork.spawn(WORLD, async move {
            sim.clockwork.sleep(for_ms).await;
            sim.note(|| format!("w{owner} goes on"));
            sim.clockwork.go_on(owner);
        });
    }

    fn crash(&mut self, place: usize, after_ms: i64) {
        let (sim, owner) = (Arc::clone(&self.sim), self.places[place]);
        sim.count("crash");
        sim.note(|| format!("w{owner} is gone"));
        sim.dying.store(true, Ordering::SeqCst);
        sim.clockwork.kill(owner);
        sim.dying.store(false, Ordering::SeqCst);
        let next = self.next;
        self.next += 1;
        self.places[place] = next;
        self.sim.clockwork.spawn(WORLD, async move {
            sim.clockwork.sleep(after_ms).await;
            let mut chance = Chance::of(sim.shape.seed, &format!("process {next}"));
            Process::begin(&sim, next, &mut chance);
        });
    }

    async fn fail_over(&mut self, transactions: usize) {
        let sim = &self.sim;
        let before = sim.store.counts().await.unwrap_or_default();
        let lost = sim.store.fail_over(transactions);
        let after = sim.store.counts().await.unwrap_or_default();
        sim.count(if after.seq < before.seq {
            "failover with loss"
        } else {
            "failover"
        });
        sim.note(|| format!("failover: {lost} lost, seq {} → {}", before.seq, after.seq));
        let skew_ms = self.chance.between(-500, 500);
        sim.store_clock.skew_ms.store(skew_ms, Ordering::SeqCst);
        for line in locked(&sim.lines).values_mut() {
            line.life += 1;
            line.floor = after.seq.max(line.seen);
            line.regressed = (after.seq < line.seen)
                .then_some(after.seq)
                .or(line.regressed);
        }
        rewind(sim).await;
    }
}

/// People accept, one process after the other, that commits are lost: where that has been told.
async fn accept(sim: Arc<Sim>) {
    let mut chance = Chance::of(sim.shape.seed, "accept");
    loop {
        sim.clockwork.sleep(chance.between(5_000, 15_000)).await;
        for line in locked(&sim.lines).values_mut().filter(|line| line.heard) {
            line.heard = false;
            if let Some(found) = line.regressed.take() {
                line.seen = found;
                line.generation += 1;
            }
        }
    }
}

async fn rewind(sim: &Sim) {
    let lanes: Vec<LaneId> = locked(&sim.watch).lanes.keys().copied().collect();
    let mut versions = BTreeMap::new();
    for some in lanes.chunks(hostler_ports::store::READ_MAX) {
        let headers = sim.store.headers(some).await.unwrap_or_default();
        for header in headers.into_iter().flatten() {
            versions.insert(header.lane, header.version);
        }
    }
    sim.judge(|watch| watch.rewound(&versions));
    sim.ring().await;
}
