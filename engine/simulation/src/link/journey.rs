//! One call to the store on its way: how long it takes there and back, and what of it is lost.
//!
//! Not here: which call it is (see `link`); how often trouble strikes (see `shape`).

use super::Link;
use crate::clockwork::{WORLD, locked};
use crate::shape::Trouble;
use crate::sim::Sim;
use hostler_ports::store::memory::MemoryStore;
use hostler_ports::store::{Seq, Store, StoreError, StoreResult};
use std::future::Future;
use std::sync::Arc;

/// What becomes of one call.
struct Journey {
    there_ms: i64,
    back_ms: i64,
    unreached: bool,
    answer_lost: bool,
}

impl Link {
    fn journey(&self, writes: bool) -> Journey {
        let sim = &self.sim;
        let mut chance = locked(&sim.wire);
        let slow = sim.strikes(Trouble::SlowStore, &mut chance, 3);
        let longest = if slow { 12_000 } else { 4 };
        let journey = Journey {
            there_ms: chance.between(0, longest),
            back_ms: chance.between(0, longest),
            unreached: sim.strikes(Trouble::Unreached, &mut chance, 2),
            answer_lost: sim.strikes(Trouble::AnswerLost, &mut chance, 2) && writes,
        };
        let happened = [
            (slow, "slow store"),
            (journey.unreached, "unreached"),
            (journey.answer_lost, "answer lost"),
        ];
        for (_, what) in happened.into_iter().filter(|(struck, _)| *struck) {
            sim.count(what);
        }
        journey
    }

    fn check(&self) -> StoreResult<u64> {
        let mut lines = locked(&self.sim.lines);
        let Some(line) = lines.get_mut(&self.owner) else {
            return Ok(0);
        };
        match line.regressed {
            Some(found) => {
                line.heard = true;
                self.sim.count("regressed seen");
                let seen = line.seen;
                Err(StoreError::Regressed { seen, found })
            }
            None => Ok(line.life),
        }
    }

    /// Sends a call on its way. It goes on even when the process that made it is gone.
    pub(super) async fn carry<T, E, F>(&self, writes: bool, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let life = self.check()?;
        let journey = self.journey(writes);
        let (answer, answered) = tokio::sync::oneshot::channel();
        let (sim, owner) = (Arc::clone(&self.sim), self.owner);
        self.sim.clockwork.spawn(WORLD, async move {
            sim.clockwork.sleep(journey.there_ms).await;
            let same = |sim: &Sim| {
                let lines = locked(&sim.lines);
                lines.get(&owner).is_none_or(|line| line.life == life)
            };
            // A call to the server before is lost with it.
            let outcome = if journey.unreached || !same(&sim) {
                Err(unavailable().into())
            } else {
                let outcome = work.await;
                if writes {
                    sim.ring().await;
                }
                outcome
            };
            sim.clockwork.sleep(journey.back_ms).await;
            let lost = journey.answer_lost || !same(&sim);
            let told = if lost {
                Err(unavailable().into())
            } else {
                outcome
            };
            // Whoever asked may be gone.
            let _ = answer.send(told);
        });
        answered.await.unwrap_or_else(|_| Err(unavailable().into()))
    }

    pub(super) async fn read<T, F, W>(&self, work: W) -> StoreResult<T>
    where
        T: Send + 'static,
        F: Future<Output = StoreResult<T>> + Send + 'static,
        W: FnOnce(Arc<MemoryStore>) -> F,
    {
        self.carry(false, work(Arc::clone(&self.sim.store))).await
    }

    pub(super) fn saw(&self, seq: u64) {
        if let Some(line) = locked(&self.sim.lines).get_mut(&self.owner) {
            line.seen = line.seen.max(seq);
        }
    }

    /// The newest commit there is, as this process hears it.
    pub async fn newest(&self) -> Seq {
        let counts = self.sim.store.counts().await.unwrap_or_default();
        self.saw(counts.seq);
        Seq(counts.seq)
    }
}

fn unavailable() -> StoreError {
    StoreError::Unavailable("as planned".to_owned())
}
