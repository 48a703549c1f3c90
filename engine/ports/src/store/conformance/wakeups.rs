//! Every order in which rings, turns and lost leases of one lane can meet, up to a number of rings.
//!
//! Not here: several lanes and chance (`model`).

use super::facts;
use super::kit::*;
use crate::store::{Batch, Claim, CommitError, DocumentWrite, IndexChange, Then, Upkeep};
use hostler_core::id::LaneId;
use std::collections::{HashSet, VecDeque};

facts![no_order_of_rings_and_turns_loses_a_wakeup];

/// Rings in one play: a second one before, between and behind the turns that the first one asked for, and
/// a third one upon both.
const RINGS: usize = 3;
/// Steps of time on the way to the end of a lease: shorter than what the store takes for a stall.
const STEP_MS: i64 = 4_000;
/// States that the rule allows within that.
const STATES: usize = 94;
const DOCUMENT: &str = "freeze";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Place {
    Ready,
    Held,
    Parked,
}

/// What the rule says of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct State {
    place: Place,
    /// Rung while it was held, and the holder was not told.
    dirty: bool,
    unread: usize,
    /// Letters that the holder has read and its next commit uses.
    seen: usize,
    rings: usize,
    /// Somebody lets it go late: there is a claim that is over.
    past: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Letter,
    Change,
    Claim,
    Read,
    Keep,
    Park,
    Requeue,
    Lose,
    Late,
}

const STEPS: [Step; 9] = [
    Step::Letter,
    Step::Change,
    Step::Claim,
    Step::Read,
    Step::Keep,
    Step::Park,
    Step::Requeue,
    Step::Lose,
    Step::Late,
];

impl State {
    const fn first() -> Self {
        Self {
            place: Place::Ready,
            dirty: false,
            unread: 0,
            seen: 0,
            rings: 0,
            past: false,
        }
    }

    fn allows(&self, step: Step) -> bool {
        match step {
            Step::Letter | Step::Change => self.rings < RINGS,
            Step::Claim => true,
            Step::Late => self.past,
            _ => self.place == Place::Held,
        }
    }

    fn rung(self) -> Self {
        let (place, dirty) = match self.place {
            Place::Held => (Place::Held, true),
            Place::Ready | Place::Parked => (Place::Ready, self.dirty),
        };
        let rings = self.rings + 1;
        Self {
            place,
            dirty,
            rings,
            ..self
        }
    }

    /// The letters that were read are used.
    const fn used(self) -> Self {
        Self {
            unread: self.unread - self.seen,
            seen: 0,
            dirty: false,
            ..self
        }
    }

    const fn left(self, place: Place) -> Self {
        Self {
            place,
            past: true,
            ..self
        }
    }

    fn after(self, step: Step) -> Self {
        match step {
            Step::Letter => Self {
                unread: self.unread + 1,
                ..self.rung()
            },
            Step::Change => self.rung(),
            Step::Claim if self.place == Place::Ready => Self {
                place: Place::Held,
                dirty: false,
                seen: 0,
                ..self
            },
            Step::Claim | Step::Late => self,
            Step::Read => Self {
                seen: self.unread,
                ..self
            },
            Step::Keep => self.used(),
            Step::Park if self.dirty || self.unread > self.seen => self.used().left(Place::Ready),
            Step::Park => self.used().left(Place::Parked),
            Step::Requeue => self.used().left(Place::Ready),
            Step::Lose => Self {
                dirty: false,
                seen: 0,
                ..self.left(Place::Ready)
            },
        }
    }
}

/// Walks through every state that can be reached, each by its shortest way, and takes every step from it.
async fn no_order_of_rings_and_turns_loses_a_wakeup(kit: &Kit<'_>) {
    kit.tick().await;
    let mut known = HashSet::from([State::first()]);
    let mut open = VecDeque::from([(State::first(), Vec::new())]);
    let mut plays = 0;
    while let Some((state, way)) = open.pop_front() {
        for step in STEPS.into_iter().filter(|step| state.allows(*step)) {
            let mut way = way.clone();
            way.push(step);
            plays += 1;
            Play::of(kit, plays, &way).await;
            let next = state.after(step);
            if known.insert(next) {
                open.push_back((next, way));
            }
        }
    }
    assert_eq!(known.len(), STATES, "the walk has lost or gained a step");
}

/// One lane of its own, played along one way.
struct Play<'a> {
    kit: &'a Kit<'a>,
    way: &'a [Step],
    lane: LaneId,
    number: u32,
    claim: Option<Claim>,
    past: Option<Claim>,
    version: u64,
    state: State,
}

impl<'a> Play<'a> {
    async fn of(kit: &'a Kit<'a>, number: u32, way: &'a [Step]) {
        let lane = kit.start(number).await;
        let claim = kit.claim_only(lane).await;
        let watch = Batch {
            index: vec![IndexChange::watch(DOCUMENT, lane)],
            then: Then::Requeue,
            ..Batch::default()
        };
        kit.commit(&claim, 1, watch).await;
        let mut play = Self {
            kit,
            way,
            lane,
            number,
            claim: None,
            past: None,
            version: 1,
            state: State::first(),
        };
        for step in way {
            play.take(*step).await;
        }
        play.ends().await;
    }

    async fn take(&mut self, step: Step) {
        let next = self.state.after(step);
        match step {
            Step::Letter => self.letter().await,
            Step::Change => self.change().await,
            Step::Claim => self.claims(next).await,
            Step::Read => self.reads().await,
            Step::Keep => self.commits(Then::Keep, self.state.dirty).await,
            Step::Park => {
                self.commits(Then::Park, next.place == Place::Ready).await;
                self.past = self.claim.take();
            }
            Step::Requeue => {
                self.commits_unasked(Then::Requeue).await;
                self.past = self.claim.take();
            }
            Step::Lose => self.loses().await,
            Step::Late => self.comes_late().await,
        }
        self.state = next;
    }

    async fn letter(&self) {
        let number = u64::from(self.number) * 10 + self.state.rings as u64;
        self.kit.send(self.lane, number).await;
    }

    async fn change(&self) {
        let write = DocumentWrite {
            key: DOCUMENT.to_owned(),
            body: Some("changed".to_owned()),
        };
        let change = Upkeep {
            documents: vec![write],
            ..Upkeep::default()
        };
        self.kit.store().upkeep(change).await.unwrap();
    }

    async fn claims(&mut self, next: State) {
        let claims = self.kit.claim(1).await;
        let is_wanted = next.place == Place::Held && self.state.place == Place::Ready;
        assert_eq!(claims.len(), usize::from(is_wanted), "{:?}", self.way);
        if let Some(claim) = claims.into_iter().next() {
            assert_eq!(claim.lane, self.lane);
            self.claim = Some(claim);
        }
    }

    async fn reads(&self) {
        let letters = self.kit.letters_after(self.lane, self.version).await;
        assert_eq!(letters.len(), self.state.unread, "{:?}", self.way);
    }

    async fn commits(&mut self, then: Then, is_dirty: bool) {
        let dirty = self.commits_unasked(then).await;
        assert_eq!(dirty, is_dirty, "{:?}", self.way);
    }

    async fn commits_unasked(&mut self, then: Then) -> bool {
        let batch = Batch {
            inbox_used: self.state.seen,
            then,
            ..Batch::default()
        };
        let claim = self.claim.as_ref().unwrap();
        self.kit.commit(claim, self.version, batch).await.dirty
    }

    async fn loses(&mut self) {
        for _ in 0..=LEASE_MS / STEP_MS {
            self.kit.advance(STEP_MS).await;
            self.kit.tick().await;
        }
        self.past = self.claim.take();
    }

    async fn comes_late(&self) {
        let past = self.past.as_ref().unwrap();
        let late = self
            .kit
            .try_commit(past, self.version, then(Then::Park))
            .await;
        assert_eq!(late, Err(CommitError::Fence), "{:?}", self.way);
    }

    /// Whoever was rung is there to be claimed, with every letter that nobody used; then the lane ends.
    async fn ends(mut self) {
        if self.state.place == Place::Parked {
            self.kit.nothing_is_ready().await;
            assert_eq!(self.state.unread, 0, "parked over a letter: {:?}", self.way);
            self.take(Step::Change).await;
        }
        if self.state.place == Place::Ready {
            self.take(Step::Claim).await;
        }
        self.reads().await;
        let claim = self.claim.as_ref().unwrap();
        self.kit.commit(claim, self.version, then(Then::End)).await;
    }
}
