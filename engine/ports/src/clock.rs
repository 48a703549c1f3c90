//! Time, ids and chance come from outside.

use uuid::Uuid;

/// The two clocks that a process has. Neither is the store's: leases and timers never ask this one.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    fn now_ms(&self) -> i64;
    /// Milliseconds on a clock that never goes back and counts suspension.
    fn monotonic_ms(&self) -> i64;
}

/// Fresh identifiers for what is not derived from something else.
pub trait Ids: Send + Sync + 'static {
    fn fresh(&self) -> Uuid;
}
