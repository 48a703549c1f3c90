//! One claimed lane: decide, commit, perform, report, until it waits, ends, or is lost.

use crate::held::Lease;
use crate::resolve::{Resolved, resolve, resolve_gate};
use crate::scope::View;
use crate::turn::{Hold, Turn, read_lane};
use crate::{Driver, Trouble};
use hostler_core::command::{Command, Entry, Input};
use hostler_core::definition::{Definition, Spawn, Verb};
use hostler_core::event::ChildEnd;
use hostler_core::lane::{ChildrenKind, Item, Lane, Phase};
use hostler_ports::store::{
    Batch, Claim, CommitError, Committed, READ_MAX, Resource, STRIKES_BEFORE_ALONE, Take, Then,
};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;
use tracing::{Instrument, debug, info, info_span, warn};

/// Steps after which a lane lets others go first.
const STEPS_MAX: u32 = 64;
/// The same in time, by the monotonic clock.
const SLICE_MS: i64 = 5_000;
/// Turns of one claim in any case: a lane that decides in circles is put back.
const TURNS_MAX: u32 = 1_000;

/// What happens after a commit.
enum Next {
    /// Begin another turn, with this to report first.
    Report(Option<Input>),
    Leave,
}

impl Driver {
    /// Moves one claimed lane. Never fails: what cannot be done now is claimed again.
    pub async fn drive(self: Arc<Self>, claim: Claim) {
        let asked_ms = self.parts.clock.monotonic_ms();
        let lease = self.held.enter(&claim, asked_ms);
        let span = info_span!("lane", lane = %claim.lane, run = %claim.header.run);
        if let Err(trouble) = self.work(&claim, &lease).instrument(span).await {
            match trouble {
                Trouble::LeaseLost => info!(lane = %claim.lane, "let go: the lease was lost"),
                Trouble::Unreadable(_) | Trouble::MissingBlob(_) => {
                    self.shelve(&claim, &lease, &trouble).await
                }
                other => warn!(lane = %claim.lane, fault = %other, "let go"),
            }
        }
        self.held.leave(&lease);
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

    async fn work(&self, claim: &Claim, lease: &Arc<Lease>) -> Result<(), Trouble> {
        let known = self.cache.take_lane(claim.lane, claim.header.version);
        let mut hold = read_lane(&*self.parts.store, claim.lane, known).await?;
        hold.read_at_ms = self.parts.clock.monotonic_ms();
        let began_ms = hold.read_at_ms;
        let mut report = at_claim(claim, &hold.lane);
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
                Next::Report(next) => report = next,
            }
            steps += u32::from(hold.lane.version != version);
        }
        Ok(())
    }

    async fn one_turn(
        &self,
        hold: &mut Hold,
        lease: &Arc<Lease>,
        report: Option<Input>,
        tired: bool,
    ) -> Result<Next, Trouble> {
        let mut turn = self.gather(hold, report.clone(), None).await?;
        let committed = match self.commit(hold, lease, &turn, tired).await {
            Err(CommitError::Busy { resource, .. }) => {
                debug!(%resource, "waits");
                turn = self.gather(hold, report, Some(&resource)).await?;
                self.commit(hold, lease, &turn, tired).await
            }
            outcome => outcome,
        };
        let committed = committed.map_err(trouble)?;
        let then = self.then(hold, &turn, tired);
        self.settle_hold(hold, turn, committed);
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
        hold.lane = turn.lane;
        hold.header.version = committed.version;
        hold.now_ms = committed.now_ms;
        hold.read_at_ms = self.parts.clock.monotonic_ms();
        hold.more_letters |= committed.dirty;
    }

    /// After a commit that keeps the lane: read new letters, perform what has been started.
    async fn go_on(
        &self,
        hold: &mut Hold,
        lease: &Arc<Lease>,
        committed: Committed,
    ) -> Result<Next, Trouble> {
        if hold.more_letters && hold.letters.is_empty() {
            self.read_letters(hold).await?;
        }
        match &hold.lane.phase {
            Phase::Running(_) => Ok(Next::Report(Some(
                self.perform(hold, lease, committed.seq).await?,
            ))),
            Phase::Checking(checking) if checking.ask_ms <= self.store_now(hold) => Ok(
                Next::Report(Some(self.observe(hold, lease, committed.seq).await?)),
            ),
            _ => Ok(Next::Report(None)),
        }
    }

    async fn read_letters(&self, hold: &mut Hold) -> Result<(), Trouble> {
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
        hold.read_at_ms = self.parts.clock.monotonic_ms();
        Ok(())
    }

    /// The store's clock, carried on by our own since its last answer.
    pub(crate) fn store_now(&self, hold: &Hold) -> i64 {
        hold.now_ms + (self.parts.clock.monotonic_ms() - hold.read_at_ms).max(0)
    }

    /// Decides everything that can be decided now. With `blocked`, the next call does not start:
    /// its resources are waited for.
    async fn gather(
        &self,
        hold: &Hold,
        report: Option<Input>,
        blocked: Option<&str>,
    ) -> Result<Turn, Trouble> {
        let mut turn = Turn::new(&hold.lane);
        let store = &*self.parts.store;
        let definition = self
            .cache
            .definition(store, hold.lane.opening.definition)
            .await?;
        if let Some(input) = report {
            let at_ms = self.store_now(hold);
            let items = self.items(&turn.lane).await?;
            if let Err(refusal) = turn.decide(
                &definition,
                &items,
                self.parts.settings.settle_ms,
                input,
                at_ms,
            ) {
                info!(%refusal, "the report came too late");
            }
        }
        // Each round uses a letter or records events, both of which are bounded.
        while !turn.is_full() && !turn.lane.has_ended() {
            let moved = self.take_letter(hold, &mut turn, &definition).await?
                || self.advance(hold, &mut turn, &definition, blocked).await?;
            if !moved {
                break;
            }
        }
        Ok(turn)
    }

    pub(crate) async fn items(&self, lane: &Lane) -> Result<Arc<Vec<Item>>, Trouble> {
        let each = lane
            .children
            .as_ref()
            .filter(|children| children.kind == ChildrenKind::Each);
        match each.and_then(|children| children.items) {
            Some(digest) => self.cache.items(&*self.parts.store, digest).await,
            None => Ok(Arc::default()),
        }
    }

    /// Decides the next letter; ends of children are taken together.
    async fn take_letter(
        &self,
        hold: &Hold,
        turn: &mut Turn,
        definition: &Definition,
    ) -> Result<bool, Trouble> {
        let Some(letter) = hold.letters.get(turn.letters_used) else {
            return Ok(false);
        };
        turn.letters_used += 1;
        let mut input = match serde_json::from_str(&letter.body) {
            Ok(command) => Input::Command(command),
            Err(fault) => {
                warn!(%fault, letter = %letter.id, "a letter cannot be read and is dropped");
                return Ok(true);
            }
        };
        if let Input::Command(Command::ChildEnded { end }) = input {
            let mut ends = vec![end];
            while let Some(end) = next_child_end(&hold.letters, turn.letters_used) {
                ends.push(end);
                turn.letters_used += 1;
            }
            input = Input::ChildrenEnded(ends);
        }
        let items = self.items(&turn.lane).await?;
        if let Err(refusal) = turn.decide(
            definition,
            &items,
            self.parts.settings.settle_ms,
            input,
            letter.at_ms,
        ) {
            debug!(%refusal, letter = %letter.id, "a command was refused");
        }
        Ok(true)
    }

    /// One move that nobody asked for: what has come due, or the next step.
    async fn advance(
        &self,
        hold: &Hold,
        turn: &mut Turn,
        definition: &Definition,
        blocked: Option<&str>,
    ) -> Result<bool, Trouble> {
        let now_ms = self.store_now(hold);
        let input = match &turn.lane.phase {
            Phase::At | Phase::Gated(_) if !turn.lane.paused => {
                self.entering(turn, now_ms, blocked).await?
            }
            Phase::Children if !turn.lane.paused => self.beside_children(turn, now_ms).await?,
            Phase::Backoff { until_ms } | Phase::Waiting { until_ms } => {
                (*until_ms <= now_ms).then_some(Input::Continue)
            }
            Phase::Pending(pending) if blocked.is_none() => {
                (pending.resume_ms <= now_ms && !turn.lane.paused).then_some(Input::Continue)
            }
            Phase::Pending(pending) => {
                turn.wait_for = wanted(
                    &pending.running.call.locks,
                    pending.running.call.slot.as_ref(),
                );
                None
            }
            Phase::Person(person) => person
                .expires_ms
                .filter(|end| *end <= now_ms)
                .map(|_| Input::Continue),
            _ => None,
        };
        let Some(input) = input else { return Ok(false) };
        let items = self.items(&turn.lane).await?;
        let before = turn.events.len();
        match turn.decide(
            definition,
            &items,
            self.parts.settings.settle_ms,
            input,
            now_ms,
        ) {
            Ok(()) => Ok(turn.events.len() > before),
            Err(refusal) => {
                debug!(%refusal, "nothing to go on with");
                Ok(false)
            }
        }
    }

    /// Evaluates the step under the cursor.
    async fn entering(
        &self,
        turn: &mut Turn,
        now_ms: i64,
        blocked: Option<&str>,
    ) -> Result<Option<Input>, Trouble> {
        let lane = turn.lane.clone();
        let view = View::of(self, &lane, now_ms).await?;
        let undo_of = lane.undo.last().and_then(|entry| entry.child);
        if let (hostler_core::lane::Section::Undo, Some(of)) = (lane.cursor.section, undo_of) {
            return Ok(Some(Input::Enter(Entry::UndoChild { of })));
        }
        let Some(program) = view.program() else {
            return Ok(None);
        };
        let Some(step) = view.step(&program) else {
            return Ok(None);
        };
        let Resolved { entry, blobs } = resolve(&view, step).await?;
        turn.blobs.extend(blobs);
        if let (Entry::Do(call), Some(resource)) = (&entry, blocked) {
            turn.wait_for = wanted(&call.locks, call.slot.as_ref());
            return Ok(Some(Input::Blocked {
                resource: resource.to_owned(),
            }));
        }
        Ok(Some(Input::Enter(entry)))
    }

    /// Gates between waves, the judgement of a round, more admissions.
    async fn beside_children(
        &self,
        turn: &mut Turn,
        now_ms: i64,
    ) -> Result<Option<Input>, Trouble> {
        let lane = turn.lane.clone();
        let Some(children) = lane.children.as_deref() else {
            return Ok(None);
        };
        if !children.live.is_empty() || lane.stop.is_some() {
            return Ok(Some(Input::Continue));
        }
        let mut view = View::of(self, &lane, now_ms).await?;
        let program = view.program().map(std::borrow::Cow::into_owned);
        let Some(step) = program.as_ref().and_then(|program| lane.step(program)) else {
            return Ok(None);
        };
        match &step.verb {
            Verb::Spawn(Spawn::Each(each))
                if children.gate_due && children.soak_until_ms.is_none() =>
            {
                let Some(gate) = &each.gate else {
                    return Ok(Some(Input::Continue));
                };
                let with_wave = with_local(&lane, "wave", wave_value(children));
                view.lane = &with_wave;
                let (ask, blobs) = resolve_gate(&view, &gate.approve).await?;
                turn.blobs.extend(blobs);
                Ok(Some(Input::EnterGate(ask)))
            }
            Verb::Spawn(Spawn::Repeat(repeat))
                if waits_for_judgement(children, repeat.until.is_some()) =>
            {
                let until = self.judge(&view, step, repeat.until.as_ref()).await?;
                Ok(Some(Input::RoundJudged { until }))
            }
            _ => Ok(Some(Input::Continue)),
        }
    }

    async fn commit(
        &self,
        hold: &Hold,
        lease: &Lease,
        turn: &Turn,
        tired: bool,
    ) -> Result<Committed, CommitError> {
        let mut batch = match self.batch(hold, turn).await {
            Ok(batch) => batch,
            Err(Trouble::Store(fault)) => return Err(fault.into()),
            Err(fault) => {
                return Err(CommitError::Store(
                    hostler_ports::store::StoreError::Corrupt(fault.to_string()),
                ));
            }
        };
        batch.then = self.then(hold, turn, tired);
        if !turn.wait_for.is_empty() {
            batch.take = Some(Take::Wait(turn.wait_for.clone()));
        }
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
            Phase::Checking(checking) if checking.ask_ms <= now_ms => Then::Keep,
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

/// What a claim itself tells: a call nobody answers for, a lane that takes workers down.
fn at_claim(claim: &Claim, lane: &Lane) -> Option<Input> {
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

fn trouble(fault: CommitError) -> Trouble {
    match fault {
        CommitError::Fence | CommitError::Version { .. } => Trouble::LeaseLost,
        CommitError::Store(fault) => Trouble::Store(fault),
        CommitError::Expect { .. } | CommitError::Busy { .. } => Trouble::LeaseLost,
    }
}

fn next_child_end(letters: &VecDeque<hostler_ports::store::Letter>, at: usize) -> Option<ChildEnd> {
    match serde_json::from_str(&letters.get(at)?.body).ok()? {
        Command::ChildEnded { end } => Some(end),
        _ => None,
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

fn waits_for_judgement(children: &hostler_core::lane::Children, has_until: bool) -> bool {
    children.kind == ChildrenKind::Rounds
        && has_until
        && children.next_round_ms.is_none()
        && children.last.is_some_and(|result| {
            result.is_done() || result == hostler_core::result::LaneResult::Nothing
        })
}

fn with_local(lane: &Lane, name: &str, value: Value) -> Lane {
    let mut opening = (*lane.opening).clone();
    opening.locals.insert(name.to_owned(), value);
    Lane {
        opening: Arc::new(opening),
        ..lane.clone()
    }
}

fn wave_value(children: &hostler_core::lane::Children) -> Value {
    json!({
        "name": children.present_wave().map(|wave| wave.name.clone()),
        "failed": children.wave_tally.failures(),
        "done": children.wave_tally.count(hostler_core::result::LaneResult::is_done),
        "held": children.wave_tally.count(hostler_core::result::LaneResult::is_held),
        "ended": children.wave_tally.total(),
        "stopped": children.stopped,
    })
}
