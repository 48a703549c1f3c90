//! One claimed lane: decide, commit, perform, report, until it waits, ends, or is lost.

use crate::held::Lease;
use crate::turn::{Hold, Turn, read_lane};
use crate::{Driver, Trouble};
use hostler_core::command::Input;
use hostler_core::lane::{Lane, Phase};
use hostler_ports::store::{
    Batch, Claim, CommitError, Committed, Loaded, READ_MAX, Resource, STRIKES_BEFORE_ALONE, Take,
    Then,
};
use serde_json::json;
use std::collections::VecDeque;
use std::sync::Arc;
use tracing::{Instrument, debug, info, info_span, warn};

/// Steps after which a lane lets others go first.
const STEPS_MAX: u32 = 64;
/// The same in time, by the monotonic clock.
const SLICE_MS: i64 = 5_000;
/// Turns of one claim in any case: a lane that decides in circles is put back.
const TURNS_MAX: u32 = 1_000;
/// Looks at gates and letters that others write at the same moment, before the lane is let go.
const LOOKS_MAX: u32 = 5;

/// What happens after a commit.
enum Next {
    /// Begin another turn, with this to report first.
    Report(Option<Box<Input>>),
    Leave,
}

impl Driver {
    /// Moves one claimed lane. Never fails: what cannot be done now is claimed again. `asked_ms` is
    /// the monotonic instant before the lease was asked for.
    pub async fn drive(self: Arc<Self>, mut claim: Claim, asked_ms: i64) {
        let carried = claim.carried.take();
        if let Some(plan) = carried.as_ref().and_then(|carried| carried.plan.as_ref()) {
            self.cache.keep_carried(plan);
        }
        let brought = carried.map(|carried| (carried.lane, asked_ms + carried.waited_ms));
        let in_work = self.held.enter(claim.lane, &claim.fence, asked_ms);
        let lease = &in_work.lease;
        let span = info_span!("lane", lane = %claim.lane, run = %claim.header.run);
        if let Err(trouble) = self.work(&claim, lease, brought).instrument(span).await {
            match trouble {
                Trouble::LeaseLost => info!(lane = %claim.lane, "let go: the lease was lost"),
                Trouble::Unreadable(_) | Trouble::MissingBlob(_) => {
                    self.shelve(&claim, lease, &trouble).await
                }
                other => warn!(lane = %claim.lane, fault = %other, "let go"),
            }
            self.held.let_go(lease);
        }
    }

    /// A lane that cannot be read waits on the shelf until a person looks.
    async fn shelve(&self, claim: &Claim, lease: &Lease, trouble: &Trouble) {
        tracing::error!(lane = %claim.lane, %trouble, "the lane is put on the shelf");
        let summary =
            json!({ "lane": claim.lane, "phase": "shelved", "note": trouble.to_string() })
                .to_string();
        let batch = Batch {
            summary: Some(summary),
            then: Then::Shelve,
            ..Batch::default()
        };
        let version = claim.header.version;
        if let Err(fault) = self
            .parts
            .store
            .commit(claim.lane, &lease.fence, version, batch)
            .await
        {
            warn!(lane = %claim.lane, %fault, "the lane could not be put on the shelf");
        }
    }

    async fn work(
        &self,
        claim: &Claim,
        lease: &Arc<Lease>,
        brought: Option<(Loaded, i64)>,
    ) -> Result<(), Trouble> {
        let mut hold = self.read_anew(claim, brought).await?;
        hold.strikes = claim.strikes;
        hold.read_at_ms = self.parts.clock.monotonic_ms();
        let began_ms = hold.read_at_ms;
        let mut report = at_claim(claim, &hold);
        let mut steps = 0;
        for _ in 0..TURNS_MAX {
            let slow = self.parts.clock.monotonic_ms() - began_ms > SLICE_MS;
            let tired = steps >= STEPS_MAX || slow;
            let version = hold.lane.version;
            match self
                .one_turn(&mut hold, lease, report.take(), tired)
                .await?
            {
                Next::Leave => return Ok(()),
                Next::Report(next) => report = next.map(|next| *next),
            }
            steps += u32::from(hold.lane.version != version);
        }
        Ok(())
    }

    /// What was kept in an earlier generation may never have happened: it is read from the beginning.
    /// `brought`: what came with the claim, and the monotonic instant before it was asked for.
    async fn read_anew(
        &self,
        claim: &Claim,
        brought: Option<(Loaded, i64)>,
    ) -> Result<Hold, Trouble> {
        let store = &*self.parts.store;
        let kept_in = self.cache.generation();
        let known = self.cache.take_lane(claim.lane, claim.header.version);
        let asked_at_ms = brought
            .as_ref()
            .map_or_else(|| self.parts.clock.monotonic_ms(), |(_, at_ms)| *at_ms);
        let carried = brought.map(|(lane, _)| lane);
        let mut hold = read_lane(store, claim.lane, known, carried).await?;
        let number = hold.generation.number;
        // Another lane may have heard of a new one since this one's state was taken.
        if !self.cache.is_of(number) || kept_in != number {
            info!(number, "a person has decided what counts");
            hold = read_lane(store, claim.lane, None, None).await?;
        }
        hold.asked_at_ms = asked_at_ms;
        Ok(hold)
    }

    async fn one_turn(
        &self,
        hold: &mut Hold,
        lease: &Arc<Lease>,
        report: Option<Input>,
        tired: bool,
    ) -> Result<Next, Trouble> {
        if hold.must_read() {
            self.read_letters(hold).await?;
        }
        let mut blocked: Option<String> = None;
        let mut looks = 0;
        let (turn, then, asked_at_ms, committed) = loop {
            let turn = self
                .gather(hold, report.clone(), blocked.as_deref())
                .await?;
            let then = self.then(hold, &turn, tired);
            let asked_at_ms = self.parts.clock.monotonic_ms();
            match self.commit(hold, lease, &turn, then).await {
                Ok(committed) => break (turn, then, asked_at_ms, committed),
                Err(CommitError::Busy { resource, .. }) if blocked.is_none() => {
                    debug!(%resource, "waits");
                    blocked = Some(resource);
                }
                // A gate was changed between the look and the commit.
                Err(CommitError::Expect { document }) if looks < LOOKS_MAX => {
                    debug!(%document, "looks again");
                    self.gates.forget();
                    looks += 1;
                }
                // Somebody has said something while a call was under way, perhaps to stop.
                Err(CommitError::Unread) if looks < LOOKS_MAX => {
                    debug!("reads on");
                    self.read_letters(hold).await?;
                    looks += 1;
                }
                Err(fault) => return Err(trouble(fault)),
            }
        };
        let lasted = self.lasted(hold, &turn).await;
        self.settle_hold(hold, turn, committed);
        hold.asked_at_ms = asked_at_ms;
        if let Some(lasted) = lasted {
            self.remember(lasted).await;
        }
        match then {
            Then::Keep => self.go_on(hold, lease, committed).await,
            Then::Park | Then::Requeue | Then::Shelve => {
                self.cache.keep_lane(hold.lane.clone());
                Ok(Next::Leave)
            }
            Then::End => Ok(Next::Leave),
        }
    }

    fn settle_hold(&self, hold: &mut Hold, turn: Turn, committed: Committed) {
        hold.letters
            .drain(..turn.letters_used.min(hold.letters.len()));
        hold.unshown = true;
        // What was written is newer than what is known.
        if turn.writes() {
            self.gates.forget();
        }
        if turn.events.iter().any(crate::batch::forgives) {
            hold.strikes = 0;
        }
        hold.take(turn, committed.version, committed.dirty);
        hold.now_ms = committed.now_ms;
        hold.read_at_ms = self.parts.clock.monotonic_ms();
    }

    /// After a commit that keeps the lane: read new letters, perform what has been started.
    async fn go_on(
        &self,
        hold: &mut Hold,
        lease: &Arc<Lease>,
        committed: Committed,
    ) -> Result<Next, Trouble> {
        if hold.must_read() {
            self.read_letters(hold).await?;
        }
        match &hold.lane.phase {
            Phase::Running(_) => {
                let report = self.perform(hold, lease, committed.seq).await?;
                Ok(Next::Report(Some(Box::new(report))))
            }
            Phase::Checking(checking) if checking.due_ms() <= self.store_now(hold) => {
                let report = self.observe(hold, lease, committed.seq).await?;
                Ok(Next::Report(Some(Box::new(report))))
            }
            _ => Ok(Next::Report(None)),
        }
    }

    async fn read_letters(&self, hold: &mut Hold) -> Result<(), Trouble> {
        let asked_at_ms = self.parts.clock.monotonic_ms();
        let loaded = self
            .parts
            .store
            .load(hold.lane.id(), hold.lane.version)
            .await?;
        let Some(loaded) = loaded else {
            return Err(Trouble::LeaseLost);
        };
        hold.more_letters = loaded.inbox.len() >= READ_MAX;
        hold.letters = VecDeque::from(loaded.inbox);
        hold.now_ms = loaded.now_ms;
        hold.asked_at_ms = asked_at_ms;
        hold.read_at_ms = self.parts.clock.monotonic_ms();
        Ok(())
    }

    /// The store's clock, carried on by our own since its last answer: it shows at least this. For what
    /// must not begin too early.
    pub(crate) fn store_now(&self, hold: &Hold) -> i64 {
        hold.now_ms + (self.parts.clock.monotonic_ms() - hold.read_at_ms).max(0)
    }

    /// The same, carried on since we asked: it shows at most this, however long the answer was on its
    /// way. For what must not end too late, and for when a call was cut.
    pub(crate) fn store_now_at_most(&self, hold: &Hold) -> i64 {
        hold.now_ms + (self.parts.clock.monotonic_ms() - hold.asked_at_ms).max(0)
    }

    async fn commit(
        &self,
        hold: &Hold,
        lease: &Lease,
        turn: &Turn,
        then: Then,
    ) -> Result<Committed, CommitError> {
        let mut batch = match self.batch(hold, turn, then).await {
            Ok(batch) => batch,
            Err(Trouble::Store(fault)) => return Err(fault.into()),
            Err(fault) => {
                return Err(CommitError::Store(
                    hostler_ports::store::StoreError::Corrupt(fault.to_string()),
                ));
            }
        };
        if !turn.wait_for.is_empty() {
            batch.take = Some(Take::Wait(turn.wait_for.clone()));
        }
        // A ticket that nobody stands behind any more would hold up all others for ever.
        batch.withdraw = batch.take.is_none() && may_wait(&hold.lane);
        self.parts
            .store
            .commit(hold.lane.id(), &lease.fence, hold.header.version, batch)
            .await
    }

    /// What becomes of the lane behind this turn.
    fn then(&self, hold: &Hold, turn: &Turn, tired: bool) -> Then {
        let now_ms = self.store_now(hold);
        let letters_left = turn.letters_used < hold.letters.len() || hold.more_letters;
        match &turn.lane.phase {
            Phase::Ended => Then::End,
            Phase::Running(_) => Then::Keep,
            Phase::Checking(checking) if checking.due_ms() <= now_ms => Then::Keep,
            _ if letters_left || turn.is_full() => {
                if tired {
                    Then::Requeue
                } else {
                    Then::Keep
                }
            }
            _ => Then::Park,
        }
    }
}

/// What a claim itself tells: a copy that was restored, a call nobody answers for, a lane that takes workers down.
fn at_claim(claim: &Claim, hold: &Hold) -> Option<Input> {
    let lane = &hold.lane;
    if let Some(copy) = hold.generation.copy
        && !lane.has_heard_of(copy.at_ms)
    {
        return Some(Input::Restored {
            taken_ms: copy.taken_ms,
            restored_ms: copy.at_ms,
        });
    }
    let in_call = matches!(lane.phase, Phase::Running(_));
    if claim.strikes > STRIKES_BEFORE_ALONE
        && matches!(lane.phase, Phase::Running(_) | Phase::Checking(_))
    {
        let reason = format!(
            "{} workers were lost while they worked on it",
            claim.strikes
        );
        return Some(Input::Quarantine { reason });
    }
    in_call.then_some(Input::Orphaned)
}

/// The phases in which a lane queues for a lock or a slot.
fn may_wait(lane: &Lane) -> bool {
    matches!(lane.phase, Phase::Gated(_) | Phase::Pending(_))
}

fn trouble(fault: CommitError) -> Trouble {
    match fault {
        CommitError::Fence | CommitError::Version { .. } => Trouble::LeaseLost,
        CommitError::Store(fault) => Trouble::Store(fault),
        CommitError::Expect { .. } | CommitError::Busy { .. } | CommitError::Unread => {
            Trouble::LeaseLost
        }
    }
}

pub fn wanted(locks: &[String], slot: Option<&(String, u32)>) -> Vec<Resource> {
    let locks = locks.iter().map(|key| Resource {
        key: key.clone(),
        capacity: 1,
    });
    let slot = slot.map(|(key, capacity)| Resource {
        key: key.clone(),
        capacity: *capacity,
    });
    locks.chain(slot).collect()
}
