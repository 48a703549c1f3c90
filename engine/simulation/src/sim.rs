//! What all parts of one play share: time, the store, the target, the watch over all of it.
//!
//! Not here: what any part does.

use crate::chance::Chance;
use crate::clockwork::{Clockwork, Owner, WORLD, locked};
use crate::link::Line;
use crate::shape::{Sabotage, Shape, Trouble};
use crate::target::Target;
use crate::watch::Watch;
use hostler_ports::clock::Clock;
use hostler_ports::store::Store;
use hostler_ports::store::memory::{CountedIds, MemoryStore};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// 2026-01-01T00:00:00Z.
const BEGIN_MS: i64 = 1_767_225_600_000;
/// Transactions of the store that a failover may lose.
pub const LAG_MAX: usize = 40;

/// The clock of whatever server answers as the store.
pub struct StoreClock {
    clockwork: Arc<Clockwork>,
    /// Another server's clock differs a little.
    pub skew_ms: AtomicI64,
}

impl Clock for StoreClock {
    fn now_ms(&self) -> i64 {
        BEGIN_MS + self.clockwork.now_ms() + self.skew_ms.load(Ordering::SeqCst)
    }
    fn monotonic_ms(&self) -> i64 {
        self.now_ms()
    }
}

/// Counts of what happened, by name.
pub type Counts = BTreeMap<String, u64>;

pub struct Sim {
    pub shape: Shape,
    pub clockwork: Arc<Clockwork>,
    pub store: Arc<MemoryStore>,
    pub store_clock: Arc<StoreClock>,
    pub watch: Mutex<Watch>,
    pub target: Mutex<Target>,
    /// Connections of processes to the store.
    pub lines: Mutex<BTreeMap<Owner, Line>>,
    pub wire: Mutex<Chance>,
    pub plugins: Mutex<Chance>,
    /// A lane is ready.
    pub rung: Notify,
    ready: AtomicBool,
    /// Troubles are over.
    pub calm: AtomicBool,
    /// What is dropped just now is dropped by a process that dies.
    pub dying: AtomicBool,
    /// Calls of plugins in flight, by process.
    pub busy: Mutex<BTreeMap<Owner, u64>>,
    counts: Mutex<Counts>,
    trace: Option<Mutex<Vec<String>>>,
}

impl Sim {
    /// The generation in which a process reads.
    pub fn generation_of(&self, owner: Owner) -> u64 {
        let lines = locked(&self.lines);
        lines.get(&owner).map_or(0, |line| line.generation)
    }

    pub fn new(shape: &Shape, traced: bool) -> Arc<Self> {
        let seed = shape.seed;
        let clockwork = Clockwork::new(Chance::of(seed, "order"));
        let store_clock = Arc::new(StoreClock {
            clockwork: Arc::clone(&clockwork),
            skew_ms: AtomicI64::new(0),
        });
        let store = MemoryStore::new(
            Arc::clone(&store_clock) as _,
            Arc::new(CountedIds::default()),
        );
        if shape.has(Trouble::Failover) {
            store.replicate_late(LAG_MAX);
        }
        Arc::new(Self {
            shape: shape.clone(),
            clockwork,
            store: Arc::new(store),
            store_clock,
            watch: Mutex::default(),
            target: Mutex::default(),
            lines: Mutex::new(BTreeMap::from([(WORLD, Line::default())])),
            wire: Mutex::new(Chance::of(seed, "wire")),
            plugins: Mutex::new(Chance::of(seed, "plugins")),
            rung: Notify::new(),
            ready: AtomicBool::new(false),
            calm: AtomicBool::new(false),
            dying: AtomicBool::new(false),
            busy: Mutex::default(),
            counts: Mutex::default(),
            trace: traced.then(Mutex::default),
        })
    }

    /// Whether a trouble strikes now, which it does in so many of a hundred cases.
    pub fn strikes(&self, trouble: Trouble, chance: &mut Chance, percent: u64) -> bool {
        // Drawn in any case, so that switching it off changes nothing else.
        let drawn = chance.percent(percent);
        drawn && self.shape.has(trouble) && !self.is_calm()
    }

    /// Something was written: processes look again if a lane is ready.
    pub async fn ring(&self) {
        let counts = self.store.counts().await.unwrap_or_default();
        self.ready.store(counts.ready > 0, Ordering::SeqCst);
        if counts.ready > 0 {
            self.rung.notify_waiters();
        }
    }

    pub fn may_claim(&self) -> bool {
        self.ready.load(Ordering::SeqCst)
    }

    pub fn is_calm(&self) -> bool {
        self.calm.load(Ordering::SeqCst)
    }

    pub fn sabotages(&self, sabotage: Sabotage) -> bool {
        self.shape.sabotage == Some(sabotage)
    }

    pub fn count(&self, what: &str) {
        let mut counts = locked(&self.counts);
        match counts.get_mut(what) {
            Some(count) => *count += 1,
            None => {
                counts.insert(what.to_owned(), 1);
            }
        }
    }

    pub fn counts(&self) -> Counts {
        locked(&self.counts).clone()
    }

    pub fn note(&self, line: impl FnOnce() -> String) {
        if let Some(trace) = &self.trace {
            let at_ms = self.clockwork.now_ms();
            locked(trace).push(format!("{at_ms:>8} {}", line()));
        }
    }

    pub fn trace(&self) -> Vec<String> {
        self.trace
            .as_ref()
            .map(|trace| locked(trace).clone())
            .unwrap_or_default()
    }

    /// Judges what happened; the first breach ends the play.
    pub fn judge(&self, check: impl FnOnce(&mut Watch) -> Result<(), String>) {
        let mut watch = locked(&self.watch);
        if watch.breach.is_some() {
            return;
        }
        if let Err(breach) = check(&mut watch) {
            watch.breach = Some(breach.clone());
            drop(watch);
            self.note(|| format!("BREACH {breach}"));
        }
    }

    pub fn is_over(&self) -> bool {
        locked(&self.watch).breach.is_some()
    }
}

/// A process's own clocks: they differ, and go at different speeds.
pub struct OwnClock {
    clockwork: Arc<Clockwork>,
    began_ms: i64,
    offset_ms: i64,
    per_mille: i64,
}

impl OwnClock {
    pub fn new(clockwork: &Arc<Clockwork>, offset_ms: i64, per_mille: i64) -> Self {
        Self {
            clockwork: Arc::clone(clockwork),
            began_ms: clockwork.now_ms(),
            offset_ms,
            per_mille,
        }
    }

    /// True time in which this clock goes on by so much.
    pub fn true_ms(&self, own_ms: i64) -> i64 {
        own_ms.saturating_mul(1_000) / self.per_mille
    }
}

impl Clock for OwnClock {
    fn now_ms(&self) -> i64 {
        BEGIN_MS + self.monotonic_ms()
    }
    fn monotonic_ms(&self) -> i64 {
        let since = self.clockwork.now_ms() - self.began_ms;
        self.offset_ms + since * self.per_mille / 1_000
    }
}
