//! The Function library, put together from its parts.
//!
//! Not here: loading it.

/// Name of the library; raised when an old form of a Function has to stay beside a new one.
pub const LIBRARY: &str = "hostler_1";
/// Where tests keep the time that `Functions::with_test_clock` reads.
pub const TEST_CLOCK_KEY: &str = "hostler:test-clock";

const SERVER_CLOCK: &str = include_str!("../functions/0_clock.lua");
const PARTS: [&str; 15] = [
    include_str!("../functions/1_common.lua"),
    include_str!("../functions/2_queue.lua"),
    include_str!("../functions/3_locks.lua"),
    include_str!("../functions/4_records.lua"),
    include_str!("../functions/4_timers.lua"),
    include_str!("../functions/4_lists.lua"),
    include_str!("../functions/4_spawn.lua"),
    include_str!("../functions/5_commit.lua"),
    include_str!("../functions/6_group.lua"),
    include_str!("../functions/6_runs.lua"),
    include_str!("../functions/7_upkeep.lua"),
    include_str!("../functions/7_generation.lua"),
    include_str!("../functions/7_ledger.lua"),
    include_str!("../functions/8_reads.lua"),
    include_str!("../functions/9_register.lua"),
];

/// The library's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Functions(String);

impl Default for Functions {
    fn default() -> Self {
        Self::over(SERVER_CLOCK)
    }
}

impl Functions {
    fn over(clock: &str) -> Self {
        let mut text = format!("#!lua name={LIBRARY}\n{clock}\n");
        for part in PARTS {
            text.push_str(part);
            text.push('\n');
        }
        Self(text)
    }

    /// The same library over a clock that tests set at `TEST_CLOCK_KEY`. Never for a server that
    /// holds real runs.
    #[must_use]
    pub fn with_test_clock() -> Self {
        let read = format!("tonumber(redis.call('GET', '{TEST_CLOCK_KEY}') or '0')");
        Self::over(&format!("local function now_ms() return {read} end"))
    }

    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hostler_ports::store::{CARRIED_MAX, READ_MAX, STALL_GAP_MS, STRIKES_BEFORE_ALONE, bounds};

    #[test]
    fn the_functions_have_the_limits_of_the_port() {
        let limits = [
            ("READ_MAX", READ_MAX as u64),
            ("INBOX_MAX", bounds::INBOX_MAX),
            ("CARRIED_MAX", CARRIED_MAX as u64),
            ("LANE_TIMERS_MAX", bounds::LANE_TIMERS_MAX as u64),
            ("LANE_HOLDS_MAX", bounds::LANE_HOLDS_MAX as u64),
            ("LANE_WATCHES_MAX", bounds::LANE_WATCHES_MAX as u64),
            ("WATCH_RING_MAX", bounds::WATCH_RING_MAX as u64),
            ("FEED_KEEP", bounds::FEED_KEEP),
            ("STALL_GAP_MS", STALL_GAP_MS.unsigned_abs()),
            ("STRIKES_BEFORE_ALONE", u64::from(STRIKES_BEFORE_ALONE)),
            ("SHELVES", u64::from(crate::blobs::SHELVES)),
        ];
        let library = Functions::default();
        for (name, value) in limits {
            let line = format!("\nlocal {name} = {value}\n");
            assert!(
                library.text().contains(&line),
                "{name} is not {value} in the Functions"
            );
        }
    }

    #[test]
    fn no_function_reports_an_error_text_of_its_own() {
        // An error reply that carries text from outside can forge replies on servers that do not
        // filter line breaks; refusals are data.
        assert!(!Functions::default().text().contains("error_reply"));
    }
}
