//! Random runs against a model, printed and repeated by their seed.
//!
//! Not here: facts about single calls.

use super::Effort;
use super::kit::*;
use crate::store::{Batch, Claim, CommitError, Take, Then};
use hostler_core::id::LaneId;
use std::collections::{HashMap, HashSet, VecDeque};

const LANES: u32 = 12;
/// A lease in the model is short, so that random steps outlive it.
const STEP_MS: i64 = 1_000;

struct Modelled {
    lane: LaneId,
    version: u64,
    unread: VecDeque<String>,
    /// Letters that the current holder has seen.
    claim: Option<Claim>,
    expires_ms: i64,
    dirty: bool,
}

struct Model {
    lanes: Vec<Modelled>,
    ready: VecDeque<usize>,
    commands: u64,
    now_ms: i64,
    read: usize,
}

impl Model {
    fn ring(&mut self, at: usize) {
        if self.lanes[at].claim.is_some() {
            self.lanes[at].dirty = true;
        } else if !self.ready.contains(&at) {
            self.ready.push_back(at);
        }
    }

    fn leave(&mut self, at: usize, to_ready: bool) {
        self.lanes[at].claim = None;
        self.lanes[at].dirty = false;
        if to_ready {
            self.ready.push_back(at);
        }
    }
}

/// Rings, parks, requeues, loses leases and claims at random; the store must hand out exactly the
/// lanes that the model holds ready, in its order, with exactly the unread letters.
pub async fn no_wakeup_is_lost(kit: &Kit<'_>, effort: Effort) {
    let mut chance = Chance::new(effort.seed);
    let mut model = Model {
        lanes: vec![],
        ready: VecDeque::new(),
        commands: 0,
        now_ms: 0,
        read: 0,
    };
    for number in 0..LANES {
        let lane = kit.start(number).await;
        let (unread, claim) = (VecDeque::new(), None);
        model.lanes.push(Modelled {
            lane,
            version: 1,
            unread,
            claim,
            expires_ms: 0,
            dirty: false,
        });
        model.ready.push_back(number as usize);
    }
    kit.tick().await;
    for step in 0..effort.model_steps {
        let at = chance.below(LANES as usize);
        match chance.below(10) {
            0..=3 => ring_one(kit, &mut model, at).await,
            4 | 5 => claim_some(kit, &mut model, 1 + chance.below(3), step).await,
            6..=8 => commit_one(kit, &mut model, at, &mut chance).await,
            _ => pass_time(kit, &mut model, &mut chance).await,
        }
    }
    drain(kit, &mut model).await;
    assert_eq!(
        model.read as u64, model.commands,
        "every letter was read once"
    );
}

async fn ring_one(kit: &Kit<'_>, model: &mut Model, at: usize) {
    model.commands += 1;
    kit.send(model.lanes[at].lane, model.commands).await;
    model.lanes[at]
        .unread
        .push_back(format!("command {}", model.commands));
    model.ring(at);
}

async fn claim_some(kit: &Kit<'_>, model: &mut Model, max: usize, step: usize) {
    let expected: Vec<usize> = model.ready.drain(..max.min(model.ready.len())).collect();
    let claims = kit.claim(max).await;
    let lanes: Vec<LaneId> = expected.iter().map(|at| model.lanes[*at].lane).collect();
    assert_eq!(
        claims.iter().map(|claim| claim.lane).collect::<Vec<_>>(),
        lanes,
        "at step {step}"
    );
    for (at, claim) in expected.into_iter().zip(claims) {
        let lane = &mut model.lanes[at];
        if let Some(carried) = &claim.carried {
            let brought = carried.lane.inbox.iter().map(|letter| &letter.body);
            assert!(brought.eq(&lane.unread), "at step {step}");
            assert_eq!(carried.lane.events.len() as u64, lane.version);
        }
        (lane.claim, lane.dirty, lane.expires_ms) = (Some(claim), false, model.now_ms + LEASE_MS);
    }
}

async fn commit_one(kit: &Kit<'_>, model: &mut Model, at: usize, chance: &mut Chance) {
    let lane = &mut model.lanes[at];
    let Some(claim) = lane.claim.clone() else {
        let stale = Claim {
            fence: foreign_fence(),
            ..stray(kit, lane.lane).await
        };
        assert_eq!(
            kit.try_commit(&stale, lane.version, events(&["x"])).await,
            Err(CommitError::Fence)
        );
        return;
    };
    let letters = kit.letters_after(lane.lane, lane.version).await;
    assert_eq!(letters, Vec::from(lane.unread.clone()));
    let used = chance.below(letters.len() + 1);
    let then = [Then::Keep, Then::Park, Then::Park, Then::Requeue][chance.below(4)];
    let events = letters[..used].to_vec();
    let done = kit.commit(
        &claim,
        lane.version,
        Batch {
            events,
            inbox_used: used,
            then,
            ..Batch::default()
        },
    );
    let done = done.await;
    lane.version += used as u64;
    lane.unread.drain(..used);
    model.read += used;
    assert_eq!(done.version, lane.version);
    let dirty = std::mem::take(&mut lane.dirty);
    let more = dirty || !lane.unread.is_empty();
    match then {
        Then::Keep => assert_eq!(done.dirty, dirty),
        Then::Requeue => model.leave(at, true),
        _ => model.leave(at, more),
    }
}

/// Something of the right shape for a lane that the model does not hold.
async fn stray(kit: &Kit<'_>, lane: LaneId) -> Claim {
    let header = kit.load(lane).await.header;
    Claim {
        lane,
        fence: foreign_fence(),
        strikes: 0,
        alone: false,
        header,
        carried: None,
    }
}

async fn pass_time(kit: &Kit<'_>, model: &mut Model, chance: &mut Chance) {
    for _ in 0..1 + chance.below(4) {
        kit.advance(STEP_MS).await;
        model.now_ms += STEP_MS;
        let ticked = kit.tick().await;
        let mut expired: Vec<usize> = (0..model.lanes.len())
            .filter(|at| {
                model.lanes[*at].claim.is_some() && model.lanes[*at].expires_ms <= model.now_ms
            })
            .collect();
        assert_eq!(ticked.leases_expired, expired.len());
        expired.sort_by_key(|at| (model.lanes[*at].expires_ms, model.lanes[*at].lane));
        for at in expired {
            model.leave(at, true);
        }
    }
}

/// Gives every lane back and reads what is left.
async fn drain(kit: &Kit<'_>, model: &mut Model) {
    for lane in &mut model.lanes {
        if let Some(claim) = lane.claim.take() {
            kit.commit(&claim, lane.version, then(Then::Requeue)).await;
        }
    }
    let claims: HashMap<LaneId, Claim> = kit
        .claim(99)
        .await
        .into_iter()
        .map(|c| (c.lane, c))
        .collect();
    for lane in &mut model.lanes {
        assert!(
            lane.unread.is_empty() || claims.contains_key(&lane.lane),
            "a wake-up was lost"
        );
        if claims.contains_key(&lane.lane) {
            let letters = kit.letters_after(lane.lane, lane.version).await;
            assert_eq!(letters, Vec::from(lane.unread.clone()));
            model.read += letters.len();
        }
    }
}

const RESOURCES: [&str; 5] = ["a", "b", "c", "d", "e"];
const WORKERS: u32 = 10;

/// Lanes demand random sets of locks at random, hold them for a while and let go. All of them must
/// come through: a round in which nobody is ready and nobody holds is a deadlock or a lost ring.
pub async fn locks_never_deadlock(kit: &Kit<'_>, effort: Effort) {
    let mut chance = Chance::new(effort.seed ^ 0x10c5);
    let mut granted: HashMap<LaneId, (Claim, Vec<&str>)> = HashMap::new();
    let mut wishes: HashMap<LaneId, Vec<&str>> = HashMap::new();
    for number in 0..WORKERS {
        kit.start(number).await;
    }
    let mut grants = 0;
    for _ in 0..effort.lock_steps {
        if chance.below(3) == 0 {
            let_one_go(kit, &mut granted, &mut chance).await;
        }
        for claim in kit.claim(1 + chance.below(3)).await {
            let wish = wishes
                .entry(claim.lane)
                .or_insert_with(|| some_of(&mut chance))
                .clone();
            if demand(kit, &claim, &wish).await {
                assert_exclusive(&granted, &wish);
                wishes.remove(&claim.lane);
                granted.insert(claim.lane, (claim, wish));
                grants += 1;
            }
        }
        let ready = kit.store().counts().await.unwrap().ready;
        assert!(
            ready > 0 || !granted.is_empty(),
            "deadlock after {grants} grants, seed {}",
            effort.seed
        );
    }
    while !granted.is_empty() {
        let_one_go(kit, &mut granted, &mut chance).await;
    }
    for key in RESOURCES {
        assert!(kit.holders(key).await.is_empty(), "{key} leaked");
    }
    assert!(grants > effort.lock_steps / 8, "only {grants} grants");
}

fn some_of(chance: &mut Chance) -> Vec<&'static str> {
    let mut wish: Vec<&str> = RESOURCES
        .into_iter()
        .filter(|_| chance.below(5) < 2)
        .collect();
    if wish.is_empty() {
        wish.push(RESOURCES[chance.below(RESOURCES.len())]);
    }
    if chance.below(2) == 0 {
        wish.reverse();
    }
    wish
}

/// Takes them now or waits; answers whether it has them.
async fn demand(kit: &Kit<'_>, claim: &Claim, wish: &[&str]) -> bool {
    let now = Batch {
        take: Some(Take::Now(locks(wish))),
        ..Batch::default()
    };
    match kit.try_commit(claim, 1, now).await {
        Ok(_) => true,
        Err(CommitError::Busy { .. }) => {
            kit.wait_for(claim, 1, wish).await;
            false
        }
        Err(other) => panic!("{other}"),
    }
}

fn assert_exclusive(granted: &HashMap<LaneId, (Claim, Vec<&str>)>, wish: &[&str]) {
    let held: HashSet<&str> = granted
        .values()
        .flat_map(|(_, keys)| keys.iter().copied())
        .collect();
    assert!(
        wish.iter().all(|key| !held.contains(key)),
        "{wish:?} although {held:?} are held"
    );
}

async fn let_one_go(
    kit: &Kit<'_>,
    granted: &mut HashMap<LaneId, (Claim, Vec<&str>)>,
    chance: &mut Chance,
) {
    let mut lanes: Vec<LaneId> = granted.keys().copied().collect();
    if lanes.is_empty() {
        return;
    }
    lanes.sort();
    let (claim, keys) = granted.remove(&lanes[chance.below(lanes.len())]).unwrap();
    let release = keys.iter().map(ToString::to_string).collect();
    kit.commit(
        &claim,
        1,
        Batch {
            release,
            then: Then::Requeue,
            ..Batch::default()
        },
    )
    .await;
}
