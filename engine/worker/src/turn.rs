//! One turn of a lane: everything that is decided between two commits.

use crate::Trouble;
use crate::gates::budget::Spends;
use crate::leases::keeps_off;
use hostler_core::apply::apply;
use hostler_core::command::Input;
use hostler_core::decide::{ADMIT_MAX, Context, decide};
use hostler_core::definition::Definition;
use hostler_core::effect::Effect;
use hostler_core::event::Event;
use hostler_core::event::Recorded;
use hostler_core::id::LaneId;
use hostler_core::lane::{Item, Lane, Phase};
use hostler_core::refusal::Refusal;
use hostler_ports::store::generation::Generation;
use hostler_ports::store::{
    Blob, DocumentWrite, Expect, Header, Letter, Loaded, Post, READ_MAX, Resource, Store,
};
use std::collections::VecDeque;
use std::sync::Arc;

/// Events behind the newest snapshot before another one is written.
const SNAPSHOT_EVERY: u64 = 100;
/// Events gathered before a commit is made in any case.
pub const EVENTS_MAX: usize = 100;

/// A lane as this worker has it.
pub struct Hold {
    pub lane: Lane,
    pub header: Header,
    pub letters: VecDeque<Letter>,
    /// More letters may lie in the store than were read.
    pub more_letters: bool,
    /// Store's clock in its last answer, and our own clock when we asked and when the answer came.
    pub now_ms: i64,
    pub asked_at_ms: i64,
    pub read_at_ms: i64,
    pub snapshot_version: u64,
    /// Strikes that a success forgives.
    pub strikes: u32,
    /// The rows in lists are older than the log.
    pub unshown: bool,
    /// What the store was last told: a host call is in flight.
    pub in_call: bool,
    /// The store's, when the lane was read.
    pub generation: Generation,
}

impl Hold {
    /// The newest snapshot lies too far behind what this turn makes of the lane.
    pub fn wants_snapshot(&self, turn: &Turn) -> bool {
        !turn.events.is_empty() && turn.lane.version >= self.snapshot_version + SNAPSHOT_EVERY
    }

    /// Letters lie in the store that must be read before anything else.
    pub fn must_read(&self) -> bool {
        self.more_letters && self.letters.is_empty()
    }

    /// The commit of this turn was carried out.
    pub fn take(&mut self, turn: Turn, version: u64, dirty: bool) {
        if self.wants_snapshot(&turn) {
            self.snapshot_version = turn.lane.version;
        }
        self.in_call = turn.in_call();
        self.lane = turn.lane;
        self.header.version = version;
        self.more_letters |= dirty;
    }
}

/// What one commit will write.
pub struct Turn {
    pub lane: Lane,
    pub events: Vec<Recorded>,
    pub effects: Vec<Effect>,
    pub letters_used: usize,
    pub blobs: Vec<Blob>,
    /// Wanted resources were taken: queue a ticket for them.
    pub wait_for: Vec<Resource>,
    /// What an open gate was read from: must still be so.
    pub expect: Vec<Expect>,
    /// What the call that begins behind this turn spends.
    pub spends: Option<Spends>,
    /// What the call that begins behind this turn says of the turn of its server.
    pub marks: Option<DocumentWrite>,
    /// What a deferral or a consent writes; nothing more is decided behind it.
    pub writes: Vec<DocumentWrite>,
    /// Rings for lanes that were put off.
    pub posts: Vec<Post>,
    /// It opens a lease that keeps something off; what is next is judged behind the commit.
    pub keeps_off: bool,
}

impl Turn {
    pub fn new(lane: &Lane) -> Self {
        Self {
            lane: lane.clone(),
            events: Vec::new(),
            effects: Vec::new(),
            letters_used: 0,
            blobs: Vec::new(),
            wait_for: Vec::new(),
            expect: Vec::new(),
            spends: None,
            marks: None,
            writes: Vec::new(),
            posts: Vec::new(),
            keeps_off: false,
        }
    }

    /// A host call goes on behind this turn.
    pub fn in_call(&self) -> bool {
        matches!(self.lane.phase, Phase::Running(_) | Phase::Checking(_))
    }

    /// A host call is to begin behind this turn.
    pub fn begins(&self) -> bool {
        let begins = |effect: &Effect| matches!(effect, Effect::Perform | Effect::Resume);
        self.effects.iter().any(begins)
    }

    /// It writes documents that are remembered.
    pub fn writes(&self) -> bool {
        let by_gates = self.spends.is_some() || self.marks.is_some();
        by_gates || !self.writes.is_empty() || self.keeps_off
    }

    pub fn is_full(&self) -> bool {
        let admitted = |effect: &Effect| match effect {
            Effect::SpawnChildren { children } => children.len(),
            _ => 0,
        };
        self.events.len() >= EVENTS_MAX
            || !self.writes.is_empty()
            || self.keeps_off
            || self.effects.iter().map(admitted).sum::<usize>() >= ADMIT_MAX
    }

    pub fn decide(
        &mut self,
        definition: &Definition,
        items: &[Item],
        settle_ms: i64,
        input: Input,
        at_ms: i64,
    ) -> Result<(), Refusal> {
        let context = Context {
            definition,
            items,
            settle_ms,
        };
        let decision = decide(context, &self.lane, input, at_ms)?;
        self.keeps_off |= keeps_off(&decision.lane, definition, &decision.effects);
        self.lane = decision.lane;
        self.events.extend(decision.events);
        self.effects.extend(decision.effects);
        Ok(())
    }
}

/// Reads a lane from its snapshot and log, going on from a state that is known already, and from what a
/// claim has brought.
pub async fn read_lane(
    store: &dyn Store,
    id: LaneId,
    known: Option<Arc<Lane>>,
    mut carried: Option<Loaded>,
) -> Result<Hold, Trouble> {
    let mut lane: Option<Lane> = known.map(Arc::unwrap_or_clone);
    let mut snapshot_version = 0;
    // Every round reads READ_MAX events; a snapshot lies at most a few hundred events back.
    loop {
        let from = lane.as_ref().map_or(0, |lane| lane.version);
        let gone = || Trouble::Unreadable("the store knows no such lane".to_owned());
        let loaded = match carried.take() {
            Some(loaded) => loaded,
            None => store.load(id, from).await?.ok_or_else(gone)?,
        };
        if let Some((version, text)) = &loaded.snapshot {
            if *version > from {
                let state = serde_json::from_str(text);
                lane = Some(state.map_err(|fault| Trouble::Unreadable(fault.to_string()))?);
            }
            snapshot_version = *version;
        }
        fold_onto(&mut lane, loaded.events_from, &loaded.events)?;
        if let Some(lane) = lane.take_if(|lane| lane.version >= loaded.header.version) {
            let more_letters = loaded.inbox.len() >= READ_MAX;
            return Ok(Hold {
                lane,
                header: loaded.header,
                letters: loaded.inbox.into(),
                more_letters,
                now_ms: loaded.now_ms,
                asked_at_ms: 0,
                read_at_ms: 0,
                snapshot_version,
                strikes: 0,
                unshown: false,
                in_call: false,
                generation: loaded.generation,
            });
        }
        if loaded.events.is_empty() {
            return Err(Trouble::Unreadable(
                "the log is shorter than its header says".to_owned(),
            ));
        }
    }
}

/// What every reading of a log goes through.
pub fn fold_onto(lane: &mut Option<Lane>, from: u64, events: &[String]) -> Result<(), Trouble> {
    let known = lane.as_ref().map_or(0, |lane| lane.version);
    let skip = usize::try_from(known.saturating_sub(from)).unwrap_or(usize::MAX);
    for text in events.iter().skip(skip) {
        let recorded = Recorded::read(text)?;
        match (&mut *lane, &recorded.event) {
            (Some(lane), _) => apply(lane, &recorded),
            (None, Event::LaneOpened { opening }) => {
                *lane = Some(Lane::open((**opening).clone(), recorded.at_ms));
            }
            (None, _) => {
                return Err(Trouble::Unreadable(
                    "the log does not begin with an opening".to_owned(),
                ));
            }
        }
    }
    Ok(())
}
