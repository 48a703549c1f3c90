//! A request on its way to the target: it lands when it lands, whatever became of who sent it.
//!
//! Not here: what it does there (see `target`), and what is right (see `watch`).

use crate::clockwork::{WORLD, locked};
use crate::shape::Trouble;
use crate::sim::Sim;
use crate::target::{Landed, Request};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::oneshot;

/// Longest time in which a request may land after its sockets were closed: shorter than the
/// engine's time for settling, whatever the clocks do.
pub const LANDS_MS: i64 = 3_500;

/// A request in flight. Dropping it closes its sockets.
pub struct Flight {
    sim: Arc<Sim>,
    request: Request,
    void: Arc<AtomicBool>,
    landed: Arc<AtomicBool>,
}

impl Flight {
    /// Sends a request that lands after so long, and tells when it has landed.
    pub fn begin(sim: &Arc<Sim>, after_ms: i64, request: Request) -> (Self, oneshot::Receiver<()>) {
        let flight = Self {
            sim: Arc::clone(sim),
            request: request.clone(),
            void: Arc::default(),
            landed: Arc::default(),
        };
        let (void, landed) = (Arc::clone(&flight.void), Arc::clone(&flight.landed));
        (flight, land_after(sim, after_ms, request, void, landed))
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if self.landed.load(Ordering::SeqCst) {
            return;
        }
        let sim = &self.sim;
        let late = {
            let mut chance = locked(&sim.wire);
            let late_ms = chance.between(0, LANDS_MS);
            sim.strikes(Trouble::LateEffects, &mut chance, 50)
                .then_some(late_ms)
        };
        // Nobody closes the sockets of a machine that is gone: the request may go on to its end.
        if sim.dying.load(Ordering::SeqCst) && late.is_some() {
            sim.count("late effect");
            return;
        }
        self.void.store(true, Ordering::SeqCst);
        if let Some(late_ms) = late {
            sim.count("late effect");
            let void = Arc::new(AtomicBool::new(false));
            land_after(sim, late_ms, self.request.clone(), void, Arc::default());
        }
    }
}

/// Sends a request on its way; resolves when it has landed.
fn land_after(
    sim: &Arc<Sim>,
    after_ms: i64,
    request: Request,
    void: Arc<AtomicBool>,
    landed: Arc<AtomicBool>,
) -> oneshot::Receiver<()> {
    let (sender, receiver) = oneshot::channel();
    let here = Arc::clone(sim);
    sim.clockwork.spawn(WORLD, async move {
        here.clockwork.sleep(after_ms).await;
        if void.load(Ordering::SeqCst) {
            return;
        }
        landed.store(true, Ordering::SeqCst);
        let now_ms = here.clockwork.now_ms();
        let outcome = locked(&here.target).land(&request, now_ms);
        here.note(|| format!("target: {} {} lands", request.action, request.key));
        if let Landed::Effect { before } = outcome {
            here.judge(|watch| watch.lands(&request, before));
        }
        // The process that waited may be gone.
        let _ = sender.send(());
    });
    receiver
}
