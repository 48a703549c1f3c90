//! The ground truth behind the plugins: what really happened at the target, and when.
//!
//! Not here: what anybody believes about it.

use hostler_core::id::LaneId;
use std::collections::BTreeMap;
use uuid::Uuid;

/// A request that changes something, on its way to the target.
#[derive(Clone, Debug)]
pub struct Request {
    pub key: Uuid,
    pub lane: LaneId,
    pub action: String,
    /// Takes something back.
    pub undoes: bool,
    /// True time at which it was begun.
    pub begun_ms: i64,
    /// It begins work that goes on for so long.
    pub work_ms: Option<i64>,
}

impl Request {
    pub fn is_once(&self) -> bool {
        self.action.starts_with("sim.once_")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    NotDone,
    Going,
    Done,
}

#[derive(Debug)]
struct Effect {
    until_ms: i64,
    stopped: bool,
}

#[derive(Default)]
pub struct Target {
    effects: BTreeMap<Uuid, Effect>,
    /// When a step last took effect, whatever the key.
    last_ms: BTreeMap<(LaneId, String), i64>,
}

/// What a landing did.
pub enum Landed {
    /// The target knows the key: nothing more happened.
    Again,
    /// It took effect; an earlier one of the same step did at that instant.
    Effect { before: Option<i64> },
}

impl Target {
    pub fn land(&mut self, request: &Request, now_ms: i64) -> Landed {
        // A target of a `once` action does not look at keys.
        let known = self.effects.contains_key(&request.key);
        if known && !request.is_once() {
            return Landed::Again;
        }
        let until_ms = now_ms + request.work_ms.unwrap_or(0);
        let effect = Effect {
            until_ms,
            stopped: false,
        };
        self.effects.insert(request.key, effect);
        let step = (request.lane, request.action.clone());
        Landed::Effect {
            before: self.last_ms.insert(step, now_ms),
        }
    }

    pub fn truth(&self, key: Uuid, now_ms: i64) -> Truth {
        match self.effects.get(&key) {
            None => Truth::NotDone,
            Some(effect) if effect.stopped => Truth::NotDone,
            Some(effect) if effect.until_ms > now_ms => Truth::Going,
            Some(_) => Truth::Done,
        }
    }

    /// Work that still goes on is stopped.
    pub fn cancel(&mut self, key: Uuid, now_ms: i64) {
        if let Some(effect) = self.effects.get_mut(&key)
            && effect.until_ms > now_ms
        {
            effect.stopped = true;
        }
    }
}
