//! Chance that can be repeated: a test prints its seed.
//!
//! Not here: anything for secrets.

use std::hash::{BuildHasher, RandomState};

use super::setting;

/// A small generator (xorshift64*).
pub struct Chance(u64);

impl Chance {
    /// From the seed that was asked for, else from one of its own, which it prints.
    pub fn new() -> Chance {
        let seed = setting("HOSTLER_FAULT_SEED").unwrap_or_else(|| RandomState::new().hash_one(1));
        println!("HOSTLER_FAULT_SEED={seed}");
        // Zero would stay zero.
        Chance(seed | 1)
    }

    /// A number below `below`, which is not 0.
    pub fn below(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % below
    }

    /// One of several.
    pub fn of<T: Copy>(&mut self, several: &[T]) -> T {
        let count = u64::try_from(several.len()).unwrap();
        several[usize::try_from(self.below(count)).unwrap()]
    }
}
