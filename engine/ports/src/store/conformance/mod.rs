//! The suite that every adapter of `Store` runs. A case is a fact; its function carries the fact's
//! name and panics when the adapter breaks it.
//!
//! Not here: anything that knows an adapter. Time passes only through `Subject::advance`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a case is a test: what does not hold ends it"
)]

mod carried;
mod children;
mod claims;
mod commits;
mod generation;
mod histories;
mod inboxes;
mod kit;
mod ledger;
mod limits;
mod lists;
mod locks;
mod measure;
mod model;
mod queues;
mod runs;
mod time;
mod upkeep;
mod waiting;
mod wakeups;

pub use kit::Kit;
pub use measure::{Measured, commits_per_second};
pub use model::{locks_never_deadlock, no_wakeup_is_lost};

use super::Store;
use async_trait::async_trait;
use futures::future::BoxFuture;
use std::future::Future;

/// One empty realm and its clock.
#[async_trait]
pub trait Subject: Send + Sync {
    fn store(&self) -> &dyn Store;
    /// Lets the store's own clock go on. The clock must stand still otherwise.
    async fn advance(&self, by_ms: i64);
}

/// How long the random cases are.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Operations of the wake-up model.
    pub model_steps: usize,
    /// Operations of the lock simulation.
    pub lock_steps: usize,
    pub seed: u64,
}

impl Effort {
    /// As many operations as somebody asks for by hand (`HOSTLER_MODEL_STEPS`), else these.
    #[expect(
        clippy::disallowed_methods,
        reason = "a suite has no composition that could read it"
    )]
    fn or_asked(self) -> Self {
        let asked = std::env::var("HOSTLER_MODEL_STEPS").ok();
        match asked.and_then(|steps| steps.parse().ok()) {
            Some(model_steps) => Self {
                model_steps,
                ..self
            },
            None => self,
        }
    }
}

type Check = for<'a> fn(&'a Kit<'a>) -> BoxFuture<'a, ()>;

/// One fact about a store.
pub struct Case {
    pub name: &'static str,
    check: Check,
}

/// Lists facts of this module as `Case`s.
macro_rules! facts {
    ($($name:ident),* $(,)?) => {
        pub(super) fn facts() -> Vec<super::Case> {
            vec![$(super::Case { name: stringify!($name), check: |kit| Box::pin($name(kit)) }),*]
        }
    };
}
use facts;

/// Every fact that holds without a random run.
#[must_use]
pub fn cases() -> Vec<Case> {
    let parts = [
        children::facts(),
        carried::facts(),
        claims::facts(),
        commits::facts(),
        generation::facts(),
        histories::facts(),
        inboxes::facts(),
        ledger::facts(),
        limits::facts(),
        lists::facts(),
        locks::facts(),
        queues::facts(),
        runs::facts(),
        time::facts(),
        upkeep::facts(),
        waiting::facts(),
        wakeups::facts(),
    ];
    parts.into_iter().flatten().collect()
}

/// Runs every case against an empty realm of its own; returns how many there were. The name of the
/// case that runs is printed first, so that a panic has a name.
pub async fn all<S, F>(make: impl Fn(&'static str) -> F, effort: Effort) -> usize
where
    S: Subject,
    F: Future<Output = S>,
{
    let effort = effort.or_asked();
    let cases = cases();
    for case in &cases {
        println!("fact: {}", case.name);
        let subject = make(case.name).await;
        (case.check)(&Kit::new(&subject)).await;
    }
    println!("fact: no_wakeup_is_lost, seed {}", effort.seed);
    no_wakeup_is_lost(&Kit::new(&make("no_wakeup_is_lost").await), effort).await;
    println!("fact: locks_never_deadlock, seed {}", effort.seed);
    locks_never_deadlock(&Kit::new(&make("locks_never_deadlock").await), effort).await;
    cases.len() + 2
}
