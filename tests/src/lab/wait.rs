//! The one place of the lab that looks at a clock: waiting until something is so, with a limit.
//!
//! Not here: waiting for a length of time. A level is asked for again and again until it holds.

use std::time::{Duration, Instant};

/// How long to rest between two looks. Short against every limit, long against the cost of a look.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Looks until `look` gives a value, at most for `limit`; `None` when it never did.
#[expect(
    clippy::disallowed_methods,
    reason = "a bounded wait for a real server needs a real clock"
)]
pub fn until<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(value) = look() {
            return Some(value);
        }
        if Instant::now() >= end {
            return None;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}
