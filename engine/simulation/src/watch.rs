//! The invariants, checked on every commit and every effect. A breach is told as a sentence.
//!
//! Not here: how a lane may move (the core's own tests know); only what must hold whatever happens.

mod log;

use crate::clockwork::{Owner, locked};
use crate::estate::{ASSETS, CONNECTION};
use crate::link::short;
use crate::shape::Trouble;
use crate::sim::Sim;
use crate::target::Request;
use hostler_core::effect::holding;
use hostler_core::id::LaneId;
use hostler_core::lane::{Lane, Phase};
use hostler_ports::store::{
    Batch, Claim, CommitError, Committed, Queue, ResourceView, Spawn, Store, Then,
};
pub use log::{STALE, Shadow};
use std::collections::{BTreeMap, BTreeSet};

/// No request begins on a lease that was confirmed longer ago than this, by the worker's own clock.
const LEASE_AGE_MAX_MS: i64 = 20_000;
/// Letters kept to be delivered again.
const LETTERS_MAX: usize = 200;

pub type Verdict = Result<(), String>;

pub fn must(holds: bool, fact: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(fact()) }
}

#[derive(Default)]
pub struct Watch {
    pub breach: Option<String>,
    pub lanes: BTreeMap<LaneId, Shadow>,
    /// When a process last heard that it holds a lane, and under which fence.
    leases: BTreeMap<(Owner, LaneId), (String, i64)>,
    /// Roots of runs that were promised.
    accepted: BTreeSet<LaneId>,
    /// Letters that lanes sent to each other.
    pub letters: Vec<(LaneId, String)>,
}

impl Watch {
    pub fn fence_of(&self, lane: LaneId) -> Option<String> {
        self.lanes.get(&lane)?.fence.held().map(str::to_owned)
    }

    pub fn spawned(&mut self, spawn: &Spawn) -> Verdict {
        if spawn.queue == Queue::Run && !self.lanes.contains_key(&spawn.lane) {
            self.lanes
                .insert(spawn.lane, Shadow::opened(&spawn.events)?);
        }
        Ok(())
    }

    pub fn claimed(&mut self, sim: &Sim, owner: Owner, claims: &[Claim]) -> Verdict {
        for claim in claims {
            let lane = claim.lane;
            sim.note(|| format!("w{owner} claims {} ({})", short(lane), claim.strikes));
            if claim.header.queue == Queue::Mail {
                sim.count("mail claimed");
                continue;
            }
            let shadow = self.known(lane)?;
            must(shadow.version() == claim.header.version, || {
                format!("{lane} was claimed at a version that its commits do not give")
            })?;
            shadow.fence.hold(&claim.fence.0);
        }
        Ok(())
    }

    fn known(&mut self, lane: LaneId) -> Result<&mut Shadow, String> {
        self.lanes
            .get_mut(&lane)
            .ok_or_else(|| format!("nobody spawned {lane}"))
    }

    /// A process has claimed a lane; it asked at this instant of its own.
    pub fn took(&mut self, owner: Owner, lane: LaneId, fence: &str, asked_ms: i64) {
        self.leases
            .insert((owner, lane), (fence.to_owned(), asked_ms));
    }

    /// A process has heard from the store that it still holds a lane.
    pub fn confirmed(&mut self, owner: Owner, lane: LaneId, fence: &str, asked_ms: i64) {
        let lease = self.leases.get_mut(&(owner, lane));
        // An answer that comes late may be about an earlier claim.
        if let Some(lease) = lease.filter(|lease| lease.0 == fence) {
            lease.1 = lease.1.max(asked_ms);
        }
    }

    /// A process begins a request at its target.
    pub fn begins(&self, owner: Owner, lane: LaneId, own_ms: i64) -> Verdict {
        let confirmed = self.leases.get(&(owner, lane)).map(|(_, at_ms)| *at_ms);
        let age_ms = confirmed.map(|at_ms| own_ms - at_ms);
        must(
            age_ms.is_some_and(|age_ms| age_ms <= LEASE_AGE_MAX_MS),
            || format!("w{owner} began a request for {lane} on a lease of {age_ms:?} ms"),
        )
    }

    #[allow(clippy::too_many_arguments, reason = "what one commit is made of")]
    pub fn committed(
        &mut self,
        sim: &Sim,
        owner: Owner,
        lane: LaneId,
        fence: &str,
        version: u64,
        batch: &Batch,
        done: &Committed,
    ) -> Verdict {
        if !self.lanes.contains_key(&lane) {
            // A message.
            return Ok(());
        }
        let now_ms = sim.clockwork.now_ms();
        let shadow = self.known(lane)?;
        must(shadow.fence.allows(fence), || {
            format!("a commit of w{owner} to {lane} under a stale fence was accepted")
        })?;
        must(shadow.version() == version, || {
            format!("{lane}: a commit at another version was accepted")
        })?;
        shadow.extend(sim, owner, lane, batch, now_ms)?;
        must(shadow.version() == done.version, || {
            format!("{lane}: the store counts other events than were written")
        })?;
        shadow.fence.hold(fence);
        if batch.then != Then::Keep {
            shadow.fence.free();
        }
        must(batch.then != Then::Shelve, || {
            format!("{lane} was shelved: {:?}", batch.summary)
        })?;
        for spawn in &batch.spawn {
            self.spawned(spawn)?;
        }
        self.keep_letters(batch);
        Ok(())
    }

    fn keep_letters(&mut self, batch: &Batch) {
        let room = LETTERS_MAX.saturating_sub(self.letters.len());
        let letters = batch.send.iter().take(room);
        self.letters
            .extend(letters.map(|post| (post.lane, post.body.clone())));
    }

    /// The store has gone back: so has what is known of it.
    pub fn rewound(&mut self, versions: &BTreeMap<LaneId, u64>) -> Verdict {
        // Some of them were never written, as it is now.
        self.letters.clear();
        self.lanes.retain(|lane, shadow| match versions.get(lane) {
            Some(version) => {
                shadow.rewind(*version);
                true
            }
            None => false,
        });
        let lost = self
            .accepted
            .iter()
            .find(|root| !self.lanes.contains_key(root));
        must(lost.is_none(), || {
            format!("the accepted run of {lost:?} is lost")
        })
    }

    /// A request takes effect at its target. `before` is when an earlier one of the same step did.
    pub fn lands(&self, request: &Request, before: Option<i64>) -> Verdict {
        let Some(shadow) = self.lanes.get(&request.lane) else {
            return Err(format!("an effect of a lane that is gone: {request:?}"));
        };
        if let (true, Some(before)) = (request.is_once(), before) {
            let asked = |at_ms: &i64| (before..=request.begun_ms).contains(at_ms);
            must(shadow.asked_ms.iter().any(asked), || {
                format!(
                    "{} of {} took effect at {before} and again, and nobody was asked",
                    request.action, request.lane
                )
            })?;
        }
        let began = |at_ms: &i64| !request.undoes && request.begun_ms <= *at_ms;
        let undone = shadow.undo_began_ms.filter(began);
        must(undone.is_none(), || {
            format!(
                "{} of {} took effect after its undo had begun",
                request.action, request.lane
            )
        })?;
        must(!(request.is_once() && shadow.has_ended()), || {
            format!(
                "{} of {} took effect after its end",
                request.action, request.lane
            )
        })
    }

    /// A run was promised: from now on it is never lost.
    pub fn accepted(&mut self, root: LaneId) -> Verdict {
        self.accepted.insert(root);
        must(self.lanes.contains_key(&root), || {
            format!("the accepted run of {root} is lost")
        })
    }

    /// Lanes that have neither ended nor wait for anybody.
    pub fn unfinished(&self) -> Vec<String> {
        let live = self.lanes.iter().filter(|(_, shadow)| !shadow.has_ended());
        live.map(|(id, shadow)| format!("{} is {}", short(*id), shadow.phase()))
            .collect()
    }
}

/// Locks and slots are held by those whose state says so, and by no others.
pub async fn locks_hold(sim: &Sim, lane: LaneId, batch: &Batch) {
    let touched = batch.take.is_some() || !batch.release.is_empty() || batch.then == Then::End;
    if !touched {
        return;
    }
    let locks = ASSETS.map(|asset| format!("asset:{asset}"));
    let slot = format!("slot:{CONNECTION}");
    for key in locks.into_iter().chain([slot]) {
        let view = sim.store.resource(&key).await.unwrap_or_default();
        sim.judge(|watch| held_rightly(watch, lane, &key, &view));
    }
}

fn wants(lane: &Lane, key: &str) -> bool {
    let slot = holding::slot(lane).is_some_and(|(slot, _)| slot == key);
    let live = !matches!(lane.phase, Phase::Ended);
    slot || (live && lane.locks.iter().any(|lock| lock == key))
}

fn held_rightly(watch: &Watch, lane: LaneId, key: &str, view: &ResourceView) -> Verdict {
    let capacity = if key.starts_with("asset:") {
        1
    } else {
        view.capacity
    };
    must(view.holders.len() <= capacity as usize, || {
        format!("{key} is held by {} lanes", view.holders.len())
    })?;
    let state = |lane: &LaneId| {
        watch
            .lanes
            .get(lane)
            .and_then(|shadow| shadow.lane.as_ref())
    };
    for (holder, _) in &view.holders {
        let rightly = state(holder).is_some_and(|lane| wants(lane, key));
        must(rightly, || {
            format!("{key} is held by {holder}, whose state says otherwise")
        })?;
    }
    let is_holder = view.holders.iter().any(|(holder, _)| *holder == lane);
    let wanted = state(&lane).is_some_and(|lane| wants(lane, key));
    must(is_holder || !wanted, || {
        format!("{lane} goes on without {key}")
    })
}

/// Every lane must have ended, and nothing may be left behind. None while that may still come.
pub async fn finished(sim: &Sim) -> Option<Verdict> {
    let counts = sim.store.counts().await.ok()?;
    let unfinished = locked(&sim.watch).unfinished();
    if !unfinished.is_empty() || counts.ready + counts.leased > 0 {
        return None;
    }
    for key in ASSETS
        .map(|asset| format!("asset:{asset}"))
        .into_iter()
        .chain([format!("slot:{CONNECTION}")])
    {
        let view = sim.store.resource(&key).await.unwrap_or_default();
        if !view.holders.is_empty() || !view.waiters.is_empty() {
            return Some(Err(format!("{key} is left behind: {view:?}")));
        }
    }
    Some(must(counts.timers == 0, || {
        format!("{} timers are left behind", counts.timers)
    }))
}

/// How often a trouble must have struck for a play to prove anything about it, by its name in the
/// counts.
#[must_use]
pub fn name_of(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Stall => "stall",
        Trouble::Crash => "crash",
        Trouble::Unreached => "unreached",
        Trouble::AnswerLost => "answer lost",
        Trouble::Unconfirmed => "unconfirmed",
        Trouble::SlowStore => "slow store",
        Trouble::Failover => "failover with loss",
        Trouble::Duplicates => "letter again",
        Trouble::LateEffects => "late effect",
        Trouble::Skew => "skewed clock",
        Trouble::Plugins => "plugin failed",
        Trouble::People => "person acted",
    }
}

/// What a commit that wrote nothing is counted as.
pub fn refused(fault: &CommitError) -> &'static str {
    match fault {
        CommitError::Fence => "refused: fence",
        CommitError::Version { .. } => "refused: version",
        CommitError::Expect { .. } => "refused: document",
        CommitError::Unread => "refused: unread",
        CommitError::Busy { .. } => "refused: busy",
        CommitError::Store(_) => "refused: store",
    }
}
