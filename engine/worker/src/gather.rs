//! What can be decided between two commits: letters, what has come due, the next step.

use crate::drive::wanted;
use crate::gates::Gated;
use crate::resolve::{Resolved, resolve, resolve_gate};
use crate::scope::View;
use crate::turn::{Hold, Turn};
use crate::{Driver, Trouble};
use hostler_core::command::{Command, Entry, Input, SpawnEntry};
use hostler_core::definition::{Definition, Spawn, Verb};
use hostler_core::event::ChildEnd;
use hostler_core::lane::{
    CallSpec, Children, ChildrenKind, CustomerShare, Item, Lane, Phase, Section,
};
use hostler_core::result::LaneResult;
use hostler_ports::store::{Letter, Resource};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;
use tracing::{debug, info, warn};

impl Driver {
    /// Decides everything that can be decided now. With `blocked`, the next call does not start:
    /// its resources are waited for.
    pub(crate) async fn gather(
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
            let at_ms = self.store_now_at_most(hold);
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
            let letter = self.take_letter(hold, &mut turn, &definition, blocked.is_some());
            let moved = letter.await?
                // What nobody has read yet comes first: it may be the word to stop.
                || (!hold.more_letters
                    && self.advance(hold, &mut turn, &definition, blocked).await?);
            if !moved {
                break;
            }
        }
        Ok(turn)
    }

    /// The list that a decision looks at: of the step that is being entered, or of the present one.
    async fn items_for(&self, turn: &Turn, input: &Input) -> Result<Arc<Vec<Item>>, Trouble> {
        let Input::Enter(Entry::Spawn(spawn)) = input else {
            return self.items(&turn.lane).await;
        };
        let SpawnEntry::Each { items, .. } = &**spawn else {
            return Ok(Arc::default());
        };
        // Not in the store yet: it is written by the commit of this very turn.
        let blob = turn.blobs.iter().find(|blob| blob.digest == *items);
        let blob = blob.ok_or(Trouble::MissingBlob(*items))?;
        let read: Result<Vec<Item>, _> = serde_json::from_slice(&blob.bytes);
        read.map(Arc::new)
            .map_err(|fault| Trouble::Unreadable(fault.to_string()))
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
        blocked: bool,
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
        // A timer only rings: what is due is seen by the clock, once the resources are free.
        if blocked && matches!(input, Input::Command(Command::Timer { .. })) {
            return Ok(true);
        }
        if let Input::Command(Command::Defer { ask }) = input {
            let deferred = self.defer(turn, definition, ask, letter.at_ms).await?;
            if let Err(refusal) = deferred {
                debug!(%refusal, letter = %letter.id, "a deferral was refused");
            }
            return Ok(true);
        }
        if let Input::Command(Command::Consent { ask }) = input {
            let said = self.consent(turn, definition, ask, letter.at_ms).await?;
            if let Err(refusal) = said {
                debug!(%refusal, letter = %letter.id, "a consent was refused");
            }
            return Ok(true);
        }
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
        let unreached = self.unreached(&turn.lane, definition, now_ms).await?;
        let input = match &turn.lane.phase {
            // Whatever the lane waits for, its customers hear of what goes on.
            _ if unreached.is_some() => unreached,
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
                turn.wait_for = wanted(&[], pending.running.call.slot.as_ref());
                None
            }
            Phase::Person(person) => person
                .expires_ms
                .filter(|end| *end <= now_ms)
                .map(|_| Input::Continue),
            _ => None,
        };
        let Some(input) = input else { return Ok(false) };
        let items = self.items_for(turn, &input).await?;
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
        let lane = &turn.lane;
        let undo_of = lane.undo.last().and_then(|entry| entry.child);
        if let (Section::Undo, Some(of)) = (lane.cursor.section, undo_of) {
            return Ok(Some(Input::Enter(Entry::UndoChild { of })));
        }
        let view = View::of(self, lane, now_ms).await?;
        let Some(program) = view.program() else {
            return Ok(None);
        };
        let Some(step) = view.step(&program) else {
            return Ok(None);
        };
        let Resolved { entry, blobs } = resolve(&view, step).await?;
        let Gated {
            entry,
            expect,
            spends,
            marks,
        } = self.gated(&view, step, entry).await?;
        turn.blobs.extend(blobs);
        for expect in expect {
            if !turn.expect.contains(&expect) {
                turn.expect.push(expect);
            }
        }
        if let (Entry::Do(call), Some(resource)) = (&entry, blocked) {
            turn.wait_for = ticket(call, resource);
            return Ok(Some(Input::Blocked {
                resource: resource.to_owned(),
            }));
        }
        (turn.spends, turn.marks) = (spends, marks);
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
        let doubtful = |share: &CustomerShare| share.is_compared(now_ms);
        let doubtful = lane.stop.is_none() && children.customers.values().any(doubtful);
        if !doubtful && (!children.live.is_empty() || lane.stop.is_some()) {
            return Ok(Some(Input::Continue));
        }
        let mut view = View::of(self, &lane, now_ms).await?;
        let program = view.program().map(Cow::into_owned);
        let Some(step) = program.as_ref().and_then(|program| lane.step(program)) else {
            return Ok(None);
        };
        if doubtful {
            let compared = self.comparisons(&view, step).await?;
            return Ok(Some(Input::Compared(compared)));
        }
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
}

fn next_child_end(letters: &VecDeque<Letter>, at: usize) -> Option<ChildEnd> {
    match serde_json::from_str(&letters.get(at)?.body).ok()? {
        Command::ChildEnded { end } => Some(end),
        _ => None,
    }
}

fn waits_for_judgement(children: &Children, has_until: bool) -> bool {
    children.kind == ChildrenKind::Rounds
        && has_until
        && children.next_round_ms.is_none()
        && children
            .last
            .is_some_and(|result| result.is_done() || result == LaneResult::Nothing)
}

fn with_local(lane: &Lane, name: &str, value: Value) -> Lane {
    let mut opening = (*lane.opening).clone();
    opening.locals.insert(name.to_owned(), value);
    Lane {
        opening: Arc::new(opening),
        ..lane.clone()
    }
}

fn wave_value(children: &Children) -> Value {
    json!({
        "name": children.present_wave().map(|wave| wave.name.clone()),
        "failed": children.wave_tally.failures(),
        "done": children.wave_tally.count(LaneResult::is_done),
        "held": children.wave_tally.count(LaneResult::is_held),
        "ended": children.wave_tally.total(),
        "stopped": children.stopped,
    })
}

/// What a blocked call queues for: its locks or its slot, never both. The holder of a lock wants
/// slots; a ticket that waited for both would stand before it at the slot, and each would wait for
/// the other.
fn ticket(call: &CallSpec, blocked: &str) -> Vec<Resource> {
    if call.locks.iter().any(|lock| lock == blocked) {
        wanted(&call.locks, None)
    } else {
        wanted(&[], call.slot.as_ref())
    }
}
