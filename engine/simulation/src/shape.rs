//! What a seed decides before anything happens: how many workers and runs, which faults are about.
//!
//! Not here: when a fault strikes, and what the runbooks say.

use crate::chance::Chance;
use std::collections::BTreeSet;

/// A kind of disturbance that can be switched off by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// A worker stands still while time goes on.
    Stall,
    /// A worker is gone from one instant to the next; another one with a new name begins.
    Crash,
    /// A call never reaches the store.
    Unreached,
    /// A call is carried out, and its answer is lost.
    AnswerLost,
    /// The store cannot say whether a commit is durable.
    Unconfirmed,
    /// Calls to the store take seconds.
    SlowStore,
    /// A replica that lags behind takes over.
    Failover,
    /// Letters come twice and late.
    Duplicates,
    /// A request lands after its call was cut.
    LateEffects,
    /// Clocks differ and go at different speeds.
    Skew,
    /// Plugins fail, ask, hang.
    Plugins,
    /// People decide, cancel, pause and resume at any time, also from old pages.
    People,
}

impl Trouble {
    pub const ALL: [Self; 12] = [
        Self::Stall,
        Self::Crash,
        Self::Unreached,
        Self::AnswerLost,
        Self::Unconfirmed,
        Self::SlowStore,
        Self::Failover,
        Self::Duplicates,
        Self::LateEffects,
        Self::Skew,
        Self::Plugins,
        Self::People,
    ];
}

/// A rule that is switched off on purpose, to show that its breach is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// The store takes a commit under whatever fence.
    IgnoreFence,
    /// The plugin host begins requests without looking at the lease.
    IgnoreLeaseAge,
    /// The store says that a commit is durable when it is not.
    ConfirmBlindly,
    /// What a target says of a call is believed before the call can no longer land.
    NoSettling,
}

/// The frame of one play.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    pub seed: u64,
    pub workers: u64,
    pub runs: u64,
    /// Most steps of one program.
    pub steps_max: u64,
    /// How long troubles strike; afterwards all is calm and every run must come to its end.
    pub troubled_ms: i64,
    pub troubles: BTreeSet<Trouble>,
    pub sabotage: Option<Sabotage>,
}

impl Shape {
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut chance = Chance::of(seed, "shape");
        let troubles = Trouble::ALL
            .into_iter()
            .filter(|_| chance.percent(65))
            .collect();
        Self {
            seed,
            workers: 1 + chance.below(4),
            runs: 1 + chance.below(3),
            steps_max: 1 + chance.below(5),
            troubled_ms: chance.between(20_000, 90_000),
            troubles,
            sabotage: None,
        }
    }

    #[must_use]
    pub fn has(&self, trouble: Trouble) -> bool {
        self.troubles.contains(&trouble)
    }

    /// Smaller frames to try when this one fails, most helpful first.
    #[must_use]
    pub fn smaller(&self) -> Vec<Self> {
        let mut shapes = Vec::new();
        let mut with = |change: &dyn Fn(&mut Self)| {
            let mut shape = self.clone();
            change(&mut shape);
            if shape != *self {
                shapes.push(shape);
            }
        };
        with(&|shape| shape.runs = 1);
        with(&|shape| shape.workers = 1);
        with(&|shape| shape.troubled_ms /= 2);
        for trouble in &self.troubles {
            with(&|shape| {
                shape.troubles.remove(trouble);
            });
        }
        with(&|shape| shape.steps_max = (shape.steps_max - 1).max(1));
        with(&|shape| shape.runs = (shape.runs - 1).max(1));
        with(&|shape| shape.workers = (shape.workers - 1).max(1));
        with(&|shape| shape.troubled_ms -= shape.troubled_ms / 8);
        shapes
    }
}
