//! What this process has seen of the realm, and whether the server shows less than that.
//!
//! Not here: asking the server.

use hostler_ports::store::generation::Regression;
use hostler_ports::store::{StoreError, StoreResult};
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Default)]
pub struct Past {
    /// Largest seq that any answer bore in this generation.
    seen: AtomicU64,
    /// Commits up to here may belong to what was lost: they are never called durable.
    floor: AtomicU64,
    /// Number of the generation that is known here.
    generation: AtomicU64,
    /// What a server that has gone back showed, plus one; zero while all is well.
    regressed: AtomicU64,
}

/// What was known when a call was made.
#[derive(Clone, Copy, Debug)]
pub struct Before {
    seen: u64,
    generation: u64,
}

impl Past {
    pub fn seen(&self) -> u64 {
        self.seen.load(Ordering::SeqCst)
    }

    pub fn floor(&self) -> u64 {
        self.floor.load(Ordering::SeqCst)
    }

    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    pub fn before(&self) -> Before {
        // In this order: a generation that begins in between is seen by `saw`.
        let generation = self.generation();
        let seen = self.seen();
        Before { seen, generation }
    }

    /// An answer bore `seq`. It must be larger than every one that was known when its call was made,
    /// unless the call had been carried out `again`.
    pub fn saw(&self, before: Before, seq: u64, again: bool) -> StoreResult<()> {
        if self.generation() != before.generation {
            let what = "Redis: a new generation began meanwhile";
            return Err(StoreError::Unavailable(what.into()));
        }
        self.seen.fetch_max(seq, Ordering::SeqCst);
        if seq <= before.seen && !again {
            self.lost(seq);
        }
        self.check()
    }

    /// A reading bore `seq`: there are commits of others up to there.
    pub fn heard_of(&self, seq: u64) {
        self.seen.fetch_max(seq, Ordering::SeqCst);
    }

    /// The server shows this as its newest commit, and has lost others.
    pub fn lost(&self, found: u64) {
        self.regressed.store(found + 1, Ordering::SeqCst);
    }

    /// Some process has declared it in this generation; what is told of another one is over.
    pub fn told(&self, generation: u64, declared: Regression) {
        if generation != self.generation() {
            return;
        }
        self.seen.fetch_max(declared.seen, Ordering::SeqCst);
        self.lost(declared.found);
    }

    pub fn regression(&self) -> Option<Regression> {
        let found = self.regressed.load(Ordering::SeqCst).checked_sub(1)?;
        let seen = self.seen();
        Some(Regression { seen, found })
    }

    /// Nothing is written while the server has gone back and nobody has decided.
    pub fn check(&self) -> StoreResult<()> {
        match self.regression() {
            None => Ok(()),
            Some(Regression { seen, found }) => Err(StoreError::Regressed { seen, found }),
        }
    }

    /// A person has decided: `number` is the present generation, and `seq` its newest commit. False
    /// when that was known.
    pub fn heard(&self, number: u64, seq: u64) -> bool {
        if number <= self.generation() {
            return false;
        }
        self.floor.fetch_max(self.seen(), Ordering::SeqCst);
        self.seen.store(seq, Ordering::SeqCst);
        self.generation.store(number, Ordering::SeqCst);
        self.regressed.store(0, Ordering::SeqCst);
        true
    }

    /// A connection was made, and this is what lies there. `before` was known when it was asked for: answers on
    /// the old connection may have told of more since.
    pub fn met(&self, before: Option<Before>, number: u64, seq: u64, declared: Option<Regression>) {
        let Some(before) = before else {
            return self.met_first(number, declared);
        };
        if !self.heard(number, seq) && (seq < before.seen || number < before.generation) {
            self.lost(seq);
        }
        if let Some(declared) = declared {
            self.told(number, declared);
        }
    }

    fn met_first(&self, number: u64, declared: Option<Regression>) {
        self.generation.store(number, Ordering::SeqCst);
        if let Some(declared) = declared {
            self.told(number, declared);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regressed(seen: u64, found: u64) -> StoreResult<()> {
        Err(StoreError::Regressed { seen, found })
    }

    #[test]
    fn a_smaller_seq_is_a_loss_until_a_newer_generation_is_heard_of() {
        let past = Past::default();
        assert_eq!(past.saw(past.before(), 9, false), Ok(()));
        assert_eq!(past.saw(past.before(), 4, false), regressed(9, 4));
        assert!(!past.heard(0, 4), "it is the same generation");
        assert_eq!(past.check(), regressed(9, 4));
        assert!(past.heard(1, 10));
        assert_eq!((past.check(), past.floor(), past.seen()), (Ok(()), 9, 10));
    }

    #[test]
    fn an_answer_from_an_earlier_generation_tells_nothing() {
        let past = Past::default();
        assert_eq!(past.saw(past.before(), 9, false), Ok(()));
        let before = past.before();
        past.heard(1, 20);
        assert!(matches!(
            past.saw(before, 5, false),
            Err(StoreError::Unavailable(_))
        ));
        assert_eq!((past.check(), past.seen()), (Ok(()), 20));
    }

    #[test]
    fn what_another_process_declared_holds_for_all() {
        let past = Past::default();
        let declared = Some(Regression { seen: 8, found: 5 });
        past.met(None, 3, 5, declared);
        assert_eq!(past.check(), regressed(8, 5));
        past.met(Some(past.before()), 4, 9, None);
        assert_eq!((past.check(), past.generation()), (Ok(()), 4));
        past.met(Some(past.before()), 2, 40, None);
        assert_eq!(past.check(), regressed(9, 40), "an older generation");
    }

    #[test]
    fn answers_that_come_while_a_connection_is_made_are_no_loss() {
        let past = Past::default();
        past.met(None, 0, 0, None);
        assert_eq!(past.saw(past.before(), 5, false), Ok(()));
        let before = past.before();
        // The new connection reads 7; two calls of the old one are answered before that is looked at.
        assert_eq!(past.saw(before, 9, false), Ok(()));
        past.met(Some(before), 0, 7, None);
        assert_eq!((past.check(), past.seen()), (Ok(()), 9));
        past.met(Some(past.before()), 0, 8, None);
        assert_eq!(past.check(), regressed(9, 8));
    }

    #[test]
    fn a_call_that_was_made_twice_may_bear_an_old_seq() {
        let past = Past::default();
        assert_eq!(past.saw(past.before(), 9, false), Ok(()));
        assert_eq!(past.saw(past.before(), 4, true), Ok(()));
    }
}
