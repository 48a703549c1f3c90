//! What an installation holds on to, from time to time.

use hostler_tests::lab::{Program, Usage};

use crate::faults::bed::Bed;

/// At one moment; what has no answer just then is left out.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Runs that were accepted by then.
    pub accepted: usize,
    pub api: Option<Usage>,
    pub workers: Vec<Usage>,
    pub redis: Option<Usage>,
    /// Keys of Redis.
    pub keys: Option<u64>,
    /// Bytes of data that Redis holds: beside its tables and buffers.
    pub bytes: Option<u64>,
}

impl Sample {
    pub fn of(bed: &Bed, workers: &[Program], accepted: usize) -> Sample {
        Sample {
            accepted,
            api: bed.api_usage(),
            workers: workers.iter().filter_map(Program::usage).collect(),
            redis: bed.redis.usage(),
            keys: keys(bed),
            bytes: bytes(bed),
        }
    }
}

/// All keys; none while Redis does not answer.
fn keys(bed: &Bed) -> Option<u64> {
    let told = bed.redis.ask("DBSIZE").ok()?;
    told.trim().strip_prefix(':')?.parse().ok()
}

fn bytes(bed: &Bed) -> Option<u64> {
    let told = bed.redis.ask("INFO memory").ok()?;
    let mut lines = told.lines();
    lines
        .find_map(|line| line.strip_prefix("used_memory_dataset:"))?
        .trim()
        .parse()
        .ok()
}

/// The one in the middle of what these samples say; none when none says anything.
pub fn median(samples: &[Sample], says: impl Fn(&Sample) -> Option<f64>) -> Option<f64> {
    let mut values: Vec<f64> = samples.iter().filter_map(says).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
