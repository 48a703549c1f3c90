//! One play from a seed to its end, and the search for a smaller one that fails alike.
//!
//! Not here: anything that happens in a play.

use crate::clockwork::{WORLD, locked};
use crate::people::People;
use crate::shape::Shape;
use crate::sim::{Counts, Sim};
use crate::watch;
use crate::weather::Weather;
use hostler_core::id::Digest;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Polls of one play in any case.
const TURNS_MAX: u64 = 2_000_000;
/// Calm time after which every run must have ended.
const CALM_MAX_MS: i64 = 2 * 3_600_000;
/// Between two looks whether all is over.
const LOOK_MS: i64 = 5_000;
/// Plays that a search may cost.
const SHRINK_MAX: u32 = 400;

/// What came of one play.
#[derive(Debug)]
pub struct Outcome {
    pub breach: Option<String>,
    pub counts: Counts,
    pub trace: Vec<String>,
    /// Simulated milliseconds.
    pub lasted_ms: i64,
    pub turns: u64,
}

impl Outcome {
    /// The same for two plays in which the same happened.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.trace.join("\n").as_bytes())
    }
}

/// A runtime that nothing runs on: the store makes a timer for waits that never happen here.
///
/// # Errors
/// When the machine gives no runtime.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
}

/// Plays one shape to its end, inside a runtime that was entered.
#[must_use]
pub fn play(shape: &Shape, traced: bool) -> Outcome {
    let sim = Sim::new(shape, traced);
    let over = Arc::new(AtomicBool::new(false));
    let started = People::new(&sim).arrive();
    let (here, ended) = (Arc::clone(&sim), Arc::clone(&over));
    sim.clockwork.spawn(WORLD, Weather::new(&sim, shape).blow());
    sim.clockwork.spawn(WORLD, async move {
        here.clockwork.sleep(here.shape.troubled_ms).await;
        here.calm.store(true, Ordering::SeqCst);
        here.note(|| "all is calm".to_owned());
        let until_ms = here.clockwork.now_ms() + CALM_MAX_MS;
        loop {
            here.clockwork.sleep(LOOK_MS).await;
            let all_started = started.load(Ordering::SeqCst) == here.shape.runs;
            let finished = watch::finished(&here).await.filter(|_| all_started);
            if let Some(verdict) = finished {
                here.judge(|_| verdict);
                break;
            }
            if here.clockwork.now_ms() > until_ms {
                here.judge(|watch| Err(format!("stuck: {}", watch.unfinished().join("; "))));
                break;
            }
        }
        ended.store(true, Ordering::SeqCst);
    });
    let mut turns = 0;
    while turns < TURNS_MAX && !over.load(Ordering::SeqCst) && !sim.is_over() {
        turns += 1;
        if !sim.clockwork.turn() {
            break;
        }
    }
    outcome(&sim, turns)
}

fn outcome(sim: &Arc<Sim>, turns: u64) -> Outcome {
    if turns >= TURNS_MAX {
        sim.judge(|_| Err(format!("the play went on for {TURNS_MAX} turns")));
    }
    let outcome = Outcome {
        breach: locked(&sim.watch).breach.clone(),
        counts: sim.counts(),
        trace: sim.trace(),
        lasted_ms: sim.clockwork.now_ms(),
        turns,
    };
    sim.clockwork.clear();
    outcome
}

/// The smallest shape found that still fails.
#[must_use]
pub fn shrink(shape: &Shape) -> Shape {
    let mut smallest = shape.clone();
    let mut plays = 0;
    loop {
        let next = smallest.smaller().into_iter().find(|shape| {
            plays += 1;
            plays <= SHRINK_MAX && play(shape, false).breach.is_some()
        });
        match next {
            Some(shape) => smallest = shape,
            None => return smallest,
        }
    }
}
