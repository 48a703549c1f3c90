//! A plugin host whose guests fail, ask, hang and answer late, but never lie: what they say of the
//! target is the target's truth.
//!
//! Not here: what is right (see `watch`).

use crate::clockwork::{Owner, locked};
use crate::estate;
use crate::flight::{Flight, LANDS_MS};
use crate::shape::{Sabotage, Trouble};
use crate::sim::{OwnClock, Sim};
use crate::target::{Request, Truth};
use async_trait::async_trait;
use hostler_core::answer::Answer;
use hostler_core::id::Digest;
use hostler_ports::clock::Clock;
use hostler_ports::plugin::{
    Call, Description, Entry, HostError, JournalEntry, Observed, PluginHost, Reply,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::oneshot;

pub struct Host {
    pub sim: Arc<Sim>,
    pub owner: Owner,
    pub clock: Arc<OwnClock>,
}

/// What one call of a guest comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Done,
    /// The request goes out, and no answer comes.
    Hangs,
    /// The request goes out, and then the host itself fails.
    Internal,
    /// The request goes out, and then the guest breaks a limit.
    Broken,
    Pending,
    Retry,
    Reject,
    Asks,
}

impl Host {
    fn fate(&self, call: &Call, entry: &Entry) -> Fate {
        let mut chance = locked(&self.sim.plugins);
        let drawn = chance.below(100);
        if !self.sim.shape.has(Trouble::Plugins) || self.sim.is_calm() {
            return Fate::Done;
        }
        let fresh = matches!(entry, Entry::Perform);
        let changes = !call.action.starts_with("sim.read_");
        match drawn {
            0..=5 => Fate::Retry,
            6..=12 => Fate::Reject,
            13..=16 => Fate::Hangs,
            17..=20 if changes => Fate::Internal,
            21..=24 if changes => Fate::Broken,
            25..=36 if changes && fresh => Fate::Pending,
            37..=39 if fresh => Fate::Asks,
            _ => Fate::Done,
        }
    }

    async fn pause(&self, longest_ms: i64) {
        let for_ms = {
            let mut chance = locked(&self.sim.plugins);
            let long = chance.percent(35) && !self.sim.is_calm();
            chance.between(0, if long { longest_ms } else { 200 })
        };
        self.sim.clockwork.sleep(for_ms).await;
    }

    fn may_begin(&self, call: &Call) -> bool {
        if !call.watch.may_begin() && !self.sim.sabotages(Sabotage::IgnoreLeaseAge) {
            self.sim.count("lease too old to begin");
            return false;
        }
        let own_ms = self.clock.monotonic_ms();
        self.sim
            .judge(|watch| watch.begins(self.owner, call.lane, own_ms));
        true
    }

    async fn guest(&self, entry: &Entry, call: &Call, ends_ms: i64) -> Result<Reply, HostError> {
        let answered =
            matches!(entry, Entry::Resume { checkpoint } if checkpoint.get("answer").is_some());
        match entry {
            Entry::Perform => self.perform(entry, call, ends_ms).await,
            Entry::Resume { .. } if answered => self.perform(entry, call, ends_ms).await,
            Entry::Resume { .. } => self.resume(call).await,
            Entry::Observe { .. } => self.observe(call).await,
            Entry::Cancel { .. } => {
                self.pause(1_000).await;
                if self.may_begin(call) {
                    let now_ms = self.sim.clockwork.now_ms();
                    locked(&self.sim.target).cancel(call.idempotency_key, now_ms);
                }
                Ok(Reply::Observed(Observed::NotDone))
            }
            Entry::Plan => Ok(Reply::Plan(Value::Null)),
        }
    }

    async fn perform(&self, entry: &Entry, call: &Call, ends_ms: i64) -> Result<Reply, HostError> {
        let fate = self.fate(call, entry);
        self.pause(12_000).await;
        if fate != Fate::Done {
            self.sim.count("plugin failed");
            self.sim.count(&format!("plugin {fate:?}"));
        }
        match fate {
            Fate::Retry => return Ok(retry("not now")),
            Fate::Reject => return Ok(reject()),
            Fate::Asks => {
                return Ok(Reply::Answer(Answer::NeedsHuman {
                    title: "Which one?".to_owned(),
                    form: json!({}),
                }));
            }
            _ => {}
        }
        if call.action.starts_with("sim.read_") {
            return Ok(if self.may_begin(call) {
                done()
            } else {
                retry("cut")
            });
        }
        self.change(fate, call, ends_ms).await
    }

    /// The one mutating request of a call, with its journal around it.
    async fn change(&self, fate: Fate, call: &Call, ends_ms: i64) -> Result<Reply, HostError> {
        let number = call.journal.last().map_or(1, |entry| entry.number + 1);
        let note = |outcome: Option<String>| JournalEntry {
            number,
            attempt: call.attempt,
            what: "http POST /thing".to_owned(),
            outcome,
        };
        if call.watch.journal(note(None)).await.is_err() || !self.may_begin(call) {
            return Ok(retry("the host call could not begin"));
        }
        let (flight, landing) = self.begin(fate, call, ends_ms);
        if matches!(fate, Fate::Internal | Fate::Broken) {
            self.pause(3_000).await;
            drop(flight);
            return Err(broken(fate));
        }
        if landing.await.is_err() || fate == Fate::Hangs {
            std::future::pending::<()>().await;
        }
        drop(flight);
        let keeps = locked(&self.sim.plugins).percent(60);
        // What was sent is told all the same.
        if keeps
            && call
                .watch
                .journal(note(Some("200".to_owned())))
                .await
                .is_err()
        {
            return Err(HostError::Internal("its journal was not kept".to_owned()));
        }
        if fate == Fate::Pending {
            return Ok(pending());
        }
        Ok(done())
    }

    fn begin(&self, fate: Fate, call: &Call, ends_ms: i64) -> (Flight, oneshot::Receiver<()>) {
        let sim = &self.sim;
        let (after_ms, work_ms) = {
            let mut chance = locked(&sim.wire);
            let slow = sim.strikes(Trouble::LateEffects, &mut chance, 25);
            // No longer than the call itself, whenever in it the request is begun.
            let left_ms = (ends_ms - sim.clockwork.now_ms()).max(0);
            let longest = if slow { left_ms + LANDS_MS } else { 300 };
            (
                chance.between(1, longest.max(1)),
                chance.between(500, 30_000),
            )
        };
        let request = Request {
            key: call.idempotency_key,
            lane: call.lane,
            action: call.action.clone(),
            undoes: call.step.starts_with("undo:"),
            begun_ms: sim.clockwork.now_ms(),
            work_ms: (fate == Fate::Pending).then_some(work_ms),
        };
        sim.note(|| {
            format!(
                "w{} begins {} {}",
                self.owner, call.action, call.idempotency_key
            )
        });
        Flight::begin(sim, after_ms, request)
    }

    fn truth(&self, call: &Call) -> Truth {
        locked(&self.sim.target).truth(call.idempotency_key, self.sim.clockwork.now_ms())
    }

    async fn resume(&self, call: &Call) -> Result<Reply, HostError> {
        self.pause(2_000).await;
        if !self.may_begin(call) {
            return Ok(retry("cut"));
        }
        Ok(match self.truth(call) {
            Truth::Done => done(),
            Truth::Going => pending(),
            Truth::NotDone => reject(),
        })
    }

    async fn observe(&self, call: &Call) -> Result<Reply, HostError> {
        self.pause(2_000).await;
        if !self.may_begin(call) {
            return Err(HostError::Cut);
        }
        let troubled = self.sim.shape.has(Trouble::Plugins) && !self.sim.is_calm();
        let blind = locked(&self.sim.plugins).percent(15) && troubled;
        let seen = match self.truth(call) {
            _ if blind => Observed::Unknown {
                why: "the target does not remember".to_owned(),
            },
            Truth::Done => Observed::Done {
                output: json!({ "n": 1 }),
            },
            Truth::Going => Observed::Going {
                ask_after_ms: 2_000,
            },
            Truth::NotDone => Observed::NotDone,
        };
        self.sim.note(|| {
            format!(
                "w{} observes {seen:?} of {}",
                self.owner, call.idempotency_key
            )
        });
        Ok(Reply::Observed(seen))
    }
}

fn broken(fate: Fate) -> HostError {
    match fate {
        Fate::Broken => HostError::Limit {
            limit: "memory",
            detail: "as planned".to_owned(),
        },
        _ => HostError::Internal("as planned".to_owned()),
    }
}

fn done() -> Reply {
    Reply::Answer(Answer::Done {
        output: json!({ "n": 1 }),
        evidence: Vec::new(),
    })
}

fn pending() -> Reply {
    Reply::Answer(Answer::Pending {
        checkpoint: json!({ "job": 1 }),
        resume_after_ms: 3_000,
    })
}

fn retry(reason: &str) -> Reply {
    Reply::Answer(Answer::Retry {
        reason: reason.to_owned(),
        after_ms: Some(500),
    })
}

fn reject() -> Reply {
    Reply::Answer(Answer::Reject {
        reason: "it will not work".to_owned(),
        output: Value::Null,
    })
}

/// A call in flight, until it is dropped.
struct Busy<'a>(&'a Host);

impl<'a> Busy<'a> {
    fn with(host: &'a Host) -> Self {
        *locked(&host.sim.busy).entry(host.owner).or_default() += 1;
        Self(host)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        if let Some(calls) = locked(&self.0.sim.busy).get_mut(&self.0.owner) {
            *calls = calls.saturating_sub(1);
        }
    }
}

#[async_trait]
impl PluginHost for Host {
    fn plugins(&self) -> BTreeMap<Digest, Arc<Description>> {
        let description = Description {
            name: "sim".to_owned(),
            version: "1.0.0".to_owned(),
            actions: Vec::new(),
        };
        BTreeMap::from([(estate::plugin(), Arc::new(description))])
    }

    async fn call(&self, entry: Entry, call: Call) -> Result<Reply, HostError> {
        let _busy = Busy::with(self);
        let timeout_ms = i64::try_from(call.timeout_ms).unwrap_or(i64::MAX);
        let limit_ms = self.clock.true_ms(timeout_ms);
        let ends_ms = self.sim.clockwork.now_ms() + limit_ms;
        let limit = self.sim.clockwork.sleep(limit_ms);
        tokio::select! {
            // The same order in every play; as in a real host, the guest goes before its limit.
            biased;
            outcome = self.guest(&entry, &call, ends_ms) => outcome,
            () = call.watch.cut() => {
                self.sim.count("call cut");
                Err(HostError::Cut)
            }
            () = limit => {
                self.sim.count("call timed out");
                Err(HostError::Limit { limit: "time", detail: "it did not end in time".to_owned() })
            }
        }
    }
}
