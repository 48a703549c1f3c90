//! What a guest may use up, and the name of the limit that ended it.

use crate::limits::{COMPUTE_TICKS_MAX, MEMORY_MAX_BYTES, TABLE_MAX_ELEMENTS};
use hostler_ports::plugin::HostError;
use std::fmt;
use wasmtime::{ResourceLimiter, Trap, UpdateDeadline};

/// Ends a guest from inside a host function or the epoch's callback.
#[derive(Clone, Copy, Debug)]
pub struct LimitHit(pub &'static str);

impl fmt::Display for LimitHit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "over its {} limit", self.0)
    }
}

impl std::error::Error for LimitHit {}

/// Counts what one call uses.
#[derive(Default)]
pub struct Guard {
    ticks: u64,
    /// The allocation that was refused, if any: a guest traps afterwards, but for its own reasons.
    refused: Option<&'static str>,
}

impl Guard {
    /// Called once a tick while the guest computes.
    ///
    /// # Errors
    /// When it has computed for too long.
    pub fn tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        self.ticks += 1;
        if self.ticks > COMPUTE_TICKS_MAX {
            return Err(LimitHit("time").into());
        }
        // Others get their turn on this thread; the call's time-out can fire.
        Ok(UpdateDeadline::Yield(1))
    }

    fn allow(&mut self, what: &'static str, desired: usize, max: usize) -> bool {
        if desired > max {
            self.refused = Some(what);
        }
        desired <= max
    }
}

impl ResourceLimiter for Guard {
    fn memory_growing(
        &mut self,
        _now: usize,
        desired: usize,
        _max: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.allow("memory", desired, MEMORY_MAX_BYTES))
    }

    fn table_growing(
        &mut self,
        _now: usize,
        desired: usize,
        _max: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.allow("table", desired, TABLE_MAX_ELEMENTS))
    }
}

/// Names the limit that a guest's end stands for.
#[must_use]
pub fn hit(guard: &Guard, error: &wasmtime::Error, last_words: Option<String>) -> HostError {
    let limit = if let Some(limit) = guard.refused {
        limit
    } else if let Some(hit) = error.downcast_ref::<LimitHit>() {
        hit.0
    } else {
        match error.downcast_ref::<Trap>() {
            // The language's own stack lies at the bottom of the memory: running over its end leaves the memory.
            Some(Trap::StackOverflow | Trap::MemoryOutOfBounds) => "stack",
            Some(Trap::Interrupt | Trap::OutOfFuel) => "time",
            Some(Trap::AllocationTooLarge) => "memory",
            // The engine has no type for these two.
            _ if error.to_string().contains("hostcall") => "output",
            _ if error.to_string().contains("handles") => "resources",
            _ => "trap",
        }
    };
    let cause = error.root_cause().to_string();
    let detail = last_words.map_or(cause.clone(), |words| format!("{words} ({cause})"));
    HostError::Limit { limit, detail }
}
